"""Parses JSON paths that contain more than names, and refuses paths that do not start at a part of the response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError
from jsonpath_rfc9535.filter_expressions import StringLiteral
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import NameSelector

from hookctl.bounded import Budget
from hookctl.errors import BudgetError, TemplateError
from hookctl.model import Json
from hookctl.model.rules.texts import JSON_PATH_INVALID, VALIDATOR_UNKNOWN_PATH
from hookctl_plugins.validator.iregexp import compile_iregexp
from hookctl_plugins.validator.json_path_find import Finder, Node, calls

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

    from hookctl.bounded.regular_expression import Pattern

MEMBERS = ("data", "status", "headers")
_IREGEXP = (
    "JSONPath has the regular expressions of RFC 9485. Write [0-9] for \\d, [A-Za-z0-9_] for \\w, and ( for (?:. "
    "The validator `regex` supports more."
)


@cache
def _environment() -> JSONPathEnvironment:
    return JSONPathEnvironment()


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed path."""

    _query: JSONPathQuery
    _patterns: Mapping[str, Pattern | None]

    @property
    def is_singular(self) -> bool:
        """True if it can select at most one value."""
        return self._query.singular_query()

    @property
    def root(self) -> str:
        """The member of the envelope that it starts at; empty if it does not start at exactly one."""
        return _root_name(self._query)

    def find(self, document: Json, budget: Budget) -> Sequence[Node]:
        """The selected nodes. Raises BudgetError if that takes more steps than the budget has left."""
        return Finder(document, budget, self._patterns).select(self._query, Node(document))


def compile_path(path: str) -> Query:
    """The query of a path.

    Raises TemplateError for an invalid path, or one that does not start at a part of the response.
    """
    try:
        query = _environment().compile(path)
    except JSONPathError as error:
        raise _refusal(path, error) from None
    except RecursionError:
        raise JSON_PATH_INVALID.error(
            0, len(path), what="the JSON path is nested too deeply", fix="Write a simpler path."
        ) from None
    _check_root(path, query)
    return Query(query, _patterns(path, query))


def _refusal(path: str, error: JSONPathError) -> TemplateError:
    message, hint = (
        f"this is not a JSON path: {error.args[0]}",
        "Write the path as in RFC 9535, such as $.data.results[0].status.",
    )
    start, end = 0, len(path)
    if error.token is not None and error.token.index >= 0:
        start = min(
            error.token.index, max(0, len(path) - 1)
        )  # an error at the end of the text is reported at the last character
        end = start + max(1, len(error.token.value))
    return JSON_PATH_INVALID.error(start, min(end, len(path)), what=message, fix=hint)


def _patterns(path: str, query: JSONPathQuery) -> Mapping[str, Pattern | None]:
    """The regular expressions that a path contains.

    Raises TemplateError for one that is not valid, because ``match()`` and ``search()`` would always be false.
    """
    patterns: dict[str, Pattern | None] = {}
    for call in calls(query):
        argument = call.args[-1] if call.name in {"match", "search"} else None
        if not isinstance(argument, StringLiteral):
            continue
        start = argument.token.index
        end = min(start + len(argument.token.value), len(path))
        try:
            patterns[argument.value] = compile_iregexp(argument.value)
        except BudgetError as error:
            raise JSON_PATH_INVALID.error(start, end, what=error.message, fix=error.hint or "Shorten it.") from None
        if patterns[argument.value] is None:
            what = f"{path[start:end]} is not a regular expression that {call.name}() supports"
            raise JSON_PATH_INVALID.error(start, end, what=what, fix=_IREGEXP)
    return patterns


def _root_name(query: JSONPathQuery) -> str:
    if not query.segments or isinstance(query.segments[0], JSONPathRecursiveDescentSegment):
        return ""
    selectors = query.segments[0].selectors
    return selectors[0].name if len(selectors) == 1 and isinstance(selectors[0], NameSelector) else ""


def _check_root(path: str, query: JSONPathQuery) -> None:
    name = _root_name(query)
    if name not in MEMBERS:
        raise VALIDATOR_UNKNOWN_PATH.error(
            0,
            len(path),
            what=f"a response has no {name!r}" if name else "the path does not start at one part of the response",
            fix="Start with $.data for the body, $.status, or $.headers['name'].",
        )
    names = [
        selector
        for segment in query.segments[1:2]
        for selector in segment.selectors
        if isinstance(selector, NameSelector)
    ]
    for selector in names if name == "headers" else ():
        if selector.name != selector.name.lower():
            raise VALIDATOR_UNKNOWN_PATH.error(
                selector.token.index,
                selector.token.index + len(selector.token.value),
                what=f"the header {selector.name!r} is never found, because header names are in lower case",
                fix=f"Write {selector.name.lower()!r}.",
            )
