"""Turns a schema in a description of an API into one that stands alone, as JSON Schema 2020-12."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hookctl.config.importing.api_document import ApiDocument
from hookctl.json.paths import pointer_steps
from hookctl.model import Json, Pointer

DROPPED = frozenset({"discriminator", "xml", "externalDocs", "example", "nullable", "$schema", "$id", "$anchor", "id"})
"""Keywords that do not belong to JSON Schema 2020-12, or would name another document. ``id`` is one of draft 4."""
NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
VALUES = frozenset({"const", "enum", "default", "examples", "required"})
"""Keywords whose values are not schemas."""
MAX_DEPTH = 100


class SchemaWriter:
    """Copies schemas, and collects what they refer to. ``lost`` is called with what cannot be kept, in words."""

    def __init__(self, document: ApiDocument, lost: Callable[[str], None]) -> None:
        self._document, self._lost = document, lost
        self._names: dict[str, str] = {}
        """The name among the definitions, by reference."""
        self.definitions: dict[str, Json] = {}

    def copied(self, schema: Any, depth: int = MAX_DEPTH) -> Json:
        """The schema, with references into ``$defs`` and keywords of 2020-12."""
        if isinstance(schema, bool) or not isinstance(schema, dict) or depth == 0:
            return schema if isinstance(schema, bool) else {}
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema, depth)
        copy: dict[str, Json] = {}
        for key, value in schema.items():
            if key in DROPPED and not (key == "id" and isinstance(value, dict)):
                continue
            if key in VALUES:
                copy[key] = value
            elif key in NAMED and isinstance(value, dict):
                copy[key] = {name: self.copied(inner, depth - 1) for name, inner in value.items()}
            elif isinstance(value, dict):
                copy[key] = self.copied(value, depth - 1)
            elif isinstance(value, list) and any(isinstance(item, dict | bool) for item in value):
                copy[key] = [self.copied(item, depth - 1) for item in value]
            else:
                copy[key] = value
        return _modern(copy, schema)

    def _reference(self, schema: Mapping[str, Any], depth: int) -> Json:
        reference = str(schema["$ref"])
        name = self._definition(reference, depth)
        if name is None:
            self._lost(f"the reference {reference!r} does not point into the file, so that part accepts anything")
            return {}
        beside = {key: value for key, value in schema.items() if key == "description" and isinstance(value, str)}
        return {**beside, "$ref": f"#/$defs/{name}"}

    def _definition(self, reference: str, depth: int) -> str | None:
        if reference in self._names:
            return self._names[reference]
        steps: Pointer = tuple(pointer_steps(reference)) if reference.startswith("#/") else ()
        target = self._document.at(steps) if steps else None
        if not isinstance(target, dict):
            return None
        name = _plain(str(steps[-1]))
        while name in self._names.values():
            name += "_"
        self._names[reference] = name
        self.definitions[name] = self.copied(target, depth - 1)
        return name


def _modern(copy: dict[str, Json], schema: Mapping[str, Any]) -> dict[str, Json]:
    """The schema with the keywords that older drafts and OpenAPI 3.0 wrote in another way."""
    if schema.get("nullable") is True and isinstance(copy.get("type"), str):
        copy["type"] = [copy["type"], "null"]
    if "example" in schema and "examples" not in copy:
        copy["examples"] = [schema["example"]]
    if not isinstance(copy.get("examples", []), list):
        del copy["examples"]
    for key, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(copy.get(key), bool) and copy.pop(key) and limit in copy:
            copy[key] = copy.pop(limit)
    if isinstance(copy.get("items"), list):
        copy["prefixItems"] = copy.pop("items")
        if "additionalItems" in copy:
            copy["items"] = copy.pop("additionalItems")
    if isinstance(copy.get("required"), bool):
        del copy["required"]
    return copy


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name) or "schema"
