"""Infers the JSON Schema of the bodies that a template writes, from its text and the schema of the event type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hookctl.errors import TemplateError
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.model.secret import has_reference
from hookctl.template.fields.shapes import UNKNOWN, Scope, event_scope
from hookctl.template.language.expressions import Expression, Output, Path, Text
from hookctl.template.language.parser import parse
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark, Slot, String, read

Schema = dict[str, Json]

_CLOSING = {"{": "}", "[": "]"}
_KEPT = ("type", "enum", "const", "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "description",
         "minItems", "maxItems", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")  # fmt: skip
"""What is copied from an event's schema."""
MAX_DEPTH = 20
"""The nesting of an event's schema that is copied."""


class _UnclearError(Exception):
    """The text of an object or list is split over branches in a way that this module does not follow."""


@dataclass(slots=True)
class _Members:
    """What is known of an object: the schemas of each key, and which keys are always there."""

    schemas: dict[str, list[Schema]] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    others: list[Schema] = field(default_factory=list)
    """The schemas of keys that come from the event."""

    def add(self, other: _Members, *, always: bool) -> None:
        for name, schemas in other.schemas.items():
            self.schemas.setdefault(name, []).extend(schemas)
        self.others += other.others
        if always:
            self.required |= other.required


def infer_schema(text: str, event_schema: Mapping[str, Json], filters: Mapping[str, Filter]) -> Schema:
    """The schema of the JSON that a template writes; ``{}``, which allows everything, where it is not clear.

    Every body that the template writes is valid against it.
    """
    try:
        tokens = read(parse(text))
        return _Inference().whole(tokens, event_scope(EventShape(event_schema), filters))
    except (TemplateError, _UnclearError, RecursionError):
        return {}


class _Inference:
    """Walks over the tokens of a template that is known to write JSON on every path."""

    def whole(self, tokens: Sequence[JsonToken], scope: Scope) -> Schema:
        """The schema of tokens that are one value."""
        schema, end = self._value(tokens, 0, scope)
        if end != len(tokens):
            raise _UnclearError
        return schema

    def _value(self, tokens: Sequence[JsonToken], at: int, scope: Scope) -> tuple[Schema, int]:
        """The schema of the value that begins at ``at``, and where it ends."""
        if at >= len(tokens):
            raise _UnclearError
        token = tokens[at]
        if isinstance(token, Mark) and token.kind in _CLOSING:
            end = self._end(tokens, at)
            inside = tuple(tokens[at + 1 : end])
            made = self._object(inside, scope) if token.kind == "{" else self._list(inside, scope)
            return made, end + 1
        if isinstance(token, Mark) and token.kind in {"string", "value"}:
            return _constant(token.text), at + 1
        if isinstance(token, String):
            return _text(token, scope), at + 1
        if isinstance(token, Slot):
            return of_expression(token.output.expression, scope), at + 1
        if isinstance(token, Fork):
            return any_of([self.whole(body, scope) for body in token.bodies]), at + 1
        raise _UnclearError

    def _end(self, tokens: Sequence[JsonToken], at: int) -> int:
        depth = 0
        for number in range(at, len(tokens)):
            token = tokens[number]
            if isinstance(token, Mark):
                depth += (token.kind in {"{", "["}) - (token.kind in {"}", "]"})
                if depth == 0:
                    return number
        raise _UnclearError

    def _object(self, tokens: Sequence[JsonToken], scope: Scope) -> Schema:
        members = self._members(tokens, scope)
        schema: Schema = {"type": "object"}
        if members.schemas:
            schema["properties"] = {name: any_of(schemas) for name, schemas in members.schemas.items()}
            schema["required"] = [name for name in members.schemas if name in members.required]
            if not schema["required"]:
                del schema["required"]
        if members.others:
            schema["additionalProperties"] = any_of([*members.others])
        return schema

    def _members(self, tokens: Sequence[JsonToken], scope: Scope) -> _Members:
        members = _Members()
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if isinstance(token, Mark) and token.kind == ",":
                at += 1
            elif isinstance(token, Fork):
                self._fork(token, scope, members)
                at += 1
            elif isinstance(token, Loop):
                for body, inner in _bodies(token, scope):
                    members.add(self._members(body, inner), always=False)
                at += 1
            else:
                at = self._member(tokens, at, scope, members)
        return members

    def _fork(self, token: Fork, scope: Scope, members: _Members) -> None:
        found = [self._members(body, scope) for body in token.bodies]
        for one in found:
            members.add(one, always=False)
        if token.node.branches[-1].condition is None:
            members.required |= set.intersection(*(one.required for one in found))

    def _member(self, tokens: Sequence[JsonToken], at: int, scope: Scope, members: _Members) -> int:
        key, colon = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else None
        if not isinstance(colon, Mark) or colon.kind != ":":
            raise _UnclearError
        schema, end = self._value(tokens, at + 2, scope)
        if isinstance(key, Mark) and key.kind == "string":
            name = json.loads(key.text)
            members.schemas.setdefault(name, []).append(schema)
            members.required.add(name)
        elif isinstance(key, String):
            members.others.append(schema)
        else:
            raise _UnclearError
        return end

    def _list(self, tokens: Sequence[JsonToken], scope: Scope) -> Schema:
        items = self._items(tokens, scope)
        return {"type": "array", "items": any_of(items)} if items else {"type": "array", "maxItems": 0}

    def _items(self, tokens: Sequence[JsonToken], scope: Scope) -> list[Schema]:
        items: list[Schema] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if isinstance(token, Mark) and token.kind == ",":
                at += 1
            elif isinstance(token, Fork):
                for branch in token.bodies:
                    items += self._items(branch, scope)
                at += 1
            elif isinstance(token, Loop):
                for body, inner in _bodies(token, scope):
                    items += self._items(body, inner)
                at += 1
            else:
                schema, at = self._value(tokens, at, scope)
                items.append(schema)
        return items


def _bodies(loop: Loop, scope: Scope) -> tuple[tuple[Sequence[JsonToken], Scope], ...]:
    """The bodies of a loop, each with the names that it has."""
    targets = loop.node.targets
    shapes = [scope.items(loop.node.iterable)] if len(targets) == 1 else [UNKNOWN] * len(targets)
    names = {**scope.names, "loop": UNKNOWN, **dict(zip(targets, shapes, strict=True))}
    return (loop.body, replace(scope, names=names)), (loop.otherwise, scope)


def _constant(text: str) -> Schema:
    if text.startswith('"') and has_reference(text):
        return {"type": "string"}  # a secret takes the reference's place
    return {"const": json.loads(text)}


def _text(token: String, scope: Scope) -> Schema:
    """A string with expressions: one of the values that the schema lists, if it is only a field with such a list."""
    content = [node for node in token.content if not isinstance(node, Text) or node.text]
    only = content[0] if len(content) == 1 else None
    if isinstance(only, Output) and isinstance(only.expression, Path):
        shape = scope.shape(only.expression)
        if shape.types == {"string"} and not shape.nullable:
            return of_shape(shape, scope.event)
    return {"type": "string"}


def of_expression(expression: Expression, scope: Scope) -> Schema:
    """The schema of a value in a body."""
    shape = scope.shape(expression)
    if shape.schemas and isinstance(expression, Path):
        return of_shape(shape, scope.event)
    kinds = sorted(scope.kinds(expression))
    return {} if not kinds else {"type": kinds[0] if len(kinds) == 1 else [*kinds]}


def of_shape(shape: Shape, event: EventShape) -> Schema:
    """The schema of a field of the event, without references."""
    found = [_copied(schema, event, MAX_DEPTH) for schema in shape.schemas]
    if shape.nullable:
        found = [one for schema in found if (one := _without_null(schema))]
        return any_of([*found, {"type": "null"}]) if found else {}
    return any_of(found)


def _without_null(schema: Schema) -> Schema:
    types = schema.get("type")
    if isinstance(types, list):
        rest = [one for one in types if one != "null"]
        return {**schema, "type": rest[0] if len(rest) == 1 else [*rest]}
    return schema


def _copied(schema: Mapping[str, Any], event: EventShape, left: int) -> Schema:
    """What a schema says in the keywords that mean the same everywhere; less than it says, and never more."""
    if left == 0:
        return {}
    copied: Schema = {name: schema[name] for name in _KEPT if name in schema}
    whole = Shape((schema,))
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and properties:
        inner = {name: event.step(whole, name) for name in properties}
        copied["properties"] = {
            name: _nested(shape, event, left) for name, shape in inner.items() if isinstance(shape, Shape)
        }
        if isinstance(schema.get("required"), list):
            copied["required"] = list(schema["required"])
    if isinstance(schema.get("items"), Mapping):
        copied["items"] = _nested(event.items(whole), event, left)
    return copied


def _nested(shape: Shape, event: EventShape, left: int) -> Schema:
    found = [_copied(schema, event, left - 1) for schema in shape.schemas]
    if shape.nullable and found:
        return any_of([*(_without_null(schema) for schema in found), {"type": "null"}])
    return any_of(found)


def any_of(schemas: Sequence[Schema]) -> Schema:
    """The schema of a value that is valid against one of the schemas; ``{}`` without any."""
    unique: list[Schema] = []
    for schema in schemas:
        if schema not in unique:
            unique.append(schema)
    if not unique or {} in unique:
        return {}
    return unique[0] if len(unique) == 1 else {"anyOf": [*unique]}
