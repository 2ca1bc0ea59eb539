"""Event types that files define: finds the files in ``events.d``, checks them, and makes event types of them."""

from hookctl.config.events.files import (
    NOTHING_DEFINED,
    EventTypeFiles,
    directory_beside,
    read_event_types,
    revision_event_types,
)
from hookctl.config.events.merge import with_defined

__all__ = [
    "NOTHING_DEFINED",
    "EventTypeFiles",
    "directory_beside",
    "read_event_types",
    "revision_event_types",
    "with_defined",
]
