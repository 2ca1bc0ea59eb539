"""Makes up a value that a schema accepts, where the description has no example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hookctl.json.paths import pointer_steps
from hookctl.model import Json

MAX_DEPTH = 12
MAX_VALUES = 2_000
"""The most values that are made: schemas that refer to one another may have any number."""
SIZE_OF_VALUE = 100
"""The characters of a value of the description that count as one value."""
FORMATS: Mapping[str, str] = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


class MockMaker:
    """Makes values for the schemas in ``root``, from keywords that most of them use. Whoever uses it checks them."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root, self._made = root, 0
        self._within: list[str] = []
        """The references that led here."""

    def value(self, schema: Any, left: int = MAX_DEPTH) -> Json:
        """A value: the schema's first example, choice, constant or default, or else one of its type."""
        self._made += 1
        if not isinstance(schema, Mapping) or left == 0 or self._made > MAX_VALUES:
            return None
        reference = schema.get("$ref")
        if isinstance(reference, str):
            self._within.append(reference)
            made = self.value(self._target(reference), left - 1)
            self._within.pop()
            return made
        for key in ("examples", "enum"):
            if isinstance(schema.get(key), list) and schema[key]:
                return self._given(schema[key][0])
        for key in ("const", "default"):
            if key in schema:
                return self._given(schema[key])
        parts = [part for part in schema.get("allOf", ()) if isinstance(part, Mapping)]
        parts += [schema[key][0] for key in ("oneOf", "anyOf") if isinstance(schema.get(key), list) and schema[key]]
        own = self._of_type(schema, left)
        values = [self.value(part, left - 1) for part in parts]
        objects = [value for value in (*values, own) if isinstance(value, dict)]
        if objects:
            return {key: value for one in objects for key, value in one.items()}
        return next((value for value in values if value is not None), own)

    def referenced(self, schema: Any) -> Any:
        """The schema itself, or the one that it refers to. None if there is none."""
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str) or "examples" in schema:
                return schema
            schema = self._target(schema["$ref"])
        return None

    def _given(self, value: Json) -> Json:
        """A value that the description has. A large one counts as several, as it may be used many times."""
        self._made += len(json.dumps(value)) // SIZE_OF_VALUE
        return value if self._made <= MAX_VALUES else None

    def _of_type(self, schema: Mapping[str, Any], left: int) -> Json:
        types = schema.get("type")
        name = types[0] if isinstance(types, list) and types else types
        if name is None:
            name = "object" if "properties" in schema else "array" if "items" in schema else ""
        match name:
            case "object":
                required = schema.get("required", ())
                properties = schema.get("properties", {}).items()
                wanted = [(key, one) for key, one in properties if key in required or not self._repeats(one)]
                return {key: self.value(one, left - 1) for key, one in wanted}
            case "array":
                fewest = int(schema.get("minItems", 0))
                is_empty = schema.get("maxItems") == 0 or (not fewest and self._repeats(schema.get("items")))
                count = 0 if is_empty else max(1, min(fewest, 10))
                return [self.value(schema.get("items", {}), left - 1) for _ in range(count)]
            case "string":
                return _text(schema)
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return True
        return None

    def _repeats(self, schema: Any) -> bool:
        """Whether a schema must be left out where it can: nothing matches it, or it leads back to where it is."""
        if not isinstance(schema, Mapping):
            return schema is False
        inner = [schema, *(schema.get("anyOf") or ()), *(schema.get("oneOf") or ()), *(schema.get("allOf") or ())]
        return any(isinstance(one, Mapping) and one.get("$ref") in self._within for one in inner)

    def _target(self, reference: str) -> Any:
        value: Any = self._root
        for step in pointer_steps(reference):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value


def _text(schema: Mapping[str, Any]) -> str:
    text = FORMATS.get(str(schema.get("format", "")), "text").ljust(min(int(schema.get("minLength", 0)), 1000), "x")
    return text[: int(schema["maxLength"])] if "maxLength" in schema else text


def _number(schema: Mapping[str, Any]) -> Json:
    number: Json = schema.get("multipleOf", 1)
    for key, step in (("maximum", 0), ("exclusiveMaximum", -1), ("exclusiveMinimum", 1), ("minimum", 0)):
        limit = schema.get(key)
        if isinstance(limit, int | float):
            number = limit + step
    return number
