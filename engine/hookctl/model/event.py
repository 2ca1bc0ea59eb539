"""Events: what has happened, as the publisher tells it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hookctl.model.source import Json


class Event(Struct, frozen=True):
    """One event that was checked against its type's schema."""

    id: str
    """Given by the publisher; intake is idempotent by it."""
    event_type: str
    event_time: float
    """Epoch seconds, fractional."""
    document: Mapping[str, Json]
    """The whole event as it came: ``{id, event_type, event_time, data}``. Templates and ``when`` see this."""
    text: str = ""
    """The document as JSON, where whoever made the event has it already."""
