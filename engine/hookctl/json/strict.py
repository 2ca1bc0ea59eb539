"""Parses only JSON that every reader understands alike.

No key appears twice in one object, there is no NaN, no number out of range and no half of a surrogate pair.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from hookctl.model import Json

MAX_DEPTH = 64
"""The maximum nesting of objects and lists. Functions that walk through a value recurse at each level."""
MAX_NAMED = 200
"""The number of characters of a key or a number that a message quotes."""
_MAX_DOUBLE = 2**1024
"""The first integer that a double cannot hold. Most readers keep every number in a double."""


class AmbiguousJsonError(ValueError):
    """A text that only some readers accept as JSON, or that readers understand differently.

    Its message gives the reason.
    """


class RepeatedKeyError(AmbiguousJsonError):
    """A key that appears twice in one object: readers differ in which of the two values counts."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {_named(key)!r} appears twice in one object")
        self.key = key


def parse(text: str, *, any_integer: bool = False, max_depth: int = MAX_DEPTH) -> Json:
    """The value of a JSON text.

    Args:
        text: The text to parse.
        any_integer: Accept integers that a double cannot hold.
        max_depth: The maximum nesting of objects and lists.

    Raises:
        json.JSONDecodeError: No reader accepts the text as JSON.
        AmbiguousJsonError: Readers understand the text differently, or it is nested too deeply.
    """
    read_integer = int if any_integer else _integer
    try:
        value: Json = json.loads(
            text, object_pairs_hook=unique_keys, parse_constant=_constant, parse_float=_float, parse_int=read_integer
        )
    except (json.JSONDecodeError, AmbiguousJsonError):
        raise
    except RecursionError as error:
        raise AmbiguousJsonError(f"nested deeper than {max_depth}") from error
    except ValueError as error:  # int() refuses a text that would take too long to convert
        raise AmbiguousJsonError("a number with more digits than can be read") from error
    if text.count("{") + text.count("[") > max_depth and is_deep(value, max_depth):
        raise AmbiguousJsonError(f"nested deeper than {max_depth}")
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(value)
    return value


def is_deep(value: Json, max_depth: int = MAX_DEPTH) -> bool:
    """Whether objects and lists are nested deeper than ``max_depth``, determined without recursion."""
    level = [value]
    for _ in range(max_depth):
        level = [inner for item in level for inner in _inside(item) if isinstance(inner, dict | list)]
    return bool(level)


def _inside(value: Json) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The object of these keys and values, for ``object_pairs_hook``. Raises RepeatedKeyError."""
    found = dict(pairs)
    if len(found) != len(pairs):
        again, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise RepeatedKeyError(again)
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
        raise AmbiguousJsonError("an unpaired surrogate") from error
