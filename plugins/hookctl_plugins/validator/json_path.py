"""``json_path``: what an RFC 9535 path selects from the response must be among the expected values.

The response is somebody else's, so what evaluating a path may cost is bounded by its form: one ``..`` at most, no
query from the root inside a filter that may select more than one value, and no regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, cast

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError
from jsonpath_rfc9535.filter_expressions import FilterQuery, RootFilterQuery
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import NameSelector

from hookctl.errors import TemplateError
from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.expected import accepted_scalars, is_accepted, kept, shown

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery
    from jsonpath_rfc9535.tokens import Token

    from hookctl.plugin import Envelope, Validate

MEMBERS = ("data", "status", "headers")
SHOWN = 5
"""Mismatches told of one response; more say nothing new."""
_PLAIN = re.compile(r"\$\.(?:data|status)(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
"""Most paths: names alone, seen to be right at a glance, so that they need only be parsed for a response."""


class _Environment(JSONPathEnvironment):
    """RFC 9535 without ``match`` and ``search``: a backtracking regular expression over a hostile body may never end."""

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        del self.function_extensions["match"], self.function_extensions["search"]


@cache
def _environment() -> _Environment:
    return _Environment()


def build(settings: Mapping[str, Json]) -> Validate:
    """The check that ``json_path``, ``expected_values`` and ``match`` describe.

    Raises:
        TemplateError: the path is none, costs too much, or starts outside of the response.
    """
    path = cast("str", settings["json_path"])
    expected = cast("list[Json]", settings["expected_values"])
    accepted = accepted_scalars(expected)
    query = None if _PLAIN.fullmatch(path) else _compile(path)
    label = f"json_path {path}"
    match_any = settings.get("match") == "any"
    written = path if query is None or query.singular_query() else ""
    reads_body = path.startswith("$.data") if query is None else _root_name(query) == "data"

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        nonlocal query
        if reads_body and envelope.problem:
            return (Mismatch(label, f"the body cannot be checked: {envelope.problem}", path, expected),)
        document: dict[str, Json] = {"data": envelope.data, "status": envelope.status, "headers": dict(envelope.headers)}
        try:
            query = query or _compile(path)
            nodes = query.find(document)
        except (JSONPathError, RecursionError):
            return (Mismatch(label, "the response is nested too deeply to be searched", path, expected),)
        if not nodes:
            return (Mismatch(label, "the response has nothing at this path", path, expected),)
        wrong = [node for node in nodes if not is_accepted(node.value, accepted)]
        if match_any and len(wrong) < len(nodes):
            return ()
        places = [(written or node.path(), node.value) for node in islice(wrong, SHOWN)]
        return tuple(
            Mismatch(label, f"{place} is {shown(value)}, not {' or '.join(map(shown, expected))}", place, expected, kept(value)) for place, value in places
        )

    return validate


def _compile(path: str) -> JSONPathQuery:
    try:
        query = _environment().compile(path)
    except JSONPathError as error:
        raise _refusal(path, error) from None
    except RecursionError:
        raise TemplateError("the JSON path is nested too deeply", hint="Write a simpler path.", rule="json-path-invalid", end=len(path)) from None
    _check_root(path, query)
    _check_cost(query)
    return query


def _refusal(path: str, error: JSONPathError) -> TemplateError:
    message, hint = f"this is no JSON path: {error.args[0]}", "Write the path as RFC 9535 has it, such as $.data.results[0].status."
    start, end = 0, len(path)
    if error.token is not None and error.token.index >= 0:
        start = min(error.token.index, max(0, len(path) - 1))  # what is missing at the end is missed at the last character
        end = start + max(1, len(error.token.value))
        if error.token.value in {"match", "search"}:
            message, hint = f"{error.token.value}() is not available: a regular expression could hold up deliveries", "Compare with == instead."
    return TemplateError(message, hint=hint, rule="json-path-invalid", start=start, end=min(end, len(path)))


def _root_name(query: JSONPathQuery) -> str:
    """The member of the envelope that a path starts at; empty when it is not one alone."""
    if not query.segments or isinstance(query.segments[0], JSONPathRecursiveDescentSegment):
        return ""
    selectors = query.segments[0].selectors
    return selectors[0].name if len(selectors) == 1 and isinstance(selectors[0], NameSelector) else ""


def _check_root(path: str, query: JSONPathQuery) -> None:
    name = _root_name(query)
    if name not in MEMBERS:
        raise TemplateError(
            f"a response has no {name!r}" if name else "the path does not start at one part of the response",
            hint="Start with $.data for the body, $.status, or $.headers['name'].",
            rule="validator-unknown-path",
            end=len(path),
        )
    names = [selector for segment in query.segments[1:2] for selector in segment.selectors if isinstance(selector, NameSelector)]
    for selector in names if name == "headers" else ():
        if selector.name != selector.name.lower():
            raise TemplateError(
                f"the header {selector.name!r} is never found: header names are in lower case here",
                hint=f"Write {selector.name.lower()!r}.",
                rule="validator-unknown-path",
                start=selector.token.index,
                end=selector.token.index + len(selector.token.value),
            )


def _check_cost(query: JSONPathQuery) -> None:
    inner = list(_filter_queries(query))
    segments = [segment for part in (query, *(found.query for found in inner)) for segment in part.segments]
    descents = [segment for segment in segments if isinstance(segment, JSONPathRecursiveDescentSegment)]
    for segment in descents[1:]:
        raise _too_costly("a second `..`", segment.token, 2)
    for found in inner:
        if isinstance(found, RootFilterQuery) and not found.query.singular_query():
            raise _too_costly("a query from `$` inside a filter that may select many values", found.token, 1)


def _too_costly(what: str, token: Token, length: int) -> TemplateError:
    return TemplateError(
        f"{what} may take very long in a large response",
        hint="Name the steps to the value.",
        rule="json-path-invalid",
        start=token.index,
        end=token.index + length,
    )


def _filter_queries(query: JSONPathQuery) -> Iterator[FilterQuery]:
    """The queries inside the filters of a query, at any depth."""
    pending: list[object] = [selector for segment in query.segments for selector in segment.selectors]
    while pending:
        part = pending.pop()
        if isinstance(part, FilterQuery):
            yield part
            yield from _filter_queries(part.query)
        pending += [getattr(part, name) for name in ("expression", "left", "right") if hasattr(part, name)]
        pending += getattr(part, "args", ())
