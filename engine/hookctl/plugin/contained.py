"""Wraps third-party descriptions so that every call is contained, whichever plugin it belongs to.

hookctl reads each value from a plugin once, inside a contained call, and copies it. A schema whose properties change,
or a result of the wrong type, is then reported with the plugin's name instead of failing later elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from os import fspath
from pathlib import Path
from typing import Any

from hookctl.model.store_type import EngineCheck
from hookctl.plugin import given
from hookctl.plugin.built import built_auth, built_transport
from hookctl.plugin.built_store import built_store
from hookctl.plugin.contain import BrokenContractError
from hookctl.plugin.interfaces import (
    AuthType,
    EventType,
    FilterType,
    Observer,
    Policy,
    ReportFormat,
    SecretSource,
    StoreType,
    TransportType,
    ValidatorType,
)
from hookctl.plugin.part import Part


def contained(thing: Any, part: Part) -> Any:
    """A copy of a description in which every call is contained.

    Raises BrokenContractError, and any exception that the description's own attributes raise.
    """
    for known, copy in _COPIES:
        if isinstance(thing, known):
            return copy(thing, part)
    return thing  # a command runs only when the user asks for it, so the command line names it when it fails


def _auth(thing: AuthType, part: Part) -> AuthType:
    adds, adds_query = thing.adds, thing.adds_query
    problems, expand, warnings = thing.problems, thing.expand, thing.warnings
    return AuthType(
        name=part.name,
        summary=given.line(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: built_auth(built, part)),
        per_attempt=given.flag(thing.per_attempt, "per_attempt"),
        blocking=True,  # whatever it declares: see `Plugins.third_party`
        signs=given.flag(thing.signs, "signs"),
        adds=None if adds is None else part.function("adds", adds, given.headers),
        adds_query=None if adds_query is None else part.function("adds_query", adds_query, given.headers),
        problems=None if problems is None else part.function("problems", problems, given.setting_problems),
        expand=None if expand is None else part.function("expand", expand, given.json_object),
        warnings=None if warnings is None else part.function("warnings", warnings, given.texts),
    )


def _transport(thing: TransportType, part: Part) -> TransportType:
    rule = thing.check_url
    return TransportType(
        name=part.name,
        summary=given.line(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: built_transport(built, part)),
        check_url=None if rule is None else part.function("check_url", rule, given.url_problems),
    )


def _validator(thing: ValidatorType, part: Part) -> ValidatorType:
    return ValidatorType(
        name=part.name,
        summary=given.line(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("validate", built, given.mismatches)),
        label=part.function("label", thing.label, given.line),
        expression=given.line(thing.expression),
    )


def _secret_source(thing: SecretSource, part: Part) -> SecretSource:
    return SecretSource(
        scheme=part.name,
        summary=given.line(thing.summary),
        resolve=part.function("resolve", thing.resolve, given.text),
    )


def _event_type(thing: EventType, part: Part) -> EventType:  # it is only data
    return EventType(
        name=part.name,
        summary=given.line(thing.summary),
        schema=given.schema(thing.schema),
        mock=given.json_object(thing.mock),
    )


def _filter(thing: FilterType, part: Part) -> FilterType:
    gives = given.json_types(thing.gives, "gives")
    return FilterType(
        name=part.name,
        summary=given.line(thing.summary),
        call=part.function("call", thing.call, lambda result: given.json_of_type(result, gives)),
        takes=given.json_types(thing.takes, "takes"),
        gives=gives,
    )


def _policy(thing: Policy, part: Part) -> Policy:
    return Policy(
        name=part.name,
        summary=given.line(thing.summary),
        schema=given.schema(thing.schema),
        build=part.function("build", thing.build, lambda built: part.function("check", built, given.findings)),
    )


def _observer(thing: Observer, part: Part) -> Observer:
    calls = ("attempted", "ended", "close")
    functions = {name: function for name in calls if (function := getattr(thing, name)) is not None}
    build, schema = thing.build, thing.schema
    if build is not None and schema is None:
        raise BrokenContractError(f"a {part.what} with build and without schema")
    return Observer(
        name=part.name,
        summary=given.line(thing.summary),
        schema=None if build is None else given.schema(schema),
        build=None if build is None else part.function("build", build, lambda built: _built_observer(built, part)),
        records_traces=given.flag(thing.records_traces, "records_traces"),
        sampled_share=given.share(thing.sampled_share, "sampled_share"),
        **{name: part.function(name, function, lambda _: None) for name, function in functions.items()},
    )


def _built_observer(built: object, part: Part) -> Observer:
    if not isinstance(built, Observer) or built.build is not None:
        raise BrokenContractError(f"{given.kind(built)}, not an Observer with functions")
    return _observer(built, part)


def _format(thing: ReportFormat, part: Part) -> ReportFormat:
    kinds = {name: function for name in ("findings", "review", "results") if (function := getattr(thing, name))}
    if not kinds:
        raise BrokenContractError(f"a {part.what} without findings, review and results")
    return ReportFormat(
        name=part.name,
        summary=given.line(thing.summary),
        has_ci_commands=given.flag(thing.has_ci_commands, "has_ci_commands"),
        **{name: part.function(name, function, given.report) for name, function in kinds.items()},
    )


def _store_type(thing: StoreType, part: Part) -> StoreType:
    return StoreType(
        scheme=part.name,
        summary=given.line(thing.summary),
        open=part.function("open", thing.open, lambda store: None if store is None else built_store(store, part)),
        check_engine=part.function("check_engine", thing.check_engine, _engine_check),
        files=part.function("files", thing.files, _paths),
        check_server=part.function("check_server", thing.check_server, _engine_checks),
        initialize=part.function("initialize", thing.initialize, given.line),
        upgrade=part.function("upgrade", thing.upgrade, given.line),
    )


def _engine_check(found: object) -> EngineCheck:
    if not isinstance(found, EngineCheck):
        raise BrokenContractError(f"{given.kind(found)}, not an EngineCheck")
    return EngineCheck(given.line(found.name), given.line(found.message), given.line(found.hint))


def _engine_checks(found: object) -> tuple[EngineCheck, ...]:
    return tuple(map(_engine_check, given.instances(found, EngineCheck)))


def _paths(found: object) -> tuple[Path, ...]:
    return tuple(Path(given.line(fspath(path))) for path in given.instances(found, Path))


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
