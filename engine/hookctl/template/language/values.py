"""JSON values in templates: how they are written, compared, and evaluated as true or false."""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from math import isfinite
from typing import Final

from hookctl.errors import RenderError
from hookctl.json import equality
from hookctl.json.kinds import described
from hookctl.json.paths import Step
from hookctl.model import Json

MAX_OUTPUT = 1024 * 1024
"""Bytes of a body, and characters of a filter's result."""


class Missing:
    """The type of :data:`MISSING`."""

    __slots__ = ()

    def __bool__(self) -> bool:
        """A missing value is false in a condition."""
        return False


MISSING: Final = Missing()
"""The value of a path that the event does not have. It is never written."""

Value = Json | Missing

quote: Callable[[str], str] = encode_basestring
"""A text as a JSON string, with only the required escapes."""


def _encoder() -> Callable[[Json], str]:
    """The encoder for lists and objects.

    ``JSONEncoder.encode`` creates a C encoder for each call, which takes as long as encoding most values.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    make = getattr(json.encoder, "c_make_encoder", None)  # CPython's own encoder; other implementations have none
    if make is None:
        return encoder.encode
    # positional, because the C encoder takes no keywords
    pieces = make(None, encoder.default, quote, None, ":", ",", False, False, False)
    return lambda value: "".join(pieces(value, 0))


_encode = _encoder()


def to_json(value: Value) -> str:
    """The value as compact JSON.

    Raises:
        RenderError: JSON cannot represent the value: a NaN, an infinity, a number with too many digits, or too deep
            nesting.
    """
    kind_of_value = type(value)
    if kind_of_value is str:
        return quote(value)  # type: ignore[arg-type] # the type was checked above
    if kind_of_value is bool or value is None:
        return "true" if value else "null" if value is None else "false"
    try:
        if kind_of_value is int:
            return int.__repr__(value)
        if kind_of_value is float and isfinite(value):  # type: ignore[arg-type] # as above
            return float.__repr__(value)
        # MISSING raises a TypeError, as does any other value outside JSON
        return _encode(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RenderError(
            f"a value cannot be written as JSON: {why}",
            hint="Change the event or the filter: JSON cannot represent this value.",
        ) from None


def to_text(value: Value) -> str:
    """The text of a string; the JSON text of any other value."""
    return value if type(value) is str else to_json(value)


def escape(text: str, depth: int) -> str:
    """The text as content of a JSON string that is nested ``depth`` strings deep."""
    for _ in range(depth):
        text = quote(text)[1:-1]
    return text


def take(value: Value, step: Step) -> Value:
    """One step into a value: an object's key or a list's index, never an attribute of a Python object."""
    if type(value) is dict:
        return value.get(str(step), MISSING)
    if type(value) is list and type(step) is int and -len(value) <= step < len(value):
        return value[step]
    return MISSING


def is_equal(left: Value, right: Value) -> bool:
    """Equality of JSON values: ``true`` does not equal 1, 1 equals 1.0, and a missing value equals null."""
    return equality.is_equal(None if isinstance(left, Missing) else left, None if isinstance(right, Missing) else right)


def is_in(left: Value, right: Value) -> bool:
    """Whether a list has the item, an object the key, or a string the text. False if ``right`` is missing or null.

    Raises:
        RenderError: ``right`` is a number or boolean, or ``right`` is a string and ``left`` is not.
    """
    if type(right) is list:
        return any(is_equal(left, item) for item in right)
    if type(right) is dict:
        return type(left) is str and left in right
    if type(right) is str and type(left) is str:
        return left in right
    if right is MISSING or right is None:
        return False
    raise RenderError(
        f"'in' cannot look for {kind(left)} in {kind(right)}", hint="Look in a list, an object or a string."
    )


def compare(left: Value, right: Value) -> int | None:
    """Negative, zero or positive if ``left`` comes before, with or after ``right``.

    None if one of them is missing or null, because these have no order.

    Raises:
        RenderError: They are neither both numbers nor both strings.
    """
    if left is MISSING or right is MISSING or left is None or right is None:
        return None
    if (type(left) in {int, float} and type(right) in {int, float}) or (type(left) is str and type(right) is str):
        return (left > right) - (left < right)  # type: ignore[operator] # both are numbers or both are strings
    raise RenderError(
        f"{kind(left)} cannot be compared with {kind(right)}",
        hint="Compare numbers with numbers and strings with strings.",
    )


def kind(value: Value) -> str:
    """The kind of a value with its article, for messages."""
    return "nothing" if isinstance(value, Missing) else described(value)


def size(value: Value) -> int:
    """The size of a value as a measure of work: its characters or items."""
    return len(value) if type(value) in {str, list, dict} else 1  # type: ignore[arg-type] # the three have a length


def identity(value: Value) -> str:
    """A text that two values share exactly if they are equal by :func:`is_equal`.

    A set of such texts finds equal values in linear time. Python's hashes of numbers would not: an event can contain
    many numbers with one hash.

    Raises:
        RenderError: a number has too many digits.
    """
    if isinstance(value, str):
        return f'"{value}'  # no other text begins like this
    return _identity(value)


def _identity(value: Value) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float) and value.is_integer():
        return to_json(int(value))
    if isinstance(value, list):
        return f"[{','.join(map(_identity, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(sorted(f'{quote(key)}:{_identity(item)}' for key, item in value.items()))}}}"
    return "null" if isinstance(value, Missing) else to_json(value)
