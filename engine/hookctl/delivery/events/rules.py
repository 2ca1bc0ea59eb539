"""The ids of the rules that an event can break, for machines and for counting. People read the reason."""

from __future__ import annotations

from enum import StrEnum


class EventRule(StrEnum):
    """What is wrong with an event."""

    NOT_JSON = "event-not-json"
    """Not JSON, or not UTF-8."""
    AMBIGUOUS = "event-ambiguous"
    """JSON that not every reader understands alike, such as a key that appears twice, or that is nested too deeply."""
    TOO_LARGE = "event-too-large"
    NOT_OBJECT = "event-not-object"
    UNKNOWN_TYPE = "unknown-event-type"
    """``event_type`` is missing, or is not a known type."""
    SCHEMA = "event-schema"
    """It does not match the schema of its type."""
    ID = "event-id"
    TIME = "event-time"
    INCOMPLETE = "event-incomplete"
    """The array that it is part of ends too early, or is followed by other text."""
    CLOUDEVENT = "event-cloudevent"
    """Its attributes are not those of a CloudEvent."""
    TYPE_FORBIDDEN = "event-type-forbidden"
    """The token that it came with may not send events of its type."""
    CHANGED = "event-changed"
    """An event with its id was accepted before, with other content."""
