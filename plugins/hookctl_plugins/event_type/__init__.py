"""Built-in event types: those of access management, Alertmanager, CloudEvents, and hookctl's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from hookctl.plugin import EventType, hookimpl
from hookctl.schema_files import read_schema

if TYPE_CHECKING:
    from hookctl.model import Json

NAMES = (
    "anomaly",
    "access_request",
    "audit_log",
    "integration",
    "alertmanager",
    "cloudevents",
    "hookctl.delivery_dead",
    "hookctl.webhook_held",
    "hookctl.circuit_opened",
)


def from_schema(file: str) -> EventType:
    """The event type for a shipped schema.

    Its name is the ``event_type`` constant of the schema, and its mock event is the first example.
    """
    schema = read_schema(file)
    properties = cast("dict[str, dict[str, Json]]", schema["properties"])
    (mock,) = cast("list[dict[str, Json]]", schema["examples"])
    return EventType(
        name=cast("str", properties["event_type"]["const"]),
        summary=cast("str", schema["description"]),
        schema=schema,
        mock=mock,
    )


@hookimpl
def hookctl_event_types() -> Iterable[EventType]:
    """The built-in event types."""
    return [from_schema(f"events/{name}.schema.json") for name in NAMES]
