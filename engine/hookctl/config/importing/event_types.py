"""Makes the files of event types from a description of events."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hookctl.config.events.definition import define
from hookctl.config.importing.api_document import ApiDocument, read_document
from hookctl.config.importing.messages import Message, find_messages
from hookctl.config.importing.mock import MockMaker
from hookctl.config.importing.schemas import SchemaWriter
from hookctl.model import Finding, Json
from hookctl.model.rules.event_types import EVENT_EXAMPLE_INVALID
from hookctl.model.rules.imports import IMPORT_CHANGED, IMPORT_SKIPPED
from hookctl.plugin.calls import NAME, Plugins

MAX_TYPES = 1000
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ENVELOPE = ("id", "event_type", "event_time", "data")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """The files to write, and what could not be converted."""

    files: Mapping[str, str]
    """The text of each file, by the name of its event type."""
    findings: tuple[Finding, ...]


def import_event_types(path: str, data: bytes, plugins: Plugins) -> Imported:
    """The event types that an OpenAPI or AsyncAPI file describes. ``plugins`` have the event types that exist."""
    document = read_document(path, data)
    if isinstance(document, Finding):
        return Imported({}, (document,))
    files: dict[str, str] = {}
    findings: list[Finding] = []
    for message in find_messages(document):
        if isinstance(message, Finding):
            findings.append(message)
            continue
        if len(files) == MAX_TYPES:
            why = f"the file has more than {MAX_TYPES:,} events"
            findings.append(document.finding(IMPORT_SKIPPED, message.place, name=message.name, why=why))
            break
        name = event_name(message.name)
        refused = _refused(name, files, plugins)
        if refused:
            findings.append(document.finding(IMPORT_SKIPPED, message.place, name=message.name, why=refused))
            continue
        text, found = _converted(document, message, name)
        findings += found
        if text:
            files[name] = text
    return Imported(files, tuple(findings))


def event_name(name: str) -> str:
    """A name as an event type can have it: ``order/paid`` becomes ``order.paid``."""
    return _NOT_IN_NAMES.sub(".", name).strip("._-")


def _refused(name: str, files: Mapping[str, str], plugins: Plugins) -> str:
    if not NAME.fullmatch(name) or len(name) > 128:
        return "its name has no letters to make the name of an event type of"
    if name.casefold() in {known.casefold() for known in plugins.event_types}:
        return f"hookctl or a plugin already defines the event type {name}"
    if name.casefold() in {known.casefold() for known in files}:
        return f"another event of the file has the name {name}"
    return ""


def _converted(document: ApiDocument, message: Message, name: str) -> tuple[str, list[Finding]]:
    """The text of one file, empty if its schema cannot be used, and what could not be kept."""
    lost: list[str] = []
    writer = SchemaWriter(document, lost.append)
    payload = writer.copied(message.schema)
    schema = _whole(payload, writer.definitions, message, name)
    problem = _problem({**schema, "examples": [{}]}, name)
    if problem and problem.rule != EVENT_EXAMPLE_INVALID.id:
        why = f"hookctl cannot use its schema: {problem.message}"
        return "", [document.finding(IMPORT_SKIPPED, message.place, name=message.name, why=why)]
    mock, is_made_up = _mock(schema, message, payload, name)
    if is_made_up:
        lost.append("the mock event is made up, because the file has no example that its schema accepts")
    whole: dict[str, Json] = {**schema, "examples": [mock]}
    problem = _problem(whole, name)
    if problem:
        lost.append(f"the mock event must be written by hand: {problem.message}")
    findings = [
        document.finding(IMPORT_CHANGED, message.place, name=message.name, why=why) for why in dict.fromkeys(lost)
    ]
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n", findings


def _problem(schema: Mapping[str, Any], name: str) -> Finding | None:
    """The first error of a file with this schema."""
    _, found = define(name, name, json.dumps(schema).encode())
    return next((one for one in found if one.is_error), None)


def _whole(payload: Json, definitions: Mapping[str, Json], message: Message, name: str) -> dict[str, Json]:
    """The schema of the whole event. What is sent becomes its data, unless it already is an event of hookctl."""
    properties: Any = payload.get("properties") if isinstance(payload, dict) else None
    is_event = isinstance(properties, dict) and all(key in properties for key in ENVELOPE)
    words = message.summary.strip() or f"The event {message.name}."
    head: dict[str, Json] = {"$schema": DRAFT, "description": words, "type": "object"}
    if is_event and isinstance(payload, dict):
        body = {key: value for key, value in payload.items() if key not in {"examples", "$ref"}}
        whole: dict[str, Json] = {**head, **body}
    else:
        described: Json = {"description": f"What {message.name} is about."}
        data = {**described, **payload} if isinstance(payload, dict) and isinstance(described, dict) else payload
        whole = {
            **head,
            "required": ["id", "event_type", "event_time", "data"],
            "properties": {"event_type": {"const": name, "description": f"Always `{name}`."}, "data": data},
        }
    inner = whole.get("$defs")
    known = {**(inner if isinstance(inner, dict) else {}), **definitions}
    return {**whole, "$defs": known} if known else whole


def _mock(schema: Mapping[str, Any], message: Message, payload: Json, name: str) -> tuple[Json, bool]:
    """The mock event, and whether it is made up. It is the first example that the schema accepts, if there is one."""
    maker = MockMaker(schema)
    for example in _candidates(message, maker.referenced(payload), name):
        if not _problem({**schema, "examples": [example]}, name):
            return example, False
    made = maker.value(schema)
    event = made if isinstance(made, dict) else {}
    return {**event, "id": f"{name}-1", "event_type": name, "event_time": 1767225600}, True


def _candidates(message: Message, payload: Any, name: str) -> Iterator[Json]:
    """The events that the description suggests. ``payload`` is the schema of what is sent, without a reference."""
    own = payload.get("examples") if isinstance(payload, Mapping) else None
    examples = [*message.examples, *(own if isinstance(own, list) else ())]
    for example in examples[:3]:
        if isinstance(example, dict) and all(key in example for key in ENVELOPE):
            yield {**example, "event_type": name}
        yield {"id": f"{name}-1", "event_type": name, "event_time": 1767225600, "data": example}
