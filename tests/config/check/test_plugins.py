"""Plugins in the check: their schemas, and what happens when they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from hookctl.errors import TemplateError
from hookctl.model import Finding, Json, Problem
from hookctl.plugin import AuthType, EventType, TransportType, ValidatorType
from hookctl.plugin.calls import Plugins

Check = Callable[..., list[Finding]]
BASE = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


def never(*_: object) -> Any:
    raise AssertionError("a check must not call this")


def auth(schema: Mapping[str, Json]) -> AuthType:
    return AuthType(name="own", summary="", schema=schema, build=never)


def validator(schema: Mapping[str, Json], build: Callable[..., Any]) -> ValidatorType:
    return ValidatorType(name="own", summary="", schema=schema, build=build, label=never, expression="expression")


def raising(error: Exception) -> Callable[..., Any]:
    def call(*_: object) -> Any:
        raise error

    return call


@pytest.fixture
def with_plugin(plugins: Plugins) -> Callable[..., Plugins]:
    """``with_plugin(auth=...)``: the installed plugins and one of a third party, from the plugin ``acme``."""

    def build(**things: Any) -> Plugins:
        kinds = {"auth": "auth", "transports": "transport", "validators": "validator", "event_types": "event type"}
        origins = {(kinds[field], thing.name): "acme" for field, thing in things.items()}
        added: dict[str, Any] = {
            field: {**getattr(plugins, field), thing.name: thing} for field, thing in things.items()
        }
        return replace(plugins, origins={**plugins.origins, **origins}, **added)

    return build


@pytest.mark.parametrize("error", [RuntimeError("boom"), RecursionError(), KeyError("x"), ValueError("\x1b[31m")])
def test_a_validator_that_raises_is_named(error: Exception, check: Check, with_plugin: Callable[..., Plugins]) -> None:
    plugins = with_plugin(validators=validator({"type": "object"}, raising(error)))
    findings = check(f"{BASE}response_validators:\n  - type: own\ntimeout_seconds: 0\n", plugins=plugins)
    assert [(finding.rule, finding.span and finding.span.line) for finding in findings] == [
        ("plugin-failed", 5),
        ("out-of-range", 6),
    ]
    assert "acme" in findings[0].message
    assert type(error).__name__ in findings[0].message


@pytest.mark.parametrize(
    "schema",
    [{"type": "nonsense"}, {"pattern": "("}, {"$ref": "#/nowhere"}, {"$ref": "https://schemas.example.com/x.json"}],
)
def test_a_schema_that_is_none_is_named(
    schema: Mapping[str, Json], check: Check, with_plugin: Callable[..., Plugins]
) -> None:
    findings = check(f"{BASE}auth: {{type: own}}\n", plugins=with_plugin(auth=auth(schema)))
    assert [finding.rule for finding in findings] == ["plugin-failed"]
    assert "acme" in findings[0].message


def test_a_url_rule_that_raises_is_named(check: Check, with_plugin: Callable[..., Plugins]) -> None:
    transport = TransportType(name="own", summary="", schema={}, build=never, check_url=raising(RuntimeError("boom")))
    findings = check(f"{BASE}transport: {{type: own}}\n", plugins=with_plugin(transports=transport))
    assert [finding.rule for finding in findings] == ["plugin-failed"]


def test_an_event_type_with_a_broken_schema_is_no_traceback(check: Check, with_plugin: Callable[..., Plugins]) -> None:
    broken = EventType(name="broken", summary="", schema={"properties": 5, "type": 7}, mock={})
    text = BASE.replace("anomaly", "broken") + "body_template: '{\"a\": {{ data.b }}}'\nwhen: data.b\n"
    assert {finding.rule for finding in check(text, plugins=with_plugin(event_types=broken))} <= {
        "plugin-failed",
        "template-unknown-path",
        "when-unknown-path",
    }


def test_a_transport_has_its_own_url_rule(check: Check, with_plugin: Callable[..., Plugins]) -> None:
    def check_url(url: str) -> list[Problem]:
        return [] if url.startswith("mqtt:") else [Problem("url-scheme", "not mqtt", "Write mqtt:.", 0, 5)]

    plugins = with_plugin(transports=TransportType(name="own", summary="", schema={}, build=never, check_url=check_url))
    assert check(BASE.replace("https://", "mqtt:") + "transport: {type: own}\n", plugins=plugins) == []
    assert [finding.message for finding in check(BASE + "transport: {type: own}\n", plugins=plugins)] == ["not mqtt"]


def test_a_transports_own_url_rule_sees_a_letter_for_each_character_of_an_expression(
    check: Check, with_plugin: Callable[..., Plugins]
) -> None:
    seen: list[str] = []

    def check_url(url: str) -> list[Problem]:
        seen.append(url)
        return (
            [Problem("url-character", "no !", "Remove it.", url.index("!"), url.index("!") + 1)] if "!" in url else []
        )

    plugins = with_plugin(transports=TransportType(name="own", summary="", schema={}, build=never, check_url=check_url))
    url = "mqtt://broker/{{ data.id }}/!"
    (finding,) = check(f"name: A\nevent: anomaly\nurl: {url}\ntransport: {{type: own}}\n", plugins=plugins)
    assert seen == ["mqtt://broker/xxxxxxxxxxxxx/!"]
    assert finding.span is not None
    assert (finding.span.column, finding.span.end_column) == (len("url: ") + len(url), len("url: ") + len(url) + 1)


def test_without_a_known_transport_nobody_can_say_what_its_urls_are(check: Check) -> None:
    assert [finding.rule for finding in check(BASE.replace("https", "mqtt") + "transport: {type: mqtt}\n")] == [
        "unknown-plugin"
    ]


def test_an_expression_error_stands_at_its_column(check: Check, with_plugin: Callable[..., Plugins]) -> None:
    plugins = with_plugin(validators=validator({}, raising(TemplateError("bad", hint="Mend it.", start=2, end=4))))
    (finding,) = check(f"{BASE}response_validators:\n  - type: own\n    expression: 'abcdef'\n", plugins=plugins)
    assert finding.rule == "expression-invalid"
    assert finding.span is not None
    assert (finding.span.line, finding.span.column, finding.span.end_column) == (6, 20, 22)


def test_alternatives_are_told_by_the_likeliest_one(check: Check, with_plugin: Callable[..., Plugins]) -> None:
    schema: dict[str, Json] = {
        "properties": {
            "key": {
                "anyOf": [
                    {"type": "string", "x-secret": True},
                    {
                        "type": "object",
                        "required": ["id", "value"],
                        "properties": {"id": {"type": "string"}, "value": {"type": "string", "x-secret": True}},
                    },
                ]
            }
        }
    }
    plugins = with_plugin(auth=auth(schema))

    def rules(block: str) -> list[str]:
        return [finding.rule for finding in check(f"{BASE}auth: {{type: own, key: {block}}}\n", plugins=plugins)]

    assert rules("'${env:A}'") == []
    assert rules("hunter2") == ["secret-literal"]
    assert rules("{id: a, value: '${env:A}'}") == []
    assert rules("{id: a}") == ["missing-field"]
    assert rules("{id: a, value: hunter2}") == ["secret-literal"]


def test_annotations_hold_at_any_depth_and_through_references(
    check: Check, with_plugin: Callable[..., Plugins]
) -> None:
    schema: dict[str, Json] = {
        "$defs": {"secret": {"type": "string", "x-secret": True}},
        "properties": {
            "keys": {"type": "array", "items": {"$ref": "#/$defs/secret"}},
            "urls": {"type": "object", "additionalProperties": {"type": "string", "x-url": True}},
            "send": {"type": "object", "x-headers": True},
        },
    }
    block = (
        "auth:\n  type: own\n  keys: ['${env:A}', hunter2]\n"
        "  urls: {a: 'https://a.example.com/', b: 'http://b.example.com/'}\n  send: {Host: a, X-B: b}\n"
    )
    findings = check(BASE + block, plugins=with_plugin(auth=auth(schema)))
    columns = [
        line.index(part) + 1 for line, part in zip(block.splitlines()[2:], ("hunter2", "http://b", "Host"), strict=True)
    ]
    assert [finding.rule for finding in findings] == ["secret-literal", "url-scheme", "header-reserved"]
    assert [finding.span and finding.span.column for finding in findings] == columns


@pytest.mark.parametrize(
    "keyword", [{"pattern": "^[0-9]+$"}, {"enum": ["a"]}, {"type": "integer"}, {"maxLength": 2}, {"not": {}}]
)
def test_a_secret_is_never_repeated(
    keyword: dict[str, Json], check: Check, with_plugin: Callable[..., Plugins]
) -> None:
    schema: dict[str, Json] = {"properties": {"key": {"x-secret": True, **keyword}}}
    findings = check(f"{BASE}auth: {{type: own, key: hunter2}}\n", plugins=with_plugin(auth=auth(schema)))
    assert findings
    assert all("hunter2" not in f"{finding.message} {finding.hint} {finding.suggestions}" for finding in findings)


def test_without_any_plugin_of_a_kind_the_hint_says_to_install_one(check: Check, plugins: Plugins) -> None:
    bare = replace(plugins, auth={}, event_types={})
    findings = check(f"{BASE}auth: {{type: bearer, token: '${{env:A}}'}}\n", plugins=bare)
    assert [(finding.rule, finding.hint) for finding in findings] == [
        ("unknown-event-type", "Install the plugin that adds it."),
        ("unknown-plugin", "Install the plugin that adds it."),
    ]
