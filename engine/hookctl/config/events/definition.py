"""Makes an event type of the JSON Schema in a file, with a finding for everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from hookctl.config.events.cost import cost_findings
from hookctl.config.events.subschemas import parts_of, reference_findings
from hookctl.config.events.text import SchemaText
from hookctl.json.paths import field_text
from hookctl.json.strict import AmbiguousJsonError, parse
from hookctl.model import DefinedType, Finding, Json, SourceFile, has_errors
from hookctl.model.finding import brief
from hookctl.model.rules.event_types import (
    EVENT_EXAMPLE_INVALID,
    EVENT_FIELD_UNDESCRIBED,
    EVENT_SCHEMA_INVALID,
    EVENT_SCHEMA_NOT_JSON,
)
from hookctl.model.rules.files import FILE_NOT_TEXT
from hookctl.plugin.contain import is_interrupt

if TYPE_CHECKING:
    import jsonschema_rs

DRAFT = "https://json-schema.org/draft/2020-12/schema"
MAX_FINDINGS = 20
"""The findings of one kind in one file that are shown."""
ENVELOPE: Mapping[str, Json] = {
    "id": {
        "type": "string",
        "minLength": 1,
        "description": "Id of the event, given by its publisher. An event that comes twice with the same id is "
        "delivered once.",
    },
    "event_time": {
        "type": "number",
        "description": "When the event was published, in seconds since 1970-01-01T00:00:00Z, with fractions.",
    },
}
"""What every event has, where the schema does not describe it."""


def define(path: str, name: str, content: bytes) -> tuple[DefinedType, list[Finding]]:
    """The event type ``name`` of a file, and what is wrong with it.

    A type with errors accepts any event, so that webhooks that name it cause no more findings.
    """
    text, findings = _parsed(path, content)
    if text is None:
        return DefinedType(name, {}), findings
    findings = [*_checked(text, name)]
    if has_errors(findings):
        return DefinedType(name, {}), findings
    schema = completed(text.schema, name)
    findings += _of_example(text, schema)
    return DefinedType(name, {} if has_errors(findings) else schema), findings


def completed(schema: Mapping[str, Json], name: str) -> dict[str, Json]:
    """The schema with what every event has: its id, its type and its time."""
    own = schema.get("properties")
    properties = dict(own) if isinstance(own, dict) else {}
    for key, part in ENVELOPE.items():
        properties.setdefault(key, part)
    event_type = properties.get("event_type")
    described = {"description": f"The kind of event: always `{name}`."}
    known = event_type if isinstance(event_type, dict) else {}
    properties["event_type"] = {**described, **known, "const": name, "type": "string"}
    required = schema.get("required")
    always = dict.fromkeys(["id", "event_type", "event_time", *(required if isinstance(required, list) else [])])
    return {**schema, "type": "object", "required": [*always], "properties": properties}


def _parsed(path: str, content: bytes) -> tuple[SchemaText | None, list[Finding]]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        byte = content[error.start]
        return None, [FILE_NOT_TEXT.finding(file=SourceFile(path, ""), offset=error.start, byte=byte)]
    file = SourceFile(path, text)
    try:
        value = parse(text)
    except json.JSONDecodeError as error:
        span = SchemaText(file, {}).span_at(error.pos)
        why = f"{error.msg} at line {error.lineno}, column {error.colno}"
        return None, [EVENT_SCHEMA_NOT_JSON.finding(file=file, span=span, why=why)]
    except AmbiguousJsonError as error:
        return None, [EVENT_SCHEMA_NOT_JSON.finding(file=file, why=str(error))]
    if not isinstance(value, dict):
        return None, [EVENT_SCHEMA_INVALID.finding("object", file=file)]
    return SchemaText(file, value), []


def _checked(text: SchemaText, name: str) -> Iterator[Finding]:
    """What is wrong with a schema, apart from its example. What only a valid schema can show comes last."""
    schema = text.schema
    given = schema.get("$schema", DRAFT)
    if str(given).removesuffix("#") != DRAFT:
        yield text.finding(EVENT_SCHEMA_INVALID, ("$schema",), "draft", given=brief(json.dumps(given)))
        return
    invalid = [*islice(_of_meta_schema(text), MAX_FINDINGS)]
    yield from invalid
    if invalid:
        return
    if "$ref" in schema or schema.get("type", "object") != "object" or not isinstance(schema.get("properties"), dict):
        yield text.finding(EVENT_SCHEMA_INVALID, (), "object")
        return
    found = [*_of_type(text, name)]
    parts = parts_of(text)
    found += [*islice(reference_findings(text, parts), MAX_FINDINGS)]
    yield from found
    if not found:
        yield from cost_findings(text, parts)
        yield from _undescribed(text)


def _of_meta_schema(text: SchemaText) -> Iterator[Finding]:
    import jsonschema_rs

    schema = dict(text.schema)
    for error in jsonschema_rs.Draft202012Validator({"$ref": DRAFT}, offline=True).iter_errors(schema):
        yield _invalid(text, error)
        return  # the meta-schema reports the same mistake for each of its vocabularies
    try:
        # References are checked later, by our own rules, so only errors in keywords count here.
        jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except jsonschema_rs.ValidationError as error:
        if error.instance_path:
            yield _invalid(text, error)


def _invalid(text: SchemaText, error: jsonschema_rs.ValidationError) -> Finding:
    pointer = tuple(error.instance_path)
    what = field_text(pointer)
    why = brief(str(error.instance))
    if pointer[-1:] == ("pattern",) or "patternProperties" in pointer[-2:]:
        return text.finding(EVENT_SCHEMA_INVALID, pointer, "pattern", why=why)
    return text.finding(EVENT_SCHEMA_INVALID, pointer, why=f"{what} cannot be {why}" if what else error.message)


def _of_type(text: SchemaText, name: str) -> Iterator[Finding]:
    properties: Any = text.schema.get("properties")
    known = properties.get("event_type")
    if not isinstance(known, dict):
        return
    for key, values in (("const", [known.get("const", name)]), ("enum", known.get("enum", [name]))):
        if name not in values:
            place = ("properties", "event_type", key)
            yield text.finding(EVENT_SCHEMA_INVALID, place, "name", given=brief(json.dumps(known[key])), name=name)


def _undescribed(text: SchemaText) -> Iterator[Finding]:
    missing = [
        pointer
        for pointer, part in parts_of(text).items()
        if pointer[-2:-1] == ("properties",) and not part.get("description") and "$ref" not in part
        if pointer[:-1] != ("properties",) or pointer[-1] not in {*ENVELOPE, "event_type"}
    ]
    if missing:
        fields = "1 field has" if len(missing) == 1 else f"{len(missing):,} fields have"
        first = ".".join(str(step) for step in missing[0] if step != "properties")
        yield text.finding(EVENT_FIELD_UNDESCRIBED, missing[0], at_key=True, fields=fields, first=brief(first))


def _of_example(text: SchemaText, schema: Mapping[str, Json]) -> Iterator[Finding]:
    import jsonschema_rs

    examples = text.schema.get("examples")
    if not isinstance(examples, list) or not examples:
        yield text.finding(EVENT_EXAMPLE_INVALID, (), "missing")
        return
    try:
        validator = jsonschema_rs.Draft202012Validator(
            dict(schema), offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except BaseException as error:  # such as for an $id that is not a URI; the library may also panic
        if is_interrupt(error):
            raise
        yield text.finding(EVENT_SCHEMA_INVALID, (), why=brief(str(error).partition("\n")[0]))
        return
    always = jsonschema_rs.Draft202012Validator({"properties": dict(ENVELOPE)}, offline=True)
    wrongs = islice(validator.iter_errors(examples[0]), MAX_FINDINGS)
    # A schema that asks for another `id` or `event_time` than every event has would accept no event.
    for wrong in [*wrongs] or islice(always.iter_errors(examples[0]), MAX_FINDINGS):
        path = field_text(tuple(wrong.instance_path))
        why = brief(wrong.message) if not path else f"{path}: {brief(wrong.message)}"
        yield text.finding(EVENT_EXAMPLE_INVALID, ("examples", 0, *wrong.instance_path), why=why)
