"""One mistake in a validator's settings hides none in its expression."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from hookctl.model import Finding
from hookctl.plugin import Validate, ValidatorType, hookimpl
from hookctl.plugin.host import load_plugins

HEAD = "name: A\nevent: anomaly\nurl: https://a.example.com\nresponse_validators:\n"


@pytest.mark.parametrize(
    ("block", "rules"),
    [
        ("json_path: data.x\n    expected_values: []", {"json-path-invalid", "expected-values-empty"}),
        ("json_path: data.x\n    expected_values: 5", {"json-path-invalid", "wrong-type"}),
        ("json_path: data.x\n    expectd_values: [ok]", {"json-path-invalid", "unknown-field"}),
        ("json_path: data.x", {"json-path-invalid", "missing-field"}),
        ("json_path: $.data.x\n    expected_values: []", {"expected-values-empty"}),
        ("json_path: $.body.x\n    expected_values: []", {"validator-unknown-path", "expected-values-empty"}),
        ("json_path: 5\n    expected_values: []", {"wrong-type", "expected-values-empty"}),
        (
            "type: jmespath\n    expression: data.[\n    expected_values: []",
            {"expression-invalid", "expected-values-empty"},
        ),
        ("type: jmespath\n    expression: data.x\n    expected_values: {}", {"wrong-type"}),
    ],
)
def test_both_are_found(check: Callable[..., list[Finding]], block: str, rules: set[str]) -> None:
    assert {finding.rule for finding in check(f"{HEAD}  - {block}\n")} == rules


@pytest.mark.parametrize(
    ("block", "line", "part"),
    [
        ("type: regex\n    pattern: ok(?=x)", 6, "(?="),
        ("type: exists\n    json_path: $.data[?match(@.x, 'a{1001}')]", 6, "a{1001}"),
        ("type: json_schema\n    schema:\n      properties:\n        id: {type: strin}", 8, "strin"),
        ("type: json_schema\n    schema:\n      items:\n        minimun: 1", 8, "1"),
        ("type: json_schema\n    schema:\n      $ref: '#/$defs/gone'", 7, "'#/$defs/gone'"),
        ("type: json_schema\n    schema: {items: {pattern: '(?=a)'}}", 6, "'(?=a)'"),
    ],
)
def test_a_finding_points_at_the_part_that_is_wrong(
    check: Callable[..., list[Finding]], block: str, line: int, part: str
) -> None:
    text = f"{HEAD}  - {block}\n"
    (finding,) = check(text)
    assert finding.span is not None
    assert finding.span.line == line
    assert text.splitlines()[line - 1][finding.span.column - 1 : finding.span.end_column - 1] == part


def test_a_plugin_that_fails_for_settings_that_its_schema_refuses_is_not_blamed(
    check: Callable[..., list[Finding]],
) -> None:
    def build(settings: object) -> Validate:
        raise KeyError(settings)

    schema = {"type": "object", "properties": {"text": {"type": "string"}, "limit": {"type": "integer"}}}

    class Plugin:
        @hookimpl
        def hookctl_validator_types(self) -> Iterable[ValidatorType]:
            return [ValidatorType(name="fails", summary="", schema=schema, build=build, label=str, expression="text")]  # type: ignore[arg-type]

    plugins = load_plugins([Plugin()])
    block = "  - type: fails\n    text: a\n    limit: {}\n"
    assert [finding.rule for finding in check(HEAD + block.format("many"), plugins=plugins)] == ["wrong-type"]
    assert [finding.rule for finding in check(HEAD + block.format("1"), plugins=plugins)] == ["plugin-failed"]
