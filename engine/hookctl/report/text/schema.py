"""A JSON Schema as a table of fields, for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from hookctl.json.kinds import schema_type
from hookctl.json.paths import pointer_steps
from hookctl.model import Json
from hookctl.report.style import heading
from hookctl.report.text.columns import paragraph
from hookctl.report.text.printable import printable
from hookctl.report.text.table import table

if TYPE_CHECKING:
    from hookctl.plugin import AuthType, EventType, TransportType, ValidatorType
    from hookctl.plugin.calls import Plugins

Schema = Mapping[str, Json]
HEADINGS = ("FIELD", "TYPE", "REQUIRED", "DESCRIPTION")
MARKS = {"x-secret": "secret", "x-url": "URL"}
"""Annotations that are more specific than the JSON type."""
MAX_FIELDS = 5_000
"""The fields that are shown: schemas that refer to one another may have any number."""
MAX_DEPTH = 8
"""The depth to which a type is worded: a list of lists of lists."""
SCALARS = {"string", "number", "boolean", "null"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a schema."""

    path: str
    """Dotted; ``[]`` stands for the items of a list, ``*`` for any key."""
    type: str
    required: bool
    """Whether the object around it always has it."""
    description: str


def field_rows(schema: Schema) -> list[FieldRow]:
    """Every field of an object's schema, in the order of the schema, an object's own fields after it."""
    return list(islice(_properties(schema, schema, "", ()), MAX_FIELDS))


def type_name(schema: Schema, root: Schema | None = None, left: int = MAX_DEPTH) -> str:
    """The JSON types that a schema takes, as words: ``string``, ``object or null``, ``list of strings``.

    ``left`` is how many more levels of lists and alternatives are worded.
    """
    if left == 0:
        return "any"
    schema = _resolved(schema, root or schema)
    marks = [word for mark, word in MARKS.items() if schema.get(mark)]
    names = schema.get("type")
    if marks:
        return marks[0]
    if isinstance(names, list):
        return (
            "scalar" if set(names) >= SCALARS else " or ".join(_noun(str(name), schema, root, left) for name in names)
        )
    if isinstance(names, str):
        return _noun(names, schema, root, left)
    choices = [type_name(choice, root or schema, left - 1) for choice in _alternatives(schema)] or [
        _type_of(value) for value in _values(schema)
    ]
    return " or ".join(dict.fromkeys(choices)) or "any"


def description(schema: Schema, root: Schema | None = None) -> str:
    """What a field is, with its allowed values and its default after it."""
    schema = _resolved(schema, root or schema)
    parts = [str(schema.get("description", ""))]
    values = schema.get("enum")
    if isinstance(values, list):
        parts.append(f"One of: {_words(values)}.")
    if "default" in schema:
        default = schema["default"]
        parts.append(f"Default: {_words(default if isinstance(default, list) else [default])}.")
    return " ".join(part for part in parts if part)


def render_table(rows: Sequence[FieldRow], *, width: int = 0, color: bool, indent: int = 0) -> str:
    """The fields as a table, after ``indent`` spaces. ``width`` is the terminal's, in columns; 0 for unlimited."""
    cells = [
        (printable(row.path), printable(row.type), "yes" if row.required else "no", printable(row.description))
        for row in rows
    ]
    return "\n".join(table(cells, headings=HEADINGS, indent=indent, width=width, color=color)) + "\n"


def render_event_types(summaries: Mapping[str, str], *, width: int) -> str:
    """The event types, a row each. ``width`` is as for :func:`render_table`."""
    rows = [(printable(name), printable(summary)) for name, summary in summaries.items()]
    return "".join(f"{line}\n" for line in table(rows, width=width, color=False))


def render_event_type(event_type: EventType, *, width: int = 0, color: bool) -> str:
    """The summary of an event type, and every field of its events."""
    summary = paragraph(printable(f"{event_type.name}: {event_type.summary}"), width)
    return f"{summary}\n\n{render_table(field_rows(event_type.schema), width=width, color=color)}"


def render_webhook(schema: Schema, plugins: Plugins, *, width: int = 0, color: bool) -> str:
    """Every field of a webhook file, then the settings of each plugin that a block may name by its ``type``."""
    table_of_fields = render_table(field_rows(schema), width=width, color=color)
    parts = [f"{paragraph(description(schema), width)}\n\n{table_of_fields}"]
    kinds: dict[str, Mapping[str, AuthType | TransportType | ValidatorType]] = {
        "auth": plugins.auth,
        "transport": plugins.transports,
        "response_validators": plugins.validators,
    }
    for field, things in kinds.items():
        for name, thing in sorted(things.items()):
            title = heading(printable(f"{field} with type: {name}"), color)
            rows = field_rows(thing.schema)
            settings = render_table(rows, width=width, color=False, indent=2) if rows else "  No settings.\n"
            parts.append(f"{title}\n{paragraph(printable(thing.summary), width, 2)}\n{settings}")
    return "\n".join(parts)


def _properties(schema: Schema, root: Schema, prefix: str, within: tuple[Json, ...]) -> Iterator[FieldRow]:
    """The fields of whatever object ``schema`` describes: directly, as an item, under any key, or as an alternative.

    ``within`` are the references that led here: a schema that refers to itself is shown once.
    """
    reference = schema.get("$ref")
    if reference is not None and reference in within:
        return
    within = (*within, reference)
    schema = _resolved(schema, root)
    required = cast("list[Json]", schema.get("required", []))
    for name, given in cast("dict[str, Json]", schema.get("properties", {})).items():
        field = given if isinstance(given, dict) else {}
        path = f"{prefix}.{name}" if prefix else name
        yield FieldRow(path, type_name(field, root), name in required, description(field, root))
        yield from _properties(field, root, path, within)
    for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
        inner = schema.get(key)
        if isinstance(inner, dict) and "properties" not in schema:  # else: one object, or a list of the same
            yield from _properties(inner, root, prefix + mark, within)
    for choice in _alternatives(schema):
        yield from _properties(choice, root, prefix, within)


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema that a ``$ref`` into the same document points to, updated with the keys beside the reference."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return schema
    target: Any = root
    for step in pointer_steps(reference):
        target = target.get(step, {}) if isinstance(target, dict) else {}
    target = target if isinstance(target, dict) else {}
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def _alternatives(schema: Schema) -> list[Schema]:
    choices = (choice for key in ("oneOf", "anyOf") for choice in cast("list[Json]", schema.get(key, [])))
    return [choice for choice in choices if isinstance(choice, dict)]


def _noun(name: str, schema: Schema, root: Schema | None, left: int) -> str:
    if name == "array":
        return f"list{_of(schema.get('items'), root or schema, left)}"
    if name == "string" and "format" in schema:
        return f"string ({schema['format']})"
    if name == "object" and "properties" not in schema:
        return f"map{_of(schema.get('additionalProperties'), root or schema, left)}"
    return name


def _of(inner: Json, root: Schema, left: int) -> str:
    name = type_name(inner, root, left - 1) if isinstance(inner, dict) else "any"
    return "" if name == "any" else f" of {name}" if " " in name else f" of {name}s"


def _words(values: Sequence[Json]) -> str:
    return (
        ", ".join(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values)
        or "none"
    )


def _values(schema: Schema) -> list[Json]:
    return cast("list[Json]", schema.get("enum", [schema["const"]] if "const" in schema else []))


def _type_of(value: Json) -> str:
    name = schema_type(value)
    return "list" if name == "array" else name
