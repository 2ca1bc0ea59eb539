"""What this machine lacks never counts against a delivery or its target: it waits, is tried again, and arrives."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from requests.auth import AuthBase

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner import limits
from hookctl.delivery.runner.runner import Runner
from hookctl.model import AppliedState, DeliveryStatus, PluginBlock
from hookctl.network import Network, guard
from hookctl.plugin import AuthType, SecretSource
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl_plugins.transport import curl_handle

PATIENCE = 10.0
EVENTS = 30
TRANSPORT = "transport: {type: requests}"
AUTH = "auth: {type: oauth2, client_id: client, client_secret: '${env:SECRET}', token_url: 'https://login.example.com/oauth/token'}"
BEARER = "auth: {type: bearer, token: '${file:secret}'}"


def with_few_files(count: int) -> list[str]:
    """The words before a command that may have only so many files open."""
    return ["bash", "-c", f'ulimit -n {count}; exec "$@"', "bash"]


@pytest.mark.parametrize("lines", [(), (TRANSPORT,), (AUTH,), (BEARER,)], ids=["curl", "requests", "oauth2", "file"])
@pytest.mark.parametrize("files", [9, 12, 13, 15])
def test_a_process_that_may_open_few_files(
    site: Any, webhook: Callable[..., str], lines: tuple[str, ...], files: int
) -> None:
    """It may send nothing, but nothing it accepted is dead or has used up an attempt, and all arrives later."""
    site.env["SECRET"] = "secret"
    site.env["HOOKCTL_CONNECT_TO"] += f" login.example.com:443:{site.receiver.address}:{site.receiver.port}"
    (site.root / "secret").write_text("secret", encoding="utf-8")
    site.apply(Siem=webhook("Siem", *lines))
    result = site.run(with_few_files(files), ["-m", "hookctl", "send", site.write(EVENTS), "--wait", "0"])
    stored = site.stored()
    assert "Traceback" not in result.stderr
    assert set(stored.values()) <= {DeliveryStatus.WAITING, DeliveryStatus.DELIVERED}
    assert site.attempts() == len(site.received())
    if DeliveryStatus.WAITING in stored.values() or not stored:
        assert result.returncode == 1
        assert "at its limit: Too many open files" in result.stdout + result.stderr or "libcurl" in result.stdout
    if stored:
        site.go_on()
        site.check_all_delivered(acknowledged={f"e{number}" for number in range(EVENTS)})


def test_it_is_named_wherever_one_looks(site: Any) -> None:
    """By ``send``, ``list``, ``doctor`` and the log of ``run``; ``run`` waits, and says so seldom."""
    command = ["-m", "hookctl", "send", site.write(EVENTS), "--wait", "0", "--format", "json"]
    summary = json.loads(site.run(with_few_files(12), command).stdout)
    assert (summary["attempts"], summary["still_due"], summary["succeeded"]) == (0, EVENTS, False)
    (failure,) = summary["local_failures"]
    assert failure["reason"] == "local: this machine is at its limit: Too many open files"
    doctor = site.run([], ["-m", "hookctl", "doctor"])
    assert doctor.returncode == 1
    assert (
        "Siem: nothing is sent because this machine has run out of a resource: local: this machine is at its limit"
        in doctor.stdout
    )
    assert "waits for this machine" in site.run([], ["-m", "hookctl", "list"]).stdout
    words = ["timeout", "-s", "INT", "2.5", *with_few_files(12)]
    log = [json.loads(line) for line in site.run(words, ["-m", "hookctl", "run", "--log", "json"]).stdout.splitlines()]
    paused = [line for line in log if line.get("state") == "local"]
    assert 1 <= len(paused) <= 3  # at once, after one second, after two more
    assert {line["webhook"] for line in paused} == {"Siem"}
    assert {line["event"] for line in log} <= {"applied", "circuit", "stopping", "stopped"}
    site.go_on()
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(EVENTS)})
    assert site.run([], ["-m", "hookctl", "doctor"]).returncode == 0


LACKS = {"files": OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "memory": MemoryError()}


class Lack:
    """Raises an error in place of a call, until the machine has what it lacked."""

    def __init__(self, error: BaseException, monkeypatch: pytest.MonkeyPatch, site: Any) -> None:
        self.error, self.monkeypatch, self.site = error, monkeypatch, site
        self.lasts = True
        self.plugins = load_plugins()
        self.network: Network = site.receiver.network()
        self.fields: dict[str, Any] = {}

    def instead_of(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            if self.lasts:
                raise self.error
            return call(*args, **options)

        return called

    def in_prepare(self) -> None:
        source = SecretSource(scheme="mine", summary="", resolve=self.instead_of(lambda _: "secret"))
        self.plugins = replace(self.plugins, secret_sources={**self.plugins.secret_sources, "mine": source})
        self.fields = {"headers": {"X-Key": "${mine:key}"}}

    def in_prepare_without_a_lane(self) -> None:
        self.in_prepare()
        source = replace(self.plugins.secret_sources["mine"], blocking=False)
        self.plugins = replace(self.plugins, secret_sources={**self.plugins.secret_sources, "mine": source})

    def in_auth(self) -> None:
        class Mine(AuthBase):
            __call__ = staticmethod(self.instead_of(lambda request: request))

        mine = AuthType(name="mine", summary="", schema={}, build=lambda *_: Mine(), per_attempt=True)
        self.plugins = replace(self.plugins, auth={**self.plugins.auth, "mine": mine})
        self.fields = {"auth": (PluginBlock("mine", {}),)}

    def in_auth_without_a_lane(self) -> None:
        self.in_auth()
        self.plugins = replace(
            self.plugins, auth={**self.plugins.auth, "mine": replace(self.plugins.auth["mine"], blocking=False)}
        )

    def in_the_token_request(self) -> None:
        self.in_connect_of_curl()
        settings = {
            "client_id": "client",
            "client_secret": "${env:SECRET}",
            "token_url": "https://login.example.com/oauth/token",
        }
        self.fields = {"auth": (PluginBlock("oauth2", settings),)}

    def in_resolve(self) -> None:
        def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        self.monkeypatch.setattr(guard, "HTTPS_PORT", self.site.receiver.port)
        allow = {"siem.example.com": (ip_network("127.0.0.0/8"),)}
        self.network = Network(
            allow=allow, ca_file=self.site.receiver.ca_file, getaddrinfo=self.instead_of(getaddrinfo)
        )

    def in_resolve_of_requests(self) -> None:
        self.in_resolve()
        self.fields = {"transport": PluginBlock("requests", {})}

    def in_connect_of_curl(self) -> None:
        self.monkeypatch.setattr(curl_handle, "_Lent", self.instead_of(curl_handle._Lent))

    def in_connect_of_requests(self) -> None:
        self.monkeypatch.setattr(socket, "create_connection", self.instead_of(socket.create_connection))
        self.fields = {"transport": PluginBlock("requests", {})}

    def in_a_new_handle(self) -> None:
        self.monkeypatch.setattr("hookctl_plugins.transport.curl_multi.Handle", self.instead_of(curl_handle.Handle))

    def in_the_record(self) -> None:
        from hookctl.delivery.attempt import record

        self.monkeypatch.setattr(record, "_judged", self.instead_of(record._judged))


STAGES = sorted(name for name in vars(Lack) if name.startswith("in_"))


@pytest.mark.one_store("sqlite", "an attempt does not use the store")
@pytest.mark.parametrize("lack", LACKS.values(), ids=LACKS)
@pytest.mark.parametrize("stage", STAGES)
def test_it_does_not_count_at_any_stage(
    site: Any, monkeypatch: pytest.MonkeyPatch, stage: str, lack: BaseException
) -> None:
    """Far more often than the schedule and the circuit allow failures; then all arrives at its first attempt."""
    if stage == "in_the_record" and not isinstance(lack, MemoryError):
        pytest.skip("it opens no file")
    monkeypatch.setenv("SECRET", "secret")
    monkeypatch.setattr(limits, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(limits, "MAX_PAUSE_SECONDS", 0.001)
    lacking = Lack(lack, monkeypatch, site)
    getattr(lacking, stage)()
    applied = AppliedStore(site.store).read()
    siem = replace(applied.plans["Siem"], retry_schedule=(3600.0,), **lacking.fields)
    state = AppliedState(applied.serial + 1, {"Siem": siem})
    queue = SqliteQueue(site.store)
    engine = AttemptEngine(lacking.plugins, lacking.network, "hookctl/test")
    runner = Runner(queue=queue, engine=engine, plugins=lacking.plugins, read_state=lambda: state)
    try:
        site.take_in_with(runner, 3)
        limit = time.monotonic() + PATIENCE
        while runner.tally.local_failures.total() < 50:
            assert time.monotonic() < limit
            runner.step(0.01)
        assert queue.circuits()["Siem"].state == "local"
        assert all(reason.startswith("local: this machine is ") for reason in runner.tally.local_failures)
        assert (runner.tally.attempts, site.attempts()) == (0, 0)
        lacking.lasts = False
        while runner.tally.delivered["Siem"] < 3:
            assert time.monotonic() < limit, site.reasons()
            runner.step(0.01)
        assert runner.tally.attempts == 3
        assert queue.circuits() == {}
    finally:
        runner.stop(0.0)
        queue.close()
