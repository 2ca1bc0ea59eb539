"""``hookctl events``, ``backfill`` and ``log``, and the plan that names what was missed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.plugin.host import load_plugins
from hookctl.schema_files import read_schema
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
WEBHOOK = """
name: {name}
event: anomaly
status: {status}
url: https://siem.example.com/{name}
body_template: |
  {{"event": "{{{{ id }}}}"}}
{more}
"""
MOCKS = load_plugins().event_types


@pytest.fixture
def run(tmp_path: Path, run_cli: Run, reach_siem: dict[str, str]) -> Run:
    (tmp_path / "webhooks.d").mkdir()
    return lambda *args, stdin="": run_cli(*args, cwd=tmp_path, env=reach_siem, stdin=stdin)


def write(root: Path, name: str, more: str = "", status: str = "active") -> None:
    text = WEBHOOK.format(name=name, more=more, status=status)
    (root / f"webhooks.d/{name}.yaml").write_text(text, encoding="utf-8")


def apply(run: Run) -> None:
    assert run("apply", "--auto-approve").exit_code == 0
    time.sleep(0.002)  # the events come later than the apply, on any clock


def send(run: Run, *names: str, severity: str = "High") -> None:
    mock = MOCKS["anomaly"].mock
    data = {**mock["data"], "severity": severity}  # type: ignore[dict-item]
    lines = [json.dumps({**mock, "id": name, "event_time": 1.0, "data": data}) for name in names]
    assert run("send", "-", stdin="\n".join(lines)).exit_code == 0
    time.sleep(0.002)


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Run:
    """Siem gets events of high severity, and Idle is inactive. e1 has it, e2 and e3 have not."""
    write(tmp_path, "Siem", "when: data.severity == 'High'")
    write(tmp_path, "Idle", status="inactive")
    apply(run)
    send(run, "e1")
    send(run, "e2", "e3", severity="Low")
    return run


def test_list(project: Run) -> None:
    result = project("events", "list")
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["ID", "TYPE", "RECEIVED", "DELIVERIES"]
    assert [(row.split()[0], row.split()[1], row.split(" UTC  ")[1]) for row in rows] == [
        ("e3", "anomaly", "none"),
        ("e2", "anomaly", "none"),
        ("e1", "anomaly", "1 delivered"),
    ]
    assert result.stderr == ""


def listed(run: Run, *args: str) -> list[str]:
    result = run("events", "list", "--format", "json", *args)
    assert result.exit_code == 0, result.stderr
    return [one["id"] for one in json.loads(result.stdout)["events"]]


def test_filters_and_pages(project: Run) -> None:
    assert listed(project, "--unmatched") == ["e3", "e2"]
    assert listed(project, "--matched") == ["e1"]
    assert listed(project, "--type", "other") == []
    assert listed(project, "--where", "data.severity == 'Low' && id != 'e3'") == ["e2"]
    assert listed(project, "--where", "contains(data.missing, 'x')") == []
    assert listed(project, "--id", "e2") == ["e2"]
    assert listed(project, "--since", "1h", "--until", "2100-01-01") == ["e3", "e2", "e1"]
    assert listed(project, "--until", "1h") == listed(project, "--since", "2100-01-01T10:00+02:00") == []
    result = project("events", "list", "--limit", "2", "--format", "json")
    page = json.loads(result.stdout)
    assert ([one["id"] for one in page["events"]], page["next"]) == (["e3", "e2"], "e2")
    assert result.stderr == "Showing the newest 2; for older ones, add: --before e2\n"
    assert listed(project, "--before", "e2") == ["e1"]
    missing = project("events", "list", "--before", "e9")
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (1, "Error: there is no event 'e9'")


def test_only_so_many_are_looked_at(project: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.store.sqlite.events.CHUNK", 1)
    monkeypatch.setattr("hookctl.cli.commands.events.LOOK_AT", 2)
    result = project("events", "list", "--matched")
    assert result.stdout == "No events.\n"
    assert result.stderr == "Looked at 2 events; for older ones, add: --before e2\n"


def test_show(project: Run, tmp_path: Path) -> None:
    write(tmp_path, "New")
    apply(project)
    text = project("events", "show", "e2").stdout
    assert text.startswith("Event e2\n  type      anomaly\n  happened  1970-01-01 00:00:01 UTC\n  received  ")
    assert "Matched no webhook.\n\nDid not match 3 webhooks:\n" in text
    rows = dict(re.findall(r"^  (\w+) +(.+)$", text.partition("WHY\n")[2].partition("\n\n")[0], re.MULTILINE))
    assert rows == {
        "Idle": "inactive when the event was received",
        "New": "not applied yet when the event was received",
        "Siem": """this part of `when` was false: data.severity == 'High' (data.severity is "Low")""",
    }
    assert '"severity": "Low"' in text
    document = json.loads(project("events", "show", "e1", "--format", "json").stdout)
    (matched,) = document["matched"]
    assert (matched["webhook"], matched["status"], matched["attempts"]) == ("Siem", "delivered", 1)
    assert matched["due_at"] is None
    assert [(one["webhook"], one["why"]) for one in document["unmatched"]] == [
        ("Idle", "inactive_then"),
        ("New", "not_applied_yet"),
    ]
    assert document["event"]["id"] == "e1"
    assert "Matched 1 webhook:\n" in project("events", "show", "e1").stdout


def test_show_of_what_is_not_there(project: Run, run_cli: Run, tmp_path: Path) -> None:
    result = project("events", "show", "e9")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (1, "Error: there is no event 'e9'")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_cli("events", "show", "e1", cwd=empty).exit_code == 1
    assert run_cli("events", "list", cwd=empty).stdout == "No events.\n"
    assert run_cli("log", cwd=empty).stdout == "Nothing was applied or done yet.\n"
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("events", "list", "--since", "yesterday"), "'yesterday' is not a time"),
        (("events", "list", "--since", "2026-13-01"), "'2026-13-01' is not a time"),
        (("events", "list", "--since", "9999d"), "is too long"),
        (("events", "list", "--where", "data.("), "the JMESPath expression cannot be read"),
        (("backfill", "Siem"), "Missing option '--since'"),
        (("deliveries", "list", "--cause", "weather"), "'weather' is not a cause"),
        (("deliveries", "list", "--plan", "xyz"), "'xyz' is not a digest"),
    ],
)
def test_wrong_usage(project: Run, args: tuple[str, ...], message: str) -> None:
    result = project(*args)
    assert result.exit_code == 64
    assert message in result.stderr


# -- backfill --------------------------------------------------------------------------------------------------------


def test_a_plan_that_activates_names_the_backfill_and_does_not_send(
    project: Run, tmp_path: Path, receiver: Receiver
) -> None:
    write(tmp_path, "Idle")
    result = project("plan")
    said = "      3 recent events would have matched, and an apply sends none of them; to send them:\n"
    command = re.search(rf"^{said}          hookctl (backfill Idle --since \S+Z)$", result.stdout, re.MULTILINE)
    assert command is not None
    assert "      recent events: 3 newly match, 0 no longer match, 0 match as before\n" in result.stdout
    document = json.loads(project("plan", "--format", "json").stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    assert document["changes"][0]["effects"]["events"]["missed"]["count"] == 3
    sent = receiver.count
    apply(project)
    project("send", "-")
    assert receiver.count == sent
    made = project(*command[1].split(), "--yes", "--reason", "was inactive")
    assert made.stdout.startswith("3 deliveries made for Idle.\n")
    assert made.stderr.startswith("3 events of 3 would now match Idle and have no delivery to it:\nID  TYPE")
    assert project("send", "-").exit_code == 0
    assert [request.path for request in [*receiver.requests][sent:]] == ["/Idle"] * 3
    again = project(*command[1].split(), "--yes")
    assert again.stdout == "Nothing to send: of 3 events of its type in that time, Idle missed none.\n"
    assert again.stderr == ""


def test_a_plan_does_not_count_what_was_delivered_before(project: Run, tmp_path: Path) -> None:
    write(tmp_path, "Siem", "when: data.severity == 'High'", status="inactive")
    apply(project)
    write(tmp_path, "Siem", "when: data.severity == 'High'")
    assert "would have matched" not in project("plan").stdout
    send(project, "e4")
    assert "1 recent event would have matched, and an apply sends none of them" in project("plan").stdout
    apply(project)
    write(tmp_path, "Siem")  # was active, and matches more now
    stdout = project("plan").stdout
    assert "recent events: 2 newly match, 0 no longer match, 2 match as before\n" in stdout
    assert "would have matched" not in stdout


def test_a_backfill_is_confirmed(project: Run, tmp_path: Path) -> None:
    write(tmp_path, "New")
    apply(project)
    send(project, *(f"f{number}" for number in range(6)), severity="Low")
    write(tmp_path, "Newer", "when: data.severity == 'Low'")
    apply(project)
    result = project("backfill", "newer", "--since", "1h", "--where", "id != 'f0'")
    assert (result.exit_code, result.stdout) == (1, "")
    heading, _, *rows = result.stderr.partition("\nError")[0].splitlines()
    assert heading == "7 events of 9 would now match Newer and have no delivery to it, the newest 5 of them:"
    assert [row.split()[0] for row in rows] == ["f5", "f4", "f3", "f2", "f1"]
    assert "cannot ask for approval: standard input is not a terminal" in result.stderr
    assert "add --yes to the same command" in result.stderr
    done = project("backfill", "newer", "--since", "1h", "--where", "id != 'f0'", "--yes", "--format", "json")
    assert json.loads(done.stdout) == {
        "webhook": "Newer",
        "looked_at": 9,
        "missed": 7,
        "made": 7,
        "has_more": False,
    }


def test_a_backfill_of_no_active_webhook(project: Run, run_cli: Run, tmp_path: Path) -> None:
    result = project("backfill", "Idle", "--since", "1h", "--yes")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        1,
        "Error: the webhook Idle is inactive, so nothing can be sent to it",
    )
    assert "there is no webhook named 'Sime'" in project("backfill", "Sime", "--since", "1h").stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_cli("backfill", "A", "--since", "1h", cwd=empty).exit_code == 1
    assert list(empty.iterdir()) == []


def test_a_backfill_into_a_full_store(project: Run, tmp_path: Path) -> None:
    write(tmp_path, "Idle")
    apply(project)
    (tmp_path / "hookctl.toml").write_text("[intake]\nmax_waiting = 2\n", encoding="utf-8")
    result = project("backfill", "Idle", "--since", "1h", "--yes")
    assert result.exit_code == 1
    assert "0 of 3 deliveries were made: the store is full" in result.stderr
    assert "Then run the same command again." in result.stderr


# -- the log ---------------------------------------------------------------------------------------------------------


def test_the_log(project: Run, tmp_path: Path) -> None:
    write(tmp_path, "Idle")
    apply(project)
    project("backfill", "Idle", "--since", "2020-01-01", "--until", "2100-01-01", "--where", "id == 'e2'", "--yes")
    project("deliveries", "cancel", "--webhook", "Idle", "--yes", "--reason", "no\x1b[31m longer wanted")
    (cancelled,) = json.loads(project("deliveries", "list", "--webhook", "Idle", "--format", "json").stdout)
    assert cancelled["reason"].endswith(": no\x1b[31m longer wanted")
    project("deliveries", "replay", cancelled["id"])
    entries = json.loads(project("log", "--format", "json").stdout)
    assert [(one["action"], one["what"], one["deliveries"], one["reason"]) for one in entries[:3]] == [
        ("replay", cancelled["id"], 1, ""),
        ("cancel", "--webhook Idle", 1, "no\x1b[31m longer wanted"),
        (
            "backfill",
            "Idle --since 2020-01-01T00:00:00Z --until 2100-01-01T00:00:00Z --where \"id == 'e2'\"",
            1,
            "",
        ),
    ]
    assert [(one["action"], one["serial"]) for one in entries[3:]] == [("apply", 2), ("apply", 1)]
    text = project("log", "--limit", "2")
    assert text.stdout.splitlines()[0].split() == ["TIME", "WHO", "ACTION", "DELIVERIES", "WHAT", "REASON"]
    assert "\x1b" not in text.stdout
    assert text.stderr == "Showing the newest 2; use --limit for more.\n"
    assert json.loads(project("log", "--since", "2100-01-01", "--format", "json").stdout) == []
