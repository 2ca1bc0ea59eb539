"""Equality of JSON values: 1 equals 1.0, and true does not equal 1."""

from __future__ import annotations

from hookctl.model import Json


def is_equal(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON value. The order of an object's keys does not matter.

    The values must not be nested deeper than Python's recursion limit allows: see ``hookctl.json.strict.MAX_DEPTH``.
    """
    return bool(left == right) and _has_same_booleans(left, right)


def _has_same_booleans(left: Json, right: Json) -> bool:
    """As :func:`is_equal`, for values that Python considers equal. Python considers ``True`` and 1 equal."""
    if left is right:
        return True
    if isinstance(left, list) and isinstance(right, list):
        return all(map(_has_same_booleans, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return all(_has_same_booleans(item, right[key]) for key, item in left.items())
    return isinstance(left, bool) is isinstance(right, bool)
