"""Third-party code never runs on the engine's thread: deliveries of others do not wait for it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from hookctl.delivery.attempt import engine as attempts
from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.model import DeliveryPlan, Json, PluginBlock, Response, Timing
from hookctl.plugin import AuthType, Completion, FilterType, TransportType, ValidatorType, hookimpl
from hookctl.plugin.host import load_plugins
from hookctl.testing.receiver import Receiver

PATIENCE = 20.0
Pause = Callable[[], None]


class Adapter(BaseAdapter):
    def __init__(self, pause: Pause) -> None:
        super().__init__()
        self.pause = pause

    def send(self, *_: Any, **__: Any) -> Any:
        self.pause()
        response = requests.Response()
        response.status_code, response.raw = 202, io.BytesIO()
        return response

    def close(self) -> None:
        """Nothing is open."""


class Concurrent(Adapter):
    tickets: tuple[int, ...] = ()

    def submit(self, ticket: int, *_: Any) -> None:
        self.pause()
        self.tickets += (ticket,)

    def poll(self, wait: float) -> Any:  # noqa: ARG002  # the contract
        self.pause()
        tickets, self.tickets = self.tickets, ()
        return [Completion(ticket, Response(204, "", (), b""), Timing()) for ticket in tickets]

    def wake(self) -> None:
        self.pause()

    def cancel(self, ticket: int) -> None:
        """Nothing is to do."""


def auth_of(pause: Pause) -> AuthType:
    class Slow(AuthBase):
        def __call__(self, request: Any) -> Any:
            pause()
            return request

    return AuthType(name="mine", summary="", schema={}, build=lambda *_: Slow(), per_attempt=True, blocking=False)


def built_slowly(pause: Pause) -> TransportType:
    def build(*_: Any) -> Any:
        pause()
        return Adapter(lambda: None)

    return TransportType(name="mine", summary="", schema={}, build=build)


def checked(pause: Pause) -> TransportType:
    def check(_: str) -> list[Any]:
        pause()
        return []

    return TransportType(name="mine", summary="", schema={}, build=lambda *_: Adapter(lambda: None), check_url=check)


def validator(pause: Pause) -> ValidatorType:
    def validate(_: Any) -> list[Any]:
        pause()
        return []

    return ValidatorType(name="mine", summary="", schema={}, build=lambda _: validate, label=lambda _: "mine")


def filter_of(pause: Pause) -> FilterType:
    def call(value: Any) -> Any:
        pause()
        return value

    return FilterType(name="mine", summary="", call=call)


TRANSPORT = {"transport": PluginBlock("mine", {})}
PARTS: dict[str, tuple[str, Callable[[Pause], Any], Mapping[str, Any]]] = {
    "auth": ("hookctl_auth_types", auth_of, {"auth": (PluginBlock("mine", {}),)}),
    "validator": ("hookctl_validator_types", validator, {"response_validators": (PluginBlock("mine", {}),)}),
    "filter": ("hookctl_filter_types", filter_of, {"body_template": '{"a": {{ data.severity | mine }}}'}),
    "transport": ("hookctl_transport_types", built_slowly, TRANSPORT),
    "url": ("hookctl_transport_types", checked, TRANSPORT | {"url": "https://siem.example.com/{{ data.severity }}"}),
    "adapter": (
        "hookctl_transport_types",
        lambda pause: TransportType(name="mine", summary="", schema={}, build=lambda *_: Adapter(pause)),
        TRANSPORT,
    ),
    "concurrent": (
        "hookctl_transport_types",
        lambda pause: TransportType(name="mine", summary="", schema={}, build=lambda *_: Concurrent(pause)),
        TRANSPORT,
    ),
}


@pytest.fixture
def made(receiver: Receiver) -> Iterator[Callable[[str, Pause], tuple[AttemptEngine, Mapping[str, Any]]]]:
    engines: list[AttemptEngine] = []

    def make(part: str, pause: Pause) -> tuple[AttemptEngine, Mapping[str, Any]]:
        hook, thing, uses = PARTS[part]
        plugin = SimpleNamespace(__name__="acme", hook=hookimpl(specname=hook)(lambda: [thing(pause)]))
        engines.append(AttemptEngine(load_plugins([plugin]), receiver.network(), "hookctl/test"))
        return engines[-1], uses

    yield make
    for engine in engines:
        engine.close()


def ended(engine: AttemptEngine, count: int) -> dict[str, Finished]:
    found: dict[str, Finished] = {}
    limit = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < limit, "attempts do not end"
        found |= {one.job.delivery_id: one for one in engine.poll(0.1)}
    return found


@pytest.mark.parametrize("part", PARTS)
def test_others_are_delivered_while_a_plugin_is_slow(
    part: str, made: Callable[..., Any], make_plan: Callable[..., DeliveryPlan]
) -> None:
    free, threads = threading.Event(), set[threading.Thread]()

    def pause() -> None:
        threads.add(threading.current_thread())
        assert free.wait(PATIENCE)

    engine, uses = made(part, pause)
    slow = replace(make_plan(timeout_seconds=PATIENCE), name="Slow", **uses)
    document: dict[str, Json] = {"data": {"severity": "High"}}
    engine.start(Job("slow", slow, document, 1))
    limit = time.monotonic() + PATIENCE
    while not threads:
        assert time.monotonic() < limit
        assert engine.poll(0.05) == []
    engine.start(Job("other", replace(make_plan(timeout_seconds=PATIENCE), name="Other"), document, 1))
    assert ended(engine, 1)["other"].attempt.succeeded  # while the plugin waits for the event
    free.set()
    attempt = ended(engine, 1)["slow"].attempt
    assert attempt.succeeded, attempt.failure
    assert threads
    assert threading.main_thread() not in threads


def test_a_request_behind_one_that_hangs_ends_by_its_deadline(
    made: Callable[..., Any], make_plan: Callable[..., DeliveryPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "GRACE", 0.05)
    monkeypatch.setattr(attempts, "WATCH", 0.02)
    monkeypatch.setattr("hookctl.delivery.attempt.threaded_transport.EACH", 1)
    free = threading.Event()
    engine, uses = made("adapter", lambda: free.wait(PATIENCE))
    plan = replace(make_plan(timeout_seconds=0.1), **uses)
    for number in range(3):
        engine.start(Job(str(number), plan, {"data": {"severity": "High"}}, 1))
    failures = [one.attempt.failure for one in ended(engine, 3).values()]
    message = "the transport missed its deadline and was abandoned (transport mine of plugin acme)"
    assert [failure.message for failure in failures if failure] == [message] * 3
    free.set()
