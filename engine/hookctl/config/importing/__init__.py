"""Reads descriptions of events that other tools use, and makes files for ``events.d`` of them."""

from hookctl.config.importing.event_types import Imported, import_event_types

__all__ = ["Imported", "import_event_types"]
