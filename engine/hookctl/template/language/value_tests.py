"""The tests that a template can make of a value, such as ``string`` or ``in``, with Jinja's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookctl.errors import RenderError
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl.template.language.values import MISSING, Missing, Value, compare, is_equal, is_in, kind

_MAX_INTEGER = 2**63 - 1
"""Larger integers would make a division slow."""

Holds = Callable[..., bool]
"""Takes the value, which may be missing, and for a test with an operand also that."""


def _is_integer(value: Value) -> bool:
    return type(value) is int


def _remainder(value: Value, divisor: Json) -> int:
    if type(value) is not int or type(divisor) is not int:
        other = divisor if type(value) is int else value
        raise RenderError(f"the test divides whole numbers, but this is {kind(other)}", hint="Test a whole number.")
    if divisor == 0:
        raise RenderError("divisibleby 0 has no answer", hint="Divide by another number.")
    if max(abs(value), abs(divisor)) > _MAX_INTEGER:
        raise RenderError("the test divides only 64-bit integers", hint="Test a smaller number.")
    return value % divisor


def _ordered(holds: Callable[[int], bool]) -> Holds:
    """A comparison. It does not hold for a value that is missing or null."""
    return lambda value, other: (order := compare(value, other)) is not None and holds(order)


WITHOUT_OPERAND: Mapping[str, Holds] = {
    "boolean": lambda value: type(value) is bool,
    "defined": lambda value: value is not MISSING,
    "even": lambda value: _remainder(value, 2) == 0,
    "false": lambda value: value is False,
    "float": lambda value: type(value) is float,
    "integer": _is_integer,
    "iterable": lambda value: type(value) in {str, list, dict},
    "mapping": lambda value: type(value) is dict,
    "none": lambda value: value is None or isinstance(value, Missing),
    "number": is_number,
    "odd": lambda value: _remainder(value, 2) == 1,
    "sequence": lambda value: type(value) in {str, list, dict},
    "string": lambda value: type(value) is str,
    "true": lambda value: value is True,
    "undefined": lambda value: value is MISSING,
}
"""The tests that need only the value. Unlike in Jinja, a boolean is not a number."""
_EQUAL: Holds = is_equal
_LESS, _LESS_OR_EQUAL = _ordered(lambda order: order < 0), _ordered(lambda order: order <= 0)
_GREATER, _GREATER_OR_EQUAL = _ordered(lambda order: order > 0), _ordered(lambda order: order >= 0)


def _is_not_equal(value: Value, other: Json) -> bool:
    return not is_equal(value, other)


WITH_OPERAND: Mapping[str, Holds] = {
    "!=": _is_not_equal,
    "<": _LESS,
    "<=": _LESS_OR_EQUAL,
    "==": _EQUAL,
    ">": _GREATER,
    ">=": _GREATER_OR_EQUAL,
    "divisibleby": lambda value, divisor: _remainder(value, divisor) == 0,
    "eq": _EQUAL,
    "equalto": _EQUAL,
    "ge": _GREATER_OR_EQUAL,
    "greaterthan": _GREATER,
    "gt": _GREATER,
    "in": is_in,
    "le": _LESS_OR_EQUAL,
    "lessthan": _LESS,
    "lt": _LESS,
    "ne": _is_not_equal,
}
"""The tests that also need an operand."""
