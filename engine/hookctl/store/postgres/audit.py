"""The audit log in PostgreSQL: what people did to deliveries. Nothing deletes its rows."""

from __future__ import annotations

from hookctl.store.history import AuditEntry, LogEntry
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import MAX_TIME

RECORD = """
    INSERT INTO audit (id, at, who, action, what, reason, deliveries) VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET deliveries = audit.deliveries + excluded.deliveries
"""
ENTRIES = """
    SELECT at, who, action, what, reason, deliveries FROM audit WHERE at >= %s ORDER BY at DESC, seq DESC LIMIT %s
"""


def record(connection: Connection, entry: AuditEntry | None, deliveries: int) -> None:
    """Add an entry, or add deliveries to the entry with its id; inside the caller's transaction."""
    if entry is not None:
        values = (entry.id, entry.at, entry.who, entry.action, entry.what, entry.reason, deliveries)
        connection.execute(RECORD, values)


def entries(connection: Connection, limit: int, since: float | None) -> list[LogEntry]:
    """The newest entries, newest first."""
    rows = connection.execute(ENTRIES, (-MAX_TIME if since is None else since, limit)).fetchall()
    return [
        LogEntry(at=at, who=who, action=action, what=what, reason=reason, deliveries=deliveries)
        for at, who, action, what, reason, deliveries in rows
    ]
