"""What operators, slices and lookups do with JSON values: pure functions, bounded in cost and output."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from hookctl.errors import RenderError
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl.template.language.values import MAX_OUTPUT, MISSING, Missing, Value, is_equal, kind, to_text

LARGEST_INTEGER = 2**63
"""The result of a calculation is smaller than this, and larger than its negative."""


def calculate(operator: str, left: Json, right: Json) -> Json:
    """``left operator right`` for ``+ - * / // %``, as in Python.

    Raises:
        RenderError: one of them is not a number, the divisor is 0, or the result is too large.
    """
    for value in (left, right):
        if not is_number(value):
            raise RenderError(f"{operator} does not accept {kind(value)}", hint=_HINTS.get(operator, _NUMBERS))
    try:
        result = _CALCULATIONS[operator](left, right)
    except ZeroDivisionError:
        raise RenderError(f"{operator} divides by 0", hint="Test the divisor with an if.") from None
    except OverflowError:
        result = math.inf
    if isinstance(result, int) and abs(result) >= LARGEST_INTEGER:
        raise RenderError(
            f"the result of {operator} is too large", hint="It must be smaller than 2 to the power of 63."
        )
    if isinstance(result, float) and not math.isfinite(result):
        raise RenderError(f"the result of {operator} is not a finite number", hint="JSON has only finite numbers.")
    return result


_NUMBERS = "Calculate with numbers; | int and | float turn text into numbers."
_HINTS = {"+": "Calculate with numbers; join text with ~."}
_CALCULATIONS: Mapping[str, Callable[..., Json]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "//": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}


def concatenate(parts: list[Json]) -> str:
    """The text of the values, joined.

    Raises:
        RenderError: it has more than ``MAX_OUTPUT`` characters.
    """
    texts = [to_text(part) for part in parts]
    if sum(map(len, texts)) > MAX_OUTPUT:
        raise RenderError(f"~ returns more than {MAX_OUTPUT} characters", hint="Send less of the event.")
    return "".join(texts)


def cut(value: Json, first: int | None, stop: int | None) -> Json:
    """``value[first:stop]``. Raises RenderError for anything but a list or a string."""
    if not isinstance(value, (list, str)):
        raise RenderError(f"a slice does not accept {kind(value)}", hint="Slice a list or a string.")
    return value[first:stop]


def take_item(value: Value, key: Value) -> Value:
    """The item of an object by a key, or of a list by an index; missing if there is none."""
    if type(value) is dict:
        return value.get(key, MISSING) if type(key) is str else MISSING
    if type(value) is list and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    return MISSING


def look_up(keys: list[Json], values: list[Callable[[], Value]], key: Value) -> Value:
    """The value of the last key that equals ``key``, as in a dict; missing if there is none."""
    if isinstance(key, Missing):
        return MISSING
    found = next((at for at in range(len(keys) - 1, -1, -1) if is_equal(keys[at], key)), None)
    return MISSING if found is None else values[found]()
