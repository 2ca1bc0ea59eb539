"""Wraps third-party descriptions so that every call is contained, whichever plugin it belongs to.

hookctl reads each value from a plugin once, inside a contained call, and copies it. A schema whose properties change,
or a result of the wrong type, is then reported with the plugin's name instead of failing later elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hookctl.errors import HookctlError, StoreError
from hookctl.model import Problem, Request
from hookctl.plugin import given
from hookctl.plugin.contain import BrokenContractError, Containment, Hook, is_interrupt, not_async
from hookctl.plugin.interfaces import (
    AuthType,
    Completion,
    ConcurrentTransport,
    EventType,
    FilterType,
    Observer,
    Policy,
    Refreshable,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
)

Check = Callable[[Any], Any]
"""Returns the usable part of a result. Raises BrokenContractError for a result that cannot be used."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plugin, such as its auth ``hmac``."""

    containment: Containment
    plugin: str
    what: str
    """``auth hmac``."""
    at_start: bool = False
    repeats_text: bool = False

    def hook(self, name: str, *, bounded: bool = True) -> Hook:
        """The call site of its function ``name``."""
        who = f"{self.what} of plugin {self.plugin}"
        return Hook(self.plugin, who, name, bounded, self.at_start, self.repeats_text)

    def function(self, name: str, function: object, check: Check) -> Callable[..., Any]:
        """``function``, contained. Raises BrokenContractError if it is not callable."""
        if not callable(function):
            raise BrokenContractError(f"a {self.what} whose {name} is not a function but {given.kind(function)}")
        hook, call = self.hook(name), self.containment.call

        def contained(*args: Any, **kwargs: Any) -> Any:
            return call(hook, lambda *args: check(not_async(function(*args, **kwargs))), *args)

        # inspect.signature reads it to find the arguments of a filter
        contained.__wrapped__ = function  # type: ignore[attr-defined]
        return contained


def contained(thing: Any, part: Part) -> Any:
    """A copy of a description in which every call is contained.

    Raises BrokenContractError, and any exception that the description's own attributes raise.
    """
    for known, copy in _COPIES:
        if isinstance(thing, known):
            return copy(thing, part)
    return thing  # a command runs only when the user asks for it, so the command line names it when it fails


def _auth(thing: AuthType, part: Part) -> AuthType:
    adds, problems, expand, warnings = thing.adds, thing.problems, thing.expand, thing.warnings
    return AuthType(
        name=thing.name,
        summary=given.text(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: _built_auth(built, part)),
        per_attempt=bool(thing.per_attempt),
        blocking=bool(thing.blocking),
        adds=None if adds is None else part.function("adds", adds, given.headers),
        problems=None if problems is None else part.function("problems", problems, given.problems),
        expand=None if expand is None else part.function("expand", expand, given.json_object),
        warnings=None if warnings is None else part.function("warnings", warnings, given.texts),
    )


def _transport(thing: TransportType, part: Part) -> TransportType:
    rule = thing.check_url
    return TransportType(
        name=thing.name,
        summary=given.text(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: _built_transport(built, part)),
        check_url=None
        if rule is None
        else part.function("check_url", rule, lambda problems: given.instances(problems, Problem)),
    )


def _validator(thing: ValidatorType, part: Part) -> ValidatorType:
    return ValidatorType(
        name=thing.name,
        summary=given.text(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("validate", built, given.mismatches)),
        label=part.function("label", thing.label, given.text),
        expression=given.text(thing.expression),
    )


def _secret_source(thing: SecretSource, part: Part) -> SecretSource:
    return SecretSource(
        scheme=thing.scheme,
        summary=given.text(thing.summary),
        resolve=part.function("resolve", thing.resolve, given.text),
    )


def _event_type(thing: EventType, part: Part) -> EventType:  # noqa: ARG001  # it is only data
    return EventType(
        name=thing.name,
        summary=given.text(thing.summary),
        schema=given.schema(thing.schema),
        mock=given.json_object(thing.mock),
    )


def _filter(thing: FilterType, part: Part) -> FilterType:
    gives = given.json_types(thing.gives, "gives")
    return FilterType(
        name=thing.name,
        summary=given.text(thing.summary),
        call=part.function("call", thing.call, lambda result: given.json_of_type(result, gives)),
        takes=given.json_types(thing.takes, "takes"),
        gives=gives,
    )


def _policy(thing: Policy, part: Part) -> Policy:
    return Policy(
        name=thing.name,
        summary=given.text(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("check", built, given.findings)),
    )


def _observer(thing: Observer, part: Part) -> Observer:
    functions = {name: function for name in ("attempted", "ended") if (function := getattr(thing, name)) is not None}
    return Observer(
        name=thing.name, **{name: part.function(name, function, lambda _: None) for name, function in functions.items()}
    )


def _format(thing: ReportFormat, part: Part) -> ReportFormat:
    kinds = {name: function for name in ("findings", "review", "results") if (function := getattr(thing, name))}
    if not kinds:
        raise BrokenContractError(f"a {part.what} without findings, review and results")
    return ReportFormat(
        name=thing.name,
        summary=given.text(thing.summary),
        has_ci_commands=bool(thing.has_ci_commands),
        **{name: part.function(name, function, given.report) for name, function in kinds.items()},
    )


def _engine_check(found: Any) -> Any:
    """An ``EngineCheck``, recognized by its texts, because this package does not import stores."""
    if not all(isinstance(getattr(found, name, None), str) for name in ("name", "message", "hint")):
        raise BrokenContractError(f"{given.kind(found)}, not an EngineCheck")
    return found


def _store_type(thing: StoreType, part: Part) -> StoreType:
    return StoreType(
        scheme=thing.scheme,
        summary=given.text(thing.summary),
        open=part.function("open", thing.open, lambda store: store if store is None else _Store(store, part)),
        check_engine=part.function("check_engine", thing.check_engine, _engine_check),
        files=part.function("files", thing.files, lambda files: given.instances(files, Path)),
    )


_COPIES: tuple[tuple[type, Callable[[Any, Part], Any]], ...] = (
    (AuthType, _auth),
    (TransportType, _transport),
    (ValidatorType, _validator),
    (SecretSource, _secret_source),
    (EventType, _event_type),
    (FilterType, _filter),
    (Policy, _policy),
    (Observer, _observer),
    (ReportFormat, _format),
    (StoreType, _store_type),
)


# -- what is built ---------------------------------------------------------------------------------------------------


class _Auth:
    """A contained ``AuthBase``."""

    def __init__(self, auth: Any, part: Part) -> None:
        self._auth, self._part = auth, part

    def __call__(self, request: Any) -> Any:
        return self._part.containment.call(self._part.hook("__call__", bounded=False), self._apply, request)

    def _apply(self, request: Any) -> Any:
        applied = not_async(self._auth(request))
        if applied is None:
            return request
        if not hasattr(applied, "headers"):
            raise BrokenContractError(f"{given.kind(applied)}, not a request")
        return applied


class _RefreshableAuth(_Auth):
    def refresh(self, request: Request) -> None:
        self._part.containment.call(self._part.hook("refresh", bounded=False), self._auth.refresh, request)


def _built_auth(built: object, part: Part) -> _Auth:
    if not callable(built):
        raise BrokenContractError(f"{given.kind(built)}, not an AuthBase")
    return _RefreshableAuth(built, part) if isinstance(built, Refreshable) else _Auth(built, part)


class _Adapter:
    """A ``BaseAdapter`` whose ``close`` is contained.

    ``send`` runs on a pool's thread; its exceptions describe the failure.
    """

    def __init__(self, adapter: Any, part: Part) -> None:
        self._adapter, self._part = adapter, part
        self.send = adapter.send

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str, *args: Any, seconds: float = 0.0) -> Any:
        return self._part.containment.call(
            self._part.hook(name, bounded=False), getattr(self._adapter, name), *args, seconds=seconds
        )


class _ConcurrentAdapter(_Adapter):
    """A contained ``ConcurrentTransport``. All calls run on one helper thread."""

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        self._call("submit", ticket, request, timeout)

    def poll(self, wait: float) -> Sequence[Completion]:
        containment, hook, poll = self._part.containment, self._part.hook("poll", bounded=False), self._adapter.poll
        ended = containment.call(
            hook, lambda wait: given.instances(not_async(poll(wait)), Completion), wait, seconds=wait
        )
        return cast("tuple[Completion, ...]", ended)

    def wake(self) -> None:
        self._call("wake")

    def cancel(self, ticket: int) -> None:
        self._call("cancel", ticket)


def _built_transport(built: Any, part: Part) -> _Adapter:
    if not callable(getattr(built, "send", None)) or not callable(getattr(built, "close", None)):
        raise BrokenContractError(f"{given.kind(built)}, not a BaseAdapter")
    return _ConcurrentAdapter(built, part) if isinstance(built, ConcurrentTransport) else _Adapter(built, part)


class _Store:
    """A store whose errors name the plugin. Its calls stay on the caller's thread, because a store may depend on it."""

    def __init__(self, store: Any, part: Part) -> None:
        self._store, self._part = store, part

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def contained(*args: Any, **kwargs: Any) -> Any:
            try:
                return found(*args, **kwargs)
            except HookctlError:
                raise
            except BaseException as error:
                if is_interrupt(error):
                    raise
                who = self._part.hook(name).who
                message = f"{who}: {name} raised {type(error).__name__}"
                raise StoreError(message, hint="Report it to the author of the plugin.") from error

        return contained if callable(found) else found
