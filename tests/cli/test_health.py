"""``hookctl run --health``: what supervisors see in a file, at a port and at a Unix socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.cli import health as health_module
from hookctl.cli import small_server
from hookctl.cli.health import Health, reporting
from hookctl.errors import SettingsError, StoreError

PATIENCE = 30.0
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/Siem\nbody_template: '{}'\n"


def get(port: int, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, "/healthz")
    response = connection.getresponse()
    return response.status, response.read()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def test_a_runner_is_healthy_once_it_steps(port: int) -> None:
    with reporting(f"127.0.0.1:{port}", lambda: None) as stepped:
        assert get(port)[0] == 503
        stepped(None)
        status, body = get(port)
        found = json.loads(body)
        assert (status, found | {"time": 0}) == (
            200,
            {"healthy": True, "time": 0, "store": "ok", "oldest_due": None},
        )
        assert get(port, "HEAD") == (200, b"")


def test_a_store_that_fails_is_unhealthy_until_it_works_again(port: int) -> None:
    with reporting(f"127.0.0.1:{port}", lambda: 5.0) as stepped:
        stepped(None)
        assert json.loads(get(port)[1])["oldest_due"] == 5.0
        stepped(StoreError("the disk is full"))
        status, body = get(port)
        assert (status, json.loads(body)["store"]) == (503, "the disk is full")
        stepped(None)
        assert get(port)[0] == 200


def test_what_is_due_later_is_not_overdue() -> None:
    health = Health(lambda: time.time() + 3600)
    health.beat(None)
    assert json.loads(health.report()[1])["oldest_due"] is None


def test_a_runner_that_hangs_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    health = Health(lambda: None)
    health.beat(None)
    assert health.report()[0]
    monkeypatch.setattr(health_module, "STALE_SECONDS", -1.0)
    healthy, text = health.report()
    assert (healthy, json.loads(text)["healthy"]) == (False, False)


def test_the_file_is_written_while_the_runner_is_healthy(tmp_path: Path) -> None:
    file = tmp_path / "health.json"
    with reporting(str(file), lambda: None) as stepped:
        assert not file.exists()
        stepped(None)
        assert json.loads(file.read_text())["healthy"] is True
        file.unlink()
        stepped(StoreError("the disk is full"))
        assert not file.exists()
        stepped(None)
        assert file.exists()
    assert not file.exists()


def test_a_unix_socket_answers_its_user_and_replaces_that_of_a_dead_runner(tmp_path: Path) -> None:
    path = tmp_path / "health.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with reporting(f"unix:{path}", lambda: None) as stepped:
        stepped(None)
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert client.makefile("rb").readline().startswith(b"HTTP/1.0 200 ")
        with pytest.raises(SettingsError, match="another process listens on it"), reporting(f"unix:{path}", int):
            pass
        assert path.is_socket()
    assert not path.exists()


@pytest.mark.parametrize(
    "target", ["127.0.0.1:99999", "missing/health.json", "unix:/nowhere/health.sock", ":9100", "[::1:9100"]
)
def test_a_target_that_cannot_be_used_is_an_error_at_the_start(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="--health: "), reporting(target, lambda: None):
        pass


def test_a_file_that_is_no_health_report_is_neither_replaced_nor_deleted(tmp_path: Path) -> None:
    file, link, pipe = tmp_path / "hookctl.db", tmp_path / "link", tmp_path / "pipe"
    file.write_bytes(b"SQLite format 3\0" + bytes(10_000))
    link.symlink_to(file)
    os.mkfifo(pipe)
    for target in (file, link, pipe, tmp_path):
        with pytest.raises(SettingsError, match="--health: "), reporting(str(target), lambda: None):
            pass
    assert (file.stat().st_size, link.is_symlink(), pipe.is_fifo()) == (10_016, True, True)


def test_the_file_of_a_runner_that_was_killed_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "health.json"
    file.write_text(Health(lambda: None).report()[1], encoding="utf-8")
    with reporting(str(file), lambda: None) as stepped:
        assert not file.exists()
        stepped(None)
    assert not file.exists()


def test_a_client_that_never_ends_its_request_is_disconnected(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_server, "REQUEST_SECONDS", 0.1)
    with (
        reporting(f"127.0.0.1:{port}", lambda: None),
        socket.create_connection(("127.0.0.1", port), timeout=0.05) as client,
    ):
        until = time.monotonic() + PATIENCE
        is_open = True
        while is_open and time.monotonic() < until:  # each read of the server gets something
            try:
                client.sendall(b"G")
                is_open = client.recv(1) != b""
            except TimeoutError:
                continue
            except OSError:
                is_open = False
    assert not is_open


def test_clients_that_send_nothing_keep_no_other_from_an_answer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_server, "MAX_CLIENTS", 2)
    with reporting(f"127.0.0.1:{port}", lambda: None):
        clients = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(4)]
        assert get(port)[0] == 503
        assert [client.recv(1) for client in clients[:2]] == [b"", b""]
        for client in clients:
            client.close()


@pytest.fixture
def runner(tmp_path: Path, run_cli: Callable[..., Any], port: int) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0
    env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
    command = [sys.executable, "-m", "hookctl", "run", "--health", f"127.0.0.1:{port}"]
    process = warm.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def test_a_running_runner_answers_and_stops_as_before(runner: subprocess.Popen[str], port: int) -> None:
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            status, body = get(port)
        except ConnectionRefusedError:
            status, body = 0, b""
        if status == 200:
            break
        assert time.monotonic() < limit
        time.sleep(0.02)
    assert json.loads(body)["store"] == "ok"
    runner.send_signal(signal.SIGTERM)
    out, err = runner.communicate(timeout=PATIENCE)
    assert (runner.returncode, err) == (0, "")
    assert "stopped" in out
