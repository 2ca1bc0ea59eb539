"""``hookctl serve`` as a process, on a project with one webhook."""

from __future__ import annotations

import http.client
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

import warm

PATIENCE = 30.0
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/in\nbody_template: '{}'\n"
STARTED = re.compile(r"Serving http://[\d.]+:(\d+)\n.*(/sign-in\?code=[\w-]+)\n", re.DOTALL)


@dataclass
class Served:
    """A process, and the lines of its log."""

    process: subprocess.Popen[str]
    port: int
    link: str
    """The path of the one-time link."""
    log: list[str] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def begin_form(self) -> socket.socket:
        """A connection on which a form is sent, but for its last byte. The server reads it before it answers."""
        cookie = self.get(self.link)[1]["set-cookie"].partition(";")[0]
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        lines = (
            "POST /sign-out HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"Origin: http://127.0.0.1:{self.port}",
            f"Cookie: {cookie}",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 3",
        )
        client.sendall("\r\n".join((*lines, "", "a=")).encode())
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(PATIENCE)
        return client

    def lines(self, event: str) -> list[str]:
        """The log lines of an event, once the process has ended."""
        assert self.process.stdout is not None
        self.log += self.process.stdout.read().splitlines()
        return [line for line in self.log if f'"event":"{event}"' in line]


@pytest.fixture
def serve(tmp_path: Path, run_cli: Callable[..., Any]) -> Iterator[Callable[..., Served]]:
    """``serve("--log", "json")`` starts a process; its first token is ``served.token``."""
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK, encoding="utf-8")
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0
    started: list[subprocess.Popen[str]] = []

    def start(*args: str) -> Served:
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
        command = [sys.executable, "-m", "hookctl", "serve", *args]
        process = warm.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stderr is not None
        port, link = read(process.stderr, STARTED).groups()
        return Served(process, int(port), link)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read(stream: IO[str], pattern: re.Pattern[str]) -> re.Match[str]:
    """The first line of a stream that has the pattern."""
    deadline, text = time.monotonic() + PATIENCE, ""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([stream], [], [], 1.0)
        if ready:
            text += os.read(stream.fileno(), 65536).decode()
            if found := pattern.search(text):
                return found
    raise AssertionError(text)
