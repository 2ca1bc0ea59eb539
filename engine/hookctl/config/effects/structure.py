"""The structural difference of two JSON values: keys and values, not lines of text. JSON text in a string is opened up.

A difference's path leads through keys and indices, and through :data:`INSIDE` into the JSON text of a string. In a list, what comes is placed by its
index after, what goes by its index before; what stays has both, and its index is the one after.
"""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NoReturn

from hookctl.bounded import Budget
from hookctl.json.difference import pairs, runs
from hookctl.model import Json

MAX_LEVELS = 4
"""Strings of JSON text inside one another that are opened; a template makes no more."""
MAX_DEPTH = 64
"""Objects and lists inside one another of a body that is compared by its structure."""
MAX_INNER_DEPTH = 16
"""The same of the JSON text in a string; what is deeper stays a string. So nothing here calls itself too often."""


class Marker(Enum):
    """What is no JSON value and no key."""

    ABSENT = "absent"
    INSIDE = "inside"


ABSENT = Marker.ABSENT
"""In place of a value that is not there; null is a value."""
INSIDE = Marker.INSIDE
"""The step of a path into the JSON text of a string."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A string that holds the JSON text of an object or a list. Equal to another of the same content, however it is written."""

    value: Opened
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with secrets in it. Equal to another with the same references in it."""

    text: str = field(compare=False)
    """As it is shown."""
    written: str
    """As its author wrote it, with references."""


Opened = None | bool | int | float | str | JsonText | Masked | list["Opened"] | dict[str, "Opened"]
"""A JSON value in which strings of JSON text have been opened."""

Part = str | int | Marker
Path = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One place at which two values are the same, or differ."""

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
    """Every place, in the order of ``after`` and then what goes; a whole that is the same is one place."""
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
        same = not isinstance(before, Marker) and not isinstance(after, Marker) and _same(before, after)
        return [Step(path, before, after, same)]
    return [Step(path, before, after, same=True)] if all(step.same for step in steps) else steps


def fold(before: Opened | Marker, steps: Sequence[Step]) -> Opened | Marker:
    """``before`` with the differences made: what :func:`differences` was given as ``after``."""
    if not steps:
        return before
    if not steps[0].path:
        return steps[0].after
    if isinstance(before, JsonText):
        inner = fold(before.value, [_below(step) for step in steps])
        return inner if isinstance(inner, Marker) else JsonText(inner, before.text)
    if isinstance(before, list):
        return _fold_list(before, steps)
    groups: dict[Part, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.path[0], []).append(step)
    folded = dict(before) if isinstance(before, dict) else {}
    for key, group in groups.items():
        value = fold(folded.get(str(key), ABSENT), [_below(step) for step in group])
        if isinstance(value, Marker):
            del folded[str(key)]
        else:
            folded[str(key)] = value
    return folded


def open_up(value: Json, levels: int = MAX_LEVELS) -> Opened:
    """The value with every string that is the JSON text of an object or a list opened."""
    if isinstance(value, dict):
        return {key: open_up(item, levels) for key, item in value.items()}
    if isinstance(value, list):
        return [open_up(item, levels) for item in value]
    if isinstance(value, str) and levels and value.lstrip(" \t\r\n")[:1] in {"{", "["}:
        try:
            inner = parse(value, MAX_INNER_DEPTH)
        except ValueError:
            return value
        return JsonText(open_up(inner, levels - 1), value)
    return value


def closed(value: Opened | Marker) -> Json:
    """The value for a machine: what was opened as the string that it is, secrets masked; null where there is none."""
    if isinstance(value, Marker):
        return None
    if isinstance(value, JsonText | Masked):
        return value.text
    if isinstance(value, dict):
        return {key: closed(item) for key, item in value.items()}
    return [closed(item) for item in value] if isinstance(value, list) else value


def size(value: Opened | Marker) -> int:
    """How many values there are in it that hold no others."""
    if isinstance(value, JsonText):
        return size(value.value)
    if isinstance(value, dict | list):
        return sum(size(item) for item in (value.values() if isinstance(value, dict) else value)) or 1
    return 1


def parse(text: str, depth: int = MAX_DEPTH) -> Json:
    """The value of a JSON text of at most that depth, without what JSON does not have (NaN, infinities). Raises ValueError."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > depth and _is_deep(value, depth):
        raise ValueError("nested too deeply")
    return value


def _compare_lists(before: list[Opened], after: list[Opened], path: Path, room: Budget) -> list[Step]:
    """What is in both in one order stays. What is between is compared one by one, and what is left over comes or goes."""
    steps: list[Step] = []
    for same, start, end, start_after, end_after in runs([*map(_key, before)], [*map(_key, after)], room):
        count = min(end - start, end_after - start_after)
        for number in range(count):
            place = (*path, start_after + number)
            old, new = before[start + number], after[start_after + number]
            steps += [Step(place, old, new, same=True)] if same else _compare(old, new, place, room)
        steps += [Step((*path, index), before[index], ABSENT) for index in range(start + count, end)]
        steps += [Step((*path, index), ABSENT, after[index]) for index in range(start_after + count, end_after)]
    return steps


def _key(value: Opened) -> Hashable:
    """Equal for values that are the same, and for no others."""
    if isinstance(value, dict):
        return dict, frozenset((name, _key(item)) for name, item in value.items())
    if isinstance(value, list):
        return list, tuple(map(_key, value))
    return (JsonText, _key(value.value)) if isinstance(value, JsonText) else (type(value), value)


def _fold_list(before: list[Opened], steps: Sequence[Step]) -> list[Opened]:
    """First what goes, by the index before; then what comes and what changes, by the index after."""
    gone = {step.path[0] for step in steps if step.op == "remove" and len(step.path) == 1}
    folded = [item for index, item in enumerate(before) if index not in gone]
    groups: dict[int, list[Step]] = {}
    for step in steps:
        if isinstance(step.path[0], int) and not (step.op == "remove" and len(step.path) == 1):
            groups.setdefault(step.path[0], []).append(step)
    for index, group in sorted(groups.items()):
        comes = len(group[0].path) == 1 and group[0].op == "add"
        value = fold(ABSENT if comes else folded[index], [_below(step) for step in group])
        if not isinstance(value, Marker):
            folded[index : index + (not comes)] = [value]
    return folded


def _below(step: Step) -> Step:
    return Step(step.path[1:], step.before, step.after)


def _same(before: Opened, after: Opened) -> bool:
    """Equal as JSON text is: Python takes true for 1."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_same(item, after[key]) for key, item in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return (
        _same(before.value, after.value)
        if isinstance(before, JsonText) and isinstance(after, JsonText)
        else before == after
    )


def _is_deep(value: Json, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [inner for item in level for inner in _inside(item) if isinstance(inner, dict | list)]
    return bool(level)


def _inside(value: Json) -> Iterable[Json]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
