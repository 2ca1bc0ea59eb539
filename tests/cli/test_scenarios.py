"""``hookctl test --scenario``: played without sockets and secrets, shown up to the last retry."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from syrupy.assertion import SnapshotAssertion

import warm
from hookctl.cli.commands.test import command
from hookctl.delivery.rehearsal.scenarios import NAMED
from hookctl.model.quantities import span
from hookctl.plugin.host import load_plugins
from hookctl.schema_files import read_schema

FILES = {
    "webhooks.d/siem.yaml": """\
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {type: bearer, token: "${env:NOT_SET}"}
body_template: '{"severity": "{{ data.severity }}"}'
timeout_seconds: 10
""",
    "webhooks.d/tickets.yaml": """\
name: Ticket system
event: anomaly
url: https://tickets.example.com/api
body_template: '{"severity": "{{ data.severity }}"}'
response_validators: [{json_path: $.data.status, expected_values: [accepted]}]
custom_validation_error_message: The ticket was not taken
retry: {schedule: [5s, 1m]}
""",
}
FORBIDDEN = """\
import os, socket, sys
def refuse(*_, **__):
    os._exit(99)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from hookctl.cli.main import main
main()
"""
Run = Callable[..., Any]
EACH = "  each attempt: "


@pytest.fixture
def root(project: Callable[[dict[str, str]], Path]) -> Path:
    return project(FILES)


def without_progress(text: str) -> str:
    return re.sub(r"^\d+ of \d+ simulated\n", "", text, flags=re.MULTILINE)


def test_the_scenarios_of_the_help_are_those_that_there_are(
    run_cli: Run, root: Path, snapshot: SnapshotAssertion
) -> None:
    result = run_cli("test", "--scenario", "429,timeout,reset,slow,bad-json,redirect,410", cwd=root)
    assert (result.exit_code, without_progress(result.stderr)) == (0, "")
    assert result.stdout == snapshot
    for name, scenario in NAMED.items():
        assert f"  {name:<10}  {scenario.summary}\n" in (command.epilog or "")


def test_no_socket_is_used(root: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    process = warm.run(
        [sys.executable, "-c", FORBIDDEN, "test", "--scenario", ",".join([*NAMED, "503"])],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, without_progress(process.stderr)) == (0, "")


def test_for_machines(run_cli: Run, root: Path) -> None:
    document = json.loads(
        run_cli("test", "Ticket system", "--scenario", "timeout,429", "--format", "json", cwd=root).stdout
    )
    assert document["format_version"] == 1
    timeout, busy = document["scenarios"]
    assert (timeout["webhook"], timeout["scenario"], timeout["outcome"], timeout["holds"]) == (
        "Ticket system",
        "timeout",
        "dead",
        False,
    )
    assert timeout["reason"] == "timeout: no answer within 15 s; schedule used up after 3 attempts"
    assert [attempt["after_seconds"] for attempt in timeout["attempts"]] == [0, 20, 95]
    assert [attempt["latest_after_seconds"] for attempt in timeout["attempts"]] == [0, 21, 108]
    assert timeout["attempts"][0] == {
        "number": 1,
        "after_seconds": 0,
        "latest_after_seconds": 0,
        "took_seconds": 15,
        "status": None,
        "failure": "timeout",
        "outcome": "retrying",
        "reason": "timeout: no answer within 15 s",
        "next_in_seconds": 5,
    }
    assert [(attempt["status"], attempt["next_in_seconds"]) for attempt in busy["attempts"]] == [
        (429, 120),
        (429, 120),
        (429, None),
    ]


def test_text_and_json_say_the_same(run_cli: Run, root: Path) -> None:
    names = ",".join([*NAMED, "429", "410", "503"])
    (root / "out.json").touch()
    text = run_cli("test", "--scenario", names, "--format", "text", "--format", "json=out.json", cwd=root).stdout
    document = json.loads((root / "out.json").read_text())
    jsonschema.validate(document, read_schema("scenario.schema.json"), cls=jsonschema.Draft202012Validator)
    blocks = text.split("\n\n")[:-1]
    for block, played in zip(blocks, document["scenarios"], strict=True):
        first, *lines = block.split("\n")
        assert first == f"{played['webhook']}  {played['scenario']}: {played['summary']}"
        attempts = [line.split(maxsplit=1)[1] for line in lines if line.strip()[0].isdigit()]
        shared = f"{lines[0][len(EACH) :]}; " if lines[0].startswith(EACH) else ""
        assert bool(shared) is (len(attempts) > 1)
        for shown, attempt in zip(attempts, played["attempts"], strict=True):
            assert shown.startswith(span(attempt["after_seconds"]))
            assert attempt["reason"] in shared + shown.split("  ", 1)[1]
            assert attempt["next_in_seconds"] is None or shown.endswith(f"again in {span(attempt['next_in_seconds'])}")
        assert ("  Delivered." in lines) is (played["outcome"] == "delivered")
        assert any("hookctl deliveries resume" in line for line in lines) is played["holds"]


def test_each_scenario_once_in_the_order_given(run_cli: Run, root: Path) -> None:
    document = json.loads(
        run_cli("test", "Siem", "--scenario", "Redirect, 404,redirect", "--format", "json", cwd=root).stdout
    )
    assert [played["scenario"] for played in document["scenarios"]] == ["redirect", "404"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("badjson", "there is no scenario 'badjson'. Did you mean bad-json?"),
        ("timeout,4290", "there is no scenario '4290'. Did you mean 429?"),
        (
            "",
            (
                "there is no scenario ''. "
                "Known scenarios: timeout, slow, reset, bad-json, redirect, and the statuses 300 to 599."
            ),
        ),
        ("200", "there is no scenario '200'. "),
    ],
)
def test_an_unknown_scenario(run_cli: Run, root: Path, given: str, said: str) -> None:
    result = run_cli("test", "--scenario", given, cwd=root)
    assert result.exit_code == 64
    assert said in " ".join(result.stderr.split())


def test_a_request_that_cannot_be_made_fails(run_cli: Run, root: Path) -> None:
    mock = load_plugins().event_types["anomaly"].mock
    assert isinstance(mock["data"], dict)
    (root / "event.json").write_text(json.dumps({**mock, "data": {**mock["data"], "resource": None}}))
    (root / "webhooks.d" / "siem.yaml").write_text(
        FILES["webhooks.d/siem.yaml"].replace("data.severity", "data.resource.name")
    )
    result = run_cli("test", "Siem", "--event", "event.json", "--scenario", "timeout", cwd=root)
    assert result.exit_code == 1
    assert "render: " in result.stdout


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.3, "0.3s"),
        (59, "59s"),
        (60, "1m"),
        (3605, "1h"),
        (99305, "27h35m"),
        (86400, "24h"),
        (305, "5m5s"),
        (1200.0004, "20m"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
