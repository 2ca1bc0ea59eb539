"""What a JSON path selects from a response, for the validators ``json_path`` and ``exists``.

The response is untrusted, so the cost of following a path is bounded: each step is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hookctl.errors import BudgetError
from hookctl.model import Json

if TYPE_CHECKING:
    from hookctl.plugin import Envelope
    from hookctl_plugins.validator.json_path_query import Query

Found = tuple[Callable[[], str], object]
"""A value that a path selects, and a function that returns its place."""
_PLAIN = re.compile(r"\$\.(?:data|status)(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
"""Paths of only names, as most are. They are evaluated without the library for other paths."""


class CannotSelectError(Exception):
    """The path cannot be followed in this response. Its text is the message of the mismatch."""


class Selection:
    """A compiled path."""

    def __init__(self, path: str) -> None:
        """Raises TemplateError for a path that is invalid, or does not start at a part of the response."""
        query = None if _PLAIN.fullmatch(path) else _compiled(path)
        self._query = query
        self._names = path.split(".")[1:]
        self._written = path if query is None or query.is_singular else ""
        self.reads_body = path.startswith("$.data") if query is None else query.root == "data"

    def of(self, envelope: Envelope) -> Sequence[Found]:
        """The values that the path selects.

        Raises:
            CannotSelectError: The body cannot be trusted, or following the path takes too many steps.
        """
        if self.reads_body and envelope.problem:
            raise CannotSelectError(f"the body cannot be checked: {envelope.problem}")
        if self._query is None:
            return _walk(envelope, self._names)
        document: Json = {"data": envelope.data, "status": envelope.status, "headers": dict(envelope.headers)}
        try:
            nodes = self._query.find(document, envelope.budget)
        except BudgetError as error:
            raise CannotSelectError(f"the path cannot be followed in this response: {error.message}") from None
        except RecursionError:
            raise CannotSelectError("the path cannot be followed: its filters are nested too deeply") from None
        return [(node.path, node.value) for node in nodes]

    def place(self, found: Found) -> str:
        """The place of a selected value: the path as it is written, if it can only select one value."""
        return self._written or found[0]()


def _walk(envelope: Envelope, names: Sequence[str]) -> Sequence[Found]:
    """The value that a path of only names selects, if any."""
    value: Json = envelope.data if names[0] == "data" else envelope.status
    for name in names[1:]:
        if not isinstance(value, dict) or name not in value:
            return ()
        value = value[name]
    return ((_nowhere, value),)


def _nowhere() -> str:
    return ""


def _compiled(path: str) -> Query:
    # imported here, because the library costs more than all of a light command
    from hookctl_plugins.validator.json_path_query import compile_path

    return compile_path(path)
