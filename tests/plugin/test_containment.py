"""Every place where hookctl calls a plugin, and every way the call can end: it is named, and the rest goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from requests.adapters import BaseAdapter

from hookctl.config.check import ask_policies
from hookctl.config.diff import make_plan
from hookctl.config.directory import check_directory
from hookctl.delivery.attempt import engine as attempts
from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.errors import PluginError
from hookctl.model import (
    AppliedState,
    Attempt,
    DeliveryPlan,
    Failure,
    FailureKind,
    PluginBlock,
    Problem,
    Response,
    Timing,
)
from hookctl.plugin import (
    AuthType,
    Completion,
    EventType,
    FilterType,
    Finding,
    FindingsReport,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    TransportType,
    ValidatorType,
    given,
    hookimpl,
    hookspecs,
)
from hookctl.plugin.added import added_by
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import BrokenContractError
from hookctl.plugin.host import load_plugins
from hookctl.report.text.plugins import listed, render_text
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

CANARY = "canary-of-a-secret"
PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""
NEVER = threading.Event()
"""What a call that hangs waits for."""


class Own(BaseException):
    """An exception that no `except Exception` catches."""


class HostileError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise SystemExit(4)

    __repr__ = __str__


def raising(error: BaseException) -> Callable[..., Any]:
    def end(*_: Any, **__: Any) -> Any:
        raise error

    return end


def hang(*_: Any, **__: Any) -> Any:
    NEVER.wait(PATIENCE)
    raise RuntimeError("nobody ended it")


class PosingError(Exception):
    """Ends the process when it is looked at: isinstance asks an object for its class."""

    @property  # type: ignore[misc]  # that is the point
    def __class__(self) -> Any:
        sys.exit(9)


def exit_when_asked(*_: Any, **__: Any) -> Any:
    sys.exit(9)


class PropertiesError(Exception):
    """Ends the process when it is asked for any of these."""

    __cause__ = __context__ = __traceback__ = __suppress_context__ = args = reason = property(exit_when_asked)


class PosingText(str):
    """Text that runs code when it is written, compared or looked up."""

    __slots__ = ()
    __str__ = __format__ = __eq__ = exit_when_asked

    def __hash__(self) -> int:
        return hash("reason")


class PosingDict(dict[Any, Any]):
    get = __getitem__ = __iter__ = items = keys = exit_when_asked


class PosingContractError(BrokenContractError):
    """A kind of hookctl's own exception that runs code when it is shown."""

    __str__ = exit_when_asked


def with_own(own: dict[Any, Any]) -> Exception:
    error = RuntimeError(CANARY)
    error.__dict__ = own
    return error


ENDINGS: dict[str, Callable[..., Any]] = {
    "Exception": raising(RuntimeError(CANARY)),
    "SystemExit(0)": raising(SystemExit(0)),
    "SystemExit(3)": raising(SystemExit(3)),
    "KeyboardInterrupt": raising(KeyboardInterrupt(CANARY)),
    "CancelledError": raising(asyncio.CancelledError(CANARY)),
    "GeneratorExit": raising(GeneratorExit(CANARY)),
    "RecursionError": lambda *_, **__: forever(),
    "MemoryError": raising(MemoryError(CANARY)),
    "own BaseException": raising(Own(CANARY)),
    "hostile __str__": raising(HostileError()),
    "hostile __class__": raising(PosingError()),
    "hostile properties": raising(PropertiesError()),
    "hostile __dict__": raising(with_own(PosingDict())),
    "hostile key": raising(with_own({PosingText("reason"): 1})),
    "hostile name": raising(type(PosingText("Posing"), (Exception,), {})()),
    "hostile contract": raising(PosingContractError()),
    "hostile contract text": raising(BrokenContractError(HostileError())),
    "hang": hang,
    "wrong type": lambda *_, **__: object(),
}


def forever() -> Any:
    return forever()


@pytest.fixture(params=ENDINGS)
def ending(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(autouse=True)
def little_patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A call that hangs is given up soon, and ends with the test."""
    NEVER.clear()
    if "ending" not in request.fixturenames or request.getfixturevalue("ending") == "hang":
        monkeypatch.setattr("hookctl.plugin.contain.CALL_SECONDS", 0.1)
        monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.1)
    monkeypatch.setattr(attempts, "GRACE", 0.05)
    monkeypatch.setattr(attempts, "WATCH", 0.02)
    yield
    NEVER.set()


def plugin(**given: Any) -> SimpleNamespace:
    """The plugin ``acme``: functions are its hooks, lists what its hooks give."""

    def hook(thing: Any) -> Callable[[], Any]:
        return thing if callable(thing) else lambda: thing

    return SimpleNamespace(
        __name__="acme", **{name: hookimpl(specname=name)(hook(thing)) for name, thing in given.items()}
    )


def safe(*_: Any) -> Any:
    return CANARY


# -- start-up ----------------------------------------------------------------------------------------------------------

HOOKS = sorted(name for name, function in vars(hookspecs).items() if hasattr(function, "hookctl_spec"))
LIGHT = SecretSource(scheme="light", summary="", resolve=safe)


def test_there_are_hooks() -> None:
    assert len(HOOKS) == 11


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_fails_is_left_out_and_named(hook: str, ending: str) -> None:
    other = "hookctl_secret_sources" if hook != "hookctl_secret_sources" else "hookctl_filter_types"
    light: Any = LIGHT if other == "hookctl_secret_sources" else FilterType(name="light", summary="", call=safe)
    plugins = load_plugins([plugin(**{hook: ENDINGS[ending], other: [light]})])
    (failure,) = plugins.failures
    assert failure.plugin == "acme"
    assert failure.message.startswith(f"plugin acme: {hook} ")
    assert "light" in plugins.secret_sources or "light" in plugins.filters
    assert "bearer" in plugins.auth


class Lying(Mapping[str, Any]):
    """A schema or a mock event whose items cannot be had."""

    def __init__(self, end: Callable[..., Any]) -> None:
        self.end = end

    def __getitem__(self, key: str) -> Any:
        return self.end(key)

    def __iter__(self) -> Iterator[str]:
        yield "type"

    def __len__(self) -> int:
        return 1


def lying(end: Callable[..., Any]) -> dict[str, list[Any]]:
    """Descriptions with a schema or a mock event that lies, by hook."""
    lie = Lying(end)
    return {
        "hookctl_auth_types": [AuthType(name="mine", summary="", schema=lie, build=safe)],
        "hookctl_transport_types": [TransportType(name="mine", summary="", schema=lie, build=safe)],
        "hookctl_validator_types": [ValidatorType(name="mine", summary="", schema=lie, build=safe, label=safe)],
        "hookctl_policies": [Policy(name="mine", summary="", schema=lie, build=safe)],
        "hookctl_event_types": [
            EventType(name="mine.schema", summary="", schema=lie, mock={}),
            EventType(name="mine.mock", summary="", schema={}, mock=lie),
        ],
    }


@pytest.mark.parametrize("hook", lying(safe))
def test_a_description_that_lies_is_left_out_and_named(hook: str, ending: str) -> None:
    things = lying(ENDINGS[ending])[hook]
    for thing in things:
        plugins = load_plugins([plugin(**{hook: [thing]})])
        (failure,) = plugins.failures
        assert failure.message.startswith(f"plugin acme: {hook} ")
        assert not [name for _, name in plugins.origins if name.startswith("mine")]


ODD_SCHEMAS: list[dict[str, Any]] = [
    {"properties": 7},
    {"properties": {"a": None}},
    {"properties": {"a": {"properties": []}}},
    {"properties": {"a": {"enum": 7}}},
    {"properties": {"a": {"anyOf": [7]}}},
    {"required": {"a": 1}},
    {"items": 7},
    {"$defs": 7},
]


@pytest.mark.parametrize("schema", ODD_SCHEMAS, ids=repr)
def test_a_schema_in_a_wrong_form_is_left_out(schema: dict[str, Any]) -> None:
    plugins = load_plugins([plugin(hookctl_auth_types=[AuthType(name="mine", summary="", schema=schema, build=safe)])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_auth_types returned a schema ")
    assert render_text(listed(plugins), plugins.failures, width=80, color=False)


def test_a_schema_that_is_true_or_false_is_written_as_an_object() -> None:
    schema: dict[str, Any] = {"properties": {"any": True, "none": False}, "additionalProperties": False}
    plugins = load_plugins([plugin(hookctl_auth_types=[AuthType(name="mine", summary="", schema=schema, build=safe)])])
    expected = {"properties": {"any": {}, "none": {"not": {}}}, "additionalProperties": False}
    assert plugins.auth["mine"].schema == expected
    assert render_text(listed(plugins), width=80, color=False)


def test_a_schema_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    schema["properties"] = schema
    plugins = load_plugins([plugin(hookctl_policies=[Policy(name="mine", summary="", schema=schema, build=safe)])])
    assert [failure.message for failure in plugins.failures] == [
        "plugin acme: hookctl_policies returned JSON that is nested too deeply"
    ]


@pytest.mark.parametrize("what", ["takes", "gives"])
@pytest.mark.parametrize(
    ("types", "says"),
    [
        ("string", "as a str, not a set of types"),
        (None, "as None, not a set of types"),
        (lambda: {"string"}, "as a function, not a set of types"),
        ({"string", "text"}, "with 'text'; the types are null, boolean, integer, number, string, array, object"),
        ({7}, "an int, not text"),
    ],
)
def test_a_filter_with_types_that_do_not_exist_is_left_out(what: str, types: Any, says: str) -> None:
    declared: dict[str, Any] = {what: types}
    plugins = load_plugins([plugin(hookctl_filter_types=[FilterType(name="mine", summary="", call=safe, **declared)])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_filter_types returned ")
    assert says in failure.message
    assert "mine" not in plugins.filters


def test_a_filters_types_are_copied_and_its_result_is_held_to_them() -> None:
    types: Any = ["string", "null"]
    thing = FilterType(name="mine", summary="", call=lambda value: value, takes=types, gives=types)
    plugins = load_plugins([plugin(hookctl_filter_types=[thing])])
    types.append("object")
    mine = plugins.filters["mine"]
    assert mine.takes == mine.gives == frozenset({"string", "null"})
    assert (mine.call("a"), mine.call(None)) == ("a", None)
    with pytest.raises(PluginError, match="call returned a list, which is not of a type that it declares in gives"):
        mine.call([])


# -- while delivering --------------------------------------------------------------------------------------------------


class Adapter(BaseAdapter):
    """A transport that is only a ``BaseAdapter``."""

    def send(self, *_: Any, **__: Any) -> Any:
        import io

        from requests import Response as Answered

        response = Answered()
        response.status_code, response.raw = 202, io.BytesIO()
        return response

    def close(self) -> None:
        """Nothing is open."""


class Concurrent(Adapter):
    """A ``ConcurrentTransport`` that answers at once."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: list[int] = []

    def submit(self, ticket: int, *_: Any) -> None:
        self.tickets.append(ticket)

    def poll(self, _wait: float) -> Any:
        tickets, self.tickets = self.tickets, []
        return [Completion(ticket, Response(204, "", (), b""), Timing()) for ticket in tickets]

    def wake(self) -> None:
        """It never waits."""

    def cancel(self, ticket: int) -> None:
        self.tickets.remove(ticket)


def built(base: type[Adapter], name: str) -> Callable[[Any], Any]:
    """A transport's ``build`` whose adapter ends so in the method of that name."""
    return lambda end: lambda *_: type("Broken", (base,), {name: lambda self, *args, **kwargs: end(*args, **kwargs)})()  # noqa: ARG005


class Refreshing:
    """An auth with a token."""

    def __init__(self, end: Callable[..., Any]) -> None:
        self.refresh = end

    def __call__(self, request: Any) -> Any:
        return request


def hooked(end: Callable[..., Any]) -> Callable[..., Any]:
    def apply(request: Any) -> Any:
        request.register_hook("response", end)
        return request

    return apply


@dataclass(frozen=True)
class Place:
    """Where a plugin is called while hookctl delivers."""

    hook: str
    """Which hook of hookspecs adds the thing."""
    name: str
    """The function that fails, as a message names it."""
    thing: Callable[[Callable[..., Any]], Any]
    """The description in which that function ends so."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What of the delivery plan asks for it."""
    in_lane: bool = False
    """It may wait there; an attempt that waits longer than its time is given up, as for any slow target."""
    decides: bool = True
    """The attempt fails when it fails."""
    ignores_result: bool = False


AUTH: Mapping[str, Any] = {"auth": (PluginBlock("mine", {"key": "${mine:key}"}),)}
TRANSPORT: Mapping[str, Any] = {"transport": PluginBlock("mine", {})}
VALIDATOR: Mapping[str, Any] = {"response_validators": (PluginBlock("mine", {}),)}
HEADER: Mapping[str, Any] = {"headers": {"X-Key": "${broken:key}"}}
FILTER: Mapping[str, Any] = {"body_template": '{"a": "{{ data.severity | mine }}"}'}


def auth(build: Callable[..., Any], **flags: Any) -> AuthType:
    return AuthType(name="mine", summary="", schema={}, build=build, **flags)


def transport(build: Callable[..., Any], **flags: Any) -> TransportType:
    return TransportType(name="mine", summary="", schema={}, build=build, **flags)


def validator(build: Callable[..., Any], label: Callable[..., Any] = lambda _: "mine") -> ValidatorType:
    return ValidatorType(name="mine", summary="", schema={}, build=build, label=label)


def concurrent(name: str) -> Place:
    """A method of a ``ConcurrentTransport``."""
    decides = name in {"submit", "poll"}
    return Place(
        "hookctl_transport_types", name, lambda end: transport(built(Concurrent, name)(end)), TRANSPORT, decides=decides
    )


PLACES = {
    "auth build": Place("hookctl_auth_types", "build", auth, AUTH, in_lane=True),
    "auth once": Place("hookctl_auth_types", "__call__", lambda end: auth(lambda *_: end), AUTH, in_lane=True),
    "auth each": Place("hookctl_auth_types", "__call__", lambda end: auth(lambda *_: end, per_attempt=True), AUTH),
    "auth blocking": Place(
        "hookctl_auth_types",
        "__call__",
        lambda end: auth(lambda *_: end, per_attempt=True, blocking=True),
        AUTH,
        in_lane=True,
    ),
    "auth refresh": Place(
        "hookctl_auth_types",
        "refresh",
        lambda end: auth(lambda *_: Refreshing(end)),
        AUTH,
        in_lane=True,
        ignores_result=True,
    ),
    "auth response hook": Place(
        "hookctl_auth_types",
        "response hook",
        lambda end: auth(lambda *_: hooked(end), per_attempt=True),
        AUTH,
        in_lane=True,
    ),
    "transport build": Place("hookctl_transport_types", "build", transport, TRANSPORT),
    "transport check_url": Place(
        "hookctl_transport_types",
        "check_url",
        lambda end: transport(lambda *_: Adapter(), check_url=end),
        {**TRANSPORT, "url": "https://siem.example.com/{{ data.severity }}"},
    ),
    "adapter send": Place(
        "hookctl_transport_types", "send", lambda end: transport(built(Adapter, "send")(end)), TRANSPORT, in_lane=True
    ),
    "adapter close": Place(
        "hookctl_transport_types",
        "close",
        lambda end: transport(built(Adapter, "close")(end)),
        TRANSPORT,
        decides=False,
    ),
    **{f"concurrent {name}": concurrent(name) for name in ("submit", "poll", "wake", "cancel", "close")},
    "validator label": Place(
        "hookctl_validator_types", "label", lambda end: validator(lambda _: lambda _: [], end), VALIDATOR, in_lane=True
    ),
    "validator build": Place("hookctl_validator_types", "build", validator, VALIDATOR, in_lane=True),
    "validator validate": Place("hookctl_validator_types", "validate", lambda end: validator(lambda _: end), VALIDATOR),
    "secret resolve": Place(
        "hookctl_secret_sources",
        "resolve",
        lambda end: SecretSource(scheme="broken", summary="", resolve=end),
        HEADER,
        in_lane=True,
    ),
    "filter": Place("hookctl_filter_types", "call", lambda end: FilterType(name="mine", summary="", call=end), FILTER),
}
ELSEWHERE = {
    "hookctl_event_types",
    "hookctl_policies",
    "hookctl_observers",
    "hookctl_format_types",
    "hookctl_store_types",
    "hookctl_commands",
}
"""Hooks whose things are tested below: they are not part of an attempt, or are data alone."""


def test_every_hook_is_in_the_matrix() -> None:
    assert {place.hook for place in PLACES.values()} | ELSEWHERE == set(HOOKS)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def engine_with(receiver: Receiver) -> Iterator[Callable[[Plugins], AttemptEngine]]:
    engines: list[AttemptEngine] = []
    receiver.reset()

    def make(plugins: Plugins) -> AttemptEngine:
        engines.append(AttemptEngine(plugins, receiver.network(), "hookctl/test"))
        return engines[-1]

    yield make
    NEVER.set()
    for engine in engines:
        engine.close()


def made(engine: AttemptEngine, *plans: DeliveryPlan) -> dict[str, Attempt]:
    """The attempts of the plans, by webhook."""
    for plan in plans:
        engine.start(Job(plan.name, plan, {"data": {"severity": "High"}}, 1))
    ended: dict[str, Attempt] = {}
    limit = time.monotonic() + PATIENCE
    while len(ended) < len(plans):
        assert time.monotonic() < limit, "an attempt does not end"
        ended |= {one.job.delivery_id: one.attempt for one in engine.poll(0.1)}
    return ended


@pytest.mark.parametrize("where", PLACES)
def test_a_delivery_fails_by_itself(
    where: str,
    ending: str,
    engine_with: Callable[[Plugins], AttemptEngine],
    receiver: Receiver,
    delivery_plan: Callable[..., DeliveryPlan],
) -> None:
    place = PLACES[where]
    thing = place.thing(ENDINGS[ending])
    source = SecretSource(scheme="mine", summary="", resolve=safe)
    given = {
        place.hook: [thing],
        "hookctl_secret_sources": [source, *([thing] if place.hook == "hookctl_secret_sources" else [])],
    }
    plugins = load_plugins([plugin(**given)])
    assert plugins.failures == ()
    receiver.answer("/refresh", Answer(401), Answer())
    url = "https://siem.example.com/refresh" if where == "auth refresh" else "https://siem.example.com/ingest"
    timeout = 0.15 if ending in {"hang", "wrong type"} else PATIENCE
    broken = replace(delivery_plan("Broken", timeout_seconds=timeout, url=url), **place.fields)
    engine = engine_with(plugins)
    for _ in range(2):
        attempt = made(
            engine, broken, delivery_plan("Healthy", timeout_seconds=PATIENCE), replace(broken, name="Broken too")
        )
        assert attempt["Healthy"].succeeded
        if where != "auth refresh":  # the target answers 401 once
            assert failure_is_told(place, ending, attempt["Broken"].failure)
        assert CANARY not in repr(attempt)
    assert receiver.count >= 2


def failure_is_told(place: Place, ending: str, failure: Failure | None) -> bool:
    if not place.decides or (ending == "wrong type" and place.ignores_result):
        return failure is None
    assert failure is not None
    if (ending == "hang" and place.in_lane) or (ending == "wrong type" and place.name == "submit"):
        return True  # the attempt was given up, or the call was, whichever was sooner
    if ending == "MemoryError" and failure.kind is FailureKind.LOCAL:
        return place.name in {"send", "response hook"}  # what sends is told of as any transport is
    assert failure.kind is FailureKind.PLUGIN
    return " of plugin acme: " in failure.message and place.name in failure.message


CALLS: dict[str, tuple[Any, ...]] = {"submit": (1, None, 1.0), "poll": (0.0,), "wake": (), "cancel": (1,), "close": ()}
"""The methods of a ``ConcurrentTransport``, and something to call each with."""


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("base", [Adapter, Concurrent])
def test_a_method_of_a_transport(name: str, base: type[Adapter], ending: str) -> None:
    if not hasattr(base, name) or (ending == "wrong type" and name != "poll"):
        return  # what such a method gives is not looked at
    plugins = load_plugins([plugin(hookctl_transport_types=[transport(built(base, name)(ENDINGS[ending]))])])
    adapter: Any = plugins.transports["mine"].build({}, None)  # type: ignore[arg-type]  # it needs no network
    with pytest.raises(PluginError, match=rf"^transport mine of plugin acme: {name} "):
        getattr(adapter, name)(*CALLS[name])


def test_a_transport_that_cannot_cancel_holds_up_nothing(
    ending: str, engine_with: Callable[[Plugins], AttemptEngine], delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    class Silent(Concurrent):
        def poll(self, wait: float) -> Any:  # noqa: ARG002  # the contract
            return []

    engine = engine_with(
        load_plugins([plugin(hookctl_transport_types=[transport(built(Silent, "cancel")(ENDINGS[ending]))])])
    )
    broken = replace(delivery_plan("Broken", timeout_seconds=0.1), **TRANSPORT)
    for _ in range(2):
        attempt = made(engine, broken, delivery_plan("Healthy", timeout_seconds=PATIENCE))
        assert attempt["Healthy"].succeeded
        assert attempt["Broken"].failure is not None
        assert attempt["Broken"].failure.kind is FailureKind.TIMEOUT


def test_a_call_that_hangs_is_not_made_again_until_it_ends() -> None:
    calls: list[str] = []
    free = threading.Event()

    def slow(*_: Any) -> None:
        calls.append(threading.current_thread().name)
        free.wait(PATIENCE)

    plugins = load_plugins(
        [plugin(hookctl_observers=[Observer(name="slow", attempted=slow, ended=lambda _: calls.append("ended"))])]
    )
    observer: Any = plugins.observers["slow"]
    with pytest.raises(PluginError, match=r"attempted did not return within 0\.1 s$"):
        observer.attempted(None, None)
    with pytest.raises(PluginError, match=r"an earlier call of attempted has not returned$"):
        observer.attempted(None, None)
    observer.ended(None)  # another function of the same plugin
    assert len(calls) == 2
    free.set()
    limit = time.monotonic() + PATIENCE
    while len(calls) < 3 and time.monotonic() < limit:
        with contextlib.suppress(PluginError):
            observer.attempted(None, None)
    assert calls[::2] == ["hookctl-plugin-acme"] * 2


@pytest.mark.parametrize("name", ["build", "label"])
def test_what_hangs_holds_no_lane(name: str) -> None:
    """A call that need not wait is given up on any thread, so the thread that made it is free for another webhook."""
    thing = validator(hang) if name == "build" else validator(safe, hang)
    plugins = load_plugins([plugin(hookctl_validator_types=[thing])])
    said: list[str] = []

    def lane() -> None:
        with pytest.raises(PluginError) as raised:
            getattr(plugins.validators["mine"], name)({})
        said.append(raised.value.message)

    for _ in range(2):
        thread = threading.Thread(target=lane)
        thread.start()
        thread.join(PATIENCE / 2)
        assert not thread.is_alive()
    assert said == [
        f"validator mine of plugin acme: {name} did not return within 0.1 s",
        f"validator mine of plugin acme: an earlier call of {name} has not returned",
    ]


def test_a_plugin_is_called_on_one_thread_that_ends_with_it() -> None:
    names: list[threading.Thread] = []
    plugins = load_plugins(
        [plugin(hookctl_observers=[Observer(name="mine", ended=lambda _: names.append(threading.current_thread()))])]
    )
    for _ in range(3):
        assert plugins.observers["mine"].ended is not None
        plugins.observers["mine"].ended(None)  # type: ignore[arg-type]  # nobody looks at it
    assert len(set(names)) == 1
    assert names[0] is not threading.main_thread()
    del plugins
    gc.collect()
    names[0].join(PATIENCE)
    assert not names[0].is_alive()


def test_ctrl_c_ends_the_wait_for_a_plugin() -> None:
    def wait(_: Any) -> None:
        signal.raise_signal(signal.SIGINT)  # Python runs its handler on the main thread
        NEVER.wait(PATIENCE)

    plugins = load_plugins([plugin(hookctl_observers=[Observer(name="mine", ended=wait)])])
    assert plugins.observers["mine"].ended is not None
    with pytest.raises(KeyboardInterrupt):
        plugins.observers["mine"].ended(None)  # type: ignore[arg-type]  # nobody looks at it


@pytest.mark.parametrize("name", ["attempted", "ended"])
def test_an_observer_that_fails_is_skipped(name: str, ending: str) -> None:
    seen: list[str] = []
    broken = Observer(name="broken", **{name: ENDINGS[ending]})
    watching = Observer(name="watching", **{name: lambda *_: seen.append(name)})
    plugins = load_plugins([plugin(hookctl_observers=[broken, watching])])
    call = getattr(plugins.observers["broken"], name)
    if ending == "wrong type":
        call()
    else:
        with pytest.raises(PluginError, match=rf"^observer broken of plugin acme: {name} ") as raised:
            call()
        assert CANARY not in str(raised.value)
    getattr(plugins.observers["watching"], name)()
    assert seen == [name]


# -- while checking and planning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["build", "check"])
def test_a_policy_that_fails_is_an_error_of_the_plan(
    name: str, ending: str, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    end = ENDINGS[ending]
    policy = Policy(name="mine", summary="", schema={}, build=end if name == "build" else lambda _: end)
    strict = Policy(
        name="strict", summary="", schema={}, build=lambda _: lambda _: [Finding(message="no", hint="never")]
    )
    plugins = load_plugins([plugin(hookctl_policies=[policy, strict])])
    plan = make_plan(AppliedState(), {"Siem": delivery_plan()}, {})
    first, second = ask_policies(plan, {"mine": {"severity": "warning"}, "strict": {}}, plugins)
    assert (first.source, second.source) == ("mine", "strict")
    assert first.is_error
    assert first.message.startswith(f"policy mine of plugin acme: {name} ")


REPORT = FindingsReport(command="validate", root=Path("/"), directory=Path("webhooks.d"), findings=(), nothing="")


@pytest.mark.parametrize("kind", ["findings", "review", "results"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_format_that_fails_is_named(kind: str, ending: str, *, in_pieces: bool) -> None:
    end = ENDINGS[ending]

    def pieces(*_: Any) -> Iterator[Any]:
        yield "first"
        yield end()

    functions: dict[str, Any] = {kind: pieces if in_pieces else end}
    made = ReportFormat(name="mine", summary="", **functions)
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    assert plugins.failures == ()
    with pytest.raises(PluginError, match=rf"^format mine of plugin acme: {kind} "):
        getattr(plugins.formats["mine"], kind)(REPORT)


def test_a_format_gives_text_or_pieces_of_it() -> None:
    made = ReportFormat(name="mine", summary="", findings=lambda _: "text", review=lambda _: iter(["te", "xt"]))
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    mine = plugins.formats["mine"]
    assert mine.findings
    assert mine.review
    assert (mine.findings(REPORT), mine.review(REPORT), mine.results) == ("text", "text", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields", [{}, {"findings": "text"}, {"findings": safe, "summary": 1}], ids=["empty", "text", "summary"]
)
def test_a_format_that_cannot_be_used_is_left_out(fields: dict[str, Any]) -> None:
    made = ReportFormat(**{"name": "mine", "summary": "", **fields})
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    (failure,) = plugins.failures
    assert failure.message.startswith("plugin acme: hookctl_format_types ")
    assert plugins.formats == {}


def test_a_report_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_REPORT", 1000)
    made = ReportFormat(name="mine", summary="", findings=lambda _: repeat("again\n"))
    plugins = load_plugins([plugin(hookctl_format_types=[made])])
    with pytest.raises(PluginError, match="a report of more than 1,000 characters"):
        plugins.formats["mine"].findings(REPORT)  # type: ignore[misc]


def test_what_auth_adds_is_asked_of_a_plugin(ending: str) -> None:
    thing = AuthType(name="mine", summary="", schema={}, build=safe, adds=ENDINGS[ending])
    plugins = load_plugins([plugin(hookctl_auth_types=[thing])])
    with pytest.raises(PluginError, match=r"^auth mine of plugin acme: adds "):
        added_by([PluginBlock("mine", {})], plugins.auth)


def test_what_auth_warns_of_is_asked_of_a_plugin(ending: str) -> None:
    thing = AuthType(name="mine", summary="", schema={}, build=safe, warnings=ENDINGS[ending])
    warnings = load_plugins([plugin(hookctl_auth_types=[thing])]).auth["mine"].warnings
    assert warnings
    with pytest.raises(PluginError, match=r"^auth mine of plugin acme: warnings "):
        warnings({})


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("problems", [Problem("r", "m", "h", 0, 0)]),
        ("problems", {"a": "b"}),
        ("problems", {1: Problem("r", "m", "h", 0, 0)}),
        ("expand", ["a"]),
        ("expand", {"a": object()}),
        ("warnings", "text"),
        ("warnings", [1]),
    ],
)
def test_an_auth_must_keep_to_the_types(name: str, given: Any) -> None:
    functions: Any = {name: lambda _: given}
    thing = AuthType(name="mine", summary="", schema={}, build=safe, **functions)
    plugins = load_plugins([plugin(hookctl_auth_types=[thing])])
    with pytest.raises(PluginError, match=rf"^auth mine of plugin acme: {name} returned "):
        getattr(plugins.auth["mine"], name)({})


WEBHOOK = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/\n"


@pytest.mark.parametrize(
    ("thing", "hook", "name", "text"),
    [
        (validator, "hookctl_validator_types", "build", "response_validators: {type: mine}\n"),
        (
            lambda end: transport(safe, check_url=end),
            "hookctl_transport_types",
            "check_url",
            "transport: {type: mine}\n",
        ),
        (
            lambda end: FilterType(name="mine", summary="", call=end),
            "hookctl_filter_types",
            "call",
            "headers: {X-A: '{{ data.severity | mine }}'}\n",
        ),
        (
            lambda end: AuthType(name="mine", summary="", schema={}, build=safe, problems=end),
            "hookctl_auth_types",
            "problems",
            "auth: {type: mine}\n",
        ),
        (
            lambda end: AuthType(name="mine", summary="", schema={}, build=safe, expand=end),
            "hookctl_auth_types",
            "expand",
            "auth: {type: mine}\n",
        ),
    ],
    ids=["validator", "transport", "filter", "problems", "expand"],
)
def test_a_check_that_fails_is_a_finding(
    thing: Any, hook: str, name: str, *, text: str, ending: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(WEBHOOK + text)
    (tmp_path / "b.yaml").write_text("name: B\nevent: nothing\nurl: https://b.example.com/\n")
    checked = check_directory(tmp_path, load_plugins([plugin(**{hook: [thing(ENDINGS[ending])]})]))
    failed = [finding.message for finding in checked.findings if finding.rule == "plugin-failed"]
    assert len(failed) == 1
    assert f" of plugin acme: {name} " in failed[0]
    assert "unknown-event-type" in {finding.rule for finding in checked.findings}
