"""``hookctl serve`` as a process that is killed, or stopped, while events come in: what got a 202 is kept."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import warm
from hookctl.model import Json
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.store import SqliteStore

WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/in
body_template: |
  {"event": "{{ id }}"}
"""
CLIENTS = 8
ANSWERS = 100
"""After so many answers, the process gets its signal."""


@contextmanager
def serve(root: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    options = ["--listen", "127.0.0.1:0", "--connect-to", "siem.example.com:443:127.0.0.1:9"]
    command = [sys.executable, "-m", "hookctl", "serve", *options]
    with warm.Popen(command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            yield process, int(process.stderr.readline().rpartition(":")[2])
        finally:
            process.kill()


class Clients:
    """Posts events, each with an id of its own, until the server is gone."""

    def __init__(self, port: int, token: str, mock: Mapping[str, Json]) -> None:
        self.port, self.mock = port, mock
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self.accepted: list[str] = []
        self.unanswered: list[str] = []
        self.enough = Event()

    def run(self, number: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            self.post(number, connection)

    def post(self, number: int, connection: http.client.HTTPConnection) -> None:
        for count in range(10_000):
            name = f"c{number}-{count}"
            body = json.dumps({**self.mock, "id": name})
            try:
                connection.request("POST", "/v1/events", body, self.headers)
            except OSError:
                return
            try:
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                self.unanswered.append(name)
                return
            assert response.status == 202
            self.accepted.append(name)
            if len(self.accepted) >= ANSWERS:
                self.enough.set()


def check_repeats(port: int, token: str, mock: Mapping[str, Json]) -> None:
    """The runner stores events, and whatever it has stored before is looked at again elsewhere."""
    event, answers = {**mock, "id": "e1"}, []
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        for sent in (event, event, {**event, "event_time": 1.0}, {**event, "id": "e2"}):
            connection.request("POST", "/v1/events", json.dumps(sent), headers)
            response = connection.getresponse()
            answers.append((response.status, json.loads(response.read()).get("status")))
    assert answers == [(202, "accepted"), (202, "duplicate"), (422, 422), (202, "accepted")]


def project(root: Path, run_cli: Callable[..., Any]) -> str:
    """Apply a webhook, and return a token."""
    (root / "webhooks.d").mkdir()
    (root / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    return str(run_cli("tokens", "create", "app", "--scope", "intake", cwd=root).stdout.strip())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_answered_with_202_is_on_disk(
    tmp_path: Path, run_cli: Callable[..., Any], how: signal.Signals
) -> None:
    token = project(tmp_path, run_cli)
    with serve(tmp_path) as (process, port), ThreadPoolExecutor(CLIENTS) as pool:
        mock = load_plugins().event_types["anomaly"].mock
        check_repeats(port, token, mock)
        clients = Clients(port, token, mock)
        done = [pool.submit(clients.run, number) for number in range(CLIENTS)]
        assert clients.enough.wait(30)
        process.send_signal(how)
        for one in done:
            one.result(30)
        process.wait(30)
    store = SqliteStore(tmp_path / ".hookctl/hookctl.db")
    stored = {event.id for event in store.events(limit=100_000).events}
    with_delivery = store.events_with_delivery("Siem", stored)
    store.close()
    accepted = {"e1", "e2", *clients.accepted}
    assert accepted <= stored
    assert with_delivery == stored
    if how == signal.SIGTERM:
        assert process.returncode == 0
        assert stored <= accepted  # whatever was stored has been answered
