"""Repeats that are not the same again: an event's id, or a request's key, that was seen before with other content."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from hookctl.errors import ChangedError
from hookctl.json.equality import is_equal
from hookctl.model import Json
from hookctl.store.records import RequestKey, Routed
from hookctl.store.sqlite import events

COMPONENT = "requests"
SCRIPTS = (
    """
    -- The idempotency keys of requests with events, each with a digest of what was sent.
    CREATE TABLE IF NOT EXISTS request_keys (
        key TEXT PRIMARY KEY,
        content TEXT NOT NULL,
        at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS request_keys_at ON request_keys (at);
    """,
)
ADD_KEY = "INSERT INTO request_keys (key, content, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
PRUNE = """
    DELETE FROM request_keys WHERE key IN (SELECT key FROM request_keys WHERE at < ? ORDER BY at LIMIT ?)
"""


def add_keys(connection: sqlite3.Connection, keys: Sequence[RequestKey], now: float) -> None:
    """Add keys that are new; inside the caller's transaction. Raises ChangedError for one with other content."""
    changed = []
    for number, one in enumerate(keys):
        if connection.execute(ADD_KEY, (one.key, one.content, now)).rowcount:
            continue
        (content,) = connection.execute("SELECT content FROM request_keys WHERE key = ?", (one.key,)).fetchone()
        if content != one.content:
            changed.append(number)
    if changed:
        raise ChangedError("the key was used before for another request", keys=changed)


def refuse_changed(connection: sqlite3.Connection, batch: Sequence[Routed], is_new: Sequence[bool]) -> None:
    """Raise ChangedError if an event has the id of another one, which is stored or comes before it in the batch.

    What is stored but cannot be read counts as the same.
    """
    known = {routed.event.id for routed, new in zip(batch, is_new, strict=True) if not new}
    documents: dict[str, Mapping[str, Json]] = events.documents(connection, known)
    changed: dict[int, Mapping[str, Json]] = {}
    for number, routed in enumerate(batch):
        event = routed.event
        if event.id not in known:
            continue
        first = documents.setdefault(event.id, event.document)
        if not is_equal(dict(first), dict(event.document)):
            changed[number] = first
    if changed:
        raise ChangedError("an event with this id was accepted before, with other content", events=changed)


def prune(connection: sqlite3.Connection, before: float, limit: int) -> None:
    """Delete the oldest keys that came before a time, at most ``limit``; inside the caller's transaction."""
    connection.execute(PRUNE, (before, limit))
