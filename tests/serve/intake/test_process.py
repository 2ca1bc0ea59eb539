"""``hookctl serve`` as a process that is killed, or stopped, while events come in: what got a 202 is kept."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest

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
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_answered_with_202_is_on_disk(
    tmp_path: Path, run_cli: Callable[..., Any], how: signal.Signals
) -> None:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0
    token = run_cli("tokens", "create", "app", "--scope", "intake", cwd=tmp_path).stdout.strip()
    with serve(tmp_path) as (process, port), ThreadPoolExecutor(CLIENTS) as pool:
        clients = Clients(port, token, load_plugins().event_types["anomaly"].mock)
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
    assert set(clients.accepted) <= stored
    assert with_delivery == stored
    if how == signal.SIGTERM:
        assert process.returncode == 0
        assert stored <= {*clients.accepted}  # whatever was stored has been answered
