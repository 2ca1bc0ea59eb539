"""Conditions that ask for the type of the event, which is known when a template is checked against one type."""

from __future__ import annotations

from hookctl.template.fields.shapes import Scope
from hookctl.template.language.expressions import Compare, Const, Expression, ListOf, Logic, Not, Path


def decided(condition: Expression, scope: Scope) -> bool | None:
    """Whether a condition holds for every event of the type, or for none; None if it asks for something else.

    So a template for several types can use the fields of one of them inside ``{% if event_type == '...' %}``.
    """
    match condition:
        case Not():
            inner = decided(condition.value, scope)
            return None if inner is None else not inner
        case Logic():
            found = [decided(operand, scope) for operand in condition.operands]
            absorbing = condition.operator == "or"
            return absorbing if absorbing in found else None if None in found else not absorbing
        case Compare(operator="==" | "!=", left=left, right=right):
            constant, path = (left, right) if isinstance(left, Const) else (right, left)
            constants = [constant]
        case Compare(operator="in" | "not in", left=path, right=ListOf(items=items)):
            constants = [*items]
        case _:
            return None
    values = scope.shape(path).values if path_is_type(path) else None
    if not values or len(values) != 1 or not all(isinstance(one, Const) for one in constants):
        return None
    is_among = any(isinstance(one, Const) and one.value == values[0] for one in constants)
    return is_among if condition.operator in {"==", "in"} else not is_among


def path_is_type(expression: Expression) -> bool:
    """Whether an expression is ``event_type``."""
    return isinstance(expression, Path) and expression.root == "event_type" and not expression.steps
