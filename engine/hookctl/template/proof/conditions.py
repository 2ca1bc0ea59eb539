"""The facts about a template's conditions on one path through the template.

Conditions are pure functions of the event. A repeated condition (``{% if data.a %}`` twice) therefore gives the same
result both times, and a loop over ``data.xs`` has an item exactly when ``{% if data.xs %}`` is true. Facts are these
results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hookctl.json.paths import Step
from hookctl.template.language.expressions import (
    Compare,
    Const,
    Expression,
    Filtered,
    For,
    If,
    Logic,
    Node,
    Not,
    Path,
    Test,
    operands,
    walk,
)
from hookctl.template.language.filters import BUILT_IN, properties


@dataclass(frozen=True, slots=True)
class Round:
    """The iteration of the innermost loop: the only one, the first of several, one in the middle, or the last."""

    first: bool
    last: bool


Facts = frozenset[tuple[Expression, bool]]
_MAX_WAYS = 64
"""The maximum number of facts; beyond it, conditions add none. Fewer facts cover more events, so the proof remains
sound.
"""
_ROUND_NAMES: Mapping[tuple[Step, ...], Callable[[Round], bool]] = {
    ("first",): lambda loop: loop.first,
    ("last",): lambda loop: loop.last,
    ("index0",): lambda loop: not loop.first,
    ("revindex0",): lambda loop: not loop.last,
}
_COUNTED_FROM: Mapping[tuple[Step, ...], tuple[int, bool]] = {
    ("index",): (1, False),
    ("index0",): (0, False),
    ("revindex",): (1, True),
    ("revindex0",): (0, True),
}
"""For each number of an iteration what it is in the first one, or, if True, in the last one."""
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


ROUNDS = {
    "only": Round(first=True, last=True),
    "first": Round(first=True, last=False),
    "middle": Round(first=False, last=False),
    "last": Round(first=False, last=True),
}


@dataclass(frozen=True, slots=True)
class Sight:
    """The context of the proof at one place: the atoms with facts, and the iteration of the innermost loop."""

    tracked: frozenset[Expression]
    loop: Round | None = None


def assume(condition: Expression, wanted: bool, facts: Facts, sight: Sight) -> list[Facts]:
    """The alternative sets of facts under which a condition has the wanted result; empty if it cannot have it.

    Args:
        condition: The condition of an ``if``, or the value that a loop iterates over.
        wanted: The result of the condition, true or false.
        facts: The facts known before.
        sight: The context of the proof at the condition.
    """
    if isinstance(condition, Not):
        return assume(condition.value, not wanted, facts, sight)
    if isinstance(condition, Logic):
        needs_all = (condition.operator == "and") is wanted
        return (_assume_all if needs_all else _assume_one)(condition.operands, wanted, facts, sight)
    known = _known(condition, sight.loop)
    if known is not None:
        return [facts] if known is wanted else []
    atom, same = same_truth(condition)
    if atom not in sight.tracked:
        return [facts]
    holds = wanted is same
    return [] if (atom, not holds) in facts else [facts | {(atom, holds)}]


def _assume_all(operands: Sequence[Expression], wanted: bool, facts: Facts, sight: Sight) -> list[Facts]:
    """The facts if every operand has the wanted result: ``a and b`` is true, or ``a or b`` is false."""
    ways = [facts]
    for operand in operands:
        ways = [after for way in ways for after in assume(operand, wanted, way, sight)]
        if len(ways) > _MAX_WAYS:
            return [facts]
    return list(dict.fromkeys(ways))


def _assume_one(operands: Sequence[Expression], wanted: bool, facts: Facts, sight: Sight) -> list[Facts]:
    """The facts if one operand has the wanted result and those before it do not.

    ``a or b`` is true by ``a``, or else by ``b``.
    """
    found: list[Facts] = []
    undecided = [facts]
    for operand in operands:
        found += [after for way in undecided for after in assume(operand, wanted, way, sight)]
        undecided = [after for way in undecided for after in assume(operand, not wanted, way, sight)]
        if len(found) + len(undecided) > _MAX_WAYS:
            return [facts]
    return list(dict.fromkeys(found))


def _known(condition: Expression, loop: Round | None) -> bool | None:
    """The result of a condition that does not depend on the event; None if it does."""
    if isinstance(condition, Const):
        return bool(condition.value)
    if loop is None:
        return None
    if isinstance(condition, Path) and condition.root == "loop":
        return _ROUND_NAMES[condition.steps](loop) if condition.steps in _ROUND_NAMES else None
    match condition:
        case Test(name="true" | "false" as name, value=Path(root="loop", steps=("first",) | ("last",)) as path):
            return _ROUND_NAMES[path.steps](loop) is (name == "true")
        case Compare():
            return _compared(condition, loop)
        case _:
            return None


def _compared(condition: Compare, loop: Round) -> bool | None:
    """The result of comparing the number of an iteration with ``loop.length`` or a whole number.

    Or of comparing ``loop.first`` or ``loop.last`` with true or false.
    """
    left, right, operator = condition.left, condition.right, condition.operator
    if isinstance(left, Const) and operator in _FLIPPED:
        left, right, operator = right, left, _FLIPPED[operator]
    if not (isinstance(left, Path) and left.root == "loop"):
        return None
    if isinstance(right, Path) and right.root == "loop" and {left.steps, right.steps} == {("index",), ("length",)}:
        operator = operator if left.steps == ("index",) else _FLIPPED.get(operator, "")
        return {"==": loop.last, ">=": loop.last, "<": not loop.last, "!=": not loop.last}.get(operator)
    if not isinstance(right, Const):
        return None
    if left.steps in {("first",), ("last",)} and isinstance(right.value, bool) and operator in {"==", "!="}:
        return (_ROUND_NAMES[left.steps](loop) is right.value) is (operator == "==")
    if left.steps not in _COUNTED_FROM or type(right.value) is not int:
        return None
    first, is_at_end = _COUNTED_FROM[left.steps]
    is_end = loop.last if is_at_end else loop.first
    return _ordered(operator, right.value - first, 0 if is_end else 1, 0 if is_end else None)


_ORDERS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
"""The orders of the two sides under which each comparison is true."""


def _ordered(operator: str, value: int, low: int, high: int | None) -> bool | None:
    """The result of ``n operator value`` for every n from ``low`` to ``high``; ``high`` None means no limit.

    None if the result differs between values of n.
    """
    if operator not in _ORDERS:
        return None
    possible = [
        order
        for order, can_be in (
            ("<", low < value),
            ("=", low <= value and (high is None or value <= high)),
            (">", high is None or value < high),
        )
        if can_be
    ]
    truths = {order in _ORDERS[operator] for order in possible}
    return truths.pop() if len(truths) == 1 else None


_TRUTH_OF_LENGTH = {(">", "0"): True, ("!=", "0"): True, (">=", "1"): True, ("==", "0"): False, ("<", "1"): False}
"""Whether a comparison of a length with a constant means that the value is true, or that it is false."""


def same_truth(condition: Expression) -> tuple[Expression, bool]:
    """The simplest expression that decides a condition, and whether both have the same result.

    ``data.a | length > 0`` is true exactly when ``data.a`` is true; ``data.a != 1`` exactly when ``data.a == 1`` is
    false.
    """
    if isinstance(condition, Filtered) and properties(condition).keeps_truth(condition):
        return same_truth(condition.value)
    if not isinstance(condition, Compare):
        return condition, True
    left, right = condition.left, condition.right
    if isinstance(left, Filtered) and properties(left).hides_content and isinstance(right, Const):
        truth = _TRUTH_OF_LENGTH.get((condition.operator, right.text))
        if truth is not None:
            simple, same = same_truth(left)
            return simple, same is truth
    if condition.operator == "!=":
        return Compare("==", left, right, condition.start, condition.end), False
    return condition, True


def tracked_atoms(nodes: Sequence[Node]) -> frozenset[Expression]:
    """The atoms that more than one condition of the template depends on; facts about others are useless.

    Atoms that call a plugin's filter are left out: the filter may return another value the next time.
    """
    if not any(isinstance(node, (If, For)) for node in nodes):
        return frozenset()
    counts = Counter(atom for condition in _conditions(nodes) for atom in set(_atoms(condition)))
    return frozenset(
        atom
        for atom, count in counts.items()
        if count > 1 and all(part.name in BUILT_IN for part in walk(atom) if isinstance(part, Filtered))
    )


def _atoms(condition: Expression) -> Iterator[Expression]:
    if isinstance(condition, (Not, Logic)):
        for operand in operands(condition):
            yield from _atoms(operand)
    else:
        yield same_truth(condition)[0]


def _conditions(nodes: Sequence[Node]) -> Iterator[Expression]:
    for node in walk(*nodes):
        if isinstance(node, If):
            yield from (branch.condition for branch in node.branches if branch.condition is not None)
        elif isinstance(node, For):
            yield node.iterable


def forget(facts: Facts, names: tuple[str, ...]) -> Facts:
    """The facts that do not depend on a loop's names, and therefore remain valid after one iteration."""
    gone = {*names, "loop"}
    return frozenset(
        fact for fact in facts if not any(isinstance(part, Path) and part.root in gone for part in walk(fact[0]))
    )
