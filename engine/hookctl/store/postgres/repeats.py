"""Repeats that are not the same again: an event's id, or a request's key, that was seen before with other content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hookctl.errors import ChangedError
from hookctl.json.equality import is_equal
from hookctl.model import Json
from hookctl.store.postgres import events
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import RequestKey, Routed

ADD_KEYS = """
    INSERT INTO request_keys (key, content, at) SELECT key, content, %s FROM unnest(%s::text[], %s::text[])
        AS k (key, content)
    ON CONFLICT DO NOTHING
"""
CONTENTS = "SELECT key, content FROM request_keys WHERE key = ANY(%s)"


def add_keys(connection: Connection, keys: Sequence[RequestKey], now: float) -> None:
    """Add keys that are new; inside the caller's transaction. Raises ChangedError for one with other content."""
    if not keys:
        return
    first: dict[str, str] = {}
    for one in keys:
        first.setdefault(one.key, one.content)
    ordered = sorted(first)  # so that two processes with the same keys do not wait for each other
    connection.execute(ADD_KEYS, (now, ordered, [first[key] for key in ordered]))
    contents: dict[str, str] = dict(connection.execute(CONTENTS, (ordered,)).fetchall())
    changed = [number for number, one in enumerate(keys) if contents.get(one.key, one.content) != one.content]
    if changed:
        raise ChangedError("the key was used before for another request", keys=changed)


def refuse_changed(connection: Connection, batch: Sequence[Routed], is_new: Sequence[bool]) -> None:
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
