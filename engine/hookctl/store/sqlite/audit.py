"""The audit log in the SQLite store: what people did. Nothing deletes its rows."""

from __future__ import annotations

import sqlite3
from typing import Any

from hookctl.store.history import AuditEntry, LogEntry
from hookctl.store.records import MAX_TIME

COMPONENT = "audit"
SCRIPTS = (
    """
    CREATE TABLE IF NOT EXISTS audit (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        at REAL NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        what TEXT NOT NULL,
        reason TEXT NOT NULL,
        deliveries INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS audit_at ON audit (at);
    """,
)
RECORD = """
    INSERT INTO audit (id, at, who, action, what, reason, deliveries) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET deliveries = deliveries + excluded.deliveries
"""
ENTRIES = """
    SELECT at, who, action, what, reason, deliveries FROM audit
    WHERE at BETWEEN ? AND 1e12 ORDER BY at DESC, seq DESC LIMIT ?
"""


def record(connection: sqlite3.Connection, entry: AuditEntry | None, deliveries: int) -> None:
    """Add an entry, or add deliveries to the entry with its id; inside the caller's transaction."""
    if entry is not None:
        values = (entry.id, entry.at, entry.who, entry.action, entry.what, entry.reason, deliveries)
        connection.execute(RECORD, values)


def entries(connection: sqlite3.Connection, limit: int, since: float | None) -> list[LogEntry]:
    """The newest entries, newest first. Damaged rows are skipped."""
    rows = connection.execute(ENTRIES, (-MAX_TIME if since is None else since, limit)).fetchall()
    return [_entry(row) for row in rows if is_sound(row)]


def is_sound(row: tuple[Any, ...]) -> bool:
    """Whether a row, from the column ``at`` on, can be shown."""
    return isinstance(row[0], float) and all(isinstance(text, str) for text in row[1:5]) and type(row[5]) is int


def _entry(row: tuple[Any, ...]) -> LogEntry:
    at, who, action, what, reason, deliveries = row
    return LogEntry(at=at, who=who, action=action, what=what, reason=reason, deliveries=deliveries)
