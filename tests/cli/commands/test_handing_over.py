"""``hookctl send`` beside ``hookctl run``, and ``send --enqueue``: real processes, one of which is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import hookctl
import warm
from hookctl.cli.handing_over import missing_plugin
from hookctl.model import AppliedState, DeliveryPlan, Json, PluginBlock, Status
from hookctl.plugin.host import load_plugins
from hookctl.store.interface import Store
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

PATIENCE = 30.0
WEBHOOK = """
name: Siem
event: anomaly
url: https://siem.example.com/Siem
auth: {{type: bearer, token: "${{env:TOKEN}}"}}
body_template: |
  {{"event": "{{{{ id }}}}"}}
retry: {{schedule: [{retry}]}}
"""


NOTHING = {"HOOKCTL_CACERT": "/nowhere.pem"}
"""The environment of a process that cannot send."""


@dataclass
class Site:
    """A project with one applied webhook, whose secret only some processes have."""

    root: Path
    receiver: Receiver
    mock: Mapping[str, Json]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def secrets(self) -> dict[str, str]:
        address = f"siem.example.com:443:{self.receiver.address}:{self.receiver.port}"
        return {
            "TOKEN": "t",
            "HOOKCTL_CONNECT_TO": address,  # reached directly, without the proxy
            "HOOKCTL_CACERT": self.receiver.ca_file,
            "HOOKCTL_PROXY": "http://user:${env:PROXY_PASSWORD}@127.0.0.1:9",
            "PROXY_PASSWORD": "p",
        }

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.root / '.hookctl/hookctl.db'}"

    def apply(self, run_cli: Callable[..., Any], retry: str) -> None:
        (self.root / "webhooks.d").mkdir(exist_ok=True)
        (self.root / "webhooks.d/siem.yaml").write_text(WEBHOOK.format(retry=retry), encoding="utf-8")
        assert run_cli("apply", "--auto-approve", cwd=self.root).exit_code == 0

    def lines(self, *names: str) -> str:
        return "".join(f"{json.dumps({**self.mock, 'id': name})}\n" for name in names)

    def start(self, *args: str, secrets: bool, events: str = "", lacking: str = "") -> subprocess.Popen[str]:
        (self.root / "events.jsonl").write_text(events, encoding="utf-8")
        env = {name: value for name, value in os.environ.items() if not name.startswith("HOOKCTL_")}
        env |= self.secrets if secrets else NOTHING
        if lacking:
            del env[lacking]
            env |= {name: value for name, value in NOTHING.items() if name == lacking}
        process = warm.Popen(
            [sys.executable, "-m", "hookctl", *args],
            cwd=self.root,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def send(
        self, *names: str, args: tuple[str, ...] = (), secrets: bool = False, lacking: str = ""
    ) -> subprocess.Popen[str]:
        events = self.lines(*names)
        return self.start("send", "events.jsonl", *args, secrets=secrets, events=events, lacking=lacking)

    def start_runner(self) -> subprocess.Popen[str]:
        """A runner that other processes can find."""
        process = self.start("run", secrets=True)
        with_store(self, lambda store: self.wait_for(store.has_runner))
        return process

    def wait_for(self, condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < limit
            time.sleep(0.005)

    def standing(self) -> Counter[tuple[str, int]]:
        """How many deliveries there are with this status and number of attempts."""
        found: list[Any] = []
        with_store(self, lambda store: found.extend(store.deliveries()))
        return Counter((one.status.value, one.attempts) for one in found)

    def received(self) -> Counter[str]:
        return Counter(json.loads(request.body)["event"] for request in self.receiver.requests)


def with_store(site: Site, use: Callable[[Store], object]) -> None:
    store = hookctl.open_store(site.store_url)
    use(store)
    store.close()


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    err = re.sub(r"(?m)^[\d,]+ events read.* in flight; \d+ s\n", "", err)  # progress, on a slow machine
    return process.returncode, re.sub(r"\d+\.\d s", "X s", out), err


@pytest.fixture
def site(tmp_path: Path, run_cli: Callable[..., Any]) -> Iterator[Site]:
    with Receiver() as receiver:
        site = Site(tmp_path, receiver, load_plugins().event_types["anomaly"].mock)
        site.apply(run_cli, "100ms")
        yield site
        for process in site.running:
            process.kill()
            process.communicate()


def test_enqueue_stores_without_secrets_and_sends_nothing(site: Site) -> None:
    assert end(site.send("e1", "e2", args=("--enqueue",))) == (
        0,
        (
            "2 events read: 2 accepted, 0 bad, 0 seen before\n"
            "2 deliveries stored. No `hookctl run` is running on this store; start one to deliver them.\n"
            "Took X s.\n"
        ),
        "",
    )
    assert (site.standing(), site.receiver.count) == ({("waiting", 0): 2}, 0)
    site.start_runner()
    site.wait_for(lambda: site.standing() == {("delivered", 1): 2})


def test_enqueue_leaves_the_deliveries_to_a_running_runner(site: Site) -> None:
    site.start_runner()
    code, out, err = end(site.send("e1", args=("--enqueue", "--format", "json")))
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["work"], found["has_runner"], found["succeeded"]) == ("enqueue", True, True)
    site.wait_for(lambda: site.standing() == {("delivered", 1): 1})


def test_enqueue_fails_for_a_bad_line_and_stores_the_others(site: Site) -> None:
    process = site.start("send", "events.jsonl", "--enqueue", secrets=False, events=site.lines("e1") + "x\n")
    code, out, err = end(process)
    assert (code, err) == (1, "line 2: not valid JSON at column 1\n")
    assert "1 accepted, 1 bad" in out
    assert site.standing() == {("waiting", 0): 1}


def test_enqueue_needs_something_applied(site: Site) -> None:
    process = site.start("--store", "sqlite:///other.db", "send", "/dev/null", "--enqueue", secrets=False)
    code, _, err = end(process)
    assert code == 1
    assert "no webhook is applied yet" in err
    assert not (site.root / "other.db").exists()


def test_send_hands_over_to_a_runner_and_shows_the_same_summary(site: Site) -> None:
    alone = end(site.send("a1", "a2", secrets=True))
    site.start_runner()
    handed_over = end(site.send("e1", "e2"))
    assert handed_over == alone
    assert alone[0] == 0
    assert site.standing() == {("delivered", 1): 4}  # no attempt failed for want of the secret
    assert set(site.received().values()) == {1}


def test_retries_are_followed_as_long_as_wait_allows(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(500), Answer())
    site.start_runner()
    code, out, _ = end(site.send("e1"))
    assert (code, "Took X s, 2 attempts." in out) == (0, True)
    assert site.standing() == {("delivered", 2): 1}


def test_a_later_retry_is_left_to_the_runner(site: Site, run_cli: Callable[..., Any]) -> None:
    site.apply(run_cli, "1h")
    site.receiver.answer("/Siem", Answer(500))
    site.start_runner()
    code, out, _ = end(site.send("e1", args=("--wait", "5s")))
    assert code == 1
    assert re.search(r"Siem +0 +1 +0 +0\n", out)
    assert "Still due: 1 delivery" in out
    assert "`hookctl run` is running and delivers them." in out


def test_a_dead_delivery_fails_the_send(site: Site) -> None:
    site.receiver.answer("/Siem", Answer(400))
    site.start_runner()
    code, out, _ = end(site.send("e1"))
    assert code == 1
    assert "hookctl deliveries list --status dead" in out
    assert re.search(r"Siem +0 +0 +1 +0\n", out)


def follow_a_runner_that_is_killed(site: Site, lacking: str = "") -> tuple[int, str, str]:
    """The end of a ``send`` whose runner is killed while it has requests in flight."""
    site.receiver.default = Answer(delay=PATIENCE)
    runner = site.start_runner()
    sender = site.send("e1", "e2", "e3", secrets=True, lacking=lacking)
    site.wait_for(lambda: site.receiver.count == 3)
    site.receiver.default = Answer()
    runner.send_signal(signal.SIGKILL)
    runner.wait(PATIENCE)
    return end(sender)


@pytest.mark.parametrize("lacking", ["TOKEN", "HOOKCTL_CACERT", "PROXY_PASSWORD"])
def test_a_runner_is_killed_and_the_sender_lacks_something(site: Site, lacking: str) -> None:
    code, out, err = follow_a_runner_that_is_killed(site, lacking)
    assert code == 1
    assert "The `hookctl run` on this store has ended, and this process cannot continue: " in err
    assert "The events are stored. Start `hookctl run` again: it continues with the deliveries." in err
    assert "Still due: 3 deliveries" in out
    assert site.standing() == {("waiting", 0): 3}  # no attempt was used up
    site.start_runner()
    site.wait_for(lambda: site.standing() == {("delivered", 1): 3})


@pytest.mark.parametrize(
    "fields",
    [
        {"auth": (PluginBlock("smoke", {}),)},
        {"transport": PluginBlock("smoke", {})},
        {"response_validators": (PluginBlock("status", {}), PluginBlock("smoke", {}))},
    ],
    ids=["auth", "transport", "validator"],
)
def test_a_plugin_that_only_the_runner_has_is_missing(
    delivery_plan: Callable[..., DeliveryPlan], fields: dict[str, Any]
) -> None:
    plugins = load_plugins()
    found = missing_plugin(plugins, AppliedState(1, {"Siem": delivery_plan(**fields)}))
    assert found is not None
    assert "'smoke' of Siem" in found.message
    idle = AppliedState(1, {"Siem": delivery_plan(**fields, status=Status.INACTIVE), "Other": delivery_plan("Other")})
    assert missing_plugin(plugins, idle) is None


def test_a_runner_is_killed_and_the_sender_has_everything(site: Site) -> None:
    code, out, err = follow_a_runner_that_is_killed(site)
    assert (code, err.splitlines()[0]) == (
        0,
        "The `hookctl run` on this store has ended. This process continues with the deliveries.",
    )
    assert re.search(r"Siem +3 +0 +0 +0\n", out)
    assert site.standing() == {("delivered", 1): 3}
    assert "Earlier deliveries" not in out


def test_another_runner_takes_over_from_a_killed_one(site: Site) -> None:
    site.receiver.default = Answer(delay=PATIENCE)
    first = site.start_runner()
    sender = site.send("e1")
    site.wait_for(lambda: site.receiver.count == 1)
    site.receiver.default = Answer()
    second = site.start("run", secrets=True)
    site.wait_for(lambda: len(list((site.root / ".hookctl/hookctl.db-runners").iterdir())) == 2)
    first.send_signal(signal.SIGKILL)
    assert end(sender)[0] == 0
    assert second.poll() is None


def test_an_interrupt_ends_the_following_and_not_the_delivery(site: Site) -> None:
    site.receiver.default = Answer(delay=1.0)
    site.start_runner()
    sender = site.send("e1")
    site.wait_for(lambda: site.receiver.count == 1)
    sender.send_signal(signal.SIGINT)
    code, out, _ = end(sender)
    assert code == 130
    assert "`hookctl run` is running and delivers them." in out
    site.wait_for(lambda: site.standing() == {("delivered", 1): 1})


def test_a_full_store_waits_for_the_runner(site: Site) -> None:
    (site.root / "hookctl.toml").write_text("[intake]\nmax_waiting = 2\n", encoding="utf-8")
    site.start_runner()
    code, out, err = end(site.send(*(f"e{number}" for number in range(20))))
    assert (code, "20 accepted" in out, err) == (0, True, "")


def test_a_full_store_without_a_runner_refuses_the_rest(site: Site) -> None:
    (site.root / "hookctl.toml").write_text("[intake]\nmax_waiting = 2\n", encoding="utf-8")
    code, out, _ = end(site.send("e0", "e1", "e2", args=("--enqueue",)))
    assert code == 1
    assert "Not accepted: event e2" in out
    assert site.standing() == {("waiting", 0): 2}


def test_a_replay_needs_no_secrets_beside_a_runner(site: Site, run_cli: Callable[..., Any]) -> None:
    site.apply(run_cli, "")
    site.receiver.answer("/Siem", Answer(503), Answer(503), Answer(200))
    site.start_runner()
    assert site.send("e1", "e2").wait(PATIENCE) == 1
    assert site.standing() == {("dead", 1): 2}
    replay = site.start("deliveries", "replay", "--status", "dead", "--yes", secrets=False)
    out, err = replay.communicate(timeout=PATIENCE)
    assert (replay.returncode, out.splitlines()[-1]) == (0, "2 replayed: 2 delivered."), err
    assert site.receiver.count == 4
    audit: list[Any] = []
    with_store(site, lambda store: audit.extend(one for one in store.log(10) if one.action == "replay"))
    assert [entry.deliveries for entry in audit] == [2]


def test_a_replay_reports_a_runner_that_ends(site: Site, run_cli: Callable[..., Any]) -> None:
    site.apply(run_cli, "")
    site.receiver.answer("/Siem", Answer(503), Answer(delay=PATIENCE))
    runner = site.start_runner()
    assert site.send("e1").wait(PATIENCE) == 1
    replay = site.start("deliveries", "replay", "--status", "dead", "--yes", secrets=False)
    site.wait_for(lambda: site.receiver.count == 2)
    runner.kill()
    out, err = replay.communicate(timeout=PATIENCE)
    assert (replay.returncode, out.splitlines()[-1]) == (1, "1 replayed: 1 waiting.")
    assert err.endswith("The `hookctl run` on this store has ended. The next one continues with the deliveries.\n")
    assert site.standing() == {("waiting", 0): 1}


def test_a_replay_for_an_inactive_webhook_beside_a_runner(site: Site, run_cli: Callable[..., Any]) -> None:
    site.apply(run_cli, "")
    site.receiver.answer("/Siem", Answer(503))
    site.start_runner()
    assert site.send("e1").wait(PATIENCE) == 1
    file = site.root / "webhooks.d/siem.yaml"
    file.write_text(file.read_text() + "status: inactive\n")
    assert run_cli("apply", "--auto-approve", cwd=site.root).exit_code == 0
    replay = site.start("deliveries", "replay", "--status", "dead", "--yes", secrets=False)
    out, _ = replay.communicate(timeout=PATIENCE)
    assert (replay.returncode, out.splitlines()[-1]) == (1, "1 replayed: 1 held.")
    assert site.receiver.count == 1
