"""Filters that read and give numbers: finite ones, and integers of 64 bits."""

from __future__ import annotations

import math

from hookctl.errors import RenderError
from hookctl.json.kinds import is_number
from hookctl.model import Json
from hookctl.template.language.expressions import Const, Filtered
from hookctl.template.language.functions.declaration import (
    MAX_INTEGER,
    MIN_INTEGER,
    NUMBER,
    BuiltIn,
    Filters,
    argument_of,
    types,
    whole_argument,
)
from hookctl.template.language.values import to_text

_CONVERTIBLE = types("string", "number", "boolean", "null")
_MAX_NUMERAL = 1000
"""Characters of a text that ``int`` and ``float`` read as a number."""


def checked(value: float, name: str) -> int | float:
    """A result of the filter ``name``. Raises RenderError for an integer of more than 64 bits, and for no number."""
    if isinstance(value, int):
        if not MIN_INTEGER <= value <= MAX_INTEGER:
            raise RenderError(f"the filter {name} is limited to 64-bit integers", hint="Send the number as it is.")
    elif not math.isfinite(value):
        raise RenderError(f"the filter {name} gives a number that is too large", hint="Send the number as it is.")
    return value


def _int(value: Json, default: int | None = 0, base: int = 10) -> Json:
    if default is not None:
        default = whole_argument(default, "int's default", MIN_INTEGER, MAX_INTEGER)
    if base != 0:
        base = whole_argument(base, "int's base", 2, 36)
    if isinstance(value, str):
        whole = _whole(value, base)
        return default if whole is None else checked(whole, "int")
    if not isinstance(value, int | float):
        return default
    return checked(int(checked(value, "int")), "int")


def _whole(text: str, base: int) -> int | None:
    if len(text) > _MAX_NUMERAL:
        return None
    try:
        return int(text, base)
    except ValueError:
        try:
            return int(float(text))  # Jinja reads "42.23" as 42
        except (ValueError, OverflowError):
            return None


def _float(value: Json, default: float | None = 0.0) -> Json:
    if default is not None and not is_number(default):
        raise RenderError("float's default is not a number", hint="Write a number, such as 0.")
    if isinstance(value, str) and len(value) <= _MAX_NUMERAL:
        try:
            number = float(value)
        except ValueError:
            return default
        return number if math.isfinite(number) else default
    if not isinstance(value, int | float):
        return default
    return checked(float(checked(value, "float")), "float")


def _round(value: float, precision: int = 0, method: str = "common") -> Json:
    precision = whole_argument(precision, "round's precision", 0, 15)
    if method not in ("common", "floor", "ceil"):
        raise RenderError(f"round has no method {to_text(method)}", hint="The methods are common, floor and ceil.")
    checked(value, "round")
    if isinstance(value, int):
        return value
    if method == "common":
        return checked(round(value, precision) if precision else round(value), "round")
    scale: int = 10**precision
    whole = (
        (math.floor if method == "floor" else math.ceil)(value * scale) if abs(value) < 2**53 else int(value) * scale
    )
    return whole / scale if precision else checked(whole, "round")


def _abs(value: float) -> Json:
    return checked(abs(value), "abs")


def _converted(filtered: Filtered) -> frozenset[str]:
    default = argument_of(filtered, 0, "default")
    return NUMBER | types("null") if isinstance(default, Const) and default.value is None else NUMBER


FILTERS: Filters = {
    "abs": BuiltIn(_abs, takes=NUMBER, gives=NUMBER, gives_input=True),
    "float": BuiltIn(_float, takes=_CONVERTIBLE, gives=NUMBER | types("null"), gives_by_use=_converted),
    "int": BuiltIn(_int, takes=_CONVERTIBLE, gives=types("integer", "null"), gives_by_use=_converted),
    "round": BuiltIn(_round, takes=NUMBER, gives=NUMBER),
}
