"""The contract of containment, as one table: every function that a plugin can give, and every way to misbehave in it.

Whatever a function raises, returns or waits for, hookctl names the plugin and the function, keeps only plain values of
the result, and delivers what belongs to other webhooks. `test_every_function_of_every_hook_has_a_row` fails for a new
hook, or a new function of a description, until the table has a row for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import io
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import click
import pytest
import requests
from requests.adapters import BaseAdapter

from hookctl import errors
from hookctl.delivery.attempt import engine as attempts
from hookctl.delivery.attempt.engine import AttemptEngine, Job
from hookctl.errors import HookctlError, PluginError
from hookctl.model import (
    Attempt,
    ClientCertificate,
    DeliveryPlan,
    Failure,
    FailureKind,
    Mismatch,
    PluginBlock,
    Problem,
    Response,
    Timing,
)
from hookctl.plugin import (
    AuthType,
    Completion,
    ConcurrentTransport,
    EngineCheck,
    EventType,
    FilterType,
    Finding,
    FindingsReport,
    Observer,
    Policy,
    Refreshable,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
    given,
    hookimpl,
    hookspecs,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.contain import BrokenContractError
from hookctl.plugin.host import load_plugins
from hookctl.report.text.plugins import listed, render_json, render_text
from hookctl.store.texts import attempt_from_text, attempt_to_text
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

End = Callable[..., Any]
"""A function of a plugin that misbehaves when it is called, with any arguments."""
CANARY = "canary-of-a-secret"
PATIENCE = 20.0
"""Seconds after which a test that waits has failed."""
FREE = threading.Event()
"""Ends every call that hangs."""
CONDITION = threading.Condition()
"""Notified when FREE is set."""
HELD = threading.Lock()
"""A lock that is never free during a test."""


# -- ways to misbehave -------------------------------------------------------------------------------------------------


def hang(*_: Any, **__: Any) -> Any:
    FREE.wait(PATIENCE)
    return None


def hang_in_a_condition(*_: Any, **__: Any) -> Any:
    with CONDITION:
        CONDITION.wait_for(FREE.is_set, PATIENCE)


def hang_in_a_lock(*_: Any, **__: Any) -> Any:
    with HELD:
        pass


def hang_in_pieces(*_: Any, **__: Any) -> Iterator[str]:
    yield "first"
    hang()


class HangsWhenRead:
    """Hangs if it is compared, hashed, listed, tested or shown, from any thread."""

    __eq__ = __iter__ = __bool__ = __str__ = __repr__ = __len__ = hang

    def __hash__(self) -> int:
        hang()
        return 1


HANGS: dict[str, End] = {
    "hang": hang,
    "hang in a condition": hang_in_a_condition,
    "hang in a lock": hang_in_a_lock,
    "hang in a generator": hang_in_pieces,
    "hang in __iter__": lambda *_, **__: HangsWhenRead(),
}


def raising(error: BaseException | type[BaseException]) -> End:
    def end(*_: Any, **__: Any) -> Any:
        raise error

    return end


def forever(*_: Any, **__: Any) -> Any:
    return forever()


def exit_when_asked(*_: Any, **__: Any) -> Any:
    sys.exit(9)


class OwnError(BaseException):
    """An exception that no `except Exception` catches."""


class PosingError(Exception):
    """Ends the process when it is looked at: isinstance asks an object for its class."""

    @property  # type: ignore[misc]  # that is the point
    def __class__(self) -> Any:
        sys.exit(9)


class PropertiesError(Exception):
    """Ends the process when it is asked for any of these."""

    __cause__ = __context__ = __traceback__ = __suppress_context__ = args = reason = property(exit_when_asked)


class PosingText(str):
    """Text that runs code when it is written, compared or looked up."""

    __slots__ = ()
    __str__ = __format__ = __eq__ = encode = strip = lower = exit_when_asked

    def __hash__(self) -> int:
        return hash("reason")


class PosingDict(dict[Any, Any]):
    get = __getitem__ = __iter__ = items = keys = exit_when_asked


class PosingContractError(BrokenContractError):
    """A kind of hookctl's own exception that runs code when it is shown."""

    __str__ = exit_when_asked


class ShownError(Exception):
    """Exits when it is shown."""

    __str__ = __repr__ = exit_when_asked


class HangingTextError(RuntimeError):
    """Hangs when it is shown."""

    __str__ = __repr__ = hang


def with_own(error: BaseException, own: dict[Any, Any]) -> BaseException:
    error.__dict__ = own
    return error


def noted(error: BaseException, note: Any) -> BaseException:
    error.__dict__["__notes__"] = note
    return error


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


RAISES: dict[str, End] = {
    "Exception": raising(RuntimeError(CANARY)),
    "SystemExit(text)": raising(SystemExit(CANARY)),
    "KeyboardInterrupt": raising(KeyboardInterrupt(CANARY)),
    "CancelledError": raising(asyncio.CancelledError(CANARY)),
    "StopIteration": raising(StopIteration(CANARY)),
    "RecursionError": forever,
    "MemoryError": raising(MemoryError(CANARY)),
    "own BaseException": raising(OwnError(CANARY)),
    "BaseExceptionGroup": raising(BaseExceptionGroup(CANARY, [SystemExit(1), PosingError()])),
    "hostile __str__": raising(ShownError()),
    "hanging __str__": raising(HangingTextError()),
    "hostile __class__": raising(PosingError()),
    "hostile properties": raising(PropertiesError()),
    "hostile __dict__": raising(with_own(RuntimeError(CANARY), PosingDict())),
    "hostile key": raising(with_own(RuntimeError(CANARY), {PosingText("reason"): 1})),
    "hostile name": raising(type(PosingText("Posing"), (Exception,), {})()),
    "hostile note": raising(noted(RuntimeError(CANARY), [PosingText("note"), HangsWhenRead()])),
    "hostile cause": raising(caused(RuntimeError(CANARY), HangingTextError())),
    "hostile errno": raising(OSError(HangsWhenRead(), HangsWhenRead())),
    "hostile contract": raising(PosingContractError()),
    "hostile contract text": raising(BrokenContractError(ShownError())),
    "not an exception": raising(7),  # type: ignore[arg-type]  # that is the point
    "OutputError": raising(errors.OutputError(CANARY, reader_left=True)),
    "StoreGoneError": raising(errors.StoreGoneError(CANARY)),
    "PluginError": raising(PluginError("plugin other: it failed", plugin="other")),
}
ON_PURPOSE: dict[str, End] = {
    "huge message": raising(errors.SecretError("m" * 100_000, hint="h" * 100_000)),
    "message that is no text": raising(errors.TransportError(HangsWhenRead())),  # type: ignore[arg-type]
    "hostile kind": raising(
        with_own(errors.TlsError("refused"), {"message": "no", "hint": "", "kind": HangsWhenRead()})
    ),
    "hostile offsets": raising(errors.TemplateError("bad", start=HangsWhenRead(), end=-7)),  # type: ignore[arg-type]
    "RenderError": raising(errors.RenderError("not this value")),
    "LocalError": raising(errors.LocalError("no local port")),
}
"""Errors that a plugin may raise on purpose, in a form in which they cannot be used as they are."""


def cyclic() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def nested() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(500):
        found = {"a": found}
    return found


def half_way() -> Iterator[Any]:
    yield "first"
    raise RuntimeError(CANARY)


async def awaited() -> None:
    """An `async` function: hookctl awaits none."""


class EndlessList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        return repeat("again")


class Endless(Mapping[str, Any]):
    """A mapping whose items never end."""

    def __getitem__(self, key: str) -> Any:
        return key

    def __iter__(self) -> Iterator[str]:
        return (f"X-{number}" for number in iter(int, 1))

    def __len__(self) -> int:
        return 1


class Hostile:
    """Exits if it is compared, hashed, listed, tested, called or shown."""

    __eq__ = __iter__ = __bool__ = __str__ = __repr__ = __len__ = __getattr__ = exit_when_asked
    __hash__ = exit_when_asked


RESPONSE = requests.Response()
RESPONSE.status_code, RESPONSE.raw = 202, io.BytesIO()


def odd_response(**odd: Any) -> Any:
    def answer(*_: Any, **__: Any) -> Any:
        response = requests.Response()
        response.status_code, response.raw = 202, io.BytesIO(b"{}")
        vars(response).update(odd)
        return response

    return answer


def odd_completion(**odd: Any) -> Any:
    """A completion of the first request, one field of which is odd."""
    timing = odd.pop("timing", Timing())
    ticket = odd.pop("ticket", 1)
    result = odd.pop("result", None) or Response(**{"status": 200, "reason": "", "headers": (), "body": b"", **odd})
    return lambda *_, **__: [Completion(ticket, result, timing)]


def odd_certificate(certificate: object) -> End:
    """The request with a client certificate that cannot be used."""

    def apply(request: Any, *_: Any) -> Any:
        request.cert = certificate
        return request

    return apply


NONSENSE: dict[str, End] = {
    "None": lambda *_, **__: None,
    "object": lambda *_, **__: object(),
    "number": lambda *_, **__: 7,
    "NaN": lambda *_, **__: float("nan"),
    "huge number": lambda *_, **__: 10**5000,
    "huge text": lambda *_, **__: "x" * 200_000,
    "not Unicode": lambda *_, **__: "\ud800",
    "bytes": lambda *_, **__: b"\xff",
    "kind of text": lambda *_, **__: PosingText("text"),
    "cyclic": lambda *_, **__: cyclic(),
    "nested": lambda *_, **__: nested(),
    "coroutine": lambda *_, **__: awaited(),
    "generator that raises": lambda *_, **__: half_way(),
    "endless generator": lambda *_, **__: repeat("again"),
    "endless list": lambda *_, **__: EndlessList(),
    "endless mapping": lambda *_, **__: Endless(),
    "hostile object": lambda *_, **__: Hostile(),
    "hostile mapping": lambda *_, **__: PosingDict(a=1),
    "mapping with a hostile key": lambda *_, **__: {PosingText("reason"): "text"},
    "list of hostile objects": lambda *_, **__: [Hostile()],
    "class": lambda *_, **__: Finding,
}
CERTIFICATES: dict[str, End] = {
    "certificate in files": odd_certificate(("client.pem", "client.key")),
    "hostile certificate": odd_certificate(Hostile()),
    "kind of certificate": odd_certificate(type("Posing", (ClientCertificate,), {"reveal": exit_when_asked})(b"", b"")),
    "certificate that is not PEM": odd_certificate(ClientCertificate(b"certificate", b"key")),
}
RESPONSES: dict[str, End] = {
    "status that is text": odd_response(status_code="202"),
    "huge status": odd_response(status_code=10**30),
    "hostile reason": odd_response(reason=Hostile()),
    "headers that are not": odd_response(headers=7),
    "body that is not": odd_response(raw=SimpleNamespace(read=lambda *_, **__: 7, close=hang)),
    "body that hangs": odd_response(raw=SimpleNamespace(read=hang)),
}
COMPLETIONS: dict[str, End] = {
    "hostile ticket": odd_completion(ticket=Hostile()),
    "hostile result": odd_completion(result=Failure(Hostile(), Hostile())),  # type: ignore[arg-type]
    "hostile status": odd_completion(status=Hostile()),
    "hostile headers": odd_completion(headers=((Hostile(), 7),)),
    "hostile timing": odd_completion(timing=Timing(total=float("nan"))),
}
PROBLEMS: dict[str, End] = {
    "problem without a name": lambda *_, **__: {1: Problem("r", "bad", "", 0, 0)},
    "problem whose rule is not text": lambda *_, **__: {"a": Problem(Hostile(), "bad", "", 0, 0)},  # type: ignore[arg-type]
    "text for a problem": lambda *_, **__: {"a": "bad"},
    "list of problems": lambda *_, **__: [Problem("r", "bad", "", 0, 0)],
}
OBSERVERS: dict[str, End] = {
    "observer that builds": lambda *_, **__: Observer(name="m", schema={}, build=hang),
    "observer of numbers": lambda *_, **__: Observer(name="m", attempted=7),  # type: ignore[arg-type]
    "hostile observer": lambda *_, **__: with_odd(Observer(name="m"), "attempted", exit_when_asked),
}
ENDINGS: dict[str, End] = {**RAISES, **ON_PURPOSE, **NONSENSE, **HANGS}
BRIEF = {"Exception", "SystemExit(text)", "KeyboardInterrupt", "hostile properties", "RenderError", "coroutine", "hang"}
"""The endings of a function whose calls are wrapped as those of another function are, which has all of them."""
SLOW = HANGS.keys() | {
    *("hanging __str__", "hostile note", "hostile cause", "hostile errno", "body that is not", "body that hangs"),
}
"""The endings that may hang."""
FAILS = RAISES.keys() | HANGS.keys() - {"hang in a generator", "hang in __iter__"}
"""The endings that are failures of every function."""
TOLERATED = {"odd problem"}
"""Odd values that hookctl can use."""
UNNAMED = {"certificate that is not PEM"}
"""What only TLS finds, so the failure is one of TLS."""


# -- the table ---------------------------------------------------------------------------------------------------------


class Adapter(BaseAdapter):
    """A transport that is only a ``BaseAdapter``."""

    def send(self, *_: Any, **__: Any) -> Any:
        response = requests.Response()
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


class Refreshing:
    """An auth with a token."""

    def __init__(self, end: End) -> None:
        self.refresh = end

    def __call__(self, request: Any) -> Any:
        return request


def adapter(base: type[Adapter], name: str) -> Callable[[str, End], TransportType]:
    """A transport's description, whose adapter ends so in the method of that name."""
    return lambda named, end: transport(
        named,
        lambda *_: type("Broken", (base,), {name: lambda self, *args, **kwargs: end(*args, **kwargs)})(),  # noqa: ARG005
    )


def auth(name: str, build: End, **given: Any) -> AuthType:
    return AuthType(name=name, summary="", schema={}, build=build, **given)


def transport(name: str, build: End, **given: Any) -> TransportType:
    return TransportType(name=name, summary="", schema={}, build=build, **given)


def validator(name: str, build: End, label: End = lambda _: "label") -> ValidatorType:
    return ValidatorType(name=name, summary="", schema={}, build=build, label=label)


def store(name: str, **given: Any) -> StoreType:
    return StoreType(**{"scheme": name, "summary": "", "open": hang, "check_engine": hang, **given})


def policy(name: str, build: End) -> Policy:
    return Policy(name=name, summary="", schema={}, build=build)


def hooked(end: End) -> End:
    def apply(request: Any) -> Any:
        request.register_hook("response", end)
        return request

    return apply


AUTH: Callable[[str], Mapping[str, Any]] = lambda name: {"auth": (PluginBlock(name, {"a": [1]}),)}  # noqa: E731
TRANSPORT: Callable[[str], Mapping[str, Any]] = lambda name: {"transport": PluginBlock(name, {})}  # noqa: E731
REPORT = FindingsReport(command="validate", root=Path("/"), directory=Path("webhooks.d"), findings=(), nothing="")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One function that a plugin can give."""

    hook: str
    function: str
    """Its name, as messages have it."""
    thing: Callable[[str, End], Any]
    """The description of that name, in which the function misbehaves."""
    uses: Callable[[str], Mapping[str, Any]] | None = None
    """The fields of a delivery plan that uses it. None: it is not part of an attempt."""
    call: Callable[[Plugins, str], Any] = lambda *_: None
    """Calls it as hookctl does, for what is not part of an attempt."""
    returns: bool = True
    """Whether hookctl looks at what it returns."""
    special: Mapping[str, End] = field(default_factory=dict)
    """What only this function can return."""
    is_brief: bool = False
    """Whether :data:`BRIEF` suffices, and the odd values if it returns something."""
    without: Collection[str] = ()
    """The endings that hookctl cannot contain."""
    decides: bool = True
    """Whether the attempt fails if it does."""
    url: str = "https://siem.example.com/ingest"
    variant: str = ""

    @property
    def endings(self) -> dict[str, End]:
        """The ways in which the function misbehaves."""
        chosen = {**ENDINGS, **self.special}
        if self.is_brief:
            odd = NONSENSE.keys() | self.special.keys() | HANGS.keys() if self.returns else set()
            chosen = {name: end for name, end in chosen.items() if name in BRIEF | odd}
        return {name: end for name, end in chosen.items() if name not in self.without}


def concurrent(function: str, **given: Any) -> Row:
    return Row(
        hook="hookctl_transport_types",
        function=function,
        thing=adapter(Concurrent, function),
        uses=TRANSPORT,
        variant="concurrent",
        **given,
    )


def described(function: str, **given: Any) -> Row:
    """A function of an auth that gets settings outside an attempt."""
    return Row(
        hook="hookctl_auth_types",
        function=function,
        thing=lambda name, end: auth(name, hang, **{function: end}),
        call=lambda plugins, name: getattr(plugins.auth[name], function)({}),
        is_brief=True,
        **given,
    )


def observer(function: str, *args: None, **given: Any) -> Row:
    return Row(
        hook="hookctl_observers",
        function=function,
        thing=lambda name, end: Observer(name=name, **{function: end}),  # type: ignore[arg-type]
        call=lambda plugins, name: getattr(plugins.observers[name], function)(*args),
        returns=False,
        **given,
    )


def format_(function: str, **given: Any) -> Row:
    return Row(
        hook="hookctl_format_types",
        function=function,
        thing=lambda name, end: ReportFormat(name=name, summary="", **{function: end}),  # type: ignore[arg-type]
        call=lambda plugins, name: getattr(plugins.formats[name], function)(REPORT),
        **given,
    )


def described_store(function: str, *args: Any, **given: Any) -> Row:
    """A function of a store's description."""
    return Row(
        hook="hookctl_store_types",
        function=function,
        thing=lambda name, end: store(name, **{function: end}),
        call=lambda plugins, name: getattr(plugins.stores[name], function)(*args),
        is_brief=True,
        **given,
    )


def opened_store(function: str, use: Callable[[Any], Any], **given: Any) -> Row:
    """A method of a store, which runs on the caller's thread without a time limit."""
    return Row(
        hook="hookctl_store_types",
        function=function,
        thing=lambda name, end: store(name, open=lambda *_, **__: SimpleNamespace(**{function: end})),
        call=lambda plugins, name: use(plugins.stores[name].open(f"{name}:", create=True)),
        without=SLOW | {"KeyboardInterrupt"},  # which is taken for Ctrl-C on the main thread
        **given,
    )


def failed_future(error: BaseException) -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(error)
    return future


def block(**methods: End) -> Any:
    """A context manager, one method of which misbehaves."""
    return type("Block", (), {"__enter__": lambda *_: None, "__exit__": lambda *_: None, **methods})()


def enter(given: Any) -> None:
    with given:
        pass


def validators(name: str) -> Mapping[str, Any]:
    return {"response_validators": (PluginBlock(name, {}),)}


ROWS = [
    Row(hook="hookctl_auth_types", function="build", thing=auth, uses=AUTH),
    Row(
        hook="hookctl_auth_types",
        function="__call__",
        thing=lambda name, end: auth(name, lambda *_: end),
        uses=AUTH,
        special=CERTIFICATES,
    ),
    Row(
        hook="hookctl_auth_types",
        function="__call__",
        thing=lambda name, end: auth(name, lambda *_: end, per_attempt=True, blocking=False),
        uses=AUTH,
        special=CERTIFICATES,
        variant="each attempt",
        is_brief=True,
    ),
    Row(
        hook="hookctl_auth_types",
        function="refresh",
        thing=lambda name, end: auth(name, lambda *_: Refreshing(end)),
        uses=AUTH,
        returns=False,
        decides=False,  # the target answers 401 once only
        url="https://siem.example.com/refresh",
        is_brief=True,
    ),
    Row(
        hook="hookctl_auth_types",
        function="response hook",
        thing=lambda name, end: auth(name, lambda *_: hooked(end), per_attempt=True),
        uses=AUTH,
        special=RESPONSES,
    ),
    described("adds"),
    described("adds_query"),
    described("problems", special=PROBLEMS),
    described("expand", special={"value that is not JSON": lambda *_, **__: {"a": object()}}),
    described("warnings", special={"warning that is not text": lambda *_, **__: [7]}),
    Row(hook="hookctl_transport_types", function="build", thing=transport, uses=TRANSPORT),
    Row(
        hook="hookctl_transport_types",
        function="check_url",
        thing=lambda name, end: transport(name, lambda *_: Adapter(), check_url=end),
        uses=TRANSPORT,
        url="https://siem.example.com/{{ data.severity }}",
        special={"odd problem": lambda *_, **__: [Problem("no-such-rule", "bad", "", -5, 10**40)]},
        is_brief=True,
    ),
    Row(
        hook="hookctl_transport_types",
        function="send",
        thing=adapter(Adapter, "send"),
        uses=TRANSPORT,
        special=RESPONSES,
    ),
    Row(
        hook="hookctl_transport_types",
        function="close",
        thing=adapter(Adapter, "close"),
        uses=TRANSPORT,
        returns=False,
        decides=False,
        is_brief=True,
    ),
    concurrent("submit", returns=False, is_brief=True),
    concurrent("poll", special=COMPLETIONS),
    concurrent("wake", returns=False, decides=False, is_brief=True),
    concurrent("cancel", returns=False, decides=False, is_brief=True),
    concurrent("close", returns=False, decides=False, is_brief=True),
    Row(
        hook="hookctl_validator_types",
        function="label",
        thing=lambda name, end: validator(name, lambda _: lambda _: [], end),
        uses=validators,
        is_brief=True,
    ),
    Row(hook="hookctl_validator_types", function="build", thing=validator, uses=validators, is_brief=True),
    Row(
        hook="hookctl_validator_types",
        function="validate",
        thing=lambda name, end: validator(name, lambda _: end),
        uses=validators,
        special={"hostile mismatch": lambda *_, **__: [Mismatch(Hostile(), PosingText("m"), got=Hostile())]},  # type: ignore[arg-type]
    ),
    Row(
        hook="hookctl_secret_sources",
        function="resolve",
        thing=lambda name, end: SecretSource(scheme=name, summary="", resolve=end),
        uses=lambda name: {"headers": {"X-Key": f"${{{name}:key}}"}},
    ),
    Row(
        hook="hookctl_filter_types",
        function="call",
        thing=lambda name, end: FilterType(name=name, summary="", call=end),
        uses=lambda name: {"body_template": f'{{"a": {{{{ data.severity | {name} }}}}}}'},
    ),
    Row(
        hook="hookctl_policies",
        function="build",
        thing=policy,
        call=lambda plugins, name: plugins.policies[name].build({}),
        is_brief=True,
    ),
    Row(
        hook="hookctl_policies",
        function="check",
        thing=lambda name, end: policy(name, lambda _: end),
        call=lambda plugins, name: plugins.policies[name].build({})(None),  # type: ignore[arg-type]
        special={
            "hostile finding": lambda *_, **__: [Finding(message=Hostile(), severity=Hostile(), pointer=Hostile())],  # type: ignore[arg-type]
        },
    ),
    observer("attempted", None, None),
    observer("ended", None, is_brief=True),
    observer("close", is_brief=True),
    Row(
        hook="hookctl_observers",
        function="build",
        thing=lambda name, end: Observer(name=name, schema={}, build=end),
        call=lambda plugins, name: plugins.observers[name].build({}),  # type: ignore[misc]
        special=OBSERVERS,
        is_brief=True,
    ),
    Row(
        hook="hookctl_observers",
        function="attempted",
        thing=lambda name, end: Observer(name=name, schema={}, build=lambda _: Observer(name="m", attempted=end)),
        call=lambda plugins, name: plugins.observers[name].build({}).attempted(None, None),  # type: ignore[misc, arg-type]
        returns=False,
        variant="built",
        is_brief=True,
    ),
    format_("findings"),
    format_("review", is_brief=True),
    format_("results", is_brief=True),
    described_store("open", "m:", returns=False),
    described_store("check_engine", special={"hostile check": lambda *_, **__: EngineCheck("a", Hostile())}),  # type: ignore[arg-type]
    described_store("files", "m:"),
    described_store("check_server", "m:"),
    described_store("initialize", "m:"),
    described_store("upgrade", "m:"),
    opened_store("serial", lambda opened: opened.serial(), returns=False),
    opened_store(
        "submit",
        lambda opened: opened.submit(None).result(PATIENCE),
        special={"future that fails": lambda *_, **__: failed_future(SystemExit(CANARY))},
        is_brief=True,
    ),
    opened_store(
        "hold_lock",
        lambda opened: enter(opened.hold_lock()),
        special={
            "block that fails": lambda *_, **__: block(__enter__=raising(SystemExit(CANARY))),
            "block that fails at its end": lambda *_, **__: block(__exit__=raising(RuntimeError(CANARY))),
        },
        is_brief=True,
    ),
]
BUILT: dict[str, set[str]] = {
    "hookctl_auth_types": {"__call__", "response hook", "refresh"},
    "hookctl_transport_types": {"send", "close", "submit", "poll", "wake", "cancel"},
    "hookctl_validator_types": {"validate"},
    "hookctl_policies": {"check"},
    "hookctl_store_types": {"serial", "submit", "hold_lock"},  # one method for each way in which they are wrapped
}
"""The functions of what a description's ``build`` returns."""
ELSEWHERE = {"hookctl_commands"}
"""Hooks whose functions run on the command line: see tests/cli/test_broken_plugins.py."""
HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "hookctl_spec")}


def description_of(hook: str) -> Any:
    """The class of the descriptions that a hook returns."""
    return get_type_hints(HOOKS[hook], localns={"click": click})["return"].__args__[0]


@pytest.mark.parametrize("hook", sorted(HOOKS.keys() - ELSEWHERE))
def test_every_function_of_every_hook_has_a_row(hook: str) -> None:
    kind = description_of(hook)
    assert dataclasses.is_dataclass(kind), "say in the table how the functions of this description are called"
    functions = {
        one.name for one in fields(kind) if "Callable" in str(one.type) or one.type == "OpenStore"
    } | BUILT.get(hook, set())
    assert {row.function for row in ROWS if row.hook == hook} == functions


def test_the_functions_of_what_is_built_are_those_of_the_interfaces() -> None:
    def of(protocol: type) -> set[str]:
        return {name for name in vars(protocol) if not name.startswith("_")}

    assert of(ConcurrentTransport) <= BUILT["hookctl_transport_types"]
    assert of(Refreshable) <= BUILT["hookctl_auth_types"]


# -- the tests ---------------------------------------------------------------------------------------------------------


def end_hanging() -> None:
    """End every call that hangs."""
    FREE.set()
    with CONDITION:
        CONDITION.notify_all()
    with suppress(RuntimeError):  # it was released already
        HELD.release()


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A call that hangs is given up soon, and ends with the test."""
    FREE.clear()
    monkeypatch.setattr("hookctl.plugin.contain.CALL_SECONDS", 0.2)
    monkeypatch.setattr(attempts, "GRACE", 0.1)
    monkeypatch.setattr(attempts, "WATCH", 0.02)
    HELD.acquire()
    yield
    end_hanging()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def plugin(name: str, **hooks: Any) -> SimpleNamespace:
    """A plugin: functions are its hooks, lists what its hooks return."""

    def hook(thing: Any) -> Callable[[], Any]:
        return thing if callable(thing) else lambda: thing

    return SimpleNamespace(
        __name__=name, **{hooked: hookimpl(specname=hooked)(hook(thing)) for hooked, thing in hooks.items()}
    )


def loaded(row: Row) -> Plugins:
    """A plugin with one thing for each ending."""
    things = [row.thing(f"m{number}", end) for number, end in enumerate(row.endings.values())]
    plugins = load_plugins([plugin("acme", **{row.hook: things})])
    assert plugins.failures == ()
    return plugins


def may_fail(row: Row) -> Collection[str]:
    """The endings whose message is that of an error which the function may raise on purpose."""
    return ON_PURPOSE.keys() | ({"StoreGoneError"} if row.hook == "hookctl_store_types" else set())


def must_fail(row: Row) -> Collection[str]:
    """The endings that are failures of the function."""
    return FAILS | row.special.keys() - TOLERATED


def is_plain(value: Any) -> bool:
    """Whether a value consists of hookctl's own types, so that using it runs no code of a plugin."""
    kind = type(value)
    if kind in {dict, list, tuple}:
        return all(map(is_plain, [*value, *(value.values() if kind is dict else ())]))
    return value is None or (kind.__module__.partition(".")[0] in {"builtins", "hookctl"} and kind is not object)


def identity(row: Row) -> str:
    return " ".join(filter(None, (row.hook, row.function, row.variant)))


@pytest.mark.parametrize("row", [row for row in ROWS if row.uses], ids=identity)
def test_a_delivery_fails_by_itself(row: Row, receiver: Receiver, delivery_plan: Callable[..., DeliveryPlan]) -> None:
    assert row.uses
    plugins = loaded(row)
    receiver.reset()
    receiver.answer("/refresh", Answer(401), Answer())
    engine = AttemptEngine(plugins, receiver.network(), "hookctl/test")
    short = SLOW | (
        NONSENSE.keys() | row.special.keys() if row.hook == "hookctl_transport_types" else set()
    )  # what may never answer
    plans = {
        ending: replace(
            delivery_plan(ending, timeout_seconds=0.8 if ending in short else PATIENCE, url=row.url),
            **row.uses(f"m{number}"),
        )
        for number, ending in enumerate(row.endings)
    }
    healthy = delivery_plan("Healthy", timeout_seconds=PATIENCE)
    try:
        for _ in range(2):
            attempts = made(engine, *plans.values(), healthy)
            assert attempts["Healthy"].succeeded
            for ending, attempt in attempts.items():
                assert attempt_from_text(attempt_to_text(attempt)) == attempt, ending  # so it can be stored
            problems = {ending: problem for ending in plans if (problem := wrong(row, ending, attempts[ending]))}
            assert not problems
    finally:
        end_hanging()
        engine.close()
    gc.collect()  # a coroutine that was never awaited would be a warning now


def wrong(row: Row, ending: str, attempt: Attempt) -> str:
    """What is wrong with an attempt that called the function; empty for nothing."""
    if CANARY in repr(attempt):
        return f"it repeats a text: {attempt!r}"
    failure = attempt.failure
    if failure is None:
        return "it did not fail" if row.decides and ending in must_fail(row) else ""
    assert len(failure.message) < 5000
    is_named = " of plugin acme" in failure.message
    if ending in RAISES.keys() - SLOW and row.decides and row.function not in failure.message:
        return f"it does not name the function: {failure.message}"
    is_target_slow = ending in SLOW and failure.kind is FailureKind.TIMEOUT  # on a busy machine
    return (
        ""
        if is_named or is_target_slow or ending in ON_PURPOSE.keys() | UNNAMED
        else f"it does not name the plugin: {failure}"
    )


def made(engine: AttemptEngine, *plans: DeliveryPlan) -> dict[str, Attempt]:
    """The attempts of the plans, by webhook."""
    for plan in plans:
        engine.start(Job(plan.name, plan, {"data": {"severity": "High"}}, 1))
    ended: dict[str, Attempt] = {}
    limit = time.monotonic() + PATIENCE
    while len(ended) < len(plans):
        assert time.monotonic() < limit, (
            f"attempts do not end: {[plan.name for plan in plans if plan.name not in ended]}"
        )
        ended |= {one.job.delivery_id: one.attempt for one in engine.poll(0.1)}
    return ended


def called(row: Row, plugins: Plugins, name: str) -> tuple[Any, str | None]:
    """What the call returned, or the message of its error."""
    try:
        return row.call(plugins, name), None
    except HookctlError as error:
        return None, error.message


@pytest.mark.parametrize("row", [row for row in ROWS if not row.uses], ids=identity)
def test_a_call_fails_by_itself(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_REPORT", 100_000)
    plugins = loaded(row)
    for number, ending in enumerate(row.endings):
        for limit in ("CALL_SECONDS", "START_SECONDS"):
            monkeypatch.setattr(f"hookctl.plugin.contain.{limit}", 0.05 if ending in SLOW else PATIENCE)
        result, message = called(row, plugins, f"m{number}")
        if message is None:
            assert ending not in must_fail(row), ending
            assert not row.returns or is_plain(result) or callable(result), (ending, result)
        else:
            assert f" of plugin acme: {row.function} " in message or ending in may_fail(row), (ending, message)
            assert len(message) < 5000
    gc.collect()


@pytest.mark.parametrize("hook", sorted(HOOKS))
@pytest.mark.parametrize("are_slow", [False, True], ids=["raise", "hang"])
def test_a_hook_fails_by_itself(hook: str, monkeypatch: pytest.MonkeyPatch, *, are_slow: bool) -> None:
    endings = {name: end for name, end in ENDINGS.items() if (name in SLOW) == are_slow}
    broken = {f"broken{number}": end for number, end in enumerate(endings.values())}
    light = SecretSource(scheme="light", summary="", resolve=lambda key: key)
    other = plugin("other", hookctl_secret_sources=[light])
    monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.05 if are_slow else PATIENCE)
    plugins = load_plugins([*(plugin(name, **{hook: end}) for name, end in broken.items()), other])
    failed = {failure.plugin: failure.message for failure in plugins.failures}
    for name, ending in zip(broken, endings, strict=True):
        message = failed.get(name, f"plugin {name}: {hook}")
        assert message.startswith(f"plugin {name}: ") and hook in message, (ending, message)  # noqa: PT018
        assert name in failed or ending in HANGS.keys() - FAILS
    assert "light" in plugins.secret_sources
    assert "bearer" in plugins.auth
    assert_listed(plugins)


def assert_listed(plugins: Plugins) -> None:
    """`hookctl plugins` lists them."""
    render_text(listed(plugins), plugins.failures, width=80, color=False)
    render_json(listed(plugins), plugins.failures)


# -- descriptions ------------------------------------------------------------------------------------------------------

VALID: dict[str, Any] = {
    "hookctl_auth_types": auth("mine", hang, adds=hang, adds_query=hang, problems=hang, expand=hang, warnings=hang),
    "hookctl_transport_types": transport("mine", hang, check_url=hang),
    "hookctl_validator_types": validator("mine", hang),
    "hookctl_secret_sources": SecretSource(scheme="mine", summary="", resolve=hang),
    "hookctl_event_types": EventType(name="mine", summary="", schema={}, mock={}),
    "hookctl_filter_types": FilterType(name="mine", summary="", call=hang),
    "hookctl_policies": policy("mine", hang),
    "hookctl_observers": Observer(name="mine", schema={}, build=hang, attempted=hang, ended=hang, close=hang),
    "hookctl_format_types": ReportFormat(name="mine", summary="", findings=hang),
    "hookctl_store_types": store("mine"),
}
"""One valid description for each hook whose descriptions are dataclasses."""


READ = (*NONSENSE, *("Exception", "SystemExit(text)", "hostile properties", "hang", "hang in __iter__"))
"""The endings of reading an attribute."""


def with_odd(valid: Any, name: str, end: End) -> Any:
    """A description, one attribute of which misbehaves when it is read."""

    def read(_: Any, attribute: str) -> Any:
        return end() if attribute == name else object.__getattribute__(valid, attribute)

    kind = type("Odd", (type(valid),), {"__getattribute__": read, "__slots__": ()})
    return object.__new__(kind)


@pytest.mark.parametrize("hook", sorted(HOOKS.keys() - ELSEWHERE))
@pytest.mark.parametrize("are_slow", [False, True], ids=["raise", "hang"])
def test_a_description_fails_by_itself(hook: str, monkeypatch: pytest.MonkeyPatch, *, are_slow: bool) -> None:
    endings = {name: ENDINGS[name] for name in READ if (name in SLOW) == are_slow}
    monkeypatch.setattr("hookctl.plugin.contain.START_SECONDS", 0.05 if are_slow else PATIENCE)
    valid = VALID[hook]
    for one in fields(valid):
        broken = {f"p{number}": with_odd(valid, one.name, end) for number, end in enumerate(endings.values())}
        plugins = load_plugins([plugin(name, **{hook: [thing]}) for name, thing in broken.items()])
        failed = {failure.plugin: failure.message for failure in plugins.failures}
        for name, ending in zip(broken, endings, strict=True):
            message = failed.get(name, "")
            assert message.startswith(f"plugin {name}: ") or not message, (one.name, ending)
            assert message or ending not in FAILS or one.name == "blocking", (one.name, ending)  # nothing reads it
        assert_listed(plugins)
