"""A plugin for hookctl: the event type ``deployment``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hookctl.plugin import EventType, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Json

NAME = "deployment"
SCHEMA: Mapping[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "event_type", "event_time", "data"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "description": "Id of the event."},
        "event_type": {"type": "string", "const": NAME, "description": "The kind of event."},
        "event_time": {
            "type": "number",
            "description": "When it was published, in seconds since 1970-01-01T00:00:00Z.",
        },
        "data": {
            "type": "object",
            "description": "The user.",
            "required": ["name", "email"],
            "properties": {
                "name": {"type": "string", "description": "Full name.", "x-personal": True},
                "email": {"type": "string", "description": "Email address.", "x-personal": True},
                "manager": {
                    "type": ["string", "null"],
                    "description": "Name of the manager; null where there is none.",
                    "x-personal": True,
                },
            },
        },
    },
}
MOCK: Mapping[str, Json] = {
    "id": "evt-1",
    "event_type": NAME,
    "event_time": 1764040815.5,
    "data": {"name": "Dana Levi", "email": "dana.levi@example.com", "manager": None},
}


@hookimpl
def hookctl_event_types() -> Iterable[EventType]:
    """The event type, with an example of it."""
    return [EventType(name=NAME, summary="A user was created.", schema=SCHEMA, mock=MOCK)]
