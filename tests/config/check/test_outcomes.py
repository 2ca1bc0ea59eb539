"""``outcomes``: which keys and values it may have, and entries that have no effect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookctl.config.load import load_text
from hookctl.model import Finding

Check = Callable[..., list[Finding]]
SIEM = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\nbody_template: '{}'\n"
VALIDATOR = "response_validators: [{json_path: $.data.ok, expected_values: [true]}]\n"


def found(check: Check, text: str) -> list[tuple[str, str]]:
    return [(finding.rule, finding.message) for finding in check(SIEM + text)]


def test_every_kind_of_key_may_stand_without_quotes(check: Check) -> None:
    text = "outcomes:\n  404: retry\n  '409': delivered\n  3xx: dead\n  4xx: hold\n  599: dead\n  mismatch: dead\n"
    assert found(check, VALIDATOR + text) == []
    (webhook,) = load_text("a.yaml", SIEM + text).webhooks
    assert webhook.fields["outcomes"] == {
        "404": "retry",
        "409": "delivered",
        "3xx": "dead",
        "4xx": "hold",
        "599": "dead",
        "mismatch": "dead",
    }


@pytest.mark.parametrize("key", ["200", "2xx", "299", "100", "1xx", "600", "6xx", "4XX", "4x", "timeout", "4040", "''"])
def test_other_keys_are_refused_with_what_to_write(check: Check, key: str) -> None:
    (finding,) = check(f"{SIEM}outcomes:\n  404: dead\n  {key}: dead\n")
    assert finding.span is not None
    if finding.rule == "yaml-key-type":  # no HTTP status has so many digits
        assert key == "4040"
        return
    shown = key.strip("'")
    assert (finding.rule, finding.message) == ("wrong-format", f'the key "{shown}" in `outcomes` has the wrong form')
    assert "response_validators and mismatch" in finding.hint
    assert (finding.span.line, finding.span.column) == (7, 3)


def test_a_wrong_value_is_reported_where_it_is(check: Check) -> None:
    (finding,) = check(f"{SIEM}outcomes:\n  404: retry\n  409: deliver\n")
    assert finding.message == '`outcomes.409` must be delivered, retry, hold or dead, not "deliver"'
    assert finding.suggestions == ("delivered",)
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (7, 8)


def test_a_status_twice_is_a_repeated_key(check: Check) -> None:
    assert [rule for rule, _ in found(check, "outcomes:\n  404: retry\n  '404': dead\n")] == ["yaml-duplicate-key"]


def test_a_status_is_a_key_without_quotes_only_there(check: Check) -> None:
    assert [rule for rule, _ in found(check, "labels:\n  404: x\n")] == ["yaml-key-type"]


NEVER = "retry: {schedule: []}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("outcomes: {mismatch: dead}\n", "`mismatch` has no effect, because there are no response_validators"),
        (
            VALIDATOR + "outcomes: {mismatch: delivered}\n",
            "`mismatch: delivered` makes response_validators pointless: what they reject counts as delivered",
        ),
        (NEVER + "outcomes: {404: retry}\n", "`404: retry` cannot try again, because retry.schedule is empty"),
        (
            NEVER + VALIDATOR + "outcomes: {mismatch: retry}\n",
            "`mismatch: retry` cannot try again, because retry.schedule is empty",
        ),
    ],
)
def test_entries_without_effect(check: Check, text: str, message: str) -> None:
    assert found(check, text) == [("outcome-without-effect", message)]
    assert not any(finding.is_error for finding in check(SIEM + text))


@pytest.mark.parametrize(
    "text",
    [
        "retry: {schedule: [5s]}\noutcomes: {404: retry}\n",
        NEVER + "outcomes: {404: dead}\n",
        VALIDATOR + "outcomes: {mismatch: hold}\n",
        "outcomes: {}\n",
    ],
)
def test_entries_with_effect(check: Check, text: str) -> None:
    assert found(check, text) == []


@pytest.mark.parametrize("text", ["outcomes: retry\n", "outcomes: [404]\n", "outcomes:\n"])
def test_outcomes_must_be_a_mapping(check: Check, text: str) -> None:
    assert [rule for rule, _ in found(check, text)] == ["wrong-type"]
