"""JSON that every reader takes for the same value: no key twice in one object, no NaN, no number out of range, no half surrogate pair."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from hookctl.model import Json

MAX_DEPTH = 64
"""Objects and lists inside one another: what walks through a value calls itself at each."""
MAX_NAMED = 200
"""Characters of a key or a number that a message repeats."""
_MAX_DOUBLE = 2**1024
"""Integers from here on are out of the range of a double, in which most readers keep a number."""


class AmbiguousJsonError(ValueError):
    """A text that some readers take for JSON, others not, or for another value. Its message says why."""


def parse(text: str, *, any_integer: bool = False) -> Json:
    """The value of a JSON text. ``any_integer`` lets integers be out of the range of a double.

    Raises:
        json.JSONDecodeError: it is not JSON to any reader.
        AmbiguousJsonError: it is not the same value to every reader.
    """
    read_integer = int if any_integer else _integer
    try:
        value: Json = json.loads(
            text, object_pairs_hook=unique_keys, parse_constant=_constant, parse_float=_float, parse_int=read_integer
        )
    except (json.JSONDecodeError, AmbiguousJsonError):
        raise
    except RecursionError as error:
        raise AmbiguousJsonError(f"nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:  # int() refuses what would take it too long
        raise AmbiguousJsonError("a number with more digits than can be read") from error
    if text.count("{") + text.count("[") > MAX_DEPTH and is_deep(value):
        raise AmbiguousJsonError(f"nested deeper than {MAX_DEPTH}")
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(value)
    return value


def is_deep(value: Json) -> bool:
    """Whether more than ``MAX_DEPTH`` objects and lists lie in one another, found without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _inside(item) if isinstance(inner, dict | list)]
    return bool(level)


def _inside(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The object of these keys and values. Raises AmbiguousJsonError for a key that stands twice: readers differ on which holds."""
    found = dict(pairs)
    if len(found) != len(pairs):
        again, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise AmbiguousJsonError(f"the key {_named(again)!r} stands twice in one object")
    return found


def _constant(text: str) -> NoReturn:
    raise AmbiguousJsonError(f"{text} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise AmbiguousJsonError(f"the number {_named(text)} is too large")
    return number


def _integer(text: str) -> int:
    number = int(text)
    if abs(number) >= _MAX_DOUBLE:
        raise AmbiguousJsonError(f"the number {_named(text)} is too large")
    return number


def _named(text: str) -> str:
    return text if len(text) <= MAX_NAMED else text[: MAX_NAMED - 3] + "..."


def _refuse_lone_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise AmbiguousJsonError("half of a surrogate pair stands alone") from error
