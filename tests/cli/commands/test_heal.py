"""``hookctl plan`` and ``apply --heal``: which dead letters a change repairs, and replaying exactly those."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hookctl.plugin.host import load_plugins
from hookctl.schema_files import read_schema
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
SIEM = """\
name: Siem
event: anomaly
url: https://siem.example.com/old
body_template: |
  {"event": "{{ id }}", "title": "{{ data.title | truncate(data.request.limit) }}"}
retry: {schedule: [100ms]}
"""
PLAIN = SIEM.replace(" | truncate(data.request.limit)", "")
KEY = "k" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def root(project: Callable[..., Path]) -> Path:
    return project({"webhooks.d/siem.yaml": PLAIN})


@pytest.fixture
def run(root: Path, run_cli: Run, receiver: Receiver) -> Run:
    """The command line in a project with a webhook applied, that reaches the receiver."""
    env = {
        "HOOKCTL_CONNECT_TO": f"siem.example.com:443:{receiver.address}:{receiver.port}",
        "HOOKCTL_CACERT": receiver.ca_file,
        "PLAN_KEY": KEY,
    }

    def run(*args: str, stdin: str = "") -> Any:
        return run_cli(*args, cwd=root, env=env, stdin=stdin)

    assert run("apply", "--auto-approve").exit_code == 0
    return run


def write(root: Path, text: str) -> None:
    (root / "webhooks.d/siem.yaml").write_text(text, encoding="utf-8")


def send(run: Run, *names: str) -> None:
    mock = load_plugins().event_types["anomaly"].mock
    lines = [json.dumps({**mock, "id": name, "event_time": 1.0}) for name in names]
    run("send", "-", stdin="\n".join(lines))


def statuses(run: Run) -> dict[str, str]:
    return {one["event_id"]: one["status"] for one in json.loads(run("deliveries", "list", "--format", "json").stdout)}


def planned(run: Run) -> Any:
    document = json.loads(run("plan", "--format", "json").stdout)
    jsonschema.Draft202012Validator(read_schema("plan.schema.json")).validate(document)
    return document


def test_another_url_may_repair_a_404(run: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    send(run, "e1")
    assert statuses(run) == {"e0": "dead", "e1": "dead"}
    write(root, PLAIN.replace("/old", "/new"))
    text = run("plan").stdout
    assert (
        "      2 dead letters: this change may repair 2\n"
        "          2 may be repaired: HTTP 404 before, and the URL will be different\n" in text
    )
    assert (
        "  2 dead letters: this plan may repair 2\n"
        "  an apply alone does not replay dead letters; `hookctl apply --heal` replays these 2 deliveries\n" in text
    )
    comment = run("plan", "--format", "markdown").stdout
    assert "2 dead letters: this plan may repair 2" in comment
    receiver.requests.clear()
    result = run("apply", "--heal", "--auto-approve")
    assert result.stdout.endswith("The state now has serial 2. Healed: 2 deliveries replayed.\n")
    assert not receiver.requests
    run("send", "-", "--wait", "5s", stdin="")
    assert statuses(run) == {"e0": "delivered", "e1": "delivered"}
    assert [request.path for request in receiver.requests] == ["/new", "/new"]
    log = json.loads(run("log", "--format", "json").stdout)
    assert sorted((entry["action"], entry["deliveries"]) for entry in log if entry["action"] == "heal") == [("heal", 2)]


def test_without_heal_nothing_is_replayed(run: Run, root: Path, receiver: Receiver) -> None:
    receiver.answer("/old", Answer(404))
    send(run, "e0")
    write(root, PLAIN.replace("/old", "/new"))
    assert "Healed" not in run("apply", "--auto-approve").stdout
    run("send", "-", stdin="")
    assert statuses(run) == {"e0": "dead"}
