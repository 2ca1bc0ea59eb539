"""Finds conditions that no event can match, fast for thousands of similar conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, RenderError
from hookctl.json.schema_paths import EventShape
from hookctl.model import Json
from hookctl.model.problem import EventSchema
from hookctl.model.rules.texts import WHEN_SYNTAX
from hookctl.when.condition import RAW_STRING, compile_when, when_outline
from hookctl.when.unsatisfiable import Judge, field_path, why_never

if TYPE_CHECKING:
    from hookctl.bounded.jmes_path import Ast

_KEPT = 1000
"""The number of outlines, and of conditions, that are cached."""
_MARK = re.compile("§([0-9]+)§")


class Reach:
    """Finds conditions that no event can match.

    Many conditions differ only in strings that do not affect the result.
    """

    def __init__(self) -> None:
        self._deciding: dict[tuple[str, str], frozenset[int]] = {}
        self._possible: set[tuple[str, str, tuple[str, ...]]] = set()

    def why_never(self, text: str, event_type: EventSchema) -> str | None:
        """The reason why no event of the type matches, as from :func:`hookctl.when.unsatisfiable.why_never`.

        None if an event may match; None without a closer look if the event type's mock event matches, or the expression
        is invalid.
        """
        try:
            key = (event_type.name, *self._outline(text, event_type))
            if key in self._possible:
                return None
            why = why_never(text, event_type)
            if why is None or _matches(text, event_type.mock):
                _make_room(self._possible)
                self._possible.add(key)
                return None
        except HookctlError:  # the check of the expression reports its errors
            return None
        return why

    def _outline(self, text: str, event_type: EventSchema) -> tuple[str, tuple[str, ...]]:
        """The expression without its strings, and the strings that affect whether it can match."""
        outline = when_outline(text)
        if outline == text:
            return outline, ()
        kind = (event_type.name, outline)
        if kind not in self._deciding:
            _make_room(self._deciding)
            self._deciding[kind] = _deciding_strings(text, event_type)
        deciding = self._deciding[kind]
        return outline, tuple(found for number, found in enumerate(RAW_STRING.findall(text)) if number in deciding)


def _matches(text: str, event: Mapping[str, Json]) -> bool:
    try:
        return compile_when(text).matches(event)
    except RenderError:
        return False


def _deciding_strings(text: str, event_type: EventSchema) -> frozenset[int]:
    """The raw strings of an expression that affect whether it can match, by their number in the text.

    A string has no effect if a field that accepts any text is compared with it, and with no other string.
    """
    from hookctl.when.expression import compile_expression, syntax_tree

    numbers = count()
    marked = RAW_STRING.sub(lambda _: f"'§{next(numbers)}§'", text)
    compared: dict[str, list[int]] = {}
    for path, number in _string_comparisons(syntax_tree(compile_expression(marked, WHEN_SYNTAX))):
        compared.setdefault(path, []).append(number)
    judge = Judge(EventShape(event_type.schema))
    undecisive = {found[0] for path, found in compared.items() if len(found) == 1 and judge.takes_any_text(path)}
    return frozenset(range(next(numbers))) - undecisive


def _string_comparisons(tree: Ast) -> Iterator[tuple[str, int]]:
    """Each path that is compared with a marked string by ``==`` or ``!=``, and the number of the string."""
    from hookctl.bounded.jmes_path import walk

    for node in walk(tree):
        if node["type"] != "comparator" or node["value"] not in {"eq", "ne"}:
            continue
        left, right = node["children"]
        for literal, other in ((left, right), (right, left)):
            text = literal["value"] if literal["type"] == "literal" else None
            mark = _MARK.fullmatch(text) if isinstance(text, str) else None
            path = field_path(other)
            if mark and path is not None:
                yield path, int(mark[1])


def _make_room(kept: dict[tuple[str, str], frozenset[int]] | set[tuple[str, str, tuple[str, ...]]]) -> None:
    if len(kept) >= _KEPT:
        kept.clear()
