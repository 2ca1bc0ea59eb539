"""The parts of a JSON Schema that apply to a value, and what a schema of a webhook file may contain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from hookctl.json.paths import pointer_steps
from hookctl.model import Json, Pointer
from hookctl.model.nearest import nearest

MAX_VALUES = 5000
"""The maximum number of JSON values in a schema."""
MAX_DEPTH = 64
"""The maximum nesting of a schema."""
MAX_SAME_DEPTH = 40
"""The maximum number of schemas one inside the other that all apply to the same value."""
MAX_SAME = 10_000
"""The maximum number of schemas that apply to the same value, each counted as often as it is evaluated."""

_ONE_SAME = ("not", "if", "then", "else")
_LIST_SAME = ("allOf", "anyOf", "oneOf")
_MAP_SAME = ("dependentSchemas", "dependencies")
_ONE_INSIDE = (
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "additionalItems",
    "contains",
    "unevaluatedItems",
)
_LIST_INSIDE = ("prefixItems", "items")
_MAP_INSIDE = ("properties", "patternProperties", "$defs", "definitions")
_OTHERS = (
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "format",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "$schema",
    "$id",
    "$ref",
    "$comment",
)
_KEYWORDS = frozenset((*_ONE_SAME, *_LIST_SAME, *_MAP_SAME, *_ONE_INSIDE, *_LIST_INSIDE, *_MAP_INSIDE, *_OTHERS))
_REFUSED = {
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
}

_ENTERED = (0, 0)
"""The measure of a schema whose measuring has begun."""


class Part(NamedTuple):
    """A schema directly inside another one."""

    keyword: str
    pointer: Pointer
    schema: Json
    is_same: bool
    """Whether it applies to the same value as the schema around it, not to a value inside."""


class SchemaRefusedError(Exception):
    """Something that a schema may not contain, with its place in the schema."""

    def __init__(self, message: str, pointer: Pointer, hint: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.hint = hint


def parts(schema: Mapping[str, Json]) -> Iterator[Part]:
    """The schemas directly inside a schema, without those that it refers to."""
    for keyword, value in schema.items():
        is_same = keyword in _ONE_SAME or keyword in _LIST_SAME or keyword in _MAP_SAME
        if isinstance(value, list) and (keyword in _LIST_SAME or keyword in _LIST_INSIDE):
            yield from (Part(keyword, (keyword, index), item, is_same) for index, item in enumerate(value))
        elif isinstance(value, dict) and (keyword in _MAP_SAME or keyword in _MAP_INSIDE):
            yield from (Part(keyword, (keyword, name), item, is_same) for name, item in value.items())
        elif keyword in _ONE_SAME or keyword in _ONE_INSIDE:
            yield Part(keyword, (keyword,), value, is_same)


def check_size(schema: Json) -> None:
    """Check how large and how deep a schema is, before anything recurses into it. Raises SchemaRefusedError."""
    hint = "Describe less of the response."
    seen = 0
    for depth, level in enumerate(_levels(schema), 1):
        seen += len(level)
        if seen > MAX_VALUES:
            raise SchemaRefusedError(f"the schema has more than {MAX_VALUES:,} values", (), hint)
        if depth > MAX_DEPTH:
            raise SchemaRefusedError(f"the schema is nested deeper than {MAX_DEPTH}", (), hint)


def size(value: Json) -> int:
    """How many values a JSON value consists of."""
    return sum(map(len, _levels(value)))


def _levels(value: Json) -> Iterator[list[Json]]:
    """The values at each depth of a JSON value: itself, those directly in it, and so on."""
    level = [value]
    while level:
        yield level
        inner = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [item for items in inner for item in items]


class Schemas:
    """The schemas inside a schema, and what each refers to."""

    def __init__(self, root: dict[str, Json]) -> None:
        """``root`` need not be valid otherwise.

        Raises:
            SchemaRefusedError: It has an unknown keyword, refers to something outside of it, or is evaluated too often.
        """
        self.root = root
        self.has_alternatives = False
        """Whether a value can fail in several ways at once, which makes explaining a failure expensive."""
        self._inner: dict[int, list[Part]] = {}
        found: list[tuple[Pointer, Json]] = []
        pending: list[tuple[Pointer, Json]] = [((), root)]
        while pending:
            pointer, schema = pending.pop()
            if isinstance(schema, dict):
                found.append((pointer, schema))
                _check_keywords(schema, pointer)
                inner = [*parts(schema)]
                self.has_alternatives |= not {"anyOf", "oneOf"}.isdisjoint(schema)
                pending += [((*pointer, *part.pointer), part.schema) for part in inner]
                self._inner[id(schema)] = [*inner, *self._target(schema, pointer)]
        measured: dict[int, tuple[int, int]] = {}
        for place, schema in found:
            self._measure(schema, place, measured, 1)

    def inner(self, schema: Mapping[str, Json]) -> list[Part]:
        """The schemas directly inside a schema, and the one that it refers to."""
        return self._inner[id(schema)]

    def _target(self, schema: Mapping[str, Json], pointer: Pointer) -> list[Part]:
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return []
        place = (*pointer, "$ref")
        if not (reference == "#" or reference.startswith("#/")):
            what = "the schema refers to something outside of it"
            raise SchemaRefusedError(what, place, "Copy it into $defs, and refer to it as #/$defs/NAME.")
        found: Any = self.root
        for step in pointer_steps(unquote(reference)):
            if isinstance(found, dict) and step in found:
                found = found[step]
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                raise SchemaRefusedError(f"the schema has no {reference}", place, "Refer to a schema in $defs.")
        return [Part("$ref", ("$ref",), found, is_same=True)]

    def _measure(
        self, schema: Json, pointer: Pointer, measured: dict[int, tuple[int, int]], level: int
    ) -> tuple[int, int]:
        """How many schemas are evaluated for one value, and how many of them at most one inside the other."""
        if not isinstance(schema, dict):
            return 1, 1
        known = measured.get(id(schema))
        if known == _ENTERED:
            what = "the schema refers to itself for the same value"
            raise SchemaRefusedError(what, pointer, "Refer to it from a property or an item.")
        if known is not None:
            return known
        if id(schema) not in self._inner:
            raise SchemaRefusedError(
                "this refers to something that is not a schema", pointer, "Refer to a schema in $defs."
            )
        measured[id(schema)] = _ENTERED
        same = [part.schema for part in self._inner[id(schema)] if part.is_same]
        # the level is checked first, so that this function does not recurse deeper either
        inner = [self._measure(part, pointer, measured, level + 1) for part in same] if level < MAX_SAME_DEPTH else []
        count = 1 + sum(number for number, _ in inner)
        depth = 1 + max((depth for _, depth in inner), default=0)
        if depth > MAX_SAME_DEPTH or (same and not inner):
            what = f"more than {MAX_SAME_DEPTH} references and alternatives lead from one to the next"
            raise SchemaRefusedError(what, pointer, "Refer to the last one.")
        if count > MAX_SAME:
            what = f"the alternatives multiply to more than {MAX_SAME:,}"
            raise SchemaRefusedError(what, pointer, "Write fewer alternatives that refer to the same schema.")
        measured[id(schema)] = count, depth
        return count, depth


def _check_keywords(schema: Mapping[str, Json], pointer: Pointer) -> None:
    for keyword in schema:
        place = (*pointer, keyword)
        if keyword in _REFUSED or (keyword == "$id" and pointer):
            raise SchemaRefusedError(f"{keyword} is not supported here", place, "Refer to schemas as #/$defs/NAME.")
        if keyword not in _KEYWORDS and not keyword.startswith("x-"):
            near = nearest(keyword, _KEYWORDS)
            hint = f"Did you mean {near[0]}?" if near else "Remove it, or begin its name with x-."
            raise SchemaRefusedError(f"JSON Schema has no keyword {keyword[:80]}", place, hint)
