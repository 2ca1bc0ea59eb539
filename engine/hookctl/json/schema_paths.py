"""Follows a template's paths through an event type's JSON Schema: what exists, may be missing, or may be null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hookctl.json.kinds import schema_type
from hookctl.json.paths import Step, path_text, pointer_steps
from hookctl.model import Json, canonical_json

Schema = Mapping[str, Any]

_MAX_REFERENCES = 20
_MAX_VALUES = 10
"""The number of a field's values that a message lists."""
_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shape:
    """The possible values at a place, as alternative schemas without null. Without ``schemas`` nothing is known."""

    schemas: tuple[Schema, ...]
    nullable: bool = False
    optional: bool = False

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that the value may have; empty if they are not known."""
        found: set[str] = set()
        for schema in self.schemas:
            types = _types(schema)
            if not types:
                return frozenset()
            found.update(types)
        return frozenset(found - {"null"})

    @property
    def values(self) -> list[Json] | None:
        """Every value that the schema allows, except null; None if it does not list them."""
        found: list[Json] = []
        for schema in self.schemas:
            if "const" in schema:
                found.append(schema["const"])
            elif isinstance(schema.get("enum"), list):
                found += schema["enum"]
            elif schema.get("type") == "boolean":
                found += [False, True]
            else:
                return None
        return [value for value in found if value is not None] if self.schemas else None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A step to a key that the schema does not have."""

    keys: tuple[str, ...]
    """The keys that exist instead."""


class EventShape:
    """An event type's schema, prepared for following paths."""

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self.schema = schema
        self.root = self._shape([schema], optional=False)

    def walk(self, start: Shape, steps: Sequence[Step]) -> Iterator[tuple[int, Shape | Unknown]]:
        """The shape after each step, with the number of steps so far. Ends after an unknown step."""
        shape = start
        for number, step in enumerate(steps, 1):
            following = self.step(shape, step)
            yield number, following
            if isinstance(following, Unknown):
                return
            shape = following

    def step(self, shape: Shape, step: Step) -> Shape | Unknown:
        """The shape of an object's key or a list's item."""
        found: list[Schema] = []
        keys: dict[str, None] = {}
        optional = False
        known = bool(shape.schemas)
        for schema in shape.schemas:
            inner = _item(schema) if isinstance(step, int) else None
            if isinstance(step, int) and inner is not None:
                found.append(inner)
                optional = True
                continue
            properties = schema.get("properties") or {}
            keys.update(dict.fromkeys(properties))
            if str(step) in properties:
                found.append(properties[str(step)])
                optional = optional or str(step) not in schema.get("required", ())
            elif isinstance(schema.get("additionalProperties"), Mapping):
                found.append(schema["additionalProperties"])
                optional = True
            elif _is_open(schema, step):
                known = False
            else:
                optional = True
        if found and known:
            return self._shape(found, optional=optional)
        return Unknown(tuple(keys)) if known else Shape(())

    def items(self, shape: Shape) -> Shape:
        """The shape of the items that a loop over the value yields."""
        inner = [item for schema in shape.schemas if (item := _item(schema)) is not None]
        return self._shape(inner, optional=False)

    def _shape(self, schemas: Sequence[Schema], *, optional: bool) -> Shape:
        flat: list[Schema] = []
        for schema in schemas:
            self._flatten(schema, flat, _MAX_REFERENCES)
        nullable = any(_is_nullable(schema) for schema in flat)
        return Shape(tuple(schema for schema in flat if _types(schema) != {"null"}), nullable, optional)

    def _flatten(self, schema: Schema, into: list[Schema], left: int) -> None:
        """A schema's alternatives, with references, ``anyOf``, ``oneOf`` and ``allOf`` resolved."""
        if not isinstance(schema, Mapping) or left == 0:
            into.append({})
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            self._flatten(self._resolve(reference), into, left - 1)
            return
        merged = schema
        for part in schema.get("allOf", ()):
            opened: list[Schema] = []
            self._flatten(part, opened, left - 1)
            merged = _merge(merged, opened[0]) if len(opened) == 1 else merged
        alternatives = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        for alternative in alternatives:
            opened = []
            self._flatten(alternative, opened, left - 1)
            into.extend(_merge(merged, one) for one in opened)
        if not alternatives:
            into.append(merged)

    def _resolve(self, reference: str) -> Schema:
        target: Any = self.schema
        for step in pointer_steps(reference):
            target = target.get(step, {}) if isinstance(target, Mapping) else {}
        return target if reference.startswith("#") and isinstance(target, Mapping) else {}


def is_certain(schema: Schema, keys: Iterable[Step]) -> bool:
    """True if a path certainly exists and is never null, by plain ``properties``, ``required`` and ``type`` only.

    It is a quick check before the full walk, because nearly every path of a template passes it.
    """
    if "$ref" in schema:
        return False
    for key in keys:
        following = schema.get("properties", _NOTHING).get(key)
        if (
            following is None
            or isinstance(following, bool)
            or key not in schema.get("required", ())
            or type(following.get("type")) is not str
            or "$ref" in following
        ):
            return False
        schema = following
    return bool(schema["type"] != "null")


def _types(schema: Schema) -> set[str]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return {declared}
    if isinstance(declared, Sequence):
        return set(declared)
    if "const" in schema:
        return {schema_type(schema["const"])}
    if isinstance(schema.get("enum"), list):
        return {schema_type(value) for value in schema["enum"]}
    return {"object"} if "properties" in schema else {"array"} if "items" in schema else set()


def _is_nullable(schema: Schema) -> bool:
    if "null" not in _types(schema):
        return False
    return "enum" not in schema or None in schema["enum"]


def _item(schema: Schema) -> Schema | None:
    if "array" not in _types(schema):
        return None
    items = schema.get("items", {})
    return items if isinstance(items, Mapping) else {}


def _is_open(schema: Schema, step: Step) -> bool:
    """Whether the schema says nothing about a key or index of the value."""
    if schema.get("properties") and not schema.get("patternProperties"):
        return False
    types = _types(schema)
    return not types or (
        "object" in types and not isinstance(step, int) and schema.get("additionalProperties") is not False
    )


def _merge(base: Schema, other: Schema) -> Schema:
    """The schema of values that satisfy both, as far as paths are concerned."""
    merged = {**base, **other}
    if "properties" in base and "properties" in other:
        merged["properties"] = {**base["properties"], **other["properties"]}
    if "required" in base or "required" in other:
        merged["required"] = [*base.get("required", ()), *other.get("required", ())]
    return merged


def describe_keys(prefix: str, keys: Sequence[str]) -> str:
    """Up to eight of the existing paths, for a hint."""
    shown = ", ".join(path_text(prefix, (key,)).removeprefix(".") for key in keys[:8])
    return shown + (", ..." if len(keys) > 8 else "")


def value_text(value: Json) -> str:
    """A constant for a message: text in single quotes, anything else as JSON."""
    return f"'{value}'" if isinstance(value, str) else canonical_json(value).decode()


def listed(values: Sequence[Json]) -> str:
    """The values that a field can have, for a message; the first ten of many."""
    shown = [value_text(value) for value in values[:_MAX_VALUES]]
    if len(values) > _MAX_VALUES:
        return f"one of {', '.join(shown)} and {len(values) - _MAX_VALUES} more"
    return shown[0] if len(shown) == 1 else f"one of {', '.join(shown)}"
