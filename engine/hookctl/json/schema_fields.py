"""The fields that a JSON Schema describes, by path, so that two schemas can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from hookctl.json.paths import ANY, path_text
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json

MAX_FIELDS = 5_000
MAX_DEPTH = 12
"""The depth to which objects are followed: a schema may refer to itself."""


@dataclass(frozen=True, slots=True)
class FieldShape:
    """What a schema says about one field."""

    types: str
    """Its JSON types: ``string``, ``null or number``; ``any`` if the schema does not say."""
    is_optional: bool
    """Whether it may be missing where what is around it exists."""


def fields_of(schema: Mapping[str, Json]) -> dict[str, FieldShape]:
    """The fields of a schema by path, such as ``data.groups[*].name``; the first :data:`MAX_FIELDS`."""
    event = EventShape(schema)
    return dict(islice(_fields(event, "", event.root, MAX_DEPTH), MAX_FIELDS))


def _fields(event: EventShape, path: str, shape: Shape, left: int) -> Iterator[tuple[str, FieldShape]]:
    if left == 0:
        return
    for key in dict.fromkeys(key for schema in shape.schemas for key in schema.get("properties") or ()):
        following = event.step(shape, key)
        if isinstance(following, Shape):
            place = path_text(path, (key,)).removeprefix(".")
            yield place, FieldShape(_types(following), following.optional)
            yield from _fields(event, place, following, left - 1)
    if "array" in shape.types:
        yield from _fields(event, path_text(path, (ANY,)), event.items(shape), left - 1)


def _types(shape: Shape) -> str:
    types = shape.types | ({"null"} if shape.types and shape.nullable else set())
    return " or ".join(sorted(types)) or "any"
