"""What kinds of JSON values there are, and what they are called."""

from __future__ import annotations

from collections.abc import Container, Mapping
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
"""For each type of JSON Schema the words for its values, with an article."""


def schema_type(value: object) -> str:
    """The type that JSON Schema has for a value, the narrower one for a whole number: ``integer``, not ``number``."""
    return _SCHEMA_TYPES.get(type(value), "null")


def kind(value: object) -> str:
    """Which of JSON's six kinds a value is: ``null``, ``boolean``, ``number``, ``string``, ``array`` or ``object``."""
    found = schema_type(value)
    return "number" if found == "integer" else found


def described(value: object) -> str:
    """What a value is, for a message: ``a number``, ``an object``, ``null``."""
    return DESCRIBED[schema_type(value)]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number. In Python a boolean is an integer, in JSON it is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_of_type(value: object, types: Container[str]) -> bool:
    """Whether a value has one of these types of JSON Schema: 1 and 1.0 are both ``integer`` and ``number``."""
    found = schema_type(value)
    if found in types:
        return True
    if found == "integer":
        return "number" in types
    return found == "number" and "integer" in types and float(value).is_integer()  # type: ignore[arg-type] # a float
