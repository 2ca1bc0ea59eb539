"""The schemas inside a schema, and where their references lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hookctl.config.events.text import SchemaText
from hookctl.json.paths import pointer_steps
from hookctl.model import Finding, Pointer
from hookctl.model.finding import brief
from hookctl.model.rules.event_types import EVENT_SCHEMA_REFERENCE

Parts = Mapping[Pointer, Mapping[str, Any]]
"""Each schema that is an object, by its place."""
ONE = ("not", "if", "then", "else", "items", "additionalProperties", "contains", "propertyNames")
"""Keywords whose value is a schema."""
ONE_UNEVALUATED = ("unevaluatedItems", "unevaluatedProperties")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
"""Keywords whose value is a list of schemas."""
NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
"""Keywords whose value maps names to schemas."""
UNSUPPORTED = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor")


def children(schema: Mapping[str, Any]) -> Iterator[tuple[Pointer, Any]]:
    """The schemas directly in a schema, with their places in it."""
    for key in (*ONE, *ONE_UNEVALUATED):
        if key in schema:
            yield (key,), schema[key]
    for key in SEVERAL:
        for number, inner in enumerate(schema.get(key, ())):
            yield (key, number), inner
    for key in NAMED:
        for name, inner in schema.get(key, {}).items():
            yield (key, name), inner


def parts_of(text: SchemaText) -> Parts:
    """Every schema in the file. The file must be valid by the meta-schema."""
    found: dict[Pointer, Mapping[str, Any]] = {}
    left: list[tuple[Pointer, Any]] = [((), text.schema)]
    while left:
        pointer, schema = left.pop()
        if isinstance(schema, dict):
            found[pointer] = schema
            left += [((*pointer, *place), inner) for place, inner in children(schema)]
    return found


def target_of(reference: str, parts: Parts) -> Pointer | None:
    """The place of the schema that a reference leads to; None if there is none in the file."""
    if not reference.startswith("#"):
        return None
    if reference == "#":
        return ()
    steps = pointer_steps(reference) if reference.startswith("#/") else None
    if steps is None:
        return None
    place: list[str | int] = []
    for number, step in enumerate(steps):
        is_index = number > 0 and steps[number - 1] in SEVERAL and step.isascii() and step.isdecimal()
        place.append(int(step) if is_index else step)
    return tuple(place) if tuple(place) in parts else None


def reference_findings(text: SchemaText, parts: Parts) -> Iterator[Finding]:
    """What is wrong with the references of a schema."""
    for pointer, schema in parts.items():
        for keyword in UNSUPPORTED:
            if keyword in schema:
                place = (*pointer, keyword)
                yield text.finding(EVENT_SCHEMA_REFERENCE, place, "keyword", at_key=True, reference=keyword)
        if pointer and "$id" in schema:
            place = (*pointer, "$id")
            yield text.finding(EVENT_SCHEMA_REFERENCE, place, "keyword", at_key=True, reference="an $id below the top")
        reference = schema.get("$ref")
        if isinstance(reference, str) and target_of(reference, parts) is None:
            variant = "missing" if reference.startswith("#/") else ""
            yield text.finding(EVENT_SCHEMA_REFERENCE, (*pointer, "$ref"), variant, reference=brief(reference))
