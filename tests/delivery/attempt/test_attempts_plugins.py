"""Plugins that raise, hang or break their contract: the attempt fails and names them, and the engine goes on."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from hookctl.delivery.attempt.engine import AttemptEngine, Finished, Job
from hookctl.errors import SecretError, TransportError
from hookctl.model import Attempt, DeliveryPlan, FailureKind, Json, Mismatch, Response, Timing
from hookctl.plugin import AuthType, Completion, Envelope, SecretSource, TransportType, ValidatorType
from hookctl.plugin.calls import Plugins
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
MakeAttempt = Callable[..., Attempt]
MakeEngine = Callable[..., AttemptEngine]
Finish = Callable[..., list[Finished]]

CANARY = "canary-in-an-exception"


def fail(*_: Any, **__: Any) -> Any:
    raise RuntimeError(CANARY)


def leave(*_: Any, **__: Any) -> Any:
    raise SystemExit(3)


def added(
    plugins: Plugins, *, auth: Any = None, transport: Any = None, validator: Any = None, secret: Any = None
) -> Plugins:
    """The plugins, and parts named ``mine``, all from a plugin ``test_plugin``."""
    new: dict[str, Mapping[str, Any]] = {}
    if auth:
        new["auth"] = {**plugins.auth, "mine": AuthType(name="mine", summary="", schema={}, **auth)}
    if transport:
        new["transports"] = {
            **plugins.transports,
            "mine": TransportType(name="mine", summary="", schema={}, build=transport),
        }
    if validator:
        new["validators"] = {
            **plugins.validators,
            "mine": ValidatorType(name="mine", summary="", schema={}, label=lambda _: "mine", **validator),
        }
    if secret:
        new["secret_sources"] = {
            **plugins.secret_sources,
            "mine": SecretSource(scheme="mine", summary="", resolve=secret),
        }
    origins = {(what, "mine"): "test_plugin" for what in ("auth", "transport", "validator", "secret source")}
    return replace(plugins, origins={**plugins.origins, **origins}, **new)  # type: ignore[arg-type]  # the names are those of its fields


class Adapter(BaseAdapter):
    """A transport that is only a ``BaseAdapter``; each subclass breaks in another way."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = 202
        response.url = request.url or ""
        response.raw = io.BytesIO(threading.current_thread().name.encode())
        response.headers["Content-Length"] = "1"
        return response

    def close(self) -> None:
        """Nothing is open."""


class Raising(Adapter):
    send = fail


class Leaving(Adapter):
    send = leave


class GivingNothing(Adapter):
    def send(self, *_: Any, **__: Any) -> Any:
        return None


class Concurrent(Adapter):
    """A ``ConcurrentTransport`` that answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[int] = []

    def submit(self, ticket: int, *_: Any) -> None:
        self.tickets.append(ticket)

    def poll(self, wait: float) -> Sequence[Completion]:  # noqa: ARG002 - the contract
        tickets, self.tickets = self.tickets, []
        return [Completion(ticket, self.answer(), Timing()) for ticket in tickets]

    def answer(self) -> Any:
        return Response(204, "", (), b"")

    def wake(self) -> None:
        """It never waits."""

    def cancel(self, ticket: int) -> None:
        self.tickets.remove(ticket)


class RaisingInSubmit(Concurrent):
    submit = fail


class RaisingInPoll(Concurrent):
    poll = fail


class RaisingInClose(Concurrent):
    close = fail
    poll = fail


class AnsweringNonsense(Concurrent):
    def answer(self) -> Any:
        return Response("200", None, None, None)  # type: ignore[arg-type]  # which is the point


@pytest.mark.parametrize(
    "transport",
    [fail, leave, Raising, Leaving, GivingNothing, RaisingInSubmit, RaisingInPoll, RaisingInClose, AnsweringNonsense],
    ids=lambda transport: transport.__name__,
)
def test_a_transport_that_breaks(
    make_engine: MakeEngine,
    finish: Finish,
    make_plan: MakePlan,
    plugins: Plugins,
    *,
    transport: Any,
    receiver: Receiver,
) -> None:
    engine = make_engine(plugins=added(plugins, transport=lambda *_: transport()))
    broken, working = make_plan(name="Broken", transport="mine"), make_plan(name="Working")
    for _ in range(2):
        finished = finish(engine, broken, working, broken)
        for one in (finished[0], finished[2]):
            assert one.attempt.failure is not None
            assert one.attempt.failure.kind is FailureKind.PLUGIN
            assert "transport mine of plugin test_plugin" in one.attempt.failure.message
            assert " raised " in one.attempt.failure.message
            assert CANARY not in repr(one.attempt)
            assert not one.attempt.succeeded
        assert finished[1].attempt.succeeded
    assert receiver.count == 2


def test_a_transport_that_hangs_is_given_up(attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins) -> None:
    class Hanging(Concurrent):
        def poll(self, wait: float) -> Sequence[Completion]:
            threading.Event().wait(wait)
            return ()

    made = attempt(
        make_plan(transport="mine", timeout_seconds=0.1), plugins=added(plugins, transport=lambda *_: Hanging())
    )
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TIMEOUT
    assert made.request is not None


def test_an_adapter_that_hangs_is_given_up(attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins) -> None:
    released = threading.Event()

    class Hanging(Adapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            released.wait(20)
            return super().send(request)

    try:
        made = attempt(
            make_plan(transport="mine", timeout_seconds=0.1), plugins=added(plugins, transport=lambda *_: Hanging())
        )
    finally:
        released.set()
    assert made.failure is not None
    assert made.failure.kind is FailureKind.TIMEOUT


def test_an_adapter_is_used_by_one_thread_at_a_time(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins
) -> None:
    overlaps: list[str] = []

    class Guarded(Adapter):
        def __init__(self) -> None:
            super().__init__()
            self.lock = threading.Lock()

        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            if not self.lock.acquire(blocking=False):
                overlaps.append("two at once")
                return super().send(request)
            try:
                threading.Event().wait(0.002)
                return super().send(request)
            finally:
                self.lock.release()

    finished = finish(
        make_engine(plugins=added(plugins, transport=lambda *_: Guarded())), *[make_plan(transport="mine")] * 100
    )
    assert all(one.attempt.succeeded for one in finished)
    assert overlaps == []
    bodies = {one.attempt.response.body for one in finished if one.attempt.response}
    assert len(bodies) > 1, "they run on several threads"


def test_a_request_that_waits_for_a_thread_has_its_whole_time_left(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three to one host, one at a time: the last waits for longer than its deadline, and is still sent."""
    monkeypatch.setattr("hookctl.delivery.attempt.threaded_transport.EACH", 1)
    monkeypatch.setattr("hookctl.delivery.attempt.engine.GRACE", 0.0)
    timeouts: list[float] = []

    class Slow(Adapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
            timeouts.append(options["timeout"])
            threading.Event().wait(0.3)
            return super().send(request)

    plan = make_plan(transport="mine", timeout_seconds=0.5)
    finished = finish(make_engine(plugins=added(plugins, transport=lambda *_: Slow())), plan, plan, plan)
    assert timeouts == [0.5, 0.5, 0.5]
    assert all(one.attempt.succeeded for one in finished)


def test_a_transport_may_have_a_kind_of_failure_of_its_own(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins
) -> None:
    class QuotaError(TransportError):
        kind = "quota"

    class Limited(Adapter):
        def send(self, *_: Any, **__: Any) -> Any:
            raise QuotaError("the quota is used up")

    made = attempt(make_plan(transport="mine"), plugins=added(plugins, transport=lambda *_: Limited()))
    assert made.failure is not None
    assert (made.failure.kind, made.failure.message) == (FailureKind.TRANSPORT, "the quota is used up")


def auth_of(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *_: call


def no_body(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.body = object()  # type: ignore[assignment]  # which is the point
    return request


def line_break(request: requests.PreparedRequest) -> requests.PreparedRequest:
    request.headers["X-Key"] = f"{CANARY}\r\nX-Admin: true"
    return request


@pytest.mark.parametrize(
    "flags", [{}, {"per_attempt": True}, {"per_attempt": True, "blocking": True}], ids=["once", "each", "blocking"]
)
@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (fail, FailureKind.PLUGIN),
        (leave, FailureKind.PLUGIN),
        (auth_of(fail), FailureKind.PLUGIN),
        (auth_of(leave), FailureKind.PLUGIN),
        (auth_of(no_body), FailureKind.PLUGIN),
        (auth_of(lambda _: "no request"), FailureKind.PLUGIN),
        (auth_of(line_break), FailureKind.SECRET),
    ],
    ids=["build-raises", "build-exits", "call-raises", "call-exits", "body", "no-request", "line-break"],
)
def test_an_auth_that_breaks(
    make_engine: MakeEngine,
    finish: Finish,
    make_plan: MakePlan,
    plugins: Plugins,
    receiver: Receiver,
    *,
    build: Any,
    kind: FailureKind,
    flags: dict[str, bool],
) -> None:
    engine = make_engine(plugins=added(plugins, auth={"build": build, **flags}))
    finished = finish(engine, make_plan(name="Broken", auth=({"type": "mine"},)), make_plan(name="Working"))
    failure = finished[0].attempt.failure
    assert failure is not None
    assert failure.kind is kind
    assert CANARY not in repr(finished[0].attempt)
    assert finished[1].attempt.succeeded
    assert receiver.count == 1


@pytest.mark.parametrize(
    "validate", [fail, leave, lambda _: None, lambda _: ["wrong"]], ids=["raises", "exits", "nothing", "no-mismatch"]
)
def test_a_validator_that_breaks(attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, validate: Any) -> None:
    made = attempt(
        make_plan(validators=({"type": "mine"},)), plugins=added(plugins, validator={"build": lambda _: validate})
    )
    assert made.failure is not None
    assert made.failure.kind is FailureKind.PLUGIN
    assert "validator mine of plugin test_plugin raised" in made.failure.message
    assert made.response is not None
    assert not made.succeeded
    assert CANARY not in repr(made)


def test_what_auth_puts_into_one_attempt_is_looked_for_in_an_answer_that_was_there_before(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    tokens = iter(["first-token", CANARY])

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {next(tokens)}"
        return request

    receiver.answer("/ingest", Answer(body=CANARY.encode()))
    engine = make_engine(plugins=added(plugins, auth={"build": lambda *_: sign, "per_attempt": True}))
    plan = make_plan(auth=({"type": "mine"},))
    before, after = (finish(engine, plan)[0].attempt for _ in range(2))
    assert before.succeeded
    assert after.succeeded
    assert before.response is not None
    assert before.response.body == CANARY.encode()  # it is no secret yet
    assert CANARY not in repr(after)


def test_an_answer_like_the_last_that_passed_is_not_looked_at_again(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    seen: list[Json] = []

    def validate(envelope: Envelope) -> list[Mismatch]:
        seen.append(envelope.data)
        return [] if envelope.data in {"a", "c"} else [Mismatch("mine", "no")]

    bodies = ["a", "a", "b", "b", "a", "c", "c", "a"]
    receiver.answer("/ingest", *(Answer(body=body.encode()) for body in bodies))
    engine = make_engine(plugins=added(plugins, validator={"build": lambda _: validate}))
    plan = make_plan(validators=({"type": "mine"},))
    attempts = [finish(engine, plan)[0].attempt for _ in bodies]
    assert [made.succeeded for made in attempts] == [body != "b" for body in bodies]
    assert [made.response.body.decode() for made in attempts if made.response] == bodies
    assert [len(made.verdicts) for made in attempts] == [1] * len(bodies)
    assert seen == ["a", "b", "b", "c", "a"]


@pytest.mark.parametrize(
    ("resolve", "kind"),
    [(fail, FailureKind.PLUGIN), (leave, FailureKind.PLUGIN), (lambda _: 7, FailureKind.PLUGIN)],
    ids=["raises", "exits", "no-text"],
)
def test_a_secret_source_that_breaks(
    attempt: MakeAttempt, make_plan: MakePlan, plugins: Plugins, resolve: Any, kind: FailureKind
) -> None:
    made = attempt(make_plan(headers={"X-Key": "${mine:key}"}), plugins=added(plugins, secret=resolve))
    assert made.failure is not None
    assert made.failure.kind is kind
    assert "secret source mine of plugin test_plugin" in made.failure.message


def test_a_secret_source_that_waits_holds_up_nobody_else(
    make_engine: MakeEngine, make_plan: MakePlan, plugins: Plugins, mock_event: Any
) -> None:
    released = threading.Event()

    def wait(_: str) -> str:
        released.wait(20)
        return "found"

    engine = make_engine(plugins=added(plugins, secret=wait))
    engine.start(Job("waiting", make_plan(name="Waiting", headers={"X-Key": "${mine:key}"}), mock_event, 1))
    engine.start(Job("free", make_plan(name="Free"), mock_event, 1))
    order: list[str] = []
    while engine.in_flight:
        order += [one.job.delivery_id for one in engine.poll(0.5)]
        if order == ["free"]:
            released.set()
    assert order == ["free", "waiting"]


def test_a_missing_secret_is_looked_for_again(
    make_engine: MakeEngine, finish: Finish, make_plan: MakePlan, plugins: Plugins, receiver: Receiver
) -> None:
    found: list[str] = []

    def resolve(_: str) -> str:
        if not found:
            raise SecretError("it is not there yet")
        return found[0]

    engine = make_engine(plugins=added(plugins, secret=resolve))
    plan = make_plan(headers={"X-Key": "${mine:key}"})
    first = finish(engine, plan)[0].attempt
    assert first.failure is not None
    assert (first.failure.kind, first.failure.message) == (FailureKind.SECRET, "it is not there yet")
    found.append("here-it-is")
    assert finish(engine, plan)[0].attempt.succeeded
    assert receiver.requests[0].header("x-key") == "here-it-is"


@pytest.mark.parametrize(
    "part",
    [{"auth": ({"type": "gone"},)}, {"transport": "gone"}, {"validators": ({"type": "gone"},)}],
    ids=["auth", "transport", "validator"],
)
def test_a_plugin_that_is_gone(attempt: MakeAttempt, make_plan: MakePlan, part: dict[str, Any]) -> None:
    made = attempt(make_plan(**part))
    assert made.failure is not None
    assert made.failure.kind is FailureKind.PLUGIN
    assert "'gone'" in made.failure.message
