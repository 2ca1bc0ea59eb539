"""``json_path``: the values that an RFC 9535 path selects from the response must be among the expected values.

The response is untrusted, so the cost of evaluating a path is bounded: steps are counted, and regular expressions,
whose steps cannot be counted, are not available.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from hookctl.errors import BudgetError
from hookctl.model import Json, Mismatch
from hookctl_plugins.validator.expected import accepted_scalars, is_accepted, kept, shown

if TYPE_CHECKING:
    from hookctl.plugin import Envelope, Validate
    from hookctl_plugins.validator.json_path_query import Query

_Found = tuple[Callable[[], str], object]
"""A value that a path selects, and a function that returns its place."""
SHOWN = 5
"""The maximum number of mismatches that are reported for one response."""
_PLAIN = re.compile(r"\$\.(?:data|status)(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
"""Paths of only names, as most are. They are evaluated without the library for other paths."""


def build(settings: Mapping[str, Json]) -> Validate:
    """The check for ``json_path``, ``expected_values`` and ``match``.

    Raises:
        TemplateError: The path is invalid, or does not start at a part of the response.
    """
    path = cast("str", settings["json_path"])
    names = path.split(".")[1:]
    query = None if _PLAIN.fullmatch(path) else _compiled(path)
    expected = cast("list[Json]", settings["expected_values"])
    accepted = accepted_scalars(expected)
    label = f"json_path {path}"
    match_any = settings.get("match") == "any"
    written = path if query is None or query.is_singular else ""
    reads_body = path.startswith("$.data") if query is None else query.root == "data"

    def validate(envelope: Envelope) -> Sequence[Mismatch]:
        if reads_body and envelope.problem:
            return (Mismatch(label, f"the body cannot be checked: {envelope.problem}", path, expected),)
        try:
            found = _walk(envelope, names) if query is None else _find(envelope, query)
        except BudgetError as error:
            return (Mismatch(label, f"the path cannot be followed in this response: {error.message}", path, expected),)
        except RecursionError:
            return (Mismatch(label, "the path cannot be followed: its filters are nested too deeply", path, expected),)
        if not found:
            reason = f": {envelope.not_json}" if reads_body and envelope.not_json else ""
            return (Mismatch(label, f"the response has nothing at this path{reason}", path, expected),)
        wrong = [(place, value) for place, value in found if not is_accepted(value, accepted)]
        if match_any and len(wrong) < len(found):
            return ()
        places = [(written or place(), value) for place, value in wrong[:SHOWN]]
        return tuple(
            Mismatch(
                label,
                f"{place} is {shown(value)}, not {' or '.join(map(shown, expected))}",
                place,
                expected,
                kept(value),
            )
            for place, value in places
        )

    return validate


def _walk(envelope: Envelope, names: Sequence[str]) -> Sequence[_Found]:
    """The value that a path of only names selects, if any."""
    value: Json = envelope.data if names[0] == "data" else envelope.status
    for name in names[1:]:
        if not isinstance(value, dict) or name not in value:
            return ()
        value = value[name]
    return ((_nowhere, value),)


def _nowhere() -> str:
    return ""


def _find(envelope: Envelope, query: Query) -> Sequence[_Found]:
    nodes = query.find(
        {"data": envelope.data, "status": envelope.status, "headers": dict(envelope.headers)}, envelope.budget
    )
    return [(node.path, node.value) for node in nodes]


def _compiled(path: str) -> Query:
    from hookctl_plugins.validator.json_path_query import (
        compile_path,
    )  # imported here, because the library costs more than all of a light command

    return compile_path(path)
