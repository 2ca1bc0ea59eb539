"""Event types from OpenAPI and AsyncAPI files: what is written is what ``hookctl validate`` accepts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.events import read_event_types
from hookctl.config.importing import Imported, import_event_types
from hookctl.plugin.host import load_plugins

PLUGINS = load_plugins()
PET: dict[str, Any] = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "integer", "description": "Id.", "minimum": 1},
        "kind": {"$ref": "#/components/schemas/Kind"},
        "born": {"type": "string", "format": "date-time", "nullable": True},
        "parent": {"$ref": "#/components/schemas/Pet"},
    },
}
COMPONENTS = {"schemas": {"Pet": PET, "Kind": {"type": "string", "enum": ["cat", "dog"]}}}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1"},
    "webhooks": {"newPet": {"post": {"summary": "A new pet.", "requestBody": BODY, "responses": {"200": {}}}}},
    "components": COMPONENTS,
}
V2: dict[str, Any] = {
    "asyncapi": "2.6.0",
    "channels": {
        "pet/created": {"subscribe": {"message": {"$ref": "#/components/messages/PetCreated"}}},
        "pet/changed": {
            "publish": {
                "message": {
                    "oneOf": [
                        {
                            "name": "pet.renamed",
                            "payload": {"type": "object", "properties": {"name": {"type": "string"}}},
                        },
                        {
                            "name": "pet.avro",
                            "schemaFormat": "application/vnd.apache.avro;version=1.9.0",
                            "payload": {},
                        },
                    ]
                }
            }
        },
    },
    "components": {
        **COMPONENTS,
        "messages": {
            "PetCreated": {
                "summary": "A pet was created.",
                "payload": {"$ref": "#/components/schemas/Pet"},
                "examples": [{"payload": {"id": 7, "kind": "dog"}}],
            }
        },
    },
}
V3: dict[str, Any] = {
    "asyncapi": "3.0.0",
    "channels": {
        "pets": {
            "address": "pets",
            "messages": {
                "created": {"$ref": "#/components/messages/PetCreated"},
                "gone": {"payload": {"schemaFormat": "application/schema+json", "schema": {"type": "object"}}},
            },
        }
    },
    "components": V2["components"],
}


def imported(document: Any) -> Imported:
    return import_event_types("api.json", json.dumps(document).encode(), PLUGINS)


def written(found: Imported, root: Path) -> dict[str, Any]:
    """The event types that hookctl reads from the files. All of them must be valid."""
    (root / "events.d").mkdir()
    for name, text in found.files.items():
        (root / f"events.d/{name}.schema.json").write_text(text)
    read = read_event_types(root / "webhooks.d", PLUGINS)
    assert not [finding for finding in read.findings if finding.is_error]
    return dict(read.types)


def test_openapi(tmp_path: Path) -> None:
    found = imported(OPENAPI)
    assert [(one.rule, "is made up" in one.message) for one in found.findings] == [("import-changed", True)]
    pet = written(found, tmp_path)["newPet"]
    assert pet.summary == "A new pet."
    assert pet.mock["data"]["kind"] == "cat"
    assert pet.schema["$defs"]["Pet"]["properties"]["born"]["type"] == ["string", "null"]


def test_asyncapi_2(tmp_path: Path) -> None:
    found = imported(V2)
    types = written(found, tmp_path)
    assert sorted(types) == ["PetCreated", "pet.renamed"]
    assert types["PetCreated"].mock["data"] == {"id": 7, "kind": "dog"}
    assert ["pet.avro is not imported" in one.message for one in found.findings if one.is_error] == [True]


def test_asyncapi_3(tmp_path: Path) -> None:
    found = imported(V3)
    assert sorted(written(found, tmp_path)) == ["PetCreated", "gone"]
    assert not [one for one in found.findings if one.is_error]


def test_the_example_of_a_schema_that_is_referred_to_is_the_mock_event(tmp_path: Path) -> None:
    pet = {"type": "object", "properties": {"id": {"type": "integer"}}, "example": {"id": 77}}
    schemas = {"Pet": pet, "Alias": {"$ref": "#/components/schemas/Pet"}}
    document = {**with_body({"$ref": "#/components/schemas/Alias"}), "components": {"schemas": schemas}}
    found = imported(document)
    assert found.findings == ()
    assert written(found, tmp_path)["hook"].mock["data"] == {"id": 77}


def test_yaml_has_the_same_result_and_places() -> None:
    import yaml

    text = yaml.safe_dump(V2, sort_keys=False)
    found = import_event_types("api.yaml", text.encode(), PLUGINS)
    assert found.files == imported(V2).files
    (error,) = [one for one in found.findings if one.is_error]
    assert error.span is not None
    assert "pet.avro" in text.splitlines()[error.span.line - 1]


def with_body(schema: Any) -> dict[str, Any]:
    hook = {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}
    return {**OPENAPI, "webhooks": {"hook": hook}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: {"swagger": "2.0"}, "neither OpenAPI 3.1"),
        (lambda: {"openapi": "3.1.0", "paths": {}}, "no `webhooks` section"),
        (lambda: {"asyncapi": "3.0.0"}, "describes no message"),
        (lambda: [1], "not valid YAML"),
        (lambda: {**OPENAPI, "webhooks": {"newPet": {"get": {}}}}, "no body that is JSON"),
        (lambda: {**OPENAPI, "webhooks": {"audit_log": OPENAPI["webhooks"]["newPet"]}}, "already defines"),
        (lambda: {**OPENAPI, "webhooks": {"///": OPENAPI["webhooks"]["newPet"]}}, "has no letters"),
        (lambda: with_body({"type": "nothing"}), "cannot use its schema"),
        (lambda: with_body({"type": "string", "pattern": "(?=x)"}), "cannot use its schema"),
        (lambda: with_body({"$ref": "other.yaml#/x"}), "does not point into the file"),
    ],
)
def test_what_cannot_be_converted_is_a_finding(change: Callable[[], Any], words: str) -> None:
    found = imported(change())
    assert any(words in one.message for one in found.findings) or words == "not valid YAML"
    assert found.findings
    assert {one.rule for one in found.findings} <= {"import-unreadable", "import-skipped", "import-changed"}


def test_schemas_that_refer_to_one_another_take_no_time() -> None:
    many = {
        f"S{n}": {"properties": {f"p{k}": {"$ref": f"#/components/schemas/S{k}"} for k in range(30)}} for n in range(30)
    }
    document = {**with_body({"$ref": "#/components/schemas/S0"}), "components": {"schemas": many}}
    assert imported(document).findings


@pytest.mark.parametrize("inner", [{"type": "string"}, {"const": "x" * 10_000}])
def test_lists_in_lists_do_not_multiply_the_mock_event(inner: dict[str, Any]) -> None:
    schema: dict[str, Any] = {"items": inner}
    for _ in range(8):
        schema = {"type": "array", "minItems": 10, "items": schema}
    found = imported(with_body(schema))
    assert max(map(len, found.files.values())) < 1_000_000


def test_the_command(tmp_path: Path, run_cli: Callable[..., Any]) -> None:
    (tmp_path / "api.json").write_text(json.dumps(V2))
    result = run_cli("import", "events", "api.json", cwd=tmp_path)
    assert result.exit_code == 1
    assert "Wrote  events.d/PetCreated.schema.json" in result.stderr
    assert "error[import-skipped]" in result.stdout
    before = (tmp_path / "events.d/PetCreated.schema.json").read_text()
    assert "Kept   events.d/PetCreated.schema.json" in run_cli("import", "events", "api.json", cwd=tmp_path).stderr
    assert (tmp_path / "events.d/PetCreated.schema.json").read_text() == before
    assert run_cli("schema", "event", "PetCreated", cwd=tmp_path).exit_code == 0
    assert "cannot be read" in run_cli("import", "events", "none.json", cwd=tmp_path).stderr
