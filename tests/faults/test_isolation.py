"""One slow dependency delays nothing else: what hangs is still in flight when everything else has arrived."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.runner import Runner
from hookctl.model import AppliedState, Attempt, Delivery, DeliveryPlan, PluginBlock
from hookctl.network import Network, guard
from hookctl.plugin import AuthType, Observer, SecretSource, TransportType
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, Misbehavior

pytestmark = pytest.mark.one_store("sqlite", "what a target or a plugin does never reaches the store")

PATIENCE = 30.0
EVENTS = 5
"""More than a thread for each webhook, fewer than would open a circuit."""


def oauth2(path: str) -> PluginBlock:
    settings = {
        "client_id": "client",
        "client_secret": "${env:SECRET}",
        "token_url": f"https://login.example.com{path}",
    }
    return PluginBlock("oauth2", settings)


BEARER = PluginBlock("bearer", {"token": "${env:SECRET}"})
HEALTHY: dict[str, dict[str, Any]] = {
    "Plain": {},
    "Bearer": {"auth": (BEARER,)},
    "OAuth": {"auth": (oauth2("/oauth/token"),)},
    "Requests": {"transport": PluginBlock("requests", {})},
}
"""The webhooks that must not be delayed."""


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "secret")


class Delivering:
    """A runner in this process, with webhooks of the test's own, whose auth, transport and so on may be changed."""

    def __init__(self, site: Any, plugins: Plugins, network: Network, hanging: list[DeliveryPlan]) -> None:
        applied = AppliedStore(site.store).read()
        siem = replace(applied.plans["Siem"], timeout_seconds=60.0)
        healthy = [
            replace(siem, name=name, url=f"https://siem.example.com/{name}", **fields)
            for name, fields in HEALTHY.items()
        ]
        state = AppliedState(applied.serial + 1, {plan.name: plan for plan in [*hanging, *healthy]})
        self.site = site
        self.hanging = {plan.name for plan in hanging}
        self.queue = SqliteQueue(site.store)
        engine = AttemptEngine(plugins, network, "hookctl/test")
        self.runner = Runner(queue=self.queue, engine=engine, plugins=plugins, read_state=lambda: state)
        self.taken_in = 0

    def check_the_healthy(self) -> None:
        """Have events delivered to all: the healthy get each of them, while nothing that hangs has come to an end."""
        self.site.take_in_with(self.runner, EVENTS, self.taken_in)
        self.taken_in += EVENTS
        limit = time.monotonic() + PATIENCE
        while sum(self.runner.tally.delivered[name] for name in HEALTHY) < self.taken_in * len(HEALTHY):
            assert time.monotonic() < limit, self.runner.tally.delivered
            self.runner.step(0.05)
        assert self.runner.tally.delivered == dict.fromkeys(HEALTHY, self.taken_in)
        assert self.runner.tally.attempts == self.taken_in * len(HEALTHY), (
            "a failure that is not theirs, or an end of what hangs"
        )
        assert self.runner.in_flight >= len(self.hanging)
        assert not self.runner.tally.local_failures


@pytest.fixture
def delivering(site: Any) -> Callable[..., Any]:
    """``delivering(hanging, plugins=..., network=...)``: while a runner delivers to these webhooks and healthy ones."""

    @contextmanager
    def begin(
        hanging: list[DeliveryPlan], *, plugins: Plugins | None = None, network: Network | None = None
    ) -> Iterator[Delivering]:
        one = Delivering(site, plugins or load_plugins(), network or site.receiver.network(), hanging)
        try:
            yield one
        finally:
            one.runner.stop(0.0)
            one.queue.close()

    site.receiver.answer("/hangs", Answer(misbehave=Misbehavior.NO_ANSWER))
    site.receiver.require_token("/OAuth")
    return begin


@pytest.fixture
def hanging(site: Any) -> Callable[..., list[DeliveryPlan]]:
    """``hanging(40, auth=...)``: so many webhooks."""

    def make(count: int, **fields: Any) -> list[DeliveryPlan]:
        siem = AppliedStore(site.store).read().plans["Siem"]
        return [replace(siem, **{"name": f"H{number}", "timeout_seconds": 60.0, **fields}) for number in range(count)]

    return make


@pytest.mark.parametrize("count", [40, 400])
def test_token_endpoints_that_hang(
    delivering: Callable[..., Any], hanging: Callable[..., list[DeliveryPlan]], count: int
) -> None:
    with delivering(hanging(count, auth=(oauth2("/hangs"),))) as one:
        one.check_the_healthy()
        one.check_the_healthy()


@pytest.mark.parametrize("transport", ["curl", "requests"])
def test_targets_that_hang(
    delivering: Callable[..., Any], hanging: Callable[..., list[DeliveryPlan]], transport: str
) -> None:
    """With ``requests`` each of their requests holds a thread."""
    plans = hanging(40, url="https://siem.example.com/hangs", transport=PluginBlock(transport, {}))
    with delivering(plans) as one:
        one.check_the_healthy()


def test_names_that_hang(
    site: Any,
    delivering: Callable[..., Any],
    hanging: Callable[..., list[DeliveryPlan]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "HTTPS_PORT", site.receiver.port)  # port 443 is not a test's to listen on
    release = threading.Event()

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if host.startswith("hangs"):
            release.wait(PATIENCE)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    plans = [replace(plan, url=f"https://hangs-{plan.name.lower()}.example.com/") for plan in hanging(40)]
    hosts = ("siem.example.com", "login.example.com")
    allow = dict.fromkeys(hosts, (ip_network("127.0.0.0/8"),))
    network = Network(allow=allow, ca_file=site.receiver.ca_file, getaddrinfo=getaddrinfo)
    with delivering(plans, network=network) as one:
        one.check_the_healthy()
        release.set()


def test_what_plugins_wait_for(delivering: Callable[..., Any], hanging: Callable[..., list[DeliveryPlan]]) -> None:
    """A third party's secret source, auth and transport, none of which declares that it may block, and an observer."""
    release = threading.Event()

    class Hangs(AuthBase, BaseAdapter):
        def __call__(self, request: Any) -> Any:
            release.wait(PATIENCE)
            return request

        def send(self, *_: Any, **__: Any) -> Any:
            release.wait(PATIENCE)

        def close(self) -> None:
            """Nothing to close."""

    def wait(*_: Any) -> str:
        release.wait(PATIENCE)
        return "secret"

    def build_slowly(*_: Any) -> AuthBase:
        wait()
        return Hangs()

    def watch(_delivery: Delivery, _attempt: Attempt) -> None:
        release.wait(PATIENCE)

    plugins = load_plugins()
    auth = AuthType(name="hangs", summary="", schema={}, build=lambda *_: Hangs())
    each = AuthType(name="each", summary="", schema={}, build=lambda *_: Hangs(), per_attempt=True)
    slow_build = AuthType(name="build", summary="", schema={}, build=build_slowly)
    transport = TransportType(name="hangs", summary="", schema={}, build=lambda *_: Hangs())
    plugins = replace(
        plugins,
        auth={**plugins.auth, "hangs": auth, "each": each, "build": slow_build},
        transports={**plugins.transports, "hangs": transport},
        secret_sources={**plugins.secret_sources, "vault": SecretSource(scheme="vault", summary="", resolve=wait)},
        observers={"slow": Observer(name="slow", attempted=watch)},
    )
    changes: list[dict[str, Any]] = [
        {"headers": {"X-Key": "${vault:key}"}},
        {"auth": (PluginBlock("bearer", {"token": "${vault:key}"}),)},
        *({"auth": (PluginBlock(name, {}),)} for name in ("hangs", "each", "build")),
        {"transport": PluginBlock("hangs", {})},
    ]
    plans = [
        replace(plan, name=f"{plan.name}-{kind}", **change)
        for kind, change in enumerate(changes)
        for plan in hanging(10)
    ]
    with delivering(plans, plugins=plugins) as one:
        one.check_the_healthy()
        release.set()


def test_a_token_endpoint_that_answers_again(
    site: Any, delivering: Callable[..., Any], hanging: Callable[..., list[DeliveryPlan]]
) -> None:
    """What has waited for it arrives, and nobody's attempt was cut short while it waited for a thread."""
    plans = hanging(40, auth=(oauth2("/hangs"),), timeout_seconds=1.0, retry_schedule=(0.1,) * 50)
    with delivering(plans) as one:
        site.take_in_with(one.runner, 1, 0)
        limit = time.monotonic() + PATIENCE
        while one.runner.tally.attempts < 40 + len(HEALTHY):
            assert time.monotonic() < limit
            one.runner.step(0.05)
        site.receiver.answer("/hangs", Answer(200, body=b'{"access_token": "t", "token_type": "Bearer"}'))
        while one.runner.tally.delivered.total() < 40 + len(HEALTHY):
            assert time.monotonic() < limit
            one.runner.step(0.05)
    assert {reason.split(":")[0] for reasons in site.reasons().values() for reason in reasons} <= {"token"}
