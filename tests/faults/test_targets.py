"""Targets that are hostile, slow or gone: each of their deliveries ends as documented, and no other is held up."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT_EACH
from hookctl.delivery.runner.runner import Runner
from hookctl.model import AppliedState, DeliveryStatus, PluginBlock
from hookctl.network import Network, guard, resolver
from hookctl.plugin import AuthType
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins
from hookctl.store.sqlite.applied import AppliedStore
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, Misbehavior
from hookctl_plugins.transport import curl_handle

pytestmark = pytest.mark.one_store("sqlite", "what a target does never reaches the store")

COUNT = 4
ACCEPTED = "response_validators: [{json_path: $.data.status, expected_values: [accepted]}]"
HOSTILE = {
    Misbehavior.TRICKLE_HEADERS: "timeout",
    Misbehavior.TRICKLE_BODY: "timeout",
    Misbehavior.ENDLESS_CONTINUE: "timeout",
    Misbehavior.NO_ANSWER: "timeout",
    Misbehavior.CUT_STATUS: "connect",
    Misbehavior.CUT_HEADERS: "cut_response",
    Misbehavior.CUT_BODY: "cut_response",
    Misbehavior.RESET: "connect",
    Misbehavior.RESET_BODY: "cut_response",
    Misbehavior.ENDLESS_HEADERS: "cut_response",
    Misbehavior.GZIP_BOMB: "json_path",
    Misbehavior.HUGE_BODY: "json_path",
}
MORE_MEMORY = 32 * 1024
"""KiB, beyond what deliveries to well-behaved targets take. The bombs are 60 MB, 1 GiB and endless, four of each."""


def test_hostile_targets_all_at_once(site: Any, webhook: Callable[..., str]) -> None:
    """All other deliveries arrive, memory stays bounded, and the hostile targets get theirs once they behave."""
    names = {"".join(word.title() for word in one.split("-")): one for one in HOSTILE}
    hostile = {name: webhook(name, "timeout_seconds: 1", "retry: {schedule: [1h]}", ACCEPTED) for name in names}
    site.apply(Good=webhook("Good", "timeout_seconds: 30"), **hostile)
    _, ordinary = site.forks.wait(site.start("send", site.write(COUNT, 1000), "--wait", "0"))
    for name, misbehavior in names.items():
        site.receiver.answer(f"/{name}", Answer(misbehave=misbehavior))
    code, peak = site.forks.wait(site.start("send", site.write(COUNT), "--wait", "0"))
    assert code == 1
    assert peak - ordinary < MORE_MEMORY
    stored = {
        (webhook, event): status for (webhook, _, event), status in site.stored().items() if int(event[1:]) < COUNT
    }
    assert {status for (name, _), status in stored.items() if name == "Good"} == {DeliveryStatus.DELIVERED}
    assert {status for (name, _), status in stored.items() if name != "Good"} == {DeliveryStatus.RETRYING}
    reasons = site.reasons()
    assert {
        name: kind for name, kind in names.items() if not all(one.startswith(HOSTILE[kind]) for one in reasons[name])
    } == {}, reasons
    for name in names:
        site.receiver.answer(f"/{name}", Answer())
    site.apply(Good=webhook("Good"), **{name: webhook(name, "timeout_seconds: 30", ACCEPTED) for name in names})
    assert site.wait(site.start("deliveries", "replay", "--status", "retrying", "--yes")) == 0, site.output
    site.check_all_delivered(["Good", *names], acknowledged={f"e{number}" for number in range(COUNT)})


@contextmanager
def running(site: Any, network: Network, plugins: Plugins | None = None) -> Iterator[Runner]:
    """A runner in this process, through a network and with plugins of the test's own."""
    plugins, queue = plugins or load_plugins(), SqliteQueue(site.store)
    engine = AttemptEngine(plugins, network, "hookctl/test")
    runner = Runner(queue=queue, engine=engine, plugins=plugins, read_state=AppliedStore(site.store).read)
    yield runner
    runner.stop(0.0)
    queue.close()


def step_until(runner: Runner, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit
        runner.step(0.05)


def test_a_name_that_rebinds_to_the_metadata_service(
    site: Any, webhook: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer is an allowed address, every later one is 169.254.169.254: nothing is dialled there."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [50ms, 50ms]}"))
    monkeypatch.setattr(guard, "HTTPS_PORT", site.receiver.port)  # port 443 is not a test's to listen on
    monkeypatch.setattr(resolver, "KEEP_SECONDS", 0.0)
    answers = ["127.0.0.1"]
    dialled = []

    def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop() if answers else "169.254.169.254", port))]

    def watch(handle: curl_handle.Handle, purpose: int, address: Any) -> Any:
        dialled.append(address[3][0])
        return dial(handle, purpose, address)

    dial = curl_handle.Handle._open_socket
    monkeypatch.setattr(curl_handle.Handle, "_open_socket", watch)
    site.receiver.answer("/Siem", Answer(503, headers=(("Connection", "close"),)))
    network = Network(
        allow={"siem.example.com": (ip_network("127.0.0.0/8"),)}, ca_file=site.receiver.ca_file, getaddrinfo=getaddrinfo
    )
    with running(site, network) as runner:
        site.take_in_with(runner, 1)
        step_until(runner, lambda: runner.tally.dead["Siem"] == 1)
    assert [one.split(":")[0] for one in site.reasons()["Siem"]] == ["address_blocked"]
    assert (site.receiver.count, set(dialled)) == (1, {"127.0.0.1"})


def test_five_hundred_deliveries_and_one_expired_token(site: Any, webhook: Callable[..., str]) -> None:
    """Each of those under way is refused with a 401; one of them fetches the token for all."""
    auth = "auth: {type: oauth2, client_id: client, client_secret: '${env:SECRET}', token_url: 'https://login.example.com/oauth/token'}"
    site.env["SECRET"] = "secret"
    site.apply(Siem=webhook("Siem", auth))
    site.receiver.require_token("/Siem")
    with pytest.MonkeyPatch.context() as patch, running(site, site.receiver.network()) as runner:
        patch.setenv("SECRET", "secret")
        site.take_in_with(runner, 1)
        step_until(runner, lambda: runner.tally.delivered["Siem"] == 1)
        assert site.receiver.tokens.issued == 1
        site.receiver.tokens.revoke_all()
        site.take_in_with(runner, 500, 1)
        step_until(runner, lambda: runner.tally.delivered["Siem"] == 501)
    assert site.receiver.tokens.issued == 2
    assert set(site.stored().values()) == {DeliveryStatus.DELIVERED}


def test_poison_ends_with_its_reason_and_everything_else_flows(site: Any, webhook: Callable[..., str]) -> None:
    """A template that fails on what comes, and an auth plugin that raises."""

    def fail(*_: Any) -> Any:
        raise RuntimeError("the plugin's own trouble")

    plugins = load_plugins()
    broken = AuthType(name="broken", summary="", schema={"type": "object"}, build=fail)
    plugins = replace(plugins, auth={**plugins.auth, "broken": broken})
    site.apply(Siem=webhook("Siem"), Template=webhook("Template"), Auth=webhook("Auth", "retry: {schedule: [100ms]}"))
    applied = AppliedStore(site.store).read()
    plans = dict(applied.plans)
    plans["Template"] = replace(plans["Template"], body_template='{"x": {{ data.nothing.of.that }}}')
    plans["Auth"] = replace(plans["Auth"], auth=(PluginBlock("broken", {}),))
    with running(site, site.receiver.network(), plugins) as runner:
        runner._take_state(AppliedState(applied.serial + 1, plans))
        runner._read_state = lambda: AppliedState(applied.serial + 1, plans)
        site.take_in_with(runner, 50)
        step_until(runner, lambda: runner.tally.delivered["Siem"] + runner.tally.dead.total() == 150)
    assert Counter((webhook, status) for (webhook, _, _), status in site.stored().items()) == {
        ("Siem", DeliveryStatus.DELIVERED): 50,
        ("Template", DeliveryStatus.DEAD): 50,
        ("Auth", DeliveryStatus.DEAD): 50,
    }
    reasons = site.reasons()
    assert {name: {reason.split(":")[0] for reason in found} for name, found in reasons.items()} == {
        "Template": {"render"},
        "Auth": {"plugin"},
    }
    assert all("broken" in reason and "schedule used up" in reason for reason in reasons["Auth"])


def test_a_dead_host_that_returns(site: Any, webhook: Callable[..., str]) -> None:
    """Nothing listens while 10,000 deliveries come; once it is back it gets all, within the limit for one target."""
    site.apply(Siem=webhook("Siem", "retry: {schedule: [1s, 1s, 1s, 1s, 1h]}"))
    there = site.receiver
    with socket.create_server(("127.0.0.1", 0)) as closed:
        site.env["HOOKCTL_CONNECT_TO"] = f"siem.example.com:443:127.0.0.1:{closed.getsockname()[1]}"
    events = site.write(10_000)
    assert site.send(events, "--wait", "0") == 1
    assert len(site.stored()) == 10_000
    assert DeliveryStatus.DELIVERED not in site.stored().values()
    site.reach(there)
    there.default = Answer(delay=0.01)
    site.send(os.devnull, "--wait", "60s")
    site.check_all_delivered(acknowledged={f"e{number}" for number in range(10_000)})
    assert set(site.received().values()) == {1}
    assert there.connections <= MAX_IN_FLIGHT_EACH
