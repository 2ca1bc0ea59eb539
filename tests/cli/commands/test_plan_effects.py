"""What a plan means, as a user sees it: ``--sample``, ``--events``, the store's history, and the same in ``apply``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.model import Event
from hookctl.schema_files import read_schema
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.events import generate

Run = Callable[..., Any]
Project = Callable[..., Path]

SIEM = """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest/${env:CANARY_PATH}
headers: {X-Key: "${env:CANARY_KEY}"}
auth: {type: bearer, token: "${env:CANARY_TOKEN}"}
body_template: |
  {"severity": "{{ data.severity }}", "title": "{{ data.title }}"}
"""
CHANGED = SIEM.replace("{{ data.title }}", "{{ data.requester.email }}") + "when: data.severity == 'High'\n"
SECRETS = {"CANARY_PATH": "canary-path", "CANARY_KEY": "canary-key", "CANARY_TOKEN": "canary-token"}
EVENTS = list(generate(1200, seed=7))
HIGH = sum(event["data"]["severity"] == "High" for event in EVENTS[-1000:])  # type: ignore[call-overload, index]


@pytest.fixture
def root(project: Project, run_cli: Run) -> Path:
    """A webhook that is applied, and its file changed since."""
    root = project(
        {"webhooks.d/siem.yaml": SIEM, "events.jsonl": "".join(json.dumps(event) + "\n" for event in EVENTS)}
    )
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    (root / "webhooks.d/siem.yaml").write_text(CHANGED)
    return root


def store(root: Path, count: int) -> None:
    queue = SqliteQueue(root / ".hookctl/hookctl.db")
    for event in EVENTS[:count]:
        found = Event(str(event["id"]), "anomaly", 1.0, event)
        queue.enqueue([Routed(found, (NewDelivery(f"msg_{found.id}", "Siem"),))], 2.0)
    queue.close()


def effects(result: Any) -> Any:
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    (change,) = document["changes"]
    return change["effects"]


def test_events_of_a_file(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", "--events", "events.jsonl", cwd=root)
    assert f"      recent events: 0 newly sent, {1000 - HIGH} no longer sent, {HIGH} unchanged\n" in result.stdout
    assert (
        f"  of the 1,000 recent events in events.jsonl: 0 newly sent, {1000 - HIGH} no longer sent, 0 sent twice\n"
        in result.stdout
    )
    assert result.stderr == ""


def test_events_of_the_store_and_what_waits(run_cli: Run, root: Path) -> None:
    assert "recent events" not in run_cli("plan", cwd=root).stdout
    store(root, 30)
    stdout = run_cli("plan", cwd=root).stdout
    high = sum(event["data"]["severity"] == "High" for event in EVENTS[:30])  # type: ignore[call-overload, index]
    assert f"      recent events: 0 newly sent, {30 - high} no longer sent, {high} unchanged\n" in stdout
    assert "      30 waiting deliveries will be sent by the new plan\n" in stdout
    assert "  of the 30 recent events in the store: " in stdout
    assert "of the 1,000 recent events in events.jsonl" in run_cli("plan", "--events", "events.jsonl", cwd=root).stdout


def test_the_newest_events_of_the_store(run_cli: Run, root: Path) -> None:
    run_cli("plan", cwd=root)
    store(root, 10)
    queue = SqliteQueue(root / ".hookctl/hookctl.db")
    assert [event["id"] for event in queue.recent_events(3)] == [event["id"] for event in EVENTS[7:10][::-1]]
    queue.close()


def test_events_that_are_none_are_passed_over(run_cli: Run, root: Path) -> None:
    (root / "events.jsonl").write_text(json.dumps(EVENTS[0]) + '\n{"event_type": "other"}\nnot JSON\n')
    result = run_cli("plan", "--events", "events.jsonl", cwd=root)
    assert "of the 1 recent event in events.jsonl" in result.stdout
    assert result.stderr == "events.jsonl: skipped 2 lines that are not events\n"


def test_requests_for_events_of_ones_own(run_cli: Run, root: Path) -> None:
    result = run_cli("plan", "--sample", "events.jsonl", "--format", "json", cwd=root)
    assert result.stderr == "events.jsonl: only the first 100 events are rendered\n"
    requests = effects(result)["requests"]
    assert [shown["event_id"] for shown in requests["shown"]] == [event["id"] for event in EVENTS[:3]]
    assert (requests["changed"], requests["unchanged"]) == (100, 0)
    first: Any = EVENTS[0]["data"]
    (difference,) = requests["shown"][0]["differences"]
    assert (difference["path"], difference["before"], difference["after"]) == (
        ["$.title"],
        first["title"],
        first["requester"]["email"],
    )


def test_a_sample_that_is_no_event_is_an_error(run_cli: Run, root: Path) -> None:
    (root / "sample.json").write_text('{"event_type": "other"}')
    result = run_cli("plan", "--sample", "sample.json", cwd=root)
    assert result.exit_code == 1
    assert "Error: sample.json, line 1: unknown event type 'other'" in result.stderr


def test_apply_shows_the_same_and_so_does_a_saved_plan(run_cli: Run, root: Path) -> None:
    planned = run_cli("plan", "--out", "plan.json", cwd=root).stdout
    assert "request for the mock event:\n" in planned
    assert run_cli("apply", cwd=root).stdout == planned
    applied = run_cli("apply", "plan.json", "--auto-approve", cwd=root)
    assert applied.stdout.startswith(planned)
    assert applied.exit_code == 0


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_webhook_that_no_event_can_match_is_a_warning_applied_or_not(run_cli: Run, root: Path, command: str) -> None:
    (root / "webhooks.d/siem.yaml").write_text(CHANGED.replace("'High'", "'Critical'"))
    why = "no event can match it: data.severity is one of 'Low', 'Medium', 'High', never 'Critical'"
    for _ in range(2):
        result = run_cli(command, cwd=root)
        assert result.exit_code == 0
        assert f"webhooks.d/siem.yaml:8:7: warning[never-matches]: {why}\n" in result.stdout
        assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    document = json.loads(run_cli("plan", "--format", "json", "--out", "plan.json", cwd=root).stdout)
    assert [(finding["policy"], finding["webhook"], finding["severity"]) for finding in document["findings"]] == [
        ("never-matches", "Siem", "warning")
    ]
    assert document["findings"][0]["range"]["start"] == {"line": 8, "column": 7}
    (root / "webhooks.d/siem.yaml").write_text(CHANGED.replace("'High'", "'Critical'") + "status: inactive\n")
    assert "never-matches" not in run_cli(command, cwd=root).stdout


def test_no_secret_is_needed_or_shown(run_cli: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> Any:
        raise AssertionError("plan dials")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)
    (root / "webhooks.d/siem.yaml").write_text(CHANGED.replace("CANARY_KEY", "CANARY_TOKEN"))
    for form in ("text", "json", "markdown", "github", "sarif"):
        without, with_them = (run_cli("plan", "--format", form, cwd=root, env=env).stdout for env in ({}, SECRETS))
        assert with_them == without
        assert "canary-" not in with_them
    assert "headers.X-Key: *** -> *** (another secret)\n" in run_cli("plan", cwd=root, env=SECRETS).stdout


def test_a_pull_request_comment_says_what_it_means(run_cli: Run, root: Path) -> None:
    comment = run_cli("plan", "--format", "markdown", "--events", "events.jsonl", cwd=root).stdout
    assert "\nrequest for the mock event:\n" in comment
    assert '\n!   body $.title: "High-risk request for production data" -> "dana.levi@example.com"\n' in comment
    assert "newly sent to siem.example.com (anomaly): data.requester.email\n" in comment
