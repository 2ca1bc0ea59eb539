"""A key is rotated at the target: the commands show what is held, why, and what ends it; nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
PATIENCE = 40.0
OLD, NEW = "canary-old-51c2", "canary-new-e7b0"
SIEM = """
name: Siem
event: anomaly
url: https://siem.example.com/ingest
auth: {{type: bearer, token: "{token}"}}
body_template: '{{"id": "{{{{ id }}}}"}}'
retry: {{schedule: []}}
"""


@dataclass
class Site:
    """A project whose target accepts only the new key."""

    root: Path
    receiver: Receiver
    run_cli: Run

    def env(self, key: str) -> dict[str, str]:
        address = f"siem.example.com:443:{self.receiver.address}:{self.receiver.port}"
        return {"KEY": key, "HOOKCTL_CONNECT_TO": address, "HOOKCTL_CACERT": self.receiver.ca_file}

    def run(self, *args: str, key: str = OLD) -> Any:
        return self.run_cli(*args, cwd=self.root, env=self.env(key))

    def apply(self, reference: str = "${env:KEY}") -> None:
        (self.root / "webhooks.d").mkdir(exist_ok=True)
        (self.root / "webhooks.d/siem.yaml").write_text(SIEM.format(token=reference))
        assert self.run("apply", "--auto-approve").exit_code == 0

    def statuses(self) -> list[str]:
        queue = SqliteQueue(self.root / ".hookctl/hookctl.db")
        found = [one.status.value for one in queue.deliveries()]
        queue.close()
        return found

    def start(self, key: str) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")} | self.env(key)
        command = [sys.executable, "-m", "hookctl", "run", "--log", "json"]
        return warm.Popen(command, cwd=self.root, env=env, stdout=subprocess.PIPE, text=True)

    def finish(self, process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
        """Wait until so many are delivered; return the process's log."""
        limit = time.monotonic() + PATIENCE
        try:
            while self.statuses() != ["delivered"] * count:
                assert time.monotonic() < limit, self.statuses()
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def site(tmp_path: Path, run_cli: Run) -> Iterator[Site]:
    mock = load_plugins().event_types["anomaly"].mock
    lines = [json.dumps({**mock, "id": f"e{number}"}) + "\n" for number in range(100)]
    (tmp_path / "events.jsonl").write_text("".join(lines))

    def respond(request: ReceivedRequest) -> Answer:
        return Answer(200 if request.header("Authorization") == f"Bearer {NEW}" else 401)

    with Receiver() as receiver:
        receiver.answer("/ingest", respond)
        yield Site(tmp_path, receiver, run_cli)


def test_the_commands_say_why_and_which_command_ends_the_hold(site: Site) -> None:
    site.apply()
    sent = site.run("send", "events.jsonl", "--wait", "0s")
    assert sent.exit_code == 1
    assert "To see why webhooks are held, and how to continue: hookctl list\n" in sent.stdout
    assert site.statuses() == ["held"] * 100
    listed = site.run("list").stdout
    assert "active, held" in listed
    assert ": HTTP 401 Unauthorized; 100 deliveries wait. When the cause is fixed: hookctl deliveries resume Siem." in (
        listed
    )
    assert "The hold also ends when one of its secrets changes, or with an apply that changes the webhook." in listed
    doctor = json.loads(site.run("doctor", "--format", "json").stdout)
    (check,) = [check for check in doctor if check["name"] == "held"]
    assert check["verdict"] == "warning"
    assert check["message"] == "Siem is held: HTTP 401 Unauthorized; 100 deliveries wait"
    assert "hookctl deliveries resume Siem" in check["hint"]
    table = site.run("deliveries", "list", "--limit", "2")
    assert "the webhook is held: HTTP 401 Unauthorized" in table.stdout
    assert "To send the held deliveries of Siem: hookctl deliveries resume Siem." in table.stdout
    one = json.loads(site.run("deliveries", "list", "--format", "json").stdout)[-1]["id"]
    shown = site.run("deliveries", "show", one).stdout
    assert "hookctl deliveries resume Siem" in shown
    again = site.run("deliveries", "replay", one, "--wait", "0s")
    assert again.stdout.endswith(
        "\n\nTo send the held deliveries of Siem: hookctl deliveries resume Siem. The hold also ends when one of its "
        "secrets changes, or with an apply that changes the webhook.\n\n1 replayed: 1 held.\n"
    )
    planned = site.run("plan")
    assert "warning[held]: the webhook is held: HTTP 401 Unauthorized; 100 deliveries are held" in planned.stdout
    assert 'a change of its secret, or `hookctl deliveries resume "Siem"`.' in planned.stdout
    texts = (sent, planned, table)
    assert not any(key in text.stdout + text.stderr for text in texts for key in (OLD, NEW))


def test_resume_continues(site: Site) -> None:
    site.apply()
    site.run("send", "events.jsonl", "--wait", "0s")
    site.receiver.answer("/ingest", Answer(200))
    assert site.run("send", "/dev/null").exit_code == 0
    assert site.statuses() == ["held"] * 100
    assert site.run("deliveries", "resume", "Siem").exit_code == 0
    assert site.run("send", "/dev/null").exit_code == 0
    assert site.statuses() == ["delivered"] * 100


def test_a_runner_that_is_restarted_with_the_new_key_delivers_everything(site: Site) -> None:
    site.apply()
    site.run("send", "events.jsonl", "--wait", "0s")
    log = site.finish(site.start(NEW), 100)
    assert [line["webhook"] for line in log if line["event"] in {"hold", "resumed"}] == ["Siem"]


def test_a_live_runner_notices_that_the_file_of_a_secret_has_changed(site: Site) -> None:
    (site.root / "key").write_text(OLD)
    site.apply(f"${{file:{site.root}/key}}")
    process = site.start(OLD)
    queue = site.root / ".hookctl/hookctl.db"
    site.run("send", "events.jsonl", "--wait", "0s")
    assert site.statuses() == ["held"] * 100
    assert queue.exists()
    (site.root / "key").write_text(NEW)
    log = site.finish(process, 100)
    assert [line["webhook"] for line in log if line["event"] == "resumed"] == ["Siem"]


def test_the_hold_of_an_inactive_webhook_is_not_one(site: Site) -> None:
    site.apply()
    site.run("send", "events.jsonl", "--wait", "0s")
    file = site.root / "webhooks.d/siem.yaml"
    file.write_text(file.read_text() + "status: inactive\n")
    assert site.run("apply", "--auto-approve").exit_code == 0
    site.run("send", "/dev/null")  # brings the deliveries up to date
    assert "hookctl deliveries resume" not in site.run("list").stdout
    shown = site.run("deliveries", "list", "--limit", "1").stdout
    assert "Held deliveries of Siem: an apply that makes the webhook active sends them." in shown
    refused = site.run("deliveries", "resume", "Siem")
    assert (refused.exit_code, "'Siem' is not held" in refused.stderr) == (1, True)
