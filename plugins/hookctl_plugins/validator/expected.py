"""What it means that a value is among the expected ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import cast

from hookctl.json.kinds import kind
from hookctl.model import Json

KEPT_CHARACTERS = 1000
_STARTS = frozenset("-0123456789tfn")
"""What a number, a boolean or null can begin with."""
_decode: Callable[[str], Json] = json.JSONDecoder(parse_constant=str).decode  # NaN and Infinity are not JSON

Scalar = tuple[str, str | int | float | bool | None]
"""A JSON scalar with its JSON type, since Python takes True for 1."""


def accepted_scalars(expected: Sequence[Json]) -> frozenset[Scalar]:
    """Every scalar that the expected values accept.

    A string accepts itself, and the number, boolean or null that it is the JSON text of; anything else accepts itself
    alone.
    """
    accepted = {_scalar(value) for value in expected}
    accepted |= {_scalar(_parsed(value)) for value in expected if isinstance(value, str)}
    return frozenset(scalar for scalar in accepted if scalar is not None)


def is_accepted(value: object, accepted: frozenset[Scalar]) -> bool:
    """True when ``value`` is a scalar that is accepted; objects and arrays never are."""
    scalar = _scalar(value)
    return scalar is not None and scalar in accepted


def shown(value: object, limit: int = 80) -> str:
    """``value`` as JSON text, cut to ``limit`` characters, for a message."""
    try:
        return _cut(json.dumps(value, ensure_ascii=False), limit)
    except RecursionError:
        return "a value nested too deeply to be shown"
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number with too many digits to be shown"


def kept(value: object) -> Json:
    """``value`` for an attempt's record: a scalar as it is, a list or an object as its text, all cut if long."""
    if isinstance(value, str):
        return _cut(value, KEPT_CHARACTERS)
    if (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int | float) and abs(value) <= sys.float_info.max)
    ):
        return value  # no infinity, which an expression can compute and no record can hold
    return shown(value, KEPT_CHARACTERS)


def _cut(text: str, limit: int) -> str:
    text = text.encode("utf-8", "backslashreplace").decode(
        "utf-8"
    )  # JSON may hold half a surrogate pair, which no output takes
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _scalar(value: object) -> Scalar | None:
    return None if isinstance(value, list | dict) else (kind(value), cast("str | float | None", value))


def _parsed(text: str) -> Json:
    """The number, boolean or null whose JSON text this is, else the text itself."""
    if text[:1] not in _STARTS:
        return text
    if text != text.strip():
        return text  # JSON allows blanks around a value, an expected value does not
    try:
        value = _decode(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str | list | dict) else value
