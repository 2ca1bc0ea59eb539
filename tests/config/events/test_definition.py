"""Event types in files: what is accepted, and a finding with its place for everything that is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.directory import check_directory
from hookctl.config.events import read_event_types
from hookctl.config.events.definition import define
from hookctl.config.events.merge import types_of
from hookctl.delivery.events.intake import EventGate
from hookctl.model import Finding
from hookctl.plugin.host import load_plugins
from hookctl.report.text.schema import field_rows

PLUGINS = load_plugins()
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "An order that was paid.",
    "properties": {
        "data": {
            "type": "object",
            "description": "The order.",
            "required": ["amount"],
            "properties": {"amount": {"type": "number", "description": "The amount."}},
        }
    },
    "required": ["data"],
    "examples": [{"id": "o1", "event_type": "order.paid", "event_time": 1.5, "data": {"amount": 2}}],
}
AMOUNT = ("properties", "data", "properties", "amount")


def changed(*changes: tuple[tuple[str, ...], Any]) -> dict[str, Any]:
    schema = deepcopy(SCHEMA)
    for path, value in changes:
        place: Any = schema
        for key in path[:-1]:
            place = place[key]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return schema


def found(schema: Mapping[str, Any] | str, name: str = "order.paid") -> list[Finding]:
    text = schema if isinstance(schema, str) else json.dumps(schema, indent=2)
    return define("events.d/order.paid.schema.json", name, text.encode())[1]


def test_a_schema_is_completed_with_what_every_event_has() -> None:
    defined, findings = define("x", "order.paid", json.dumps(SCHEMA).encode())
    assert findings == []
    assert defined.mock == SCHEMA["examples"][0]
    assert defined.summary == "An order that was paid."
    assert {row.path for row in field_rows(defined.schema)} == {"id", "event_type", "event_time", "data", "data.amount"}
    again, _ = define("x", "order.paid", defined.canonical())
    assert again.digest == defined.digest
    gate = EventGate(types_of({"order.paid": defined}))
    assert gate.parse(json.dumps(SCHEMA["examples"][0]).encode()).event_type == "order.paid"


@pytest.mark.parametrize(
    ("schema", "rule", "place"),
    [
        (changed((("properties", "data", "type"), "objekt")), "event-schema-invalid", '"objekt"'),
        (changed((AMOUNT, {"pattern": "(?=x)y", "description": "x"})), "event-schema-invalid", '"(?=x)y"'),
        (changed((AMOUNT, {"pattern": "(", "description": "x"})), "event-schema-invalid", '"("'),
        (changed((("$schema",), "http://json-schema.org/draft-07/schema#")), "event-schema-invalid", '"http'),
        (changed((("properties", "event_type"), {"const": "order.sent"})), "event-schema-invalid", '"order.sent"'),
        (changed((("type",), "array")), "event-schema-invalid", "{"),
        (changed((AMOUNT, {"$ref": "https://example.com/x.json"})), "event-schema-reference", '"https://'),
        (changed((AMOUNT, {"$ref": "other.json#/x"})), "event-schema-reference", '"other.json'),
        (changed((AMOUNT, {"$ref": "#/$defs/none"})), "event-schema-reference", '"#/$defs/none"'),
        (changed((AMOUNT, {"$anchor": "here", "description": "x"})), "event-schema-reference", '"$anchor"'),
        (changed((AMOUNT, {"$id": "urn:x", "description": "x"})), "event-schema-reference", '"$id"'),
        (changed((("$id",), "\0")), "event-schema-invalid", "{"),
        (changed((("examples",), None)), "event-example-invalid", "{"),
        (
            changed((("examples",), [{**SCHEMA["examples"][0], "data": {"amount": "2"}}])),
            "event-example-invalid",
            '"2"',
        ),
        (changed(((*AMOUNT, "description"), None)), "event-field-undescribed", '"amount"'),
    ],
)
def test_each_mistake_is_found_at_its_place(schema: dict[str, Any], rule: str, place: str) -> None:
    (finding,) = found(schema)
    assert finding.rule == rule
    assert finding.file is not None
    assert finding.span is not None
    line = finding.file.line(finding.span.line)
    assert line[finding.span.column - 1 :].startswith(place)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1, "a": 2}', '{"a": NaN}', "{" * 9000, "\xff"])
def test_what_is_not_one_json_object_is_a_finding(text: str) -> None:
    (finding,) = define("x", "a", text.encode("latin-1"))[1]
    assert finding.rule in {"event-schema-not-json", "event-schema-invalid", "file-not-text"}


def nested(levels: int, make: Any) -> dict[str, Any]:
    """Levels of definitions, each of which refers to the next one, twice or in whatever way ``make`` gives."""
    defs = {f"d{n}": make(f"#/$defs/d{n + 1}") for n in range(levels)}
    return changed((AMOUNT, {"$ref": "#/$defs/d0"}), (("$defs",), {**defs, f"d{levels}": {"type": "number"}}))


@pytest.mark.parametrize(
    "schema",
    [
        nested(30, lambda ref: {"anyOf": [{"$ref": ref}, {"$ref": ref}]}),
        nested(30, lambda ref: {"allOf": [{"$ref": ref}, {"$ref": ref}]}),
        nested(30, lambda ref: {"properties": {"a": {"$ref": ref}}, "additionalProperties": {"$ref": ref}}),
        changed((AMOUNT, {"$ref": "#/properties/data/properties/amount"})),
        changed(
            (("$defs",), {"n": {"allOf": [{"properties": {"n": {"$ref": "#/$defs/n"}}}] * 2}}),
            (AMOUNT, {"$ref": "#/$defs/n"}),
        ),
    ],
)
def test_a_schema_that_costs_too_much_is_refused_before_it_is_used(schema: dict[str, Any]) -> None:
    assert "event-schema-cost" in {finding.rule for finding in found(schema)}


def test_a_schema_may_refer_to_itself_under_a_key_and_in_a_list() -> None:
    node = {
        "type": "object",
        "description": "A comment.",
        "properties": {
            "parent": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}], "description": "x"},
            "replies": {"type": "array", "description": "x", "items": {"$ref": "#/$defs/node"}},
        },
    }
    schema = changed(
        (("$defs",), {"node": node}),
        (AMOUNT, {"$ref": "#/$defs/node"}),
        (("examples",), [{**SCHEMA["examples"][0], "data": {"amount": {"replies": [{"replies": []}]}}}]),
    )
    assert found(schema) == []
    field_rows(define("x", "order.paid", json.dumps(schema).encode())[0].schema)


def write(root: Path, name: str, schema: Mapping[str, Any] = SCHEMA) -> None:
    (root / "events.d").mkdir(exist_ok=True)
    (root / "events.d" / name).write_text(json.dumps(schema))


def test_names_and_links(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    write(tmp_path, "order.paid.schema.json")
    write(tmp_path, "ORDER.paid.schema.json")
    write(tmp_path, "anomaly.schema.json")
    write(tmp_path, "hookctl.mine.schema.json")
    write(tmp_path, "1st.schema.json")
    write(tmp_path, "order.json")
    (tmp_path / "events.d/README.md").write_text("not a type")
    (tmp_path / "events.d/link.schema.json").symlink_to(tmp_path / "secret.json")
    read = read_event_types(tmp_path / "webhooks.d", PLUGINS)
    rules = {Path(finding.path).name: finding.rule for finding in read.findings}
    taken = {"anomaly.schema.json", "hookctl.mine.schema.json"}
    assert {name for name, rule in rules.items() if rule == "event-type-taken"} - taken == {"order.paid.schema.json"}
    assert rules["1st.schema.json"] == rules["order.json"] == "event-file-name"
    assert "file-outside" in rules.values()
    assert "README.md" not in rules


def test_an_event_type_with_errors_causes_no_findings_about_webhooks(tmp_path: Path) -> None:
    write(tmp_path, "order.paid.schema.json", changed((("examples",), None)))
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/a.yaml").write_text(
        "name: A\nevent: order.paid\nurl: https://a.example.com/x\nbody_template: '{\"a\": {{ data.nothing }}}'\n"
    )
    checked = check_directory(tmp_path / "webhooks.d", PLUGINS)
    assert [finding.rule for finding in checked.findings] == ["event-example-invalid"]


def test_what_is_cached_of_webhooks_depends_on_the_event_types(tmp_path: Path) -> None:
    (tmp_path / "webhooks.d").mkdir()
    for number in range(100):
        text = f"name: W{number}\nevent: order.paid\nurl: https://a.example.com/x\n"
        text += "body_template: '{{ data.amount }}'\n"
        (tmp_path / f"webhooks.d/{number}.yaml").write_text(text)
    write(tmp_path, "order.paid.schema.json")
    assert check_directory(tmp_path / "webhooks.d", PLUGINS, cache=tmp_path / "cache").valid
    write(tmp_path, "order.paid.schema.json", json.loads(json.dumps(SCHEMA).replace("amount", "total")))
    checked = check_directory(tmp_path / "webhooks.d", PLUGINS, cache=tmp_path / "cache")
    assert {finding.rule for finding in checked.findings} == {"template-unknown-path"}


def test_a_field_may_have_a_boolean_schema(tmp_path: Path) -> None:
    write(tmp_path, "order.paid.schema.json", changed((AMOUNT, True)))
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/a.yaml").write_text(
        "name: A\nevent: order.paid\nurl: https://a.example.com/x\nbody_template: '{\"a\": {{ data.amount }}}'\n"
    )
    assert check_directory(tmp_path / "webhooks.d", PLUGINS).valid


@pytest.mark.parametrize(("field", "kind", "value"), [("id", "integer", 7), ("event_time", "string", "now")])
def test_a_schema_cannot_change_what_every_event_has(field: str, kind: str, value: object) -> None:
    example = {**SCHEMA["examples"][0], field: value}
    part = {"type": kind, "description": "Another kind."}
    schema = changed((("properties", field), part), (("examples",), [example]))
    assert [(one.rule, field in one.message) for one in found(schema)] == [("event-example-invalid", True)]
