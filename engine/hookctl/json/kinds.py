"""The kinds of JSON values, and their names."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
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


def kinds_of(types: Iterable[str]) -> frozenset[str]:
    """The JSON kinds of types of JSON Schema: an ``integer`` is a ``number``."""
    return frozenset("number" if name == "integer" else name for name in types)


def described(value: object) -> str:
    """The name of a value's kind, for a message: ``a number``, ``an object``, ``null``."""
    return DESCRIBED[schema_type(value)]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number. In Python a boolean is an integer; in JSON it is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_of_type(value: object, types: Container[str]) -> bool:
    """Whether a value has one of these types of JSON Schema: 1 and 1.0 are both ``integer`` and ``number``."""
    found = schema_type(value)
    if found in types:
        return True
    if found == "integer":
        return "number" in types
    return found == "number" and "integer" in types and float(value).is_integer()  # type: ignore[arg-type] # a float
