"""Parses JSON paths that contain more than names, and refuses paths that do not start at a part of the response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import NameSelector

from hookctl.bounded import Budget
from hookctl.errors import TemplateError
from hookctl.model import Json
from hookctl.model.rules.texts import JSON_PATH_INVALID, VALIDATOR_UNKNOWN_PATH
from hookctl_plugins.validator.json_path_find import Finder, Node

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathQuery

MEMBERS = ("data", "status", "headers")


class _Environment(JSONPathEnvironment):
    """RFC 9535 without ``match`` and ``search``.

    A regular expression may backtrack endlessly over a hostile body.
    """

    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        del self.function_extensions["match"], self.function_extensions["search"]


@cache
def _environment() -> _Environment:
    return _Environment()


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed path."""

    _query: JSONPathQuery

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
        return Finder(document, budget).select(self._query, Node(document))


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
    return Query(query)


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
        if error.token.value in {"match", "search"}:
            message, hint = (
                f"{error.token.value}() is not available: a regular expression could hold up deliveries",
                "Compare with == instead.",
            )
    return JSON_PATH_INVALID.error(start, min(end, len(path)), what=message, fix=hint)


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
