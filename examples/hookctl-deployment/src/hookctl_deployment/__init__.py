"""A plugin for hookctl: the event type ``deployment``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from hookctl.plugin import EventType, hookimpl


@hookimpl
def hookctl_event_types() -> Iterable[EventType]:
    """The event type, whose schema is a file that publishers can use, too. Its first example is the mock event."""
    schema = json.loads(files(__name__).joinpath("deployment.schema.json").read_text(encoding="utf-8"))
    return [EventType(name="deployment", summary=schema["description"], schema=schema, mock=schema["examples"][0])]
