"""``hookctl render``: the request that would be sent, without network and without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.plugin.host import load_plugins

Run = Callable[..., Any]
WEBHOOK = """\
name: Siem Anomalies
event: anomaly
url: https://siem.example.com/ingest/${env:CANARY_PATH}
headers: {X-Key: "key ${env:CANARY_KEY}"}
auth: {type: oauth2, client_id: client, client_secret: "${env:CANARY_SECRET}", token_url: "https://login.example.com/oauth/token"}
when: data.severity == 'Low'
body_template: |
  {
    "severity": "{{ data.severity }}", "title": "{{ data.title }}",
    "payload": "{\\"requester\\": \\"{{ data.requester.name }}\\"}"
  }
"""
SECRETS = {"CANARY_PATH": "canary-path", "CANARY_KEY": "canary-key", "CANARY_SECRET": "canary-secret"}


@pytest.fixture
def render(project: Callable[[dict[str, str]], Path], run_cli: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``render(*args, **files)`` with no network to be had."""

    def no_network(*_: Any, **__: Any) -> Any:
        raise AssertionError("render dials")

    monkeypatch.setattr("socket.socket.connect", no_network)
    monkeypatch.setattr("socket.getaddrinfo", no_network)

    def run(*args: str, env: dict[str, str] | None = None, webhook: str = WEBHOOK, **files: str) -> Any:
        return run_cli(
            "render", "Siem Anomalies", *args, cwd=project({"webhooks.d/siem.yaml": webhook, **files}), env=env
        )

    return run


def plain(text: str) -> str:
    lines = (
        line.partition("webhook-timestamp: ")[0] + "webhook-timestamp: NOW"
        if line.startswith("webhook-timestamp")
        else line
        for line in text.split("\n")
    )
    return "\n".join(
        "User-Agent: hookctl/VERSION" if line.startswith("User-Agent: hookctl/") else line for line in lines
    )


def test_text(render: Run, snapshot: SnapshotAssertion) -> None:
    result = render()
    assert result.exit_code == 0
    assert plain(result.stdout) == snapshot


def test_secrets_are_neither_needed_nor_shown(render: Run) -> None:
    without = render()
    with_them = render(env=SECRETS)
    assert plain(with_them.stdout) == plain(without.stdout)
    assert "canary-" not in with_them.stdout
    assert "https://siem.example.com/ingest/***" in with_them.stdout


def test_the_body_alone_is_exact(render: Run) -> None:
    title = 'Straße "x", ☃'
    mock = load_plugins().event_types["anomaly"].mock
    assert isinstance(mock["data"], dict)
    event = json.dumps({**mock, "data": {**mock["data"], "title": title}})
    result = render("--body", "--event", "event.json", **{"event.json": event})
    assert json.loads(result.stdout_bytes)["title"] == title
    assert result.stdout_bytes.startswith(b'{\n  "severity": "High", "title": "Stra')


def test_no_body(render: Run) -> None:
    webhook = "name: Siem Anomalies\nevent: anomaly\nmethod: GET\nurl: https://siem.example.com/\n"
    assert render("--body", webhook=webhook).stdout_bytes == b""
    assert render(webhook=webhook).stdout.startswith("GET https://siem.example.com/\n")


def test_json(render: Run) -> None:
    document = json.loads(render("--format", "json").stdout)
    assert (document["webhook"], document["auth"], document["would_be_sent"]) == ("Siem Anomalies", ["oauth2"], False)
    assert document["request"]["url"] == "https://siem.example.com/ingest/***"
    assert ["X-Key", "key ***"] in document["request"]["headers"]
    assert json.loads(document["request"]["body"])["severity"] == "High"


def test_what_was_decided_for_each_expression(render: Run) -> None:
    document = json.loads(render("--format", "json").stdout)
    assert document["decisions"][0] == {
        "expression": "data.severity",
        "line": 2,
        "column": 16,
        "form": "text",
        "depth": 1,
        "in_json_text": False,
    }
    assert document["decisions"][2] == {
        "expression": "data.requester.name",
        "line": 3,
        "column": 33,
        "form": "text",
        "depth": 2,
        "in_json_text": True,
    }
    inner = WEBHOOK.replace('\\"{{ data.requester.name }}\\"', "{{ data.requester }}")
    assert (
        "#   line 3: {{ data.requester }} is a JSON value of the JSON text in a string\n"
        in render(webhook=inner).stdout
    )
    assert "expressions in that JSON" not in render(webhook=WEBHOOK.replace('\\"requester\\": ', "")).stdout


def test_an_event_of_an_unknown_type(render: Run) -> None:
    result = render("--event", "event.json", **{"event.json": '{"event_type": "other"}'})
    assert result.exit_code == 1
    assert "unknown event type 'other'" in result.stderr


def test_a_file_that_is_not_one_event(render: Run) -> None:
    event = '{"id": "a", "event_type": "anomaly"}'
    result = render("--event", "events.jsonl", **{"events.jsonl": f"{event}\n{event}\n"})
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: events.jsonl: the file contains several events\n  Pick one of them, for example with `head -n 1`.\n",
    )
    result = render("--event", "event.json", **{"event.json": '{\n  "id": "a",\n}'})
    assert "Error: event.json: not valid JSON at line 3, column 1" in result.stderr


def test_findings_and_unknown_names(render: Run, run_cli: Run, project: Callable[[dict[str, str]], Path]) -> None:
    result = render(webhook=WEBHOOK.replace("data.title", "data.titel"))
    assert result.exit_code == 1
    assert "template-unknown-path" in result.stdout
    result = run_cli("render", "Siem", cwd=project({"webhooks.d/siem.yaml": WEBHOOK}))
    assert result.exit_code == 1
    assert "Did you mean Siem Anomalies?" in result.stderr
