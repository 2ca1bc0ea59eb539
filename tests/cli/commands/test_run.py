"""``hookctl run`` as a process: it notices applies, drains, stops at once, logs, and survives a store that fails."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.delivery.runner.route import delivery_id
from hookctl.model import Event, Json
from hookctl.plugin.host import load_plugins
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
PATIENCE = 30.0
TOKEN = "canary-token-3f9a"
WEBHOOK = """
name: {name}
event: anomaly
url: https://siem.example.com/{name}
auth: {{type: bearer, token: "${{env:TOKEN}}"}}
body_template: |
  {{"event": "{{{{ id }}}}"}}
timeout_seconds: 60
retry: {{schedule: [100ms]}}
"""


@dataclass
class Site:
    """A project, its receiver, and processes that run it."""

    root: Path
    receiver: Receiver
    run_cli: Run
    mock: Mapping[str, Json]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        address = f"siem.example.com:443:{self.receiver.address}:{self.receiver.port}"
        return {"TOKEN": TOKEN, "HOOKCTL_CONNECT_TO": address, "HOOKCTL_CACERT": self.receiver.ca_file}

    def apply(self, *names: str) -> None:
        directory = self.root / "webhooks.d"
        directory.mkdir(exist_ok=True)
        for file in directory.iterdir():
            file.unlink()
        for name in names:
            (directory / f"{name}.yaml").write_text(WEBHOOK.format(name=name), encoding="utf-8")
        assert self.run_cli("apply", "--auto-approve", cwd=self.root).exit_code == 0

    def put(self, *names: str, webhook: str = "Siem") -> None:
        """Store events, as another process that takes them in does."""
        queue = self.queue()
        events = [Event(name, "anomaly", 1.0, {**self.mock, "id": name}) for name in names]
        queue.enqueue(
            [
                Routed(event, (NewDelivery(delivery_id(event.id, event.event_time, webhook), webhook),))
                for event in events
            ],
            time.time(),
        )
        queue.close()

    def queue(self) -> SqliteQueue:
        return SqliteQueue(self.root / ".hookctl/hookctl.db")

    def standing(self) -> dict[str, str]:
        queue = self.queue()
        found = {one.event_id: one.status.value for one in queue.deliveries()}
        queue.close()
        return found

    def start(self, *args: str) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")} | self.env
        command = [sys.executable, "-m", "hookctl", "run", *args]
        process = warm.Popen(command, cwd=self.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.running.append(process)
        return process

    def wait_for(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit, [
                (process.poll(), process.stderr.read() if process.poll() and process.stderr else "")
                for process in self.running
            ]
            time.sleep(0.01)


@pytest.fixture
def site(tmp_path: Path, run_cli: Run) -> Iterator[Site]:
    with Receiver() as receiver:
        site = Site(tmp_path, receiver, run_cli, load_plugins().event_types["anomaly"].mock)
        site.apply("Siem")
        yield site
        for process in site.running:
            process.kill()
            process.communicate()


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_it_delivers_what_comes_until_it_is_stopped(site: Site) -> None:
    site.put("e1")
    process = site.start("--log", "json")
    site.wait_for(lambda: site.receiver.count == 1)
    site.put("e2")
    site.wait_for(lambda: site.receiver.count == 2)
    site.wait_for(lambda: set(site.standing().values()) == {"delivered"})
    code, out, err = stop(process)
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["event"] for line in lines] == ["applied", "delivered", "delivered", "stopping", "stopped"]
    assert [line.get("event_id") for line in lines[1:3]] == ["e1", "e2"]
    assert lines[-1] | {"at": 0} == {"at": 0, "event": "stopped", "attempts": 2, "delivered": 2, "dead": 0}


def test_each_outcome_is_one_line_of_text_without_a_secret(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(500, body=f"Bearer {TOKEN}\n\x1b[2J".encode()), Answer(400))
    site.put("e1\x1b[2J\u2028x")
    process = site.start()
    site.wait_for(lambda: set(site.standing().values()) == {"dead"})
    _, out, err = stop(process, signal.SIGINT)
    first, second = [line for line in out.splitlines() if "delivery=" in line]
    assert first.split()[1:3] == ["retrying", "webhook=Siem"]
    assert "attempt=1 http_status=500" in first
    assert second.split()[1:3] == ["dead", "webhook=Siem"]
    assert "attempt=2 http_status=400" in second
    assert "\x1b" not in out
    assert TOKEN not in out + err


def test_an_apply_is_taken_up_without_a_restart(site: Site) -> None:
    process = site.start("--log", "json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "applied"
    site.apply("Siem", "Other")
    assert json.loads(process.stdout.readline()) | {"at": 0} == {
        "at": 0,
        "event": "applied",
        "serial": 2,
        "webhooks": 2,
    }
    site.put("e1", webhook="Other")
    site.wait_for(lambda: [request.path for request in site.receiver.requests] == ["/Other"])
    assert stop(process)[0] == 0


def test_the_first_signal_lets_requests_end(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(delay=1.0))
    site.put("e1")
    process = site.start("--grace", "30s")
    site.wait_for(lambda: site.receiver.count == 1)
    assert stop(process)[0] == 0
    assert site.standing() == {"e1": "delivered"}


def test_what_does_not_end_within_the_grace_is_put_back(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(misbehave=Misbehavior.NO_ANSWER))
    site.put("e1")
    process = site.start("--grace", "200ms")
    site.wait_for(lambda: site.receiver.count == 1)
    assert stop(process)[0] == 0
    queue = site.queue()
    assert len(queue.claim(time.time(), 10, 60.0, {"Siem": 10})) == 1
    queue.close()


def test_the_second_signal_stops_at_once(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(misbehave=Misbehavior.NO_ANSWER))
    site.put("e1")
    process = site.start("--grace", "1h")
    site.wait_for(lambda: site.receiver.count == 1)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    while "stopping" not in process.stdout.readline():
        pass
    assert stop(process, signal.SIGINT)[0] == 130
    queue = site.queue()
    assert len(queue.claim(time.time(), 10, 60.0, {"Siem": 10})) == 1
    queue.close()


def test_two_runners_send_nothing_twice(site: Site) -> None:
    site.put(*(f"e{number}" for number in range(200)))
    processes = [site.start(), site.start()]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline()  # it has started, so it handles signals
    site.wait_for(lambda: set(site.standing().values()) == {"delivered"})
    assert [stop(process)[0] for process in processes] == [0, 0]
    assert site.receiver.count == 200


def test_a_store_that_fails_for_a_while_stops_nothing(site: Site) -> None:
    process = site.start("--log", "json")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "applied"
    site.put("e1")
    blocker = sqlite3.connect(site.root / ".hookctl/hookctl.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")  # longer than anyone waits for another's transaction
    while json.loads(process.stdout.readline())["event"] != "trouble":
        pass
    blocker.execute("ROLLBACK")
    blocker.close()
    while json.loads(process.stdout.readline())["event"] != "recovered":
        pass
    site.wait_for(lambda: site.standing() == {"e1": "delivered"})
    assert stop(process)[0] == 0


def test_nothing_applied(tmp_path: Path, run_cli: Run) -> None:
    result = run_cli("run", cwd=tmp_path)
    assert (result.exit_code, "no webhook is applied yet" in result.stderr) == (1, True)


def test_limits_that_are_none(site: Site) -> None:
    (site.root / "hookctl.toml").write_text('[retention]\nage = "soon"\n', encoding="utf-8")
    result = site.run_cli("run", cwd=site.root)
    assert (result.exit_code, "retention.age must be a duration" in result.stderr) == (1, True)
