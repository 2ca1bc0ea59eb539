"""Third-party descriptions with everything that can be called in them contained, so that no caller needs to know whose code it calls.

What a plugin gives is looked at once, inside a contained call, and copied: a schema whose properties lie, or a result of a wrong type, is
the plugin's failure, with its name, and not a surprise further on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hookctl.model import Json, Mismatch, Request
from hookctl.network import UrlProblem
from hookctl.plugin.contain import BrokenContractError, Containment, Hook
from hookctl.plugin.interfaces import (
    AuthType,
    Completion,
    ConcurrentTransport,
    EventType,
    FilterType,
    Observer,
    Policy,
    PolicyFinding,
    Refreshable,
    SecretSource,
    TransportType,
    ValidatorType,
)

MAX_DEPTH = 64
MAX_VALUES = 100_000
"""Values in one JSON value that a plugin gives."""
MAX_GIVEN = 10_000
"""Findings, mismatches or problems of one call."""

Check = Callable[[Any], Any]
"""Gives what is used of a result. Raises BrokenContractError for one that cannot be used."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a plugin gave, such as its auth ``hmac``."""

    containment: Containment
    plugin: str
    what: str
    """``auth hmac``."""
    at_start: bool = False
    repeats_text: bool = False

    def hook(self, name: str) -> Hook:
        """The place where its function ``name`` is called."""
        who = f"{self.what} of plugin {self.plugin}"
        return Hook(self.plugin, who, name, self.at_start, self.repeats_text)

    def function(self, name: str, function: object, check: Check) -> Callable[..., Any]:
        """``function``, contained. Raises BrokenContractError for what cannot be called."""
        if not callable(function):
            raise BrokenContractError(f"a {self.what} whose {name} is not a function but {kind(function)}")
        hook, call = self.hook(name), self.containment.call

        def contained(*args: Any, **kwargs: Any) -> Any:
            return call(hook, lambda *args: check(function(*args, **kwargs)), *args)

        contained.__wrapped__ = function  # type: ignore[attr-defined]  # inspect.signature looks there, for the arguments of filters
        return contained


def contained(thing: Any, part: Part) -> Any:
    """A copy of a description in which every call is contained. Raises what the description's own attributes raise, and BrokenContractError."""
    for known, copy in _COPIES:
        if isinstance(thing, known):
            return copy(thing, part)
    return thing  # a command: it runs when the user asks for it, and the command line names it when it fails


def _auth(thing: AuthType, part: Part) -> AuthType:
    adds = thing.adds
    return AuthType(
        name=thing.name,
        summary=_text(thing.summary),
        schema=_object(thing.schema),
        build=part.function("build", thing.build, lambda built: _built_auth(built, part)),
        per_attempt=bool(thing.per_attempt),
        blocking=bool(thing.blocking),
        adds=None if adds is None else part.function("adds", adds, _headers),
    )


def _transport(thing: TransportType, part: Part) -> TransportType:
    rule = thing.check_url
    return TransportType(
        name=thing.name,
        summary=_text(thing.summary),
        schema=_object(thing.schema),
        build=part.function("build", thing.build, lambda built: _built_transport(built, part)),
        check_url=None if rule is None else part.function("check_url", rule, lambda given: _instances(given, UrlProblem)),
    )


def _validator(thing: ValidatorType, part: Part) -> ValidatorType:
    return ValidatorType(
        name=thing.name,
        summary=_text(thing.summary),
        schema=_object(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("validate", built, _mismatches)),
        label=part.function("label", thing.label, _text),
        expression=_text(thing.expression),
    )


def _secret_source(thing: SecretSource, part: Part) -> SecretSource:
    return SecretSource(scheme=thing.scheme, summary=_text(thing.summary), resolve=part.function("resolve", thing.resolve, _text))


def _event_type(thing: EventType, part: Part) -> EventType:  # noqa: ARG001  # it is data alone
    return EventType(name=thing.name, summary=_text(thing.summary), schema=_object(thing.schema), mock=_object(thing.mock))


def _filter(thing: FilterType, part: Part) -> FilterType:
    return FilterType(name=thing.name, summary=_text(thing.summary), call=part.function("call", thing.call, plain_json))


def _policy(thing: Policy, part: Part) -> Policy:
    return Policy(
        name=thing.name,
        summary=_text(thing.summary),
        schema=_object(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("check", built, _findings)),
    )


def _observer(thing: Observer, part: Part) -> Observer:
    told = {name: function for name in ("attempted", "ended") if (function := getattr(thing, name)) is not None}
    return Observer(name=thing.name, **{name: part.function(name, function, lambda _: None) for name, function in told.items()})


_COPIES: tuple[tuple[type, Callable[[Any, Part], Any]], ...] = (
    (AuthType, _auth),
    (TransportType, _transport),
    (ValidatorType, _validator),
    (SecretSource, _secret_source),
    (EventType, _event_type),
    (FilterType, _filter),
    (Policy, _policy),
    (Observer, _observer),
)


# -- what is built ---------------------------------------------------------------------------------------------------


class _Auth:
    """An ``AuthBase`` that is contained."""

    def __init__(self, auth: Any, part: Part) -> None:
        self._auth, self._part = auth, part

    def __call__(self, request: Any) -> Any:
        return self._part.containment.call(self._part.hook("__call__"), self._apply, request)

    def _apply(self, request: Any) -> Any:
        applied = self._auth(request)
        if applied is None:
            return request
        if not hasattr(applied, "headers"):
            raise BrokenContractError(f"{kind(applied)}, not a request")
        return applied


class _RefreshableAuth(_Auth):
    def refresh(self, request: Request) -> None:
        self._part.containment.call(self._part.hook("refresh"), self._auth.refresh, request)


def _built_auth(built: object, part: Part) -> _Auth:
    if not callable(built):
        raise BrokenContractError(f"{kind(built)}, not an AuthBase")
    return _RefreshableAuth(built, part) if isinstance(built, Refreshable) else _Auth(built, part)


class _Adapter:
    """A ``BaseAdapter`` whose ``close`` is contained. ``send`` runs on a pool's thread, and what it raises says what went wrong."""

    def __init__(self, adapter: Any, part: Part) -> None:
        self._adapter, self._part = adapter, part
        self.send = adapter.send

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str, *args: Any, seconds: float = 0.0) -> Any:
        return self._part.containment.call(self._part.hook(name), getattr(self._adapter, name), *args, seconds=seconds)


class _ConcurrentAdapter(_Adapter):
    """A ``ConcurrentTransport`` that is contained. Called on one thread, it runs on one thread: its plugin's."""

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        self._call("submit", ticket, request, timeout)

    def poll(self, wait: float) -> Sequence[Completion]:
        containment, hook, poll = self._part.containment, self._part.hook("poll"), self._adapter.poll
        ended = containment.call(hook, lambda wait: _instances(poll(wait), Completion), wait, seconds=wait)
        return cast("tuple[Completion, ...]", ended)

    def wake(self) -> None:
        self._call("wake")

    def cancel(self, ticket: int) -> None:
        self._call("cancel", ticket)


def _built_transport(built: Any, part: Part) -> _Adapter:
    if not callable(getattr(built, "send", None)) or not callable(getattr(built, "close", None)):
        raise BrokenContractError(f"{kind(built)}, not a BaseAdapter")
    return _ConcurrentAdapter(built, part) if isinstance(built, ConcurrentTransport) else _Adapter(built, part)


# -- results ---------------------------------------------------------------------------------------------------------


def kind(value: object) -> str:
    """What sort of value it is, for messages: ``a list``, ``an int``, ``None``."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def plain_json(value: object, depth: int = MAX_DEPTH) -> Json:
    """A JSON value as ``json.loads`` would give it: mappings and sequences copied. Raises BrokenContractError for anything else."""
    return _plain(value, depth, [MAX_VALUES])


def _plain(value: object, depth: int, left: list[int]) -> Json:
    left[0] -= 1
    if depth < 0 or left[0] < 0:
        raise BrokenContractError("JSON that is nested too deep" if depth < 0 else f"JSON of more than {MAX_VALUES:,} values")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if type(value) is int or type(value) is float:
        return value
    if isinstance(value, Mapping):
        return {_text(key): _plain(item, depth - 1, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1, left) for item in value]
    raise BrokenContractError(f"{kind(value)}, not JSON")


def _object(value: object) -> Mapping[str, Json]:
    plain = plain_json(value)
    if not isinstance(plain, dict):
        raise BrokenContractError(f"{kind(value)}, not an object")
    return plain


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BrokenContractError(f"{kind(value)}, not text")
    return str.__str__(value)


def _headers(given: Any) -> Mapping[str, str]:
    return {_text(name): _text(value) for name, value in dict(given).items()}


def _instances(given: Any, wanted: type) -> tuple[Any, ...]:
    found: list[Any] = []
    for one in given:
        if not isinstance(one, wanted):
            raise BrokenContractError(f"{kind(one)}, not a {wanted.__name__}")
        if len(found) == MAX_GIVEN:
            raise BrokenContractError(f"more than {MAX_GIVEN:,} of {wanted.__name__}")
        found.append(one)
    return tuple(found)


def _mismatches(given: Any) -> tuple[Mismatch, ...]:
    return tuple(
        Mismatch(_text(one.validator), _text(one.message), _text(one.path), plain_json(one.expected), plain_json(one.got))
        for one in _instances(given, Mismatch)
    )


def _findings(given: Any) -> tuple[PolicyFinding, ...]:
    return tuple(
        PolicyFinding(_text(one.webhook), _text(one.message), _text(one.hint), bool(one.is_error), tuple(one.pointer))
        for one in _instances(given, PolicyFinding)
    )
