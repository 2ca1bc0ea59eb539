"""JSON that every reader takes for the same value.

No key appears twice in one object, there is no NaN, no number out of range and no half of a surrogate pair.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import NoReturn

from hookctl.model import Json

MAX_DEPTH = 64
"""Objects and lists inside one another. Functions that walk through a value call themselves at each."""
MAX_NAMED = 200
"""Characters of a key or a number that a message repeats."""
_MAX_DOUBLE = 2**1024
"""The first integer that a double cannot hold. Most readers keep every number in a double."""


class AmbiguousJsonError(ValueError):
    """A text that only some readers accept as JSON, or that readers disagree on. Its message says why."""


class RepeatedKeyError(AmbiguousJsonError):
    """A key that appears twice in one object: readers differ in which of the two values counts."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {_named(key)!r} appears twice in one object")
        self.key = key


def parse(text: str, *, any_integer: bool = False, max_depth: int = MAX_DEPTH) -> Json:
    """The value of a JSON text.

    Args:
        text: what to read.
        any_integer: accept integers that a double cannot hold.
        max_depth: how many objects and lists may lie in one another.

    Raises:
        json.JSONDecodeError: no reader accepts the text as JSON.
        AmbiguousJsonError: readers disagree on the text, or it is nested too deep.
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
    except ValueError as error:  # int() refuses a text that would take it too long
        raise AmbiguousJsonError("a number with more digits than can be read") from error
    if text.count("{") + text.count("[") > max_depth and is_deep(value, max_depth):
        raise AmbiguousJsonError(f"nested deeper than {max_depth}")
    if "\\ud" in text or "\\uD" in text:
        _refuse_lone_surrogates(value)
    return value


def is_deep(value: Json, max_depth: int = MAX_DEPTH) -> bool:
    """Whether more than ``max_depth`` objects and lists lie in one another, found without recursion."""
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
