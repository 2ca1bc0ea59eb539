from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import click
import jsonschema
import jsonschema_rs
import pytest

from hookctl.model import Json
from hookctl.plugin import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
    hookimpl,
    hookspecs,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.report.formats.registry import FORMATS, built_in
from hookctl.report.text.plugins import HOOKS, KINDS, listed, render_json, render_text
from hookctl.report.text.schema import FieldRow, field_rows, render_table, render_webhook
from hookctl.report.text.webhook_schema import with_plugins
from hookctl.schema_files import read_schema
from hookctl.store.opening import STORE_TYPES

RunCli = Callable[..., Any]


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("called")


@pytest.fixture
def acme() -> Plugins:
    """Every built-in plugin, and one that adds a thing of every kind."""
    nested: dict[str, Json] = {
        "type": "object",
        "required": ["key"],
        "properties": {
            "key": {"$ref": "#/$defs/key"},
            "places": {"type": "array", "items": {"$ref": "#/$defs/place"}, "description": "Where."},
        },
        "$defs": {
            "key": {"type": "string", "x-secret": True, "description": "The key.\u202e"},
            "place": {
                "type": "object",
                "properties": {"name": {"type": ["string", "null"], "description": "Its name."}},
            },
        },
        "additionalProperties": False,
    }
    event: dict[str, Json] = {"type": "object", "properties": {"id": {"type": "string", "description": "Id."}}}
    things: dict[str, Any] = {
        "hookctl_auth_types": AuthType(name="sigv4", summary="Signs the body.", schema=nested, build=never),
        "hookctl_transport_types": TransportType(
            name="sqs", summary="Sends to a queue.", schema={"type": "object"}, build=never
        ),
        "hookctl_validator_types": ValidatorType(
            name="xml", summary="Looks at XML.", schema={"type": "object"}, build=never, label=never
        ),
        "hookctl_secret_sources": SecretSource(scheme="vault", summary="Asks a vault.", resolve=never),
        "hookctl_event_types": EventType(name="user.created", summary="A user was created.", schema=event, mock={}),
        "hookctl_filter_types": FilterType(
            name="shout", summary="Upper case.", call=never, takes=frozenset({"string", "number"})
        ),
        "hookctl_policies": Policy(name="two_eyes", summary="Asks for a label.", schema={}, build=never),
        "hookctl_observers": Observer(name="metrics"),
        "hookctl_format_types": ReportFormat(name="table", summary="Draws a table.", findings=never),
        "hookctl_store_types": StoreType(scheme="redis", summary="A server.", open=never, check_engine=never),
        "hookctl_commands": click.Command("acme", help="Do what Acme does."),
    }
    hooks = {hook: hookimpl(specname=hook)(lambda thing=thing: [thing]) for hook, thing in things.items()}
    return load_plugins([SimpleNamespace(__name__="acme", __version__="1.2.3", **hooks)])


# -- plugins -----------------------------------------------------------------------------------------------------------


def test_plugins_lists_every_built_in_thing_with_its_settings(run_cli: RunCli) -> None:
    result = run_cli("plugins")
    assert (result.exit_code, result.stderr) == (0, "")
    for name in (
        "bearer",
        "basic",
        "headers",
        "oauth2",
        "curl",
        "requests",
        "json_path",
        "jmespath",
        "status",
        "env",
        "file",
        "anomaly",
        "allowed_hosts",
        "gitlab",
    ):
        assert f"  {name} (built in" in result.stdout
    assert "  curl (built in, plugin hookctl_plugins.transport)\n" in result.stdout
    assert "  gitlab (built in)\n" in result.stdout
    rows = [line.split(maxsplit=3) for line in result.stdout.splitlines()]
    assert ["client_secret", "secret", "yes", "The client's secret, as a secret reference."] in rows
    assert "\x1b" not in result.stdout


def test_plugins_as_json_tells_the_same(run_cli: RunCli) -> None:
    rows = json.loads(run_cli("plugins", "--format", "json").stdout)["plugins"]
    assert {(row["kind"], row["name"]) for row in rows} >= {
        ("auth", "oauth2"),
        ("transport", "curl"),
        ("secret_source", "env"),
        ("event_type", "anomaly"),
    }
    assert all(row["summary"] and row["built_in"] and row["distribution"] == "hookctl" for row in rows)
    for row in rows:
        kinds = {"auth", "transport", "validator", "policy", "observer"}
        assert (row["settings"] is not None) == (row["kind"] in kinds)
        jsonschema.Draft202012Validator.check_schema(row["settings"] or {})


def test_every_setting_of_a_built_in_plugin_is_described() -> None:
    for thing in listed(load_plugins()):
        for row in field_rows(thing.settings or {}):
            assert row.description.endswith("."), (thing.name, row)
            assert row.type != "any", (thing.name, row)
        assert thing.summary.endswith(".")


def test_a_third_partys_things_are_listed_with_where_they_come_from(acme: Plugins) -> None:
    text = render_text(listed(acme), width=0, color=False)
    for name in ("sigv4", "sqs", "xml", "vault", "user.created", "shout", "two_eyes", "metrics", "table", "acme"):
        assert f"  {name} (plugin acme 1.2.3)\n" in text
    assert "      key            secret           yes       The key.\\u202e\n" in text
    assert "      places         list of objects  no        Where.\n" in text
    assert "      places[].name  string or null   no        Its name.\n" in text
    assert "      Do what Acme does.\n" in text
    assert "      Upper case.\n      Takes number or string; gives any value.\n" in text
    rows = json.loads(render_json(listed(acme)))["plugins"]
    for row in rows:
        expected: tuple[Any, Any] = (["number", "string"], []) if row["name"] == "shout" else (None, None)
        assert (row["takes"], row["gives"]) == expected
    kinds = {row["kind"] for row in rows}
    assert kinds == {kind.replace(" ", "_") for kind in KINDS}


def test_every_kind_that_a_plugin_can_add_is_listed(acme: Plugins) -> None:
    assert {kind for kind, _ in acme.origins} == set(KINDS)
    own = {("format", name) for name in FORMATS} | {("store", scheme) for scheme in STORE_TYPES}
    assert {(thing.kind, thing.name) for thing in listed(acme, map(built_in, FORMATS))} == {*acme.origins, *own}


def test_every_plugin_is_listed_with_version_hooks_and_what_they_add(acme: Plugins) -> None:
    things = listed(acme)
    text = render_text(things, (), acme.providers, width=0, color=False)
    assert text.startswith(
        "Plugins\n  hookctl_plugins.auth (built in, hookctl 0.1.0)\n      hookctl_auth_types: api_key_query, basic, "
    )
    block = text.partition("  acme (acme 1.2.3)\n")[2].partition("\n\n")[0]
    assert block.splitlines()[0] == "      hookctl_auth_types: sigv4"
    assert "      hookctl_secret_sources: vault" in block.splitlines()
    (row,) = [row for row in json.loads(render_json(things, (), acme.providers))["loaded"] if row["plugin"] == "acme"]
    assert row.pop("hooks").keys() == HOOKS.keys()
    assert row == {"plugin": "acme", "distribution": "", "version": "1.2.3", "place": "", "built_in": False}


def test_the_kind_of_every_hook_is_known(acme: Plugins) -> None:
    assert HOOKS.keys() == {name for name in vars(hookspecs) if name.startswith("hookctl_")}
    assert {*HOOKS.values()} == KINDS.keys()
    for hook in acme.providers[-1].hooks:
        assert [kind for kind, name in acme.origins if acme.origins[kind, name] == "acme" and HOOKS[hook] == kind]


# -- schema ------------------------------------------------------------------------------------------------------------


def test_schema_event(run_cli: RunCli) -> None:
    result = run_cli("schema", "event", "anomaly")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("anomaly: ")
    rows = {line.split()[0]: line for line in lines[3:]}
    assert rows["data.severity"].split()[1:3] == ["string", "yes"]
    assert rows["data.severity"].endswith("One of: Low, Medium, High.")
    assert "object or null" in rows["data.resource"]
    assert "string (email)" in rows["data.requester.email"]
    assert json.loads(run_cli("schema", "event", "anomaly", "--format", "json").stdout) == read_schema(
        "events/anomaly.schema.json"
    )


def test_schema_event_without_a_name_lists_them(run_cli: RunCli) -> None:
    assert "\nanomaly                 Something unusual" in run_cli("schema", "event").stdout
    assert list(json.loads(run_cli("schema", "event", "--format", "json").stdout)) == sorted(load_plugins().event_types)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("anomoly", "Did you mean 'anomaly'?"),
        ("invoice", f"Known event types: {', '.join(sorted(load_plugins().event_types))}."),
    ],
)
def test_unknown_event_type(run_cli: RunCli, name: str, hint: str) -> None:
    result = run_cli("schema", "event", name)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: unknown event type {name!r}\n  {hint}\n"


def test_schema_webhook_shows_every_field_and_every_plugins_settings(run_cli: RunCli) -> None:
    result = run_cli("schema", "webhook")
    assert result.exit_code == 0
    fields = read_schema("webhook.schema.json")["properties"]
    assert isinstance(fields, dict)
    assert set(fields) <= {line.split()[0] for line in result.stdout.splitlines() if line.strip()}
    for heading in ("auth with type: oauth2", "transport with type: curl", "response_validators with type: json_path"):
        assert f"\n{heading}\n" in result.stdout


HEADER_AUTH: Json = {"type": "headers", "headers": {"X-Api-Key": "${env:K}"}}
STATUS: Json = {"type": "status", "codes": [202]}
WEBHOOK: Mapping[str, Any] = {"name": "A", "event": "anomaly", "url": "https://siem.example.com/"}
BEARER: Json = {"type": "bearer", "token": "${env:T}"}
EXPECTED: Json = {"json_path": "$.data.status", "expected_values": ["ok"]}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"auth": BEARER}, True),
        ({"auth": [BEARER, HEADER_AUTH]}, True),
        ({"auth": {"type": "bearer"}}, False),
        ({"auth": {"type": "bearer", "token": "${env:T}", "tokn": "x"}}, False),
        ({"auth": {"type": "bearr", "token": "${env:T}"}}, False),
        ({"auth": [BEARER, {"type": "oauth2"}]}, False),
        ({"auth": {"token": "${env:T}"}}, False),
        ({"transport": {"type": "curl"}}, True),
        ({"transport": {"type": "carrier-pigeon"}}, False),
        ({"response_validators": [EXPECTED]}, True),
        ({"response_validators": [{"type": "json_path", "json_path": "$.data", "expected_values": [1]}]}, True),
        ({"response_validators": [{"json_path": "$.data"}]}, False),
        ({"response_validators": [STATUS]}, True),
        ({"response_validators": [{"type": "status", "codes": [404]}]}, False),
        ({"response_validators": [{"type": "status", "json_path": "$.data"}]}, False),
        ({"event": "invoice"}, False),
    ],
)
def test_the_webhook_schema_for_editors_knows_the_plugins(run_cli: RunCli, fields: dict[str, Any], valid: bool) -> None:
    schema = json.loads(run_cli("schema", "webhook", "--format", "json").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid({**WEBHOOK, **fields}) is valid
    assert jsonschema_rs.is_valid(schema, {**WEBHOOK, **fields}) is valid


def test_a_third_partys_schema_keeps_its_own_references(acme: Plugins) -> None:
    schema = with_plugins(read_schema("webhook.schema.json"), acme, acme.event_types)
    check = jsonschema.Draft202012Validator(schema)
    check.validate({**WEBHOOK, "auth": {"type": "sigv4", "key": "${vault:k}", "places": [{"name": None}]}})
    assert not check.is_valid({**WEBHOOK, "auth": {"type": "sigv4", "key": 7}})
    assert not check.is_valid({**WEBHOOK, "auth": {"type": "sigv4", "key": "k", "places": [{"name": 7}]}})
    assert "auth with type: sigv4" in render_webhook(schema, acme, width=0, color=False)


def test_the_shipped_schema_is_not_changed_by_it(acme: Plugins) -> None:
    shipped = read_schema("webhook.schema.json")
    before = json.dumps(shipped)
    with_plugins(shipped, acme, acme.event_types)
    assert json.dumps(shipped) == before


# -- tables ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "email"}, "string (email)"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": ["string", "number", "boolean", "null"]}, "scalar"),
        ({"type": "array"}, "list"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integers"),
        ({"type": "array", "items": {"type": ["integer", "null"]}}, "list of integer or null"),
        ({"type": "object"}, "map"),
        ({"type": "object", "additionalProperties": {"type": "string", "x-secret": True}}, "map of secrets"),
        ({"type": "object", "properties": {}}, "object"),
        ({"type": "string", "x-secret": True}, "secret"),
        ({"type": "string", "x-url": True}, "URL"),
        ({"enum": ["a", "b"]}, "string"),
        ({"enum": [1, None, True, 1.5]}, "integer or null or boolean or number"),
        ({"const": 1}, "integer"),
        ({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "string or list of strings"),
        ({"$ref": "#/$defs/word"}, "string"),
        ({}, "any"),
    ],
)
def test_type_names(schema: Json, name: str) -> None:
    (row,) = field_rows({"properties": {"field": schema}, "$defs": {"word": {"type": "string"}}})
    assert row.type == name


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree: dict[str, Json] = {
        "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "next": {"$ref": "#/$defs/a~1b"}},
        "$defs": {"a/b": {"type": "null"}},
    }
    rows = [(row.path, row.type) for row in field_rows(tree)]
    assert ("left.left", "any") in rows
    assert ("next", "null") in rows
    assert len(rows) == 9


def test_a_reference_to_nowhere_says_nothing() -> None:
    assert [
        row.type
        for row in field_rows(
            {"properties": {"field": {"$ref": "#/$defs/none"}, "other": {"$ref": "https://elsewhere.example/"}}}
        )
    ] == [
        "any",
        "any",
    ]


def test_tables_wrap_descriptions_under_their_column() -> None:
    rows = [
        FieldRow("name", "string", True, "one two three four five six seven eight nine ten"),
        FieldRow("b", "map", False, ""),
    ]
    assert render_table(rows, width=60, color=False).splitlines() == [
        "FIELD  TYPE    REQUIRED  DESCRIPTION",
        "name   string  yes       one two three four five six seven",
        "                         eight nine ten",
        "b      map     no",
    ]
    colored = render_table(rows, width=0, color=True).splitlines()
    assert colored[0].startswith("\x1b[1mFIELD")
    assert not any("\x1b" in line for line in colored[1:])
