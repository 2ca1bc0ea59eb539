"""Events: what happened, as the publisher reports it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from hookctl.model.source import Json
from hookctl.model.trace import TraceContext


class Event(Struct, frozen=True):
    """One event that was checked against its type's schema."""

    id: str
    """Set by the publisher. Intake accepts an event with the same id only once."""
    event_type: str
    event_time: float
    """Epoch seconds, fractional."""
    document: Mapping[str, Json]
    """The whole event as it arrived: ``{id, event_type, event_time, data}``. Templates and ``when`` read this."""
    text: str = ""
    """The document as JSON text, if the creator of the event already has it."""
    trace: TraceContext | None = None
    """The trace that its publisher passed with it."""
