"""``hookctl run --metrics``: a process delivers, and a scrape has what it counted."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.model import Event, Json
from hookctl.plugin.host import load_plugins
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

PATIENCE = 30.0
WEBHOOK = "name: {name}\nevent: anomaly\nurl: https://siem.example.com/{name}\nbody_template: '{{}}'\n"
RunCli = Callable[..., Any]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found: int = server.getsockname()[1]
        return found


def get(port: int, path: str = "/metrics", host: str = "127.0.0.1") -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape_until(port: int, *lines: str) -> str:
    """The first scrape that has all lines."""
    until, text = time.monotonic() + PATIENCE, ""
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError):
            text = get(port)[1]
            if all(line in text.splitlines() for line in lines):
                return text
        time.sleep(0.05)
    raise AssertionError("\n".join(line for line in text.splitlines() if "_bucket" not in line))


@contextmanager
def run(root: Path, env: Mapping[str, str], *args: str) -> Iterator[None]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    command = [sys.executable, "-m", "hookctl", "run", *args]
    with warm.Popen(
        command, cwd=root, env={**own, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def apply(root: Path, run_cli: RunCli, *names: str) -> None:
    (root / "webhooks.d").mkdir()
    for name in names:
        (root / f"webhooks.d/{name}.yaml").write_text(WEBHOOK.format(name=name), encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0


def put(root: Path, **names: str) -> None:
    """Store one event for each webhook: ``put(root, Siem="e1")``."""
    mock: dict[str, Json] = {**load_plugins().event_types["anomaly"].mock}
    store = SqliteStore(root / ".hookctl/hookctl.db")
    events = [(Event(id_, "anomaly", 1.0, mock | {"id": id_}), webhook) for webhook, id_ in names.items()]
    store.enqueue([Routed(event, (NewDelivery(f"dlv_{event.id}", name),)) for event, name in events], time.time())
    store.close()


def test_a_scrape_has_what_the_runner_did(
    tmp_path: Path, run_cli: RunCli, receiver: Receiver, reach_siem: Mapping[str, str], port: int
) -> None:
    apply(tmp_path, run_cli, "Siem", "Gone")
    receiver.answer("/Gone", Answer(404))
    put(tmp_path, Siem="e1", Gone="e2")
    with run(tmp_path, reach_siem, "--metrics", f"127.0.0.1:{port}"):
        text = scrape_until(
            port,
            'hookctl_deliveries_total{status="delivered",webhook="Siem"} 1.0',
            'hookctl_attempts_total{outcome="delivered",reason="2xx",webhook="Siem"} 1.0',
            'hookctl_deliveries_dead_total{reason="4xx",webhook="Gone"} 1.0',
            'hookctl_undelivered_deliveries{status="dead",webhook="Gone"} 1.0',
            'hookctl_undelivered_deliveries{status="waiting",webhook="Siem"} 0.0',
            'hookctl_delivery_latency_seconds_count{webhook="Siem"} 1.0',
            'hookctl_attempt_phase_seconds_count{phase="tls"} 2.0',
            "hookctl_applied_serial 1.0",
        )
        commits = re.search(r"^hookctl_store_commit_seconds_count ([\d.]+)$", text, re.MULTILINE)
        assert commits is not None
        assert float(commits[1]) >= 2  # a claim and a result
        assert get(port, "/")[0] == 404
        assert get(port, host="rebound.example.com")[0] == 403
        assert get(port, host=f"localhost:{port}")[0] == 200


def test_the_label_for_the_webhook_can_be_left_out(tmp_path: Path, run_cli: RunCli, port: int) -> None:
    apply(tmp_path, run_cli, "Siem")
    (tmp_path / "hookctl.toml").write_text("[metrics]\nwebhook_label = false\n", encoding="utf-8")
    with run(tmp_path, {}, "--metrics", f"127.0.0.1:{port}"):
        text = scrape_until(port, 'hookctl_undelivered_deliveries{status="dead"} 0.0')
        assert "Siem" not in text


@pytest.mark.parametrize("target", ["9101", "metrics.txt", ":9101", "127.0.0.1:99999", "unix:/nowhere/metrics.sock"])
def test_a_target_that_cannot_be_used_is_an_error_at_the_start(tmp_path: Path, run_cli: RunCli, target: str) -> None:
    apply(tmp_path, run_cli, "Siem")
    failed = run_cli("run", "--metrics", target, cwd=tmp_path)
    assert failed.exit_code == 1
    assert f"--metrics: {target}" in failed.stderr
