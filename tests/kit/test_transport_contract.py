"""Each test of the contract of transports fails for one with the mistake that it is there to find."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from hookctl.errors import CutResponseError
from hookctl.kit.contracts import TransportContract
from hookctl.kit.contracts.part import ConfiguredContract
from hookctl.model import Problem, Response, Timing
from hookctl.network import check_url
from hookctl.plugin import Completion, TransportType
from hookctl.plugin.host import load_plugins
from hookctl.plugin.responses import to_requests

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"password": {"type": "string", "x-secret": True, "description": "The password."}},
}
GIVEN: dict[str, Any] = {"settings": {"password": "canary"}, "refused_urls": ("https://refused.example.com/",)}


class Right(BaseAdapter):
    """Sends as the transport ``requests`` does; the others differ from it in one thing."""

    def __init__(self, settings: Any, network: Any) -> None:
        super().__init__()
        self.settings, self.network = settings, network
        self.inner = load_plugins().transports["requests"].build({}, network)

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]  # the same, in short
        return self.inner.send(request, **options)

    def close(self) -> None:
        self.inner.close()


def own_rule(url: str) -> Any:
    return [Problem("url-host", "it is refused", "Use another.", 0, 1)] if "refused" in url else check_url(url)


def transport(build: Any = Right, **changes: Any) -> TransportType:
    given = {"name": "copy", "summary": "Sends.", "schema": SCHEMA, "build": build, "check_url": own_rule}
    return TransportType(**{**given, **changes})


def sending(send: Callable[..., Any], **more: Any) -> TransportType:
    return transport(type("Changed", (Right,), {"send": send, **more}))


def answering(status: int, body: bytes = b"") -> Callable[..., Any]:
    def send(self: Any, request: Any, **options: Any) -> Any:
        return to_requests(Response(status, "", (), body, truncated=False), Timing(), request, self)

    return send


def patient(self: Any, request: Any, **options: Any) -> Any:
    """Ignores the deadline that it gets."""
    return answering(200)(self, request) if options["timeout"] < 1 else self.inner.send(request, **options)


def careless(self: Any, request: Any, **options: Any) -> Any:
    """Takes every failure for an exception of Python."""
    try:
        return self.inner.send(request, **options)
    except Exception:  # noqa: BLE001  # the mistake
        raise RuntimeError("it failed") from None


def following(self: Any, request: Any, **options: Any) -> Any:
    response = self.inner.send(request, **options)
    return self.inner.send(request, **options) if response.status_code == 302 else response


def raising(self: Any, request: Any, **options: Any) -> Any:
    response = self.inner.send(request, **options)
    if response.status_code == 500:
        raise CutResponseError("the target failed")
    return response


def trusting(self: Any, request: Any, **options: Any) -> Any:
    try:
        return self.inner.send(request, **options)
    except Exception:  # noqa: BLE001  # the mistake
        return answering(200)(self, request)  # as one that checks no certificate


def mixing(self: Any, request: Any, **options: Any) -> Any:
    self.current = request
    time.sleep(0.001)
    return self.inner.send(self.current, **options)


def closing(self: Any) -> None:
    if self.__dict__.pop("closed", False):
        raise ValueError("it is closed")
    self.closed = True
    self.inner.close()


class Concurrent(Right):
    """Completes a ticket that was cancelled."""

    tickets: tuple[int, ...] = ()

    def submit(self, ticket: int, request: Any, timeout: float) -> None:
        self.tickets = (*self.tickets, ticket)

    def poll(self, wait: float) -> Any:
        return [Completion(ticket, None, Timing()) for ticket in self.tickets]  # type: ignore[arg-type]

    def wake(self) -> None: ...

    def cancel(self, ticket: int) -> None: ...


def changing_body(self: Any, request: Any, **options: Any) -> Any:
    request.body = request.body + b" "
    return self.inner.send(request, **options)


BROKEN: dict[str, list[tuple[TransportType, str]]] = {
    "test_it_sends": [(sending(answering(500)), "the status 500"), (sending(changing_body), "arrives changed")],
    "test_it_can_be_closed": [(sending(Right.send, close=closing), "it is closed")],
    "test_check_url_accepts_its_urls": [
        (transport(check_url=lambda _: [Problem("url-host", "no", "", 0, 1)]), "check_url rejects"),
        (transport(check_url=lambda url: [] if url.startswith("https://siem") else 1 / 0), "raises ZeroDivisionError"),
        (transport(check_url=check_url), "check_url accepts 'https://refused"),
        (transport(check_url=lambda url: [] if url.startswith("https://siem") else ["no"]), "not Problems"),
    ],
    "test_secrets_are_not_shown": [
        (sending(Right.send, __repr__=lambda self: self.settings["password"].reveal()), "shows a secret")
    ],
    "test_threads_may_share_it": [(sending(mixing), "to another's request")],
    "test_the_deadline_is_total": [(sending(patient), "when the target behaves as no-answer")],
    "test_a_broken_answer_is_an_error": [(sending(careless), r"raises RuntimeError\('it failed'\)")],
    "test_statuses_and_redirects_are_answers": [
        (sending(following), "it sends 2 requests after a status of 302"),
        (sending(raising), "the target failed"),
    ],
    "test_long_answers_are_cut": [(sending(answering(200, b"x" * 65_537)), "it reads 65,537 bytes")],
    "test_it_asks_the_network": [(sending(trusting), "a certificate that nothing vouches for")],
    "test_many_requests_of_one_thread": [(transport(Concurrent), r"it completes \[0, 1, 2")],
}
CASES = [(test, part, match) for test, parts in BROKEN.items() for part, match in parts]


@pytest.mark.parametrize(("test", "part", "match"), CASES, ids=[test for test, _, _ in CASES])
def test_it_finds_the_mistake(run_contract: Callable[..., None], test: str, part: TransportType, match: str) -> None:
    with pytest.raises((AssertionError, ValueError, CutResponseError), match=match):
        run_contract(TransportContract, test, part, **GIVEN)


@pytest.mark.parametrize("test", BROKEN)
def test_it_finds_nothing_in_a_transport_without_mistakes(run_contract: Callable[..., None], test: str) -> None:
    run_contract(TransportContract, test, transport(), **GIVEN)


def test_there_is_a_mistake_for_each_test(tests_of: Callable[[type], set[str]]) -> None:
    in_common = tests_of(ConfiguredContract)  # test_auth_contract.py has them
    assert BROKEN.keys() == tests_of(TransportContract) - in_common
