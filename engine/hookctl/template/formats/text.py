r"""Plain text: a value is written without line breaks, so every event gives the lines that the author wrote.

A choice between constants is the author's text too: ``{{ '\n' if not loop.last }}`` is a line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_LINE_BREAK
from hookctl.template.language.expressions import (
    Choice,
    Concat,
    Const,
    DictOf,
    Expression,
    Filtered,
    Item,
    ListOf,
    Logic,
    Node,
    Output,
    operands,
    walk,
)
from hookctl.template.proof.positions import Layout, Position

_BREAK = re.compile(r"[\r\n]")
_WRITES = frozenset({"default", "join"})
"""Filters whose arguments become part of the value."""


def lay_out_text(nodes: Sequence[Node], _text: str) -> Layout:
    """Decide every position. A line break that an expression would lose is a warning."""
    layout = Layout()
    for part in walk(*nodes):
        if isinstance(part, Output):
            is_literal = _is_literal(part.expression)
            layout.positions[part.start] = Position("literal" if is_literal else "line", 0)
            if not is_literal:
                layout.problems.extend(_lost_breaks(part.expression))
    return layout


def _is_literal(expression: Expression) -> bool:
    """True for a constant, and for a choice between constants."""
    if isinstance(expression, Choice):
        return _is_literal(expression.yes) and _is_literal(expression.no)
    return isinstance(expression, Const)


def _lost_breaks(expression: Expression) -> Iterator[Problem]:
    """The warnings for constants with line breaks that become part of the value."""
    parts: tuple[Expression, ...] = ()
    match expression:
        case Const(value=str() as value) if _BREAK.search(value):
            yield TEMPLATE_LINE_BREAK.problem(expression.start, expression.end)
        case Choice():
            parts = (expression.yes, expression.no)
        case Logic() | Concat() | ListOf():
            parts = operands(expression)
        case Item(value=DictOf() as lookup):
            parts = lookup.values
        case Filtered(name="replace"):
            parts = (expression.value, *expression.arguments[1:])
        case Filtered():
            parts = (expression.value, *(expression.arguments if expression.name in _WRITES else ()))
    for part in parts:
        yield from _lost_breaks(part)
