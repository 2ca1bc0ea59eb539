"""``--set`` and ``hookctl events mock``: mock events with other values, typed by the event type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hookctl.testing.receiver import Receiver

WEBHOOK = """\
name: Siem
event: anomaly
url: https://siem.example.com/in
body_template: '{"severity": "{{ data.severity }}", "data": {{ data }}}'
"""


def test_a_mock_event_is_one_line_that_send_reads(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("events", "mock", "anomaly", cwd=tmp_path)
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)
    event = json.loads(result.stdout)
    assert event["event_type"] == "anomaly"
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d" / "siem.yaml").write_text(WEBHOOK)
    rendered = run_cli("render", "Siem", "--event", "-", cwd=tmp_path, stdin=result.stdout)
    assert rendered.exit_code == 0


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("data.severity=Medium", ("data", "severity"), "Medium"),
        ("event_time=12", ("event_time",), 12),
        ("data.title=12", ("data", "title"), "12"),
        ("data.recommendation=null", ("data", "recommendation"), None),
        ("data.requester.name=A=B", ("data", "requester", "name"), "A=B"),
        ('data.requester={"id": "1", "name": "n", "email": "a@example.com"}', ("data", "requester", "id"), "1"),
    ],
)
def test_values_have_the_type_of_their_field(
    run_cli: Callable[..., Any], tmp_path: Path, text: str, path: tuple[str, ...], value: object
) -> None:
    result = run_cli("events", "mock", "anomaly", "--set", text, cwd=tmp_path)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    for key in path:
        found = found[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data.severty=High", "the event has no field data.severty"),
        ("event_time=soon", "event_time is number, and 'soon' is not"),
        ("data.severity=Huge", "Huge"),
        ("data.requester=text", "data.requester is object, and 'text' is not"),
    ],
)
def test_what_the_event_type_does_not_allow_is_a_finding(
    run_cli: Callable[..., Any], tmp_path: Path, text: str, message: str
) -> None:
    result = run_cli("events", "mock", "anomaly", "--set", text, cwd=tmp_path)
    assert result.exit_code == 1
    assert "[test-field]" in result.stdout
    assert message in result.stdout
    if "severty" in text:
        assert "Did you mean data.severity" in result.stdout
    assert result.stdout.startswith("--set: error")


def test_a_field_of_the_data_is_suggested_for_one_without_data(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    result = run_cli("events", "mock", "anomaly", "--set", "requester.name=Ada", cwd=tmp_path)
    assert (result.exit_code, "Did you mean data.requester.name?" in result.stdout) == (1, True)


def test_unknown_types_and_wrong_use(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    unknown = run_cli("events", "mock", "anomly", cwd=tmp_path)
    assert (unknown.exit_code, "Did you mean anomaly?" in unknown.stderr) == (1, True)
    wrong = run_cli("events", "mock", "anomaly", "--set", "data.severity", cwd=tmp_path)
    assert (wrong.exit_code, "is not FIELD=VALUE" in wrong.stderr) == (64, True)


def test_a_test_sends_the_changed_event(
    run_cli: Callable[..., Any], tmp_path: Path, receiver: Receiver, reach_siem: Mapping[str, str]
) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d" / "siem.yaml").write_text(WEBHOOK)
    options = ("--set", "data.severity=Medium", "--set", "data.request.status=Closed")
    result = run_cli("test", "Siem", *options, cwd=tmp_path, env=reach_siem)
    assert result.exit_code == 0, result.stdout + result.stderr
    (request,) = receiver.requests
    body: Any = request.json()
    assert (body["severity"], body["data"]["request"]["status"]) == ("Medium", "Closed")
    refused = run_cli("test", "--set", "data.severty=Low", cwd=tmp_path, env=reach_siem)
    assert (refused.exit_code, len(receiver.requests)) == (1, 1)
