"""Every command that prints text fits it to the terminal, at 60, 80 and 120 columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.cli.command_list import COMMANDS as LISTED
from hookctl.cli.terminal import text_width
from hookctl.config.check.catalog import RULES
from hookctl.plugin.host import load_plugins
from hookctl.report.text.columns import columns
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

RunCli = Callable[..., Any]
WEBHOOK = """
name: {name}
event: anomaly
url: https://siem.example.com/{path}
auth:
  - {{type: bearer, token: "${{env:TOKEN}}"}}
body_template: '{{"id": "{{{{ id }}}}"}}'
retry:
  schedule: []
"""
CHANGED = """
name: Siem Anomalies of the European region
event: anomaly
url: https://another-siem.example.com/in
when: data.severity == 'High' && data.requester.name != 'Dana Levi' && data.title != 'A title of some length'
body_template: |
  {"id": "{{ id }}", "title": "{{ data.title }}", "severity": "{{ data.severity }}", "text": "{{ data.description }}",
   "name": "{{ data.requester.name }}", "email": "{{ data.requester.email }}", "resource": "{{ data.resource.name }}"}
retry: {schedule: [5s, 5m, 30m, 2h, 5h, 10h, 10h]}
rate_limit: 100/s
"""
BROKEN = CHANGED.replace("{{ data.title }}", "{{ data.titel }}").replace("data.severity ==", "data.severty ==")
ID = "an id"
"""Stands for the id of a delivery that failed."""
COMMANDS = {
    "list": ["list"],
    "deliveries": ["deliveries", "list"],
    "replay": ["deliveries", "replay", "--status", "dead", "--yes", "--wait", "0"],
    "events list": ["events", "list"],
    "log": ["log"],
    "backfill": ["backfill", "Ticket-System", "--since", "1h", "--yes"],
    "send": ["send", "events.jsonl", "--wait", "0"],
    "test": ["test"],
    "doctor": ["doctor"],
    "plugins": ["plugins"],
    "rules": ["explain"],
    "policy": ["explain", "timeout_at_most"],
    "events": ["schema", "event"],
    "event": ["schema", "event", "anomaly"],
    "webhook": ["schema", "webhook"],
    "validate": ["--dir", "broken", "validate"],
    "plan": ["--dir", "changed", "plan"],
    "apply": ["--dir", "changed", "apply", "--auto-approve"],
    "show": ["show", "Ticket-System"],
    "render": ["render", "Ticket-System"],
    "invocation": ["test", "--show-invocation"],
    "scenarios": ["test", "--scenario", "429,slow,reset,bad-json"],
    "attempts": ["deliveries", "show", ID],
    "cancel": ["deliveries", "cancel", "--webhook", "Ticket-System", "--yes"],
    "init": ["--dir", "new", "init"],
    "error": ["--store", "sqlite:///missing/folder/in/the/working/directory.db", "apply", "--auto-approve"],
    "usage": ["deliveries", "list", "--limit", "0", "--status", "every-status-that-there-is"],
    **{f"help of {name}": [*name.split(), "--help"] for name in (*LISTED, "deliveries list", "deliveries replay")},
}


EXAMPLE = {f"    {line}" for line in RULES["policy"].bad.splitlines() + RULES["policy"].good.splitlines()}
"""Lines of an example, which are not wrapped."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver(hosts=("siem.example.com",))
    receiver.answer("/down", Answer(503, body=b'{"error": "maintenance until tomorrow"}'))
    receiver.start()
    yield receiver
    receiver.stop()


@pytest.fixture
def run(run_cli: RunCli, project: Callable[..., Path], receiver: Receiver) -> Callable[..., str]:
    """Runs a command with two applied webhooks, one of them with a target that fails, at a width; gives its output."""
    root = project(
        {
            "webhooks.d/one.yaml": WEBHOOK.format(name="Siem Anomalies of the European region", path="in"),
            "webhooks.d/two.yaml": WEBHOOK.format(name="Ticket-System", path="down"),
            "changed/one.yaml": CHANGED,
            "broken/one.yaml": BROKEN,
        }
    )
    env = {
        "TOKEN": "t" * 20,
        "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
        "HOOKCTL_CACERT": str(receiver.ca_file),
    }
    event = json.dumps({**load_plugins().event_types["anomaly"].mock, "id": "evt-1"})
    (root / "events.jsonl").write_text(event + "\n", encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root, env=env).exit_code == 0

    def run(name: str, width: str) -> str:
        arguments = COMMANDS[name]
        if name in {"deliveries", "replay", "list", "attempts"}:
            run_cli("send", "events.jsonl", "--wait", "0", cwd=root, env=env)
        if ID in arguments:
            found = json.loads(run_cli("deliveries", "list", "--status", "dead", "--format", "json", cwd=root).stdout)
            arguments = [found[0]["id"] if argument == ID else argument for argument in arguments]
        result = run_cli(*arguments, cwd=root, env={**env, "COLUMNS": width})
        assert result.exit_code in {0, 1, 64}, result.stderr
        shown: str = result.stdout + result.stderr
        return shown

    return run


def settled(text: str) -> str:
    """The output without what differs from run to run, at the same width."""
    text = re.sub(r"\d{4}-\d\d-\d\d(?!T)", "2026-11-28", text)
    text = re.sub(r"(?<!T)\b\d\d:\d\d:\d\d", "05:14:00", text)
    return re.sub(r"^[0-9a-f]{12}(?= )", "3f9a01c7b2d4", text, flags=re.MULTILINE)


@pytest.mark.parametrize("width", ["60", "80", "120"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_wider_than_the_terminal(run: Callable[..., str], name: str, width: str) -> None:
    lines = run(name, width).splitlines()
    assert lines
    assert [line for line in lines if columns(line) > int(width) and line not in EXAMPLE and not is_path(line)] == []


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("help of")])
def test_examples_in_narrow_help_are_whole(run: Callable[..., str], name: str) -> None:
    wide, narrow = (run(name, width).partition("  Examples:\n")[2] for width in ("200", "60"))
    comments = re.findall(r"^    # (.*)$", narrow, re.MULTILINE)
    assert sorted(narrow.split()) == sorted(
        [*wide.split(), *("#" for _ in comments), *re.findall(r"\\$", narrow, re.MULTILINE)]
    )
    assert [comment for comment in comments if comment.startswith("hookctl ")] == []


def is_path(line: str) -> bool:
    """Whether nothing but a URL or a path is on the line, which cannot be broken."""
    return " " not in line.strip() and "/" in line


@pytest.mark.parametrize("width", ["60", "80", "120"])
@pytest.mark.parametrize("name", ["list", "deliveries", "policy", "events", "event"])
def test_how_it_looks(run: Callable[..., str], name: str, width: str, snapshot: SnapshotAssertion) -> None:
    assert settled(run(name, width)) == snapshot


def test_a_pipe_is_as_wide_as_it_needs_to_be(run: Callable[..., str]) -> None:
    wide = run("list", "").splitlines()
    assert len(wide) == 3
    assert max(map(columns, wide)) > 120


@pytest.mark.parametrize(("variable", "width"), [("100", 100), ("", 0), ("wide", 0)])
def test_columns_set_the_width(monkeypatch: pytest.MonkeyPatch, variable: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", variable)
    assert text_width() == width
