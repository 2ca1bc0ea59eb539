"""SIGTERM while events arrive: what was stored was answered, and what was answered is stored."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.store import SqliteStore

PATIENCE = 30.0
CLIENTS = 4
ENOUGH = 100
"""The number of answers after which the server is asked to stop."""


def send(port: int, token: str, client: int, answered: list[str]) -> None:
    """Send events one by one until the server does not answer any more."""
    mock = load_plugins().event_types["anomaly"].mock
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with closing(connection):
        for number in range(1_000_000):
            event_id = f"evt_{client}_{number}"
            try:
                connection.request("POST", "/v1/events", json.dumps({**mock, "id": event_id}), headers)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return
            assert response.status == 202
            answered.append(event_id)


def test_every_event_that_is_stored_was_answered(
    serve: Callable[..., Any], run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    made = run_cli("tokens", "create", "shop", "--scope", "intake", cwd=tmp_path)
    token = next(word for word in made.stdout.split() if word.startswith("hookctl_"))
    served = serve("--listen", "127.0.0.1:0", "--log", "json", "--grace", "0s")
    answered: list[str] = []
    with ThreadPoolExecutor(CLIENTS) as clients:
        sending = [clients.submit(send, served.port, token, client, answered) for client in range(CLIENTS)]
        deadline = time.monotonic() + PATIENCE
        while len(answered) < ENOUGH:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        _, _, text = served.get("/metrics")
        served.process.send_signal(signal.SIGTERM)
        served.log += served.process.stdout.read().splitlines()
        assert served.process.wait(PATIENCE) == 0
        for one in sending:
            one.result()
    with closing(SqliteStore(tmp_path / ".hookctl/hookctl.db")) as store:
        stored = {delivery.event_id for delivery in store.deliveries()}
    assert stored == set(answered)
    logged = [json.loads(line) for line in served.log if '"event":"request"' in line]
    assert sum(record["status"] == 202 for record in logged) == len(answered)
    lines = [line.rpartition(" ") for line in text.splitlines()]
    counts = {name: float(value) for name, _, value in lines if not name.startswith("#")}
    assert counts['hookctl_events_total{event_type="anomaly",result="accepted"}'] >= ENOUGH
    assert counts["hookctl_store_commit_seconds_count"] > 0
