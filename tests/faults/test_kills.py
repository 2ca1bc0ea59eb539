"""Processes killed at the worst moments, and at any: nothing acknowledged is lost, and repeats have one webhook-id."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import trustme

from hookctl.model import DeliveryStatus
from hookctl.testing.answers import Answer, ReceivedRequest

KILLS = int(os.environ.get("KILLS", "60"))
"""`make soak` sets 200. A store on a server has a quarter of them: each takes longer there."""
FATAL = """
import os, signal
from hookctl.plugin import ValidatorType, hookimpl

def build(settings):
    return lambda envelope: os.kill(os.getpid(), signal.SIGKILL)

@hookimpl
def hookctl_validator_types():
    schema, label = {"type": "object"}, lambda settings: "fatal"
    return [ValidatorType(name="fatal", summary="Dies of every response.", schema=schema, build=build, label=label)]
"""


@pytest.mark.one_store("sqlite", "it is killed in the middle of writes to the file")
def test_killed_before_the_commit(site: Any, strace: Callable[..., list[str]]) -> None:
    """Before its first byte, in the middle, and when all is written but not yet on the disk."""
    wal = site.store.with_name("hookctl.db-wal")
    faults = [
        *(f"pwrite64:signal=KILL:when={number}" for number in (1, 2, 8, 30, 60, 90)),
        *(f"fdatasync:signal=KILL:when={number}" for number in range(1, 6)),
    ]
    for first, fault in enumerate(faults):
        ended = site.run(strace(fault, path=wal), site.intake_command(10 * first, 10))
        assert ended.returncode == -signal.SIGKILL
        site.check()
    site.go_on()
    site.check_all_delivered()


def test_killed_after_the_commit_and_before_the_acknowledgement(site: Any, strace: Callable[..., list[str]]) -> None:
    """The client was told nothing, so it sends the event again: it is delivered once."""
    ended = site.run(strace("write:signal=KILL:when=3", path=site.root / "acknowledged"), site.intake_command(0, 10))
    assert ended.returncode == -signal.SIGKILL
    assert site.acknowledged == {"e0", "e1"}
    assert ("Siem", "e2") in {(webhook, event) for webhook, _, event in site.stored()}
    assert site.wait(site.start_intake(2, 8)) == 0
    assert site.acknowledged == {f"e{number}" for number in range(10)}
    site.check_all_delivered()
    assert len(site.stored()) == 10


class HalfReader:
    """A target that reads the beginning of a request, kills who sends it, and is gone."""

    def __init__(self, directory: Path) -> None:
        self.read = b""
        self.sender: SimpleQueue[int] = SimpleQueue()
        authority, self._context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("siem.example.com").configure_cert(self._context)
        self.ca_file = str(directory / "half.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.address, self.port = self._listener.getsockname()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        with self._listener, self._context.wrap_socket(self._listener.accept()[0], server_side=True) as stream:
            while len(self.read) < 50_000:
                self.read += stream.recv(16384)
            os.kill(self.sender.get(), signal.SIGKILL)


def test_killed_in_the_middle_of_the_post(site: Any, webhook: Callable[..., str], tmp_path: Path) -> None:
    site.apply(Siem=webhook("Siem", "body_template: |", '  {"event": "{{ id }}", "all": {{ data }}}'))
    there, half = site.receiver, HalfReader(tmp_path)
    site.reach(half)
    events = site.write(1, data={**site.mock["data"], "description": "x" * 900_000})
    pid = site.start("send", events)
    half.sender.put(pid)
    assert site.wait(pid) == -signal.SIGKILL
    half.thread.join()
    assert b"webhook-id: " in half.read.lower()
    assert len(half.read) < 900_000
    site.reach(there)
    site.go_on()
    site.check_all_delivered()
    ((_, name, _),) = site.received()
    assert f"webhook-id: {name}".encode() in half.read.lower()


def test_killed_after_the_2xx_and_before_the_mark(site: Any, webhook: Callable[..., str], tmp_path: Path) -> None:
    """Killed by a validator, when only the response has arrived: the delivery is sent again, under the same id."""
    package = tmp_path / "site" / "fatal-1.0.dist-info"
    package.mkdir(parents=True)
    (tmp_path / "site/fatal.py").write_text(FATAL, encoding="utf-8")
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: fatal\nVersion: 1.0\n", encoding="utf-8")
    (package / "entry_points.txt").write_text("[hookctl]\nfatal = fatal\n", encoding="utf-8")
    site.env["PYTHONPATH"] = str(tmp_path / "site")
    (site.root / "webhooks.d/Siem.yaml").write_text(
        webhook("Siem", "response_validators: [{type: fatal}]"), encoding="utf-8"
    )
    assert site.run([], ["-m", "hookctl", "apply", "--auto-approve"]).returncode == 0
    assert site.run([], ["-m", "hookctl", "send", site.write(3)]).returncode == -signal.SIGKILL
    assert site.receiver.count > 0
    assert set(site.stored().values()) == {DeliveryStatus.WAITING}
    del site.env["PYTHONPATH"]
    site.apply(Siem=webhook("Siem"))
    site.go_on()
    site.check_all_delivered()
    assert max(site.received().values()) == 2


def test_killed_at_random_moments(site: Any, webhook: Callable[..., str]) -> None:
    """Each process accepts events and goes on with what dead ones left; a target that sometimes fails adds retries."""
    site.apply(A=webhook("A"), B=webhook("B"))
    count = 0

    def sometimes(_: ReceivedRequest) -> Answer:
        nonlocal count
        count += 1
        return Answer(503) if count % 7 == 0 else Answer(delay=0.01 * (count % 3))

    site.receiver.default = sometimes
    moments = random.Random(5)  # noqa: S311  # reproducible, not secret
    kills, life = (KILLS, 0.3) if site.url.startswith("sqlite") else (KILLS // 4, 1.0)
    killed = started = 0
    while killed < kills:
        assert started < 3 * kills, site.output
        pid = site.start_intake(4 * started, 4)
        started += 1
        time.sleep(moments.random() * life)
        os.kill(pid, signal.SIGKILL)
        if site.wait(pid) == -signal.SIGKILL:
            killed += 1
            life *= 1.1
        else:  # it was over already: it lives for shorter than that
            life *= 0.7
    assert len(site.acknowledged) > kills, "killed too early to prove anything"
    site.check(("A", "B"))
    site.receiver.default = Answer()
    site.go_on()
    site.check_all_delivered(("A", "B"))
