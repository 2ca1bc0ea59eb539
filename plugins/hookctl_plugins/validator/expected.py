"""Compares values of a response with expected values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import cast

from hookctl.json.kinds import kind
from hookctl.model import Json

KEPT_CHARACTERS = 1000
_STARTS = frozenset("-0123456789tfn")
"""The characters that a number, a boolean or null can begin with."""
# Python's parser accepts NaN and Infinity, which are not JSON
_decode: Callable[[str], Json] = json.JSONDecoder(parse_constant=str).decode

Scalar = tuple[str, str | int | float | bool | None]
"""A JSON scalar with its JSON type, because Python considers True and 1 equal."""


def accepted_scalars(expected: Sequence[Json]) -> frozenset[Scalar]:
    """Every scalar that the expected values accept.

    A string accepts itself, and the number, boolean or null with that JSON text. Any other value accepts only itself.
    """
    accepted = {_scalar(value) for value in expected}
    accepted |= {_scalar(_parsed(value)) for value in expected if isinstance(value, str)}
    return frozenset(scalar for scalar in accepted if scalar is not None)


def is_accepted(value: object, accepted: frozenset[Scalar]) -> bool:
    """True if ``value`` is an accepted scalar; objects and arrays are never accepted."""
    scalar = _scalar(value)
    return scalar is not None and scalar in accepted


def shown(value: object, limit: int = 80) -> str:
    """``value`` as JSON text for a message, cut to ``limit`` characters."""
    try:
        return _cut(json.dumps(value, ensure_ascii=False), limit)
    except RecursionError:
        return "a value nested too deeply to be shown"
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number with too many digits to be shown"


def kept(value: object) -> Json:
    """``value`` for an attempt's record: a scalar as it is, a list or an object as its text. Long values are cut."""
    if isinstance(value, str):
        return _cut(value, KEPT_CHARACTERS)
    if (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int | float) and abs(value) <= sys.float_info.max)
    ):
        return value  # an expression can compute infinity, but a record cannot contain it
    return shown(value, KEPT_CHARACTERS)


def _cut(text: str, limit: int) -> str:
    text = text.encode("utf-8", "backslashreplace").decode(
        "utf-8"
    )  # JSON may contain half a surrogate pair, which UTF-8 cannot represent
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _scalar(value: object) -> Scalar | None:
    return None if isinstance(value, list | dict) else (kind(value), cast("str | float | None", value))


def _parsed(text: str) -> Json:
    """The number, boolean or null with this JSON text; else the text itself."""
    if text[:1] not in _STARTS:
        return text
    if text != text.strip():
        return text  # JSON allows spaces around a value, an expected value does not
    try:
        value = _decode(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str | list | dict) else value
