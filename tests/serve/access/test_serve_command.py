"""``hookctl serve`` as a process: what it prints about access, and what it requires."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hookctl.errors import SettingsError
from hookctl.serve import application

Run = Callable[..., Any]
PATIENCE = 30.0
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/in
body_template: |
  {"event": "{{ id }}"}
"""
LINK = re.compile(r"http://(127\.0\.0\.1:\d+)(/sign-in\?code=[\w-]{43})\n")


def project(root: Path, run_cli: Run) -> Path:
    (root / "webhooks.d").mkdir()
    (root / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=root).exit_code == 0
    return root


@contextmanager
def serve(root: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hookctl", "serve", *args]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def read(process: subprocess.Popen[str], pattern: re.Pattern[str]) -> re.Match[str]:
    """The next line on standard error that has the pattern."""
    deadline, text = time.monotonic() + PATIENCE, ""
    assert process.stderr is not None
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stderr], [], [], 1.0)
        if ready:
            line = os.read(process.stderr.fileno(), 65536).decode()
            text += line
            if found := pattern.search(text):
                return found
            assert line, text
    raise AssertionError(text)


def get(address: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("Set-Cookie") or ""
    finally:
        connection.close()


def test_it_prints_a_link_and_another_one_for_a_signal(tmp_path: Path, run_cli: Run) -> None:
    with serve(project(tmp_path, run_cli), "--listen", "127.0.0.1:0") as process:
        address, first = read(process, LINK).groups()
        os.kill(process.pid, signal.SIGUSR1)
        _, second = read(process, LINK).groups()
        assert get(address, first)[0] == 403
        status, cookie = get(address, second)
        assert status == 303
        assert cookie.startswith("hookctl-")
        assert get(address, second)[0] == 403


def test_an_address_that_others_can_reach_requires_a_token(tmp_path: Path, run_cli: Run) -> None:
    root = project(tmp_path, run_cli)
    refused = run_cli("serve", "--listen", "0.0.0.0:0", cwd=root)
    assert refused.exit_code == 1
    assert "others can reach 0.0.0.0, and there is no token" in refused.stderr
    assert "hookctl tokens create" in refused.stderr
    assert run_cli("tokens", "create", "ada", "--scope", "read", cwd=root).exit_code == 0
    with serve(root, "--listen", "0.0.0.0:0", "--host", "hooks.example.com") as process:
        found = read(process, re.compile(r"(?s)plain HTTP.*kill -USR1 (\d+)"))
        assert "code=" not in found.string  # standard error may be a log that others read
        assert int(found[1]) == process.pid
        os.kill(process.pid, signal.SIGUSR1)
        assert get(*read(process, LINK).groups())[0] == 303


def test_pages_that_take_long_do_not_delay_the_reading_of_tokens(
    tmp_path: Path, run_cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every request needs tokens. So they are read with stores, and on threads, that no page uses."""
    shared: list[bool] = []

    def look(context: Any) -> None:
        shared.append(context.access.stores is context.stores)
        raise SettingsError("seen")

    monkeypatch.setattr(application, "make_application", look)
    assert "seen" in run_cli("serve", "--listen", "127.0.0.1:0", cwd=project(tmp_path, run_cli)).stderr
    assert shared == [False]
