"""``hookctl send``, from a file or standard input to a real receiver; also killed, interrupted and repeated."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import warm
from hookctl.delivery.runner.patience import AGAIN
from hookctl.delivery.runner.sending import CHUNK_BYTES
from hookctl.model import DeliveryStatus, Json
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.receiver import Receiver

Run = Callable[..., Any]
CANARY = "canary-K7#x/+ü"
PATIENCE = 30.0
WEBHOOK = """
name: {name}
event: anomaly
url: https://siem.example.com/{name}
auth: {{type: bearer, token: "${{env:TOKEN}}"}}
headers: {{X-Key: "${{env:KEY}}"}}
body_template: |
  {{"event": "{{{{ id }}}}", "severity": "{{{{ data.severity }}}}"}}
retry: {{schedule: [100ms, 100ms]}}
"""


@dataclass
class Site:
    """A project with applied webhooks, and the receiver that they are for."""

    root: Path
    receiver: Receiver
    run_cli: Run
    mock: Mapping[str, Json]

    @property
    def env(self) -> dict[str, str]:
        address = f"siem.example.com:443:{self.receiver.address}:{self.receiver.port}"
        return {
            "TOKEN": "canary-token-3f9a",
            "KEY": CANARY.encode().hex(),
            "HOOKCTL_CONNECT_TO": address,
            "HOOKCTL_CACERT": self.receiver.ca_file,
        }

    def run(self, *args: str, stdin: str = "") -> Any:
        return self.run_cli(*args, cwd=self.root, env=self.env, stdin=stdin)

    def apply(self, **files: str) -> None:
        """Make the webhooks be those of these files, and no others."""
        directory = self.root / "webhooks.d"
        directory.mkdir(exist_ok=True)
        for file in directory.iterdir():
            file.unlink()
        for name, text in files.items():
            (directory / f"{name}.yaml").write_text(text, encoding="utf-8")
        assert self.run("apply", "--auto-approve").exit_code == 0

    def line(self, name: str, **fields: Json) -> str:
        return json.dumps({**self.mock, "id": name, **fields})

    def write(self, count: int, *more: str) -> Path:
        """A file of ``count`` events, ``e0`` and on, and more lines after them."""
        path = self.root / "events.jsonl"
        path.write_text(
            "\n".join([*(self.line(f"e{number}") for number in range(count)), *more]) + "\n", encoding="utf-8"
        )
        return path

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """``hookctl`` as a process of its own."""
        command = [sys.executable, "-m", "hookctl", *args]
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")} | self.env
        return warm.Popen(
            command, cwd=self.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def queue(self) -> SqliteQueue:
        return SqliteQueue(self.root / ".hookctl/hookctl.db")

    def is_delivered(self) -> bool:
        """Whether there are deliveries, and the store has all of them as delivered."""
        queue = self.queue()
        try:
            return {one.status for one in queue.deliveries()} == {DeliveryStatus.DELIVERED}
        finally:
            queue.close()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit
            time.sleep(0.005)

    def received(self) -> Counter[tuple[str, str, str]]:
        """How often each (webhook, webhook-id, event id) came."""
        found = (
            (request.path[1:], request.header("webhook-id") or "", json.loads(request.body)["event"])
            for request in self.receiver.requests
        )
        return Counter(found)


@pytest.fixture
def site(tmp_path: Path, run_cli: Run) -> Iterator[Site]:
    with Receiver() as receiver:
        site = Site(tmp_path, receiver, run_cli, load_plugins().event_types["anomaly"].mock)
        site.apply(Siem=WEBHOOK.format(name="Siem"))
        yield site


def steady(text: str) -> str:
    return re.sub(r"\d+\.\d s", "X s", text)


def test_a_thousand_events_to_three_webhooks(site: Site) -> None:
    site.apply(**{name: WEBHOOK.format(name=name) for name in "ABC"})
    result = site.run("send", str(site.write(1000)))
    assert result.exit_code == 0
    assert steady(result.stdout) == (
        "1,000 events read: 1,000 accepted, 0 bad, 0 seen before\n\n"
        "WEBHOOK  DELIVERED  RETRYING  DEAD  HELD\n"
        "A            1,000         0     0     0\n"
        "B            1,000         0     0     0\n"
        "C            1,000         0     0     0\n\n"
        "Took X s, 3,000 attempts.\n"
    )
    received = site.received()
    assert {(webhook, event) for webhook, _, event in received} == {
        (webhook, f"e{number}") for webhook in "ABC" for number in range(1000)
    }
    assert len({name for _, name, _ in received}) == 3000
    assert set(received.values()) == {1}
    (request,) = [one for one in site.receiver.requests if (one.path, json.loads(one.body)["event"]) == ("/A", "e7")]
    assert json.loads(request.body) == {"event": "e7", "severity": site.mock["data"]["severity"]}  # type: ignore[call-overload,index]  # an object
    assert request.header("authorization") == "Bearer canary-token-3f9a"
    assert request.header("content-type") == "application/json"


def test_the_same_file_again_sends_nothing(site: Site) -> None:
    path = site.write(20)
    site.run("send", str(path))
    result = site.run("send", str(path))
    assert (result.exit_code, site.receiver.count) == (0, 20)
    assert "20 events read: 0 accepted, 0 bad, 20 seen before" in result.stdout


def test_bad_lines_are_reported_and_the_rest_go_on(site: Site) -> None:
    path = site.write(
        2,
        "nonsense",
        site.line("e2", event_type="anomalie"),
        site.line("e3", event_time="now"),
        site.line("e4"),
        '{"a": "\x1b[31m"',
    )
    result = site.run("send", str(path))
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if line.startswith("line ")] == [  # without the progress
        "line 3: not valid JSON at column 1",
        "line 4: unknown event type 'anomalie'; did you mean 'anomaly'?",
        'line 5: event_time: "now" is not of type "number"',
        "line 7: not valid JSON at column 8",
    ]
    assert "7 events read: 3 accepted, 4 bad, 0 seen before" in result.stdout
    assert sorted(event for _, _, event in site.received()) == ["e0", "e1", "e4"]


@pytest.mark.parametrize("as_array", [False, True])
def test_from_standard_input(site: Site, as_array: bool) -> None:
    lines = [site.line("e1"), site.line("e2")]
    result = site.run("send", "-", stdin=f"[{','.join(lines)}]" if as_array else "\n".join(lines))
    assert (result.exit_code, site.receiver.count) == (0, 2)


def test_what_a_slow_producer_writes_is_delivered_while_it_writes(site: Site) -> None:
    with site.start("send", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(3):
            process.stdin.write(site.line(f"e{number}") + "\n")
            process.stdin.flush()
            site.wait_for(lambda wanted=number + 1: site.receiver.count == wanted)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert out.startswith("3 events read: 3 accepted")


def test_json(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(400), Answer())
    result = site.run("send", str(site.write(2, "nonsense")), "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["events"] == {"read": 3, "accepted": 2, "bad": 1, "seen_before": 0}
    assert document["bad"] == [{"place": "line 3", "reason": "not valid JSON at column 1"}]
    assert document["webhooks"] == [
        {"name": "Siem", "waiting": 0, "retrying": 0, "held": 0, "delivered": 1, "dead": 1, "cancelled": 0}
    ]
    assert (document["succeeded"], document["interrupted"], document["still_due"], document["attempts"]) == (
        False,
        False,
        0,
        2,
    )


def without_progress(text: str) -> list[str]:
    """The lines of standard error, without those that a slow machine adds."""
    return [line for line in text.splitlines() if "; 0 delivered; " not in line and " in flight; " not in line]


def test_only_the_first_bad_events_are_described(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hookctl.delivery.runner.sending.MAX_PROBLEMS", 2)
    result = site.run("send", str(site.write(1, *["nonsense"] * 1500)), "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["events"]["bad"] == 1500
    assert [one["place"] for one in document["bad"]] == ["line 2", "line 3"]
    assert document["bad_by_reason"] == [{"reason": "not valid JSON at column ...", "count": 1500}]
    assert without_progress(result.stderr) == [
        *(f"line {number}: not valid JSON at column 1" for number in range(2, 12)),
        "1,490 more bad events; all 1,500 by reason:",
        "  1,500  not valid JSON at column ...",
        "To write all to a file: --rejects FILE",
    ]


def test_all_bad_events_in_a_file(site: Site) -> None:
    late = '{"id": "x", "event_type": "anomaly", "event_time": 1}'
    lines = [*["nonsense"] * 1200, *[late] * 30, '{"id": "y", "event_type": "anomly"}']
    result = site.run("send", str(site.write(1, *lines)), "--rejects", "rejects.jsonl")
    assert result.exit_code == 1
    written = [json.loads(line) for line in (site.root / "rejects.jsonl").read_text().splitlines()]
    assert [one["place"] for one in written] == [f"line {number}" for number in range(2, 1233)]
    assert written[0] == {"place": "line 2", "reason": "not valid JSON at column 1"}
    assert (site.root / "rejects.jsonl").stat().st_mode & 0o777 == 0o600
    said = without_progress(result.stderr)
    assert said[10:14] == [
        "1,221 more bad events; all 1,231 by reason:",
        "  1,200  not valid JSON at column ...",
        "     30  ... is a required property",
        "      1  unknown event type ...; did you mean ...?",
    ]
    assert said[14] == "All of them are in rejects.jsonl."


def test_a_file_for_bad_events_that_cannot_be_used(site: Site) -> None:
    events = site.write(1)
    (site.root / "link.jsonl").symlink_to(site.root / "elsewhere.jsonl")
    for name, why in (
        (str(events), "is the file that the events"),
        ("link.jsonl", "cannot be written"),
        ("no/x", "no/x"),
    ):
        result = site.run("send", str(events), "--rejects", name)
        assert (result.exit_code, why in result.stderr) == (1, True), result.stderr
    assert events.read_text()
    assert site.receiver.count == 0


def test_no_bad_events_leave_an_empty_file(site: Site) -> None:
    assert site.run("send", str(site.write(1)), "--rejects", "rejects.jsonl").exit_code == 0
    assert (site.root / "rejects.jsonl").read_bytes() == b""


def test_events_that_no_webhook_is_for(site: Site) -> None:
    site.apply(Siem=WEBHOOK.format(name="Siem") + "status: inactive\n")
    result = site.run("send", str(site.write(3)))
    assert result.exit_code == 0
    assert "No webhook receives 3 events of type anomaly." in result.stdout
    assert site.receiver.count == 0


def test_nothing_applied(tmp_path: Path, run_cli: Run) -> None:
    result = run_cli("send", "-", cwd=tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: no webhook is applied yet, so there is nothing to deliver to\n"
        "  Review with `hookctl plan`, then `hookctl apply`.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["send", "-", "--wait", "soon"], ["send"]])
def test_wrong_usage(site: Site, args: list[str]) -> None:
    assert site.run(*args).exit_code == 64


def test_retries_are_made_within_the_wait(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(500), Answer(503), Answer())
    result = site.run("send", str(site.write(1)), "--wait", "20s")
    assert (result.exit_code, site.receiver.count) == (0, 3)
    assert list(site.received().values()) == [3]


def test_without_a_wait_a_retry_is_left_to_the_next_send(site: Site) -> None:
    site.apply(Siem=WEBHOOK.format(name="Siem").replace("100ms, 100ms", "1s"))
    site.receiver.answer("/Siem", Answer(500), Answer())
    result = site.run("send", str(site.write(1)), "--wait", "0")
    assert (result.exit_code, site.receiver.count) == (1, 1)
    assert re.search(
        r"Still due: 1 delivery, the next at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. "
        r"The next `hookctl send` or `hookctl run` delivers them\.",
        result.stdout,
    )
    result = site.run("send", os.devnull, "--wait", "5s")
    assert (result.exit_code, site.receiver.count) == (0, 2)
    assert "Earlier deliveries that were due: 1 delivered, 0 dead." in result.stdout


def test_a_dead_letter_fails_the_send_and_says_where_to_look(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(404))
    result = site.run("send", str(site.write(1)))
    assert result.exit_code == 1
    assert "hookctl deliveries list --status dead" in result.stdout


def test_an_unset_secret_is_named_and_the_delivery_waits(site: Site) -> None:
    result = site.run_cli("send", str(site.write(1)), "--wait", "0", cwd=site.root, env=site.env | {"TOKEN": ""})
    assert (result.exit_code, site.receiver.count) == (1, 0)
    (delivery,) = json.loads(site.run("deliveries", "list", "--format", "json").stdout)
    assert delivery["status"] == "retrying"
    assert delivery["reason"].startswith("secret: ")
    assert "TOKEN" in delivery["reason"]


def test_no_secret_reaches_the_store_or_the_output(site: Site) -> None:
    site.receiver.answer("/Siem", Answer.json({"echo": ["canary-token-3f9a", CANARY.encode().hex()]}, 500), Answer())
    result = site.run("send", str(site.write(3)))
    shown = "".join(
        site.run("deliveries", "show", one["id"], *form).stdout
        for one in json.loads(site.run("deliveries", "list", "--format", "json").stdout)
        for form in ([], ["--format", "json"])
    )
    assert "***" in shown
    artefacts = [
        (result.stdout + result.stderr + shown).encode(),
        *(file.read_bytes() for file in (site.root / ".hookctl").iterdir()),
    ]
    for secret in ("canary-token-3f9a", CANARY.encode().hex()):
        assert [secret.encode() in artefact for artefact in artefacts] == [False] * len(artefacts)
    assert any(request.header("x-key") == CANARY.encode().hex() for request in site.receiver.requests)


def test_progress_is_one_line_that_is_written_over_on_a_terminal(site: Site) -> None:
    site.receiver.default = Answer(delay=0.1)
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "hookctl", "send", str(site.write(300))]
    with warm.Popen(command, cwd=site.root, env=os.environ | site.env, stdout=subprocess.PIPE, stderr=end) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    shown = os.read(terminal, 100_000).decode()
    os.close(end)
    os.close(terminal)
    lines = shown.split("\r\x1b[K")
    assert re.fullmatch(r"300 events read \(end of input\); \d+ delivered; \d+ in flight; \d s", lines[-2])
    assert lines[-1] == ""
    assert "\n" not in shown
    assert b"\x1b" not in out


def test_color_when_asked_for(site: Site) -> None:
    result = site.run("--color", "always", "send", str(site.write(1)))
    assert "\x1b[32m" in result.stdout


# -- interrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_requests_end_and_says_what_is_due(site: Site, number: signal.Signals) -> None:
    site.receiver.answer("/Siem", Answer(delay=0.2))
    events = site.write(200)
    assert events.stat().st_size < CHUNK_BYTES  # all of it is read before the first is sent
    with site.start("send", str(events)) as process:
        site.wait_for(lambda: site.receiver.count > 10)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Stopping" in err
    assert "Interrupted after" in out
    due = re.search(r"Still due: (\d+) deliveries, the next now\.", out)
    assert due
    assert int(due[1]) == 200 - site.receiver.count
    assert site.run("send", os.devnull).exit_code == 0
    received = site.received()
    assert {event for _, _, event in received} == {f"e{number}" for number in range(200)}
    assert set(received.values()) == {1}


def test_the_second_signal_stops_at_once(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(misbehave=Misbehavior.NO_ANSWER))
    with site.start("send", str(site.write(50))) as process:
        site.wait_for(lambda: site.receiver.count > 10)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any(
            line.startswith("Stopping") for line in process.stderr
        )  # after a line of progress or not, as fast as the machine is
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.splitlines()[-1]) == (130, "Interrupted.")
    queue = site.queue()
    assert queue.counts() == {"Siem": {DeliveryStatus.WAITING: 50}}
    assert queue.claimed_elsewhere() == 0
    queue.close()


@pytest.mark.parametrize("when", ["at the start", "while it reads"])
def test_a_store_that_is_busy_for_a_while_does_not_end_a_send(site: Site, when: str) -> None:
    blocker = sqlite3.connect(site.root / ".hookctl/hookctl.db", isolation_level=None, timeout=PATIENCE)
    if when == "at the start":
        blocker.execute("BEGIN IMMEDIATE")
    with site.start("send", "-", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        if when == "while it reads":
            process.stdin.write(site.line("e0") + "\n")
            process.stdin.flush()
            site.wait_for(lambda: site.receiver.count == 1)
            blocker.execute("BEGIN IMMEDIATE")
        process.stdin.write(site.line("e1") + "\n")
        process.stdin.close()
        process.stdin = None
        assert any("busy: another process is writing to it" in line for line in process.stderr)
        blocker.execute("ROLLBACK")
        blocker.close()
        out, _ = process.communicate(timeout=PATIENCE)
    accepted = 1 if when == "at the start" else 2
    assert (process.returncode, f"{accepted} accepted" in out) == (0, True)
    assert set(site.received().values()) == {1}


@pytest.mark.parametrize(
    ("argv", "code", "last"),
    [
        (["send", os.devnull], 130, "Interrupted."),
        (["send", "-"], 1, f"  {AGAIN}"),
    ],
    ids=["at the start", "while it reads"],
)
def test_a_signal_ends_the_wait_for_a_busy_store(site: Site, argv: list[str], code: int, last: str) -> None:
    blocker = sqlite3.connect(site.root / ".hookctl/hookctl.db", isolation_level=None, timeout=PATIENCE)
    if code == 130:
        blocker.execute("BEGIN IMMEDIATE")
    with site.start(*argv, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        if code == 1:
            process.stdin.write(site.line("e0") + "\n")
            process.stdin.flush()
            site.wait_for(site.is_delivered)  # or its result would be the write that fails
            blocker.execute("BEGIN IMMEDIATE")
            process.stdin.write(site.line("e1") + "\n")
            process.stdin.flush()
        assert any("busy: another process is writing to it" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err.splitlines()[-1]) == (code, last)
    blocker.close()


def test_killed_at_random_moments_nothing_accepted_is_lost(site: Site) -> None:
    """Whatever is on disk is what was acknowledged; each of it must arrive, under one id, and end as delivered."""
    site.apply(A=WEBHOOK.format(name="A"), B=WEBHOOK.format(name="B"))
    site.receiver.default = Answer(delay=0.02)
    path = site.write(2500)
    moments = random.Random(3)  # noqa: S311 - reproducible, not secret
    acknowledged: set[tuple[str, str, str]] = set()
    reach = 0.5
    for _ in range(10):
        with site.start("send", str(path)) as process:
            time.sleep(0.25 + moments.random() * reach)
            process.send_signal(signal.SIGKILL)
        queue = site.queue()
        found = {(one.webhook, one.id, one.event_id) for one in queue.deliveries()}
        queue.close()
        assert acknowledged <= found
        acknowledged = found
        if not acknowledged:
            reach *= 2  # a slow machine has only begun to start
    assert acknowledged
    site.receiver.default = Answer()
    assert site.run("send", os.devnull).exit_code == 0
    queue = site.queue()
    assert {one.status for one in queue.deliveries()} == {DeliveryStatus.DELIVERED}
    queue.close()
    assert set(site.received()) == acknowledged
    assert site.run("send", str(path)).exit_code == 0
    assert len(site.received()) == 5000
