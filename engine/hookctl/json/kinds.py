"""The kinds of JSON values, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

_SCHEMA_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
DESCRIBED: Mapping[str, str] = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a number",
    "number": "a number",
    "string": "a string",
    "array": "a list",
    "object": "an object",
}
"""The name of a value, with an article, for each type of JSON Schema."""


def schema_type(value: object) -> str:
    """The JSON Schema type of a value; the narrower type ``integer`` for a whole number."""
    return _SCHEMA_TYPES.get(type(value), "null")


def kind(value: object) -> str:
    """The JSON kind of a value: ``null``, ``boolean``, ``number``, ``string``, ``array`` or ``object``."""
    found = schema_type(value)
    return "number" if found == "integer" else found


def described(value: object) -> str:
    """The name of a value's kind, for a message: ``a number``, ``an object``, ``null``."""
    return DESCRIBED[schema_type(value)]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number. In Python a boolean is an integer; in JSON it is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
