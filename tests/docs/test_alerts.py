"""docs/running.md: its scripts for alerts run as they are printed, and it describes every condition."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import warm
from hookctl.cli.conditions import MEASURES
from hookctl.model import Event, Json
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite.store import SqliteStore

PAGE = (Path(__file__).parents[2] / "docs" / "running.md").read_text(encoding="utf-8")
MAIL, CHAT = re.findall(r"(?<=^```sh\n).*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE)
WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"
NEEDS_JQ = pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="jq or curl is not installed")
Script = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def script(tmp_path: Path, run_cli: Callable[..., Any]) -> Script:
    """``script(MAIL, NAME="value")`` runs a script of the page in a project with one applied webhook."""
    (tmp_path / "webhooks.d").mkdir()
    (tmp_path / "webhooks.d/siem.yaml").write_text(WEBHOOK)
    assert run_cli("apply", "--auto-approve", cwd=tmp_path).exit_code == 0

    def run(text: str, **env: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "script.sh").write_text(text, encoding="utf-8")
        path = f"{warm.commands()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", "script.sh"],
            cwd=tmp_path,
            env={"LC_ALL": "C.UTF-8", "no_proxy": "*", "PATH": path, **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def add_dead_letter(root: Path) -> None:
    with closing(SqliteStore(root / ".hookctl/hookctl.db")) as store:
        document: dict[str, Json] = {"id": "e1", "event_type": "anomaly", "event_time": 1.0, "data": {}}
        store.enqueue(
            [Routed(Event("e1", "anomaly", 1.0, document), (NewDelivery("d1", "Siem", "HTTP 404"),))], time.time()
        )


@pytest.fixture
def chat() -> Iterator[tuple[str, list[Any]]]:
    """The URL of a server, and the messages that it has received."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", received
        server.shutdown()
        thread.join()


def test_the_script_for_cron_prints_what_is_not_in_order(script: Script, tmp_path: Path) -> None:
    quiet = script(MAIL)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    add_dead_letter(tmp_path)
    mailed = script(MAIL)
    assert mailed.returncode == 1
    assert "! dead      Siem has 1 dead letter: 1 HTTP 404\n            To see them: hookctl " in mailed.stdout
    assert "✗ fail_on   dead>0 is true: 1 dead letter\n            See `dead` above.\n" in mailed.stdout
    assert "✓" not in mailed.stdout


def test_the_script_for_cron_prints_an_error(script: Script) -> None:
    mailed = script(MAIL.replace("dead>0", "dead>x"))
    assert mailed.returncode == 1
    assert "dead is compared with a whole number" in mailed.stdout
    assert "not found" in script(MAIL.replace("hookctl doctor", "hookctl-is-missing doctor")).stdout


@NEEDS_JQ
def test_the_script_for_a_chat_posts_the_problems(script: Script, tmp_path: Path, chat: tuple[str, list[Any]]) -> None:
    url, received = chat
    quiet = script(CHAT, ALERT_URL=url)
    assert (quiet.returncode, received) == (0, [])
    add_dead_letter(tmp_path)
    posted = script(CHAT, ALERT_URL=url)
    assert (posted.returncode, posted.stderr) == (0, "")
    ((kind, text),) = received[0].items()
    lines = [line for line in text.splitlines() if not line.startswith("sqlite: ")]  # as this Python has it
    assert (kind, lines) == (
        "text",
        ["dead: Siem has 1 dead letter: 1 HTTP 404", "fail_on: dead>0 is true: 1 dead letter"],
    )


@NEEDS_JQ
def test_the_script_for_a_chat_reports_that_doctor_cannot_run(script: Script, chat: tuple[str, list[Any]]) -> None:
    url, received = chat
    script(CHAT.replace("dead>0", "dead>x"), ALERT_URL=url)
    assert received == [{"text": "hookctl doctor failed"}]


def test_every_condition_is_described() -> None:
    described = re.findall(r"^\| `(\w+)>(NUMBER|DURATION)` \|", PAGE, re.MULTILINE)
    assert described == [(name, "DURATION" if measure.is_duration else "NUMBER") for name, measure in MEASURES.items()]
