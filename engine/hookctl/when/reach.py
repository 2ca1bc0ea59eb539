"""Looks for conditions that no event can match among thousands, of which most are alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, RenderError
from hookctl.json.schema_paths import EventShape
from hookctl.model import Json
from hookctl.model.problem import EventSchema
from hookctl.when.condition import RAW_STRING, compile_when, when_outline
from hookctl.when.unsatisfiable import Judge, field_path, why_never

if TYPE_CHECKING:
    from hookctl.bounded.jmes_path import Ast

_KEPT = 1000
"""Outlines that are kept in mind, and as many conditions."""
_MARK = re.compile("§([0-9]+)§")


class Reach:
    """Looks at one condition after the other for those that no event can match. Many differ in strings alone, and most of those decide nothing."""

    def __init__(self) -> None:
        self._deciding: dict[tuple[str, str], frozenset[int]] = {}
        self._possible: set[tuple[str, str, tuple[str, ...]]] = set()

    def why_never(self, text: str, event_type: EventSchema) -> str | None:
        """As :func:`why_never`, but None too where the event type's mock event does match, and for an expression that cannot be read."""
        outline = when_outline(text)
        kind = (event_type.name, outline)
        try:
            if kind not in self._deciding:
                _make_room(self._deciding)
                self._deciding[kind] = _deciding_strings(text, event_type) if outline != text else frozenset()
            strings = (
                tuple(
                    string for number, string in enumerate(RAW_STRING.findall(text)) if number in self._deciding[kind]
                )
                if outline != text
                else ()
            )
            if (*kind, strings) in self._possible:
                return None
            why = why_never(text, event_type)
            if why is None or _matches(text, event_type.mock):
                _make_room(self._possible)
                self._possible.add((*kind, strings))
                return None
        except HookctlError:  # what is wrong with it is for others to report
            return None
        return why


def _matches(text: str, event: Mapping[str, Json]) -> bool:
    try:
        return compile_when(text).matches(event)
    except RenderError:
        return False


def _deciding_strings(text: str, event_type: EventSchema) -> frozenset[int]:
    """Which of the raw strings of an expression, by their number in its text, can make a difference to whether it may hold.

    One that a field of any text is compared with, and no other string beside it, makes none.
    """
    from hookctl.when.expression import compile_expression, syntax_tree

    numbers = iter(range(len(text)))
    compiled = compile_expression(RAW_STRING.sub(lambda _: f"'§{next(numbers)}§'", text), "when-syntax")
    judge = Judge(EventShape(event_type.schema))
    compared = list(_string_comparisons(syntax_tree(compiled)))
    count = Counter(path for path, _ in compared)
    return frozenset(range(next(numbers))) - {
        number for path, number in compared if count[path] == 1 and judge.takes_any_text(path)
    }


def _string_comparisons(node: Ast) -> Iterator[tuple[str, int]]:
    """Each path that is compared with a marked string by ``==`` or ``!=``, and the number of the string."""
    if node["type"] == "comparator" and node["value"] in {"eq", "ne"}:
        for one, other in (node["children"], node["children"][::-1]):
            mark = _MARK.fullmatch(one["value"]) if one["type"] == "literal" and isinstance(one["value"], str) else None
            path = field_path(other)
            if mark and path is not None:
                yield path, int(mark[1])
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _string_comparisons(child)


def _make_room(kept: dict[tuple[str, str], frozenset[int]] | set[tuple[str, str, tuple[str, ...]]]) -> None:
    if len(kept) >= _KEPT:
        kept.clear()
