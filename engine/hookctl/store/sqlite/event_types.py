"""The event types that files define, in the applied state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from hookctl.model import DefinedType, Plan

SCRIPT = """
    -- The event types of events.d: the JSON Schema of each, in canonical form.
    CREATE TABLE applied_event_types (name TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL);
"""


def read(connection: sqlite3.Connection) -> dict[str, DefinedType]:
    """The event types by name, in order. A row that is not a JSON object is left out, which counts as an edit."""
    found = {}
    for name, document in connection.execute("SELECT name, document FROM applied_event_types ORDER BY name"):
        try:
            schema = json.loads(document)
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(name, str) and isinstance(schema, dict):
            found[name] = DefinedType(name, schema)
    return found


def digests(connection: sqlite3.Connection) -> Mapping[str, str]:
    """The digest of each event type, by name."""
    return {name: one.digest for name, one in read(connection).items()}


def write(connection: sqlite3.Connection, plan: Plan) -> None:
    """Store what a plan makes of the event types, inside the caller's transaction."""
    for change in plan.event_types:
        if change.after:
            row = (change.name, change.after.canonical().decode())
            connection.execute("INSERT OR REPLACE INTO applied_event_types VALUES (?, ?)", row)
        else:
            connection.execute("DELETE FROM applied_event_types WHERE name = ?", (change.name,))
