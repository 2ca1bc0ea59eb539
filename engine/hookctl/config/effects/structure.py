"""The structural difference of two JSON values: keys and values, not lines of text. JSON text in a string is opened up.

A difference's path leads through keys and indices, and through :data:`INSIDE` into the JSON text of a string. In a
list, what comes is placed by its index after, what goes by its index before; what stays has both, and its index is the
one after.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum

from hookctl.bounded import Budget
from hookctl.json.difference import aligned, pairs
from hookctl.json.strict import parse
from hookctl.model import Json

MAX_LEVELS = 4
"""The nesting depth up to which strings of JSON text are opened; no template creates more."""
MAX_INNER_DEPTH = 16
"""The nesting depth of JSON text up to which it is opened. Deeper text stays a string, which bounds the recursion
here."""


class Marker(Enum):
    """Steps and values that are neither a JSON value nor a key."""

    ABSENT = "absent"
    INSIDE = "inside"
    ITEM = "item"


ABSENT = Marker.ABSENT
"""Stands for a missing value; null is a value."""
INSIDE = Marker.INSIDE
"""The step of a path from a string into its JSON text."""
ITEM = Marker.ITEM
"""The step of a path to every item of a list."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A string that contains the JSON text of an object or a list. Two of them are equal if their content is."""

    value: Opened
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Masked:
    """Text that contains secrets. Two texts are equal if they have the same references."""

    text: str = field(compare=False)
    """The text as it is shown."""
    written: str
    """The text as its author wrote it, with references."""


Opened = None | bool | int | float | str | JsonText | Masked | list["Opened"] | dict[str, "Opened"]
"""A JSON value in which strings of JSON text have been opened."""

Part = str | int | Marker
Path = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One place at which two values are equal or differ."""

    path: Path
    before: Opened | Marker
    after: Opened | Marker
    same: bool = False

    @property
    def op(self) -> str:
        """``same``, ``add``, ``remove`` or ``change``."""
        if self.same:
            return "same"
        return "add" if self.before is ABSENT else "remove" if self.after is ABSENT else "change"


def compare(before: Opened | Marker, after: Opened | Marker) -> list[Step]:
    """Every place, in the order of ``after``, then removed places; an equal subtree is one place."""
    return _compare(before, after, (), pairs())


def differences(before: Opened | Marker, after: Opened | Marker) -> list[Step]:
    """The places that differ: empty for equal values."""
    return [step for step in compare(before, after) if not step.same]


def _compare(before: Opened | Marker, after: Opened | Marker, path: Path, room: Budget) -> list[Step]:
    if isinstance(before, dict) and isinstance(after, dict):
        keys = {**after, **before}
        steps = [
            step
            for key in keys
            for step in _compare(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key), room)
        ]
    elif isinstance(before, list) and isinstance(after, list):
        steps = _compare_lists(before, after, path, room)
    elif isinstance(before, JsonText) and isinstance(after, JsonText):
        steps = _compare(before.value, after.value, (*path, INSIDE), room)
    else:
        same = not isinstance(before, Marker) and not isinstance(after, Marker) and _key(before) == _key(after)
        return [Step(path, before, after, same)]
    return [Step(path, before, after, same=True)] if all(step.same for step in steps) else steps


def open_up(value: Json, levels: int = MAX_LEVELS) -> Opened:
    """The value, in which every string that is the JSON text of an object or a list is opened."""
    if isinstance(value, dict):
        return {key: open_up(item, levels) for key, item in value.items()}
    if isinstance(value, list):
        return [open_up(item, levels) for item in value]
    if isinstance(value, str) and levels and value.lstrip(" \t\r\n")[:1] in {"{", "["}:
        try:
            inner = parse(value, any_integer=True, max_depth=MAX_INNER_DEPTH)
        except ValueError:
            return value
        return JsonText(open_up(inner, levels - 1), value)
    return value


def closed(value: Opened | Marker) -> Json:
    """The value as plain JSON: opened text as a string, secrets masked, null for a missing value."""
    if isinstance(value, Marker):
        return None
    if isinstance(value, JsonText | Masked):
        return value.text
    if isinstance(value, dict):
        return {key: closed(item) for key, item in value.items()}
    return [closed(item) for item in value] if isinstance(value, list) else value


def size(value: Opened | Marker) -> int:
    """The number of leaf values."""
    if isinstance(value, JsonText):
        return size(value.value)
    if isinstance(value, dict | list):
        return sum(size(item) for item in (value.values() if isinstance(value, dict) else value)) or 1
    return 1


def _compare_lists(before: list[Opened], after: list[Opened], path: Path, room: Budget) -> list[Step]:
    """Item by item, as :func:`aligned` pairs them."""
    steps: list[Step] = []
    for same, index, index_after in aligned([*map(_key, before)], [*map(_key, after)], room):
        old = ABSENT if index is None else before[index]
        new = ABSENT if index_after is None else after[index_after]
        place: Path = (*path, index if index_after is None else index_after)  # type: ignore[arg-type] # one is there
        if same or index is None or index_after is None:
            steps.append(Step(place, old, new, same))
        else:
            steps += _compare(old, new, place, room)
    return steps


def _key(value: Opened) -> Hashable:
    """A key that is equal for equal values only."""
    if isinstance(value, dict):
        return dict, frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return list, tuple(map(_key, value))
    return (JsonText, _key(value.value)) if isinstance(value, JsonText) else (type(value), value)
