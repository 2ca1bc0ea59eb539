"""The JSON Schemas of what the API takes and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from hookctl.delivery.events.intake import MAX_ID_LENGTH
from hookctl.delivery.events.rules import EventRule
from hookctl.delivery.past.why import Why
from hookctl.model import DeliveryStatus, Json
from hookctl.serve.intake.intake import MAX_BATCH_EVENTS
from hookctl.serve.intake.results import MAX_ERRORS

PREFIX = "#/components/schemas/"
EVENT = "event."
"""What the names of the schemas of event types begin with."""
ID: dict[str, Json] = {"type": "string", "minLength": 1, "pattern": r"^( |[^\p{C}\p{Z}])+$"}
"""Printable text, as :meth:`str.isprintable` has it."""


def ref(name: str) -> dict[str, Json]:
    """A reference to a schema."""
    return {"$ref": PREFIX + name}


def event_schema(name: str, schema: Mapping[str, Json]) -> dict[str, Json]:
    """The schema of an event type, as a part of the document: its references to itself begin at the document.

    It has what intake requires of every event, where the schema of the type does not.
    """
    own = schema.get("$id")
    kept = {key: value for key, value in schema.items() if key not in {"$schema", "$id"}}
    moved = cast("dict[str, Json]", _moved(kept, str(own) if own else "", f"{PREFIX}{EVENT}{name}"))
    rules: dict[str, dict[str, Json]] = {
        "id": {**ID, "maxLength": MAX_ID_LENGTH},
        "event_type": {"const": name},
        "event_time": {"type": "number"},
    }
    properties, required = moved.get("properties"), moved.get("required")
    given = properties if isinstance(properties, dict) else {}
    joined = {
        key: {**rule, **found} if isinstance(found := given.get(key, {}), dict) else found
        for key, rule in rules.items()
    }
    asked = [*required] if isinstance(required, list) else []
    return {
        **moved,
        "type": "object",
        "required": [*asked, *(key for key in rules if key not in asked)],
        "properties": {**given, **joined},
    }


def _moved(value: Json, own: str, place: str) -> Json:
    if isinstance(value, list):
        return [_moved(one, own, place) for one in value]
    if not isinstance(value, dict):
        return value
    moved = {key: _moved(one, own, place) for key, one in value.items()}
    to = value.get("$ref")
    if isinstance(to, str):
        pointer = to.removeprefix(own) if own else to
        if pointer in {"", "#"} or pointer.startswith("#/"):
            moved["$ref"] = place + pointer.removeprefix("#")
    return moved


def components(event_types: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """All schemas, by name. ``event_types``: the schema of each event type by its name."""
    events = {EVENT + name: event_schema(name, schema) for name, schema in sorted(event_types.items())}
    return {
        **events,
        "Event": {
            "description": f"An event of an installed type. Its id is printable text of at most {MAX_ID_LENGTH} "
            "characters.",
            "oneOf": [ref(name) for name in events],
        },
        "EventOrEvents": {"anyOf": [ref("Event"), _list(ref("Event"), maxItems=MAX_BATCH_EVENTS)]},
        "EventLines": {"type": "string", "description": "One event on each line."},
        "CloudEvent": {
            "description": "A CloudEvent 1.0 whose type is an event type. Its source, `|` and its id become the id of "
            "the event, and its time the time of the event. Instead of `data`, it may have `data_base64`.",
            "oneOf": [_cloud_event(name, schema) for name, schema in sorted(event_types.items())],
        },
        "CloudEvents": _list(ref("CloudEvent"), maxItems=MAX_BATCH_EVENTS),
        "Payload": {"description": "What the provider sends."},
        **_RESULTS,
        "StoredEvent": _STORED_EVENT,
        "Document": {"type": "object", "required": ["openapi", "info", "paths", "components"]},
    }


def _cloud_event(name: str, schema: Mapping[str, Json]) -> Json:
    properties, required = schema.get("properties"), schema.get("required")
    has_data = isinstance(properties, dict) and "data" in properties
    data = "data" if isinstance(required, list) and "data" in required else "data?"
    members: dict[str, Json] = {
        "time?": {"type": ["string", "null"], "format": "date-time", **_since_1970(properties)},
        data: ref(f"{EVENT}{name}/properties/data") if has_data else {},
    }
    source: Json = {**_TEXT, "format": "uri-reference"}
    cloud_event = _object(specversion={"const": "1.0"}, id=ID, source=source, type={"const": name}, **members)
    return cloud_event | {"additionalProperties": True}


def _since_1970(properties: Json) -> dict[str, Json]:
    """What a time must be like if the schema of an event has it not before 1970."""
    time = properties.get("event_time") if isinstance(properties, dict) else None
    has_minimum = isinstance(time, dict) and time.get("minimum") == 0
    return {"pattern": "^(19[7-9][0-9]|[2-9][0-9]{3})-"} if has_minimum else {}


def _object(**members: Json) -> dict[str, Json]:
    """An object with these members and no others; those whose name ends with a question mark are optional."""
    return {
        "type": "object",
        "required": [name for name in members if not name.endswith("?")],
        "properties": {name.removesuffix("?"): schema for name, schema in members.items()},
        "additionalProperties": False,
    }


def _list(items: Json, **limits: Json) -> dict[str, Json]:
    return {"type": "array", "items": items, **limits}


def _enum(*values: str) -> dict[str, Json]:
    return {"type": "string", "enum": [*values]}


_TEXT: dict[str, Json] = {"type": "string", "minLength": 1}
_STRING: dict[str, Json] = {"type": "string"}
_COUNT: dict[str, Json] = {"type": "integer", "minimum": 0}
_NAMES = _list(_STRING)
_RULE = _enum(*(rule.value for rule in EventRule))
_REJECTED: dict[str, Json] = {
    "id": {"type": "null"},
    "status": {"const": "rejected"},
    "webhooks": {"type": "array", "maxItems": 0},
    "index": {**_COUNT, "description": "The number of the event in the request, from 0."},
    "place": _STRING,
    "rule": _RULE,
    "detail": _STRING,
}
_REQUEST: dict[str, Json] = {
    "url?": _STRING,
    "headers?": {"type": "object", "additionalProperties": _STRING},
    "body?": {"type": ["string", "null"]},
    "problem?": {**_STRING, "description": "Why it would not be sent."},
}
_WOULD_SEND = _object(webhook=_STRING, method=_STRING, host={"type": ["string", "null"]}, **_REQUEST)
_RESULTS: dict[str, Json] = {
    "Result": _object(
        id={**_STRING, "description": "Id of the event."},
        status=_enum("accepted", "duplicate"),
        webhooks={**_NAMES, "description": "The webhooks that it matched."},
    ),
    "Rejected": _object(**_REJECTED, **{"hint?": _STRING}),
    "Results": _object(
        events=_list({"oneOf": [ref("Result"), ref("Rejected")]}), accepted=_COUNT, duplicate=_COUNT, rejected=_COUNT
    ),
    "ResultOrResults": {"oneOf": [ref("Result"), ref("Results")]},
    "DryRun": {
        "oneOf": [
            _object(
                id=_STRING,
                status=_enum("accepted", "duplicate", "rejected"),
                webhooks=_NAMES,
                requests={
                    **_list(_WOULD_SEND),
                    "description": "With the scope read, the whole requests, where secrets are masked.",
                },
            ),
            _object(**_REJECTED),
        ]
    },
    "DryRunOrRuns": {"oneOf": [ref("DryRun"), _object(events=_list(ref("DryRun")))]},
}
_STORED_EVENT = _object(
    id=_STRING,
    event_type=_STRING,
    event_time={"type": "number"},
    received_at={"type": "number"},
    deliveries={
        "type": "object",
        "propertyNames": {"enum": [status.value for status in DeliveryStatus]},
        "additionalProperties": _COUNT,
    },
    event={"type": "object", "description": "The event as it was sent."},
    matched=_list(
        _object(
            webhook=_STRING,
            delivery=_STRING,
            status=_enum(*(status.value for status in DeliveryStatus)),
            attempts=_COUNT,
            due_at={
                "type": ["number", "null"],
                "description": "The time of the next try in epoch seconds, if it is waiting or retrying.",
            },
            reason={**_STRING, "description": "Why it is retrying, held, dead or cancelled; empty otherwise."},
        )
    ),
    unmatched=_list(
        _object(webhook=_STRING, why=_enum(*(why.value for why in Why)), detail={"type": ["string", "null"]})
    ),
)


def problem_schema(status: int, types: list[str]) -> dict[str, Json]:
    """The schema of the problems with a status; ``types``: their URNs."""
    errors = _list(
        _object(index=_COUNT, place=_STRING, rule=_RULE, detail=_STRING, **{"hint?": _STRING}),
        description=f"The events that cannot be accepted, at most {MAX_ERRORS} of them.",
    )
    return _object(
        type=_enum(*types),
        title=_STRING,
        status={"const": status},
        detail=_STRING,
        **{
            "hint?": {**_STRING, "description": "What to do about it."},
            "scope?": _STRING,
            "errors?": errors,
            "stored?": {**_COUNT, "description": "How many events of a stream were stored before."},
        },
    )
