"""What a condition that holds, or fails, tells of the paths in it: that they are there, and that they are not null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from hookctl.json.paths import Step
from hookctl.template.language.expressions import Compare, Const, Expression, Filtered, ListOf, Logic, Not, Path, Test
from hookctl.template.proof.conditions import same_truth

PathKey = tuple[Step, ...]
"""A path with its root first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of paths at one place of a template."""

    certain: frozenset[PathKey] = frozenset()
    """Paths that are there and not null."""
    present: frozenset[PathKey] = frozenset()
    """Paths that are there, and may be null."""

    def __or__(self, other: Known) -> Known:
        """Both together."""
        return Known(self.certain | other.certain, self.present | other.present)

    def without(self, names: set[str]) -> Known:
        """The same without the paths that begin with one of the names, which now mean something else."""
        return Known(
            frozenset(key for key in self.certain if key[0] not in names),
            frozenset(key for key in self.present if key[0] not in names),
        )

    def is_present(self, key: PathKey) -> bool:
        """Whether a path is there: it is known itself, or a path below it is."""
        return any(known[: len(key)] == key for known in self.present) or self.is_certain(key)

    def is_certain(self, key: PathKey) -> bool:
        """Whether a path is there and not null."""
        return any(known[: len(key)] == key for known in self.certain) or any(
            known[: len(key)] == key and len(known) > len(key) for known in self.present
        )


NOTHING = Known()
_AT_LEAST: Mapping[bool, Mapping[str, int]] = {True: {"==": 0, ">=": 0, ">": 1}, False: {"<": 0, "<=": 1}}
"""What to add to the constant on the right for the least length, by the comparison and whether it holds."""
_MOST_ITEMS = 50
"""Items that are known by a length. Templates name the first few."""


def learned(condition: Expression, *, holds: bool) -> Known:
    """What is known of the paths of a condition that is true, or false."""
    if isinstance(condition, Not):
        return learned(condition.value, holds=not holds)
    if isinstance(condition, Logic):
        needs_all = (condition.operator == "and") is holds
        known = (learned(operand, holds=holds) for operand in condition.operands) if needs_all else ()
        return reduce(or_, known, NOTHING)
    simple, same = same_truth(condition)
    if simple is not condition:
        return learned(simple, holds=holds is same)
    return _learned_alone(condition, holds=holds)


def _learned_alone(condition: Expression, *, holds: bool) -> Known:
    match condition:
        case Path() if holds:
            return filled(condition)
        case Compare():
            return _compared(condition, holds=holds)
        case Test(name=name, value=Path() as path):
            return _tested(name, path, holds=holds)
        case _:
            return NOTHING


def _compared(condition: Compare, *, holds: bool) -> Known:
    match condition:
        case Compare(operator="==", left=Path() as left, right=Const(value=None)):
            return NOTHING if holds else _certain(left)
        case Compare(operator="in", left=Const(value=str() as step), right=Path() as right) if holds:
            return Known(frozenset({key_of(right)}), frozenset({(*key_of(right), step)}))
        case Compare(operator="==" | "<" | "<=" | ">" | ">=" | "in", left=Path() as left) if holds:
            return NOTHING if _may_be_null(condition.right) else _certain(left)
        case Compare(left=Filtered(name="length" | "count", value=Path() as path), right=Const(value=int() as count)):
            return _counted(path, condition.operator, count, holds=holds)
        case _:
            return NOTHING


def _counted(path: Path, operator: str, count: int, *, holds: bool) -> Known:
    """What is known of the items of a path after a comparison of its length."""
    least = _AT_LEAST[holds].get(operator)
    if least is None:
        return NOTHING
    key = key_of(path)
    numbers = range(min(count + least, _MOST_ITEMS))
    return Known(frozenset({key}), frozenset((*key, step) for number in numbers for step in (number, -1 - number)))


def _tested(name: str, path: Path, *, holds: bool) -> Known:
    if name in {"defined", "undefined"}:
        return Known(present=frozenset({key_of(path)})) if holds is (name == "defined") else NOTHING
    return _certain(path) if holds is (name != "none") else NOTHING


def filled(path: Path) -> Known:
    """What is known of a path whose value is not empty: it is there, and if it is a list it has a first item."""
    key = key_of(path)
    return Known(frozenset({key}), frozenset({(*key, 0), (*key, -1)}))


def key_of(path: Path) -> PathKey:
    """A path with its root first."""
    return (path.root, *path.steps)


def _certain(path: Path) -> Known:
    return Known(frozenset({key_of(path)}))


def _may_be_null(expression: Expression) -> bool:
    """False if the expression is certainly not null and not a list that contains null."""
    if isinstance(expression, ListOf):
        return any(_may_be_null(item) for item in expression.items)
    return not isinstance(expression, Const) or expression.value is None
