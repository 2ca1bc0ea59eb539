"""The rules that an event can break: their ids, what each one means, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class EventRule(StrEnum):
    """What is wrong with an event: the id for machines and for counting. The reason that people read says more."""

    NOT_JSON = "event-not-json"
    AMBIGUOUS = "event-ambiguous"
    NOT_OBJECT = "event-not-object"
    TOO_LARGE = "event-too-large"
    UNKNOWN_TYPE = "event-type-unknown"
    SCHEMA = "event-schema"
    ID = "event-id"
    TIME = "event-time"
    INCOMPLETE = "event-incomplete"
    CLOUDEVENT = "event-cloudevent"
    TYPE_FORBIDDEN = "event-type-forbidden"
    CHANGED = "event-changed"


EVENT_RULES: Mapping[EventRule, tuple[str, str]] = MappingProxyType(
    {
        EventRule.NOT_JSON: (
            "is not JSON in UTF-8",
            "Send JSON: an event or an array as application/json, or JSON lines as application/x-ndjson.",
        ),
        EventRule.AMBIGUOUS: (
            "has a key twice, a number out of range, or is nested deeper than 64",
            "Send JSON that every parser reads in the same way.",
        ),
        EventRule.NOT_OBJECT: (
            "is not a JSON object",
            "Send an object with id, event_type, event_time and data.",
        ),
        EventRule.TOO_LARGE: (
            "has more than 1 MiB",
            "An event has at most 1 MiB. Send a link to the data instead.",
        ),
        EventRule.UNKNOWN_TYPE: (
            "has no `event_type`, or one that is not known",
            "`hookctl schema event` lists the event types.",
        ),
        EventRule.SCHEMA: (
            "does not match the schema of its type",
            "`hookctl schema event TYPE` shows every field.",
        ),
        EventRule.ID: (
            "has an `id` that is missing or not valid",
            "Give each event an id of its own, so that it is delivered once however often you send it.",
        ),
        EventRule.TIME: (
            "has an `event_time` that is missing or not valid",
            "Send the seconds since 1970 as a number.",
        ),
        EventRule.INCOMPLETE: (
            "is in an array that ends too early, or is followed by other text",
            "Send the whole array.",
        ),
        EventRule.CLOUDEVENT: (
            "is not a CloudEvent",
            "Send the attributes id, source, specversion and type of CloudEvents 1.0.",
        ),
        EventRule.TYPE_FORBIDDEN: (
            "has a type that the token may not send",
            "Create a token that may: hookctl tokens create NAME --scope intake.",
        ),
        EventRule.CHANGED: (
            "has the id of another event",
            "Give an event with other content an id of its own.",
        ),
    }
)
"""By rule: what is wrong with an event that breaks it, as the rest of a sentence about the event; and what to do."""


def hint(rule: str) -> str:
    """What to do about an event that breaks a rule; empty for an id that is not an event's rule."""
    return EVENT_RULES[EventRule(rule)][1] if rule in EVENT_RULES else ""
