"""Every command that prints a table fits it to the terminal, at 60, 80 and 120 columns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

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
COMMANDS = {
    "list": ["list"],
    "deliveries": ["deliveries", "list"],
    "replay": ["deliveries", "replay", "--status", "dead", "--wait", "0"],
    "send": ["send", "events.jsonl", "--wait", "0"],
    "test": ["test"],
    "doctor": ["doctor"],
    "plugins": ["plugins"],
    "rules": ["explain"],
    "policy": ["explain", "timeout_at_most"],
    "events": ["schema", "event"],
    "event": ["schema", "event", "anomaly"],
    "webhook": ["schema", "webhook"],
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
        if name in {"deliveries", "replay", "list"}:
            run_cli("send", "events.jsonl", "--wait", "0", cwd=root, env=env)
        result = run_cli(*COMMANDS[name], cwd=root, env={**env, "COLUMNS": width})
        assert result.exit_code in {0, 1}, result.stderr
        shown: str = result.stdout
        return shown

    return run


def settled(text: str) -> str:
    """The output without what differs from run to run, at the same width."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "2026-11-28 05:14:00 UTC", text)
    return re.sub(r"^[0-9a-f]{12}(?= )", "3f9a01c7b2d4", text, flags=re.MULTILINE)


@pytest.mark.parametrize("width", ["60", "80", "120"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_wider_than_the_terminal(run: Callable[..., str], name: str, width: str) -> None:
    shown = run(name, width)
    lines = shown.split("\n\n")[0].splitlines() if name == "test" else shown.splitlines()  # after it come details
    assert lines
    assert [line for line in lines if columns(line) > int(width) and line not in EXAMPLE] == []


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
