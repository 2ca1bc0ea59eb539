"""``hookctl export openapi``: a valid document, and schemas that every body that is sent fits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hookctl.config.exporting.body_schema import infer_schema
from hookctl.plugin.host import load_plugins
from hookctl.template.body import compile_body

EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id", "event_type", "event_time", "data"],
    "properties": {
        "id": {"type": "string"},
        "event_type": {"const": "x"},
        "event_time": {"type": "number"},
        "data": {
            "type": "object",
            "required": ["severity", "note", "count", "owner", "groups"],
            "properties": {
                "severity": {"enum": ["Low", "High"], "type": "string"},
                "note": {"type": ["string", "null"]},
                "count": {"type": "integer"},
                "owner": {"$ref": "#/$defs/owner"},
                "groups": {"type": "array", "items": {"$ref": "#/$defs/owner"}},
                "extra": {"type": "boolean"},
            },
        },
    },
    "$defs": {"owner": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
}
OWNER = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
EVENTS: list[dict[str, Any]] = [
    {
        "id": "1",
        "event_type": "x",
        "event_time": 1.5,
        "data": {
            "severity": "High",
            "note": note,
            "count": 2,
            "owner": {"name": "a"},
            "groups": [{"name": f"g{number}"} for number in range(groups)],
            **extra,
        },
    }
    for note in (None, "n")
    for groups in (0, 2)
    for extra in ({}, {"extra": True})
]
TEMPLATES = [
    ('{"a": "{{ data.severity }}"}', {"a": {"type": "string", "enum": ["Low", "High"]}}, ["a"]),
    ('{"a": {{ data.note }}}', {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, ["a"]),
    ('{"a": "x {{ data.count }}", "b": {{ data.count }}}',
     {"a": {"type": "string"}, "b": {"type": "integer"}}, ["a", "b"]),
    ('{"a": {{ data.owner }}}', {"a": OWNER}, ["a"]),
    ('{"a": {{ data.groups }}}', {"a": {"type": "array", "items": OWNER}}, ["a"]),
    (
        '{"a": [{% for g in data.groups %}{"n": "{{ g.name }}"}{{ "," if not loop.last }}{% endfor %}]}',
        {"a": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "string"}},
                                          "required": ["n"]}}},
        ["a"],
    ),
    (
        '{"a": 1{% if data.extra is defined %}, "b": {{ data.extra }}{% endif %}}',
        {"a": {"const": 1}, "b": {"type": "boolean"}},
        ["a"],
    ),
    (
        '{ {% if data.note %}"a": 1, "b": 2{% else %}"a": "x"{% endif %} }',
        {"a": {"anyOf": [{"const": 1}, {"const": "x"}]}, "b": {"const": 2}},
        ["a"],
    ),
    ('{"a": {% if data.note %}null{% else %}[true]{% endif %}}',
     {"a": {"anyOf": [{"const": None}, {"type": "array", "items": {"const": True}}]}}, ["a"]),
    ('{"a": {{ data.groups | length }}, "b": {{ data.note or 1 }}}',
     {"a": {"type": "number"}, "b": {"type": ["null", "number", "string"]}}, ["a", "b"]),
    ('{"k": "${env:KEY}", "s": "a ${env:KEY} b"}', {"k": {"type": "string"}, "s": {"type": "string"}}, ["k", "s"]),
]  # fmt: skip


@pytest.mark.parametrize(("template", "properties", "required"), TEMPLATES)
def test_schemas_follow_from_the_template(template: str, properties: object, required: list[str]) -> None:
    schema = infer_schema(template, EVENT_SCHEMA, {})
    assert schema == {"type": "object", "properties": properties, "required": required}


@pytest.mark.parametrize(
    "template",
    [
        *(template for template, _, _ in TEMPLATES),
        '{ {% for k, v in data.owner | items %}"{{ k }}": {{ v }}{{ "," if not loop.last }}{% endfor %} }',
        "[{{ data }}, {{ event_time }}, {{ [data.count, data.note] }}, {{ {'a': data.count} }}]",
        '{% if data.note %}{"a": 1{% else %}{"b": 2{% endif %}}',
        "[]",
        '"{{ data.severity }}"',
    ],
)
def test_every_body_fits_its_schema(template: str) -> None:
    schema = infer_schema(template, EVENT_SCHEMA, {})
    jsonschema.Draft202012Validator.check_schema(schema)
    for event in EVENTS:
        if "data.extra }}" in template and "extra" not in event["data"] and "is defined" not in template:
            continue
        body = json.loads(compile_body(template, {}).render(event))
        jsonschema.Draft202012Validator(schema).validate(body)


def test_bodies_of_the_built_in_event_type_fit() -> None:
    anomaly = load_plugins().event_types["anomaly"]
    schema = infer_schema('{"data": {{ data }}, "flow": {{ data.access_flow }}}', anomaly.schema, {})
    body = json.loads(compile_body('{"data": {{ data }}, "flow": {{ data.access_flow }}}', {}).render(anomaly.mock))
    jsonschema.Draft202012Validator(schema).validate(body)
    for name in body["data"]:
        rest = {key: value for key, value in body["data"].items() if key != name}
        assert not jsonschema.Draft202012Validator(schema).is_valid({**body, "data": rest}), name


WEBHOOKS = """\
name: Siem
description: To the SIEM
event: anomaly
when: data.severity == 'High'
url: https://siem.example.com/in?tenant=a&key=${env:KEY}
headers: {X-Source: hookctl, X-Key: "${env:KEY}", X-Id: "{{ id }}"}
auth:
- {type: oauth2, client_id: c, client_secret: "${env:S}", token_url: "https://login.example.com/t"}
- {type: standard_webhooks, secret: "${env:S}"}
body_template: '{"severity": "{{ data.severity }}", "key": "${env:KEY}"}'
response_validators: [{json_path: $.data.status, expected_values: [ok]}]
outcomes: {409: delivered}
---
name: Sms
event: anomaly
url: https://sms.example.com/in
auth: {type: headers, headers: {X-Token: "${env:T}"}}
form: {To: "+1555", Body: "{{ data.title }}"}
---
name: Lines
event: anomaly
method: PUT
url: https://lines.example.com/in
auth: {type: basic, username: me, password: "${env:P}"}
body_format: ndjson
body_template: '[{"a": {{ data.id }}}]'
---
name: Off
event: anomaly
status: inactive
url: https://off.example.com/in
"""


def test_the_document_is_valid_and_complete(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d" / "all.yaml").write_text(WEBHOOKS)
    result = run_cli("export", "openapi", cwd=tmp_path)
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    OpenAPIV31SpecValidator(document).validate()
    assert [*document["webhooks"]] == ["Lines", "Siem", "Sms"]
    siem = document["webhooks"]["Siem"]["post"]
    parameters = {(one["in"], one["name"]): one["schema"] for one in siem["parameters"]}
    assert parameters == {
        ("header", "webhook-id"): {"type": "string"},
        ("header", "webhook-timestamp"): {"type": "string", "pattern": "^[0-9]+$"},
        ("header", "webhook-signature"): {"type": "string"},
        ("header", "X-Source"): {"const": "hookctl"},
        ("header", "X-Key"): {"type": "string"},
        ("header", "X-Id"): {"type": "string"},
        ("query", "tenant"): {"type": "string"},
        ("query", "key"): {"type": "string"},
    }
    content = siem["requestBody"]["content"]["application/json"]
    assert content["schema"]["properties"]["severity"]["enum"] == ["Low", "Medium", "High"]
    assert content["example"]["key"] == "***"
    assert siem["security"] == [{"bearer": []}]
    assert siem["responses"]["409"] == {"description": "The event counts as delivered."}
    assert '$.data.status is "ok"' in siem["responses"]["2XX"]["description"]
    sms = document["webhooks"]["Sms"]["post"]
    assert sms["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["required"] == ["Body", "To"]
    assert sms["security"] == [{"X-Token": []}]
    assert document["webhooks"]["Lines"]["put"]["security"] == [{"basic": []}]
    assert "${" not in result.stdout
    named = json.loads(run_cli("export", "openapi", "Off", cwd=tmp_path).stdout)
    assert [*named["webhooks"]] == ["Off"]


DEPLOYMENT: dict[str, Any] = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "description": "The deployment.",
            "required": ["id"],
            "properties": {"id": {"type": "integer", "description": "Its number."}},
        }
    },
    "examples": [{"id": "1", "event_type": "deployment", "event_time": 1, "data": {"id": 7}}],
}
SEVERAL = """\
name: Several
event: [deployment, integration]
url: https://siem.example.com/in
body_template: '{"a": {{ data.id }}}'
"""


def test_of_several_types_the_schema_allows_each_and_there_is_an_example_of_each(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    for folder in ("webhooks.d", "events.d"):
        (tmp_path / folder).mkdir()
    (tmp_path / "webhooks.d" / "several.yaml").write_text(SEVERAL)
    (tmp_path / "events.d" / "deployment.schema.json").write_text(json.dumps(DEPLOYMENT))

    def exported() -> dict[str, Any]:
        document: dict[str, Any] = json.loads(run_cli("export", "openapi", cwd=tmp_path).stdout)
        OpenAPIV31SpecValidator(document).validate()
        return document

    document = exported()
    operation = document["webhooks"]["Several"]["post"]
    assert operation["summary"] == "Events of the types deployment, integration"
    content = operation["requestBody"]["content"]["application/json"]
    assert content["examples"]["deployment"] == {"value": {"a": 7}}
    validator = jsonschema.Draft202012Validator(content["schema"])
    assert {name: validator.is_valid(one["value"]) for name, one in content["examples"].items()} == {
        "deployment": True,
        "integration": True,
    }
    assert not validator.is_valid({"a": None})
    changed = json.dumps(DEPLOYMENT).replace('"integer"', '"integer", "maximum": 9')
    (tmp_path / "events.d" / "deployment.schema.json").write_text(changed)
    assert exported()["info"]["version"] != document["info"]["version"]
