"""Storing events and their deliveries in the SQLite queue, inside the caller's transaction.

A batch takes few statements, since most of what a statement costs is to begin it. They are written for the usual case,
events that are all new. In any other case the batch is undone to its savepoint, and its rows are stored one by one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from hookctl.errors import IntakeRefusedError
from hookctl.model import Delivery, DeliveryStatus
from hookctl.model.trace import trace_text
from hookctl.store.reasons import held_reason
from hookctl.store.records import Claimed, Hold, Routed
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite import reading
from hookctl.store.sqlite.claiming import Lease
from hookctl.store.sqlite.rows import add_rows
from hookctl.store.sqlite.savepoint import savepoint
from hookctl.store.texts import to_text


class Enqueued(NamedTuple):
    """What became of a batch of events."""

    made: range
    """The row numbers of its deliveries."""
    is_new: list[bool]
    """For each event."""
    claims: list[Claimed]


def enqueue(
    connection: sqlite3.Connection,
    batch: Sequence[Routed],
    now: float,
    lease: Lease,
    *,
    wanted: Mapping[str, int],
    max_waiting: float,
) -> Enqueued:
    """Store events and their deliveries; see :class:`hookctl.store.interface.Batch`."""
    holds = reading.holds(connection)
    (first,) = connection.execute(tables.NEXT_EVENT).fetchone()
    is_new = _add_ids(connection, [routed.event.id for routed in batch], first)
    counts = [_count_waiting(routed, holds) if new else 0 for routed, new in zip(batch, is_new, strict=True)]
    refuse_too_many(connection, counts, max_waiting)
    numbered = list(enumerate([routed for routed, new in zip(batch, is_new, strict=True) if new], first))
    add_rows(connection, "events", tables.EVENT_COLUMNS, [_event_row(seq, routed, now) for seq, routed in numbered])
    if first // tables.MERGE_IDS < (first + len(numbered)) // tables.MERGE_IDS:
        for statement in tables.MERGE:
            connection.execute(statement)
    made, claims = _add_deliveries(connection, numbered, now, lease, wanted=wanted, holds=holds)
    return Enqueued(made, is_new, claims)


def _event_row(seq: int, routed: Routed, now: float) -> tuple[int, str, str, float, float, str, str | None]:
    """The values of ``tables.EVENT_COLUMNS``."""
    event = routed.event
    text, trace = event.text or to_text(event.document), trace_text(event.trace) if event.trace else None
    return seq, event.id, event.event_type, event.event_time, now, text, trace


def _add_ids(connection: sqlite3.Connection, ids: Sequence[str], first: int) -> list[bool]:
    """Whether each id is new, in this batch and ever. The events of new ids get row numbers from ``first`` on."""
    all_ids = json.dumps(ids)
    known = {name for (name,) in connection.execute(tables.KNOWN_IDS, (all_ids,))}
    with savepoint(connection) as undo:
        if not known and connection.execute(tables.ADD_IDS, (first, all_ids)).rowcount == len(ids):
            return [True] * len(ids)
        undo()
        is_new = []
        for name in ids:
            new = name not in known and connection.execute(tables.ADD_IDS, (first, json.dumps([name]))).rowcount == 1
            is_new.append(new)
            first += new
        return is_new


def _count_waiting(routed: Routed, holds: Mapping[str, Hold]) -> int:
    """How many of an event's deliveries wait from the start."""
    return sum(not delivery.dead_because and delivery.webhook not in holds for delivery in routed.deliveries)


def refuse_too_many(connection: sqlite3.Connection, added: Sequence[int], max_waiting: float) -> None:
    """Raise IntakeRefusedError when too many deliveries would wait; ``added`` says how many come with each event.

    Counting those that wait takes milliseconds for a million, so they are counted only when the store keeps so many
    deliveries, waiting or not, that there might be too many.
    """
    adding = sum(added)
    if not adding or connection.execute(tables.AT_MOST_KEPT).fetchone()[0] + adding <= max_waiting:
        return
    (waiting,) = connection.execute(tables.COUNT_WAITING).fetchone()
    if waiting + adding <= max_waiting:
        return
    fits = sum(waiting + total <= max_waiting or not total for total in accumulate(added))
    raise IntakeRefusedError(
        f"the store is full: {waiting:,} deliveries are waiting; the limit is {max_waiting:,.0f}",
        hint="Raise intake.max_waiting, or see `hookctl explain settings`.",
        fits=fits,
    )


class NewRow(NamedTuple):
    """A new row of the table ``deliveries``; the fields are its columns."""

    seq: int
    id: str
    event: int
    webhook: str
    created_at: float
    due_at: float
    set_at: float
    status: str = "waiting"
    reason: str = ""
    ready_at: float | None = None
    lease: int = 0
    owner: str | None = None
    lease_until: float | None = None
    lease_ends: float | None = None


def _add_deliveries(
    connection: sqlite3.Connection,
    events: Sequence[tuple[int, Routed]],
    now: float,
    lease: Lease,
    *,
    wanted: Mapping[str, int],
    holds: Mapping[str, Hold],
) -> tuple[range, list[Claimed]]:
    """Add the deliveries of events, each event with its row number; claim of them what is ``wanted``."""
    claimable = {
        webhook: count
        for webhook, count in wanted.items()
        if not connection.execute(tables.IS_DUE, (webhook, now, lease.monotonic)).fetchone()
    }
    (key,) = connection.execute(tables.LAST_DELIVERY).fetchone()
    waiting: dict[str, Any] = {"ready_at": now}
    claimed: dict[str, Any] = {
        "ready_at": lease.until,
        "lease": 1,
        "owner": lease.owner,
        "lease_until": lease.until,
        "lease_ends": lease.ends,
    }
    state: dict[str, Any]
    rows: list[NewRow] = []
    claims: list[Claimed] = []
    for event, routed in events:
        for delivery in routed.deliveries:
            key += 1
            webhook = delivery.webhook
            if delivery.dead_because:
                state = {"status": "dead", "reason": delivery.dead_because}
            elif webhook in holds:
                state = {"status": "held", "reason": held_reason(holds[webhook].reason)}
            elif claimable.get(webhook, 0) > 0:
                claimable[webhook] -= 1
                state = claimed
                fresh = Delivery(delivery.id, routed.event.id, webhook, DeliveryStatus.WAITING, 0, now, "", now)
                claims.append(Claimed(fresh, routed.event.document, 1, key=key, trace=routed.event.trace))
            else:
                state = waiting
            rows.append(NewRow(key, delivery.id, event, webhook, created_at=now, due_at=now, set_at=now, **state))
    stored = _add_rows(connection, rows)
    if stored:
        claims = [claimed for claimed in claims if claimed.delivery.id not in stored]
    return range(key + 1 - len(rows), key + 1), claims


def add_deliveries(connection: sqlite3.Connection, rows: Sequence[NewRow]) -> int:
    """Add rows, without those whose ids are stored already, and return how many were added."""
    return len(rows) - len(_add_rows(connection, rows))


def _add_rows(connection: sqlite3.Connection, rows: Sequence[NewRow]) -> set[str]:
    """Add rows; gives the ids that were stored already, whose deliveries stay as they are.

    A new event has stored deliveries only when its id in the store was damaged, so that it looked new.
    """
    with savepoint(connection) as undo:
        try:
            add_rows(connection, "deliveries", NewRow._fields, rows)
        except sqlite3.IntegrityError:
            undo()
            stored = {name for (name,) in connection.execute(tables.STORED, (json.dumps([row.id for row in rows]),))}
            add_rows(connection, "deliveries", NewRow._fields, [row for row in rows if row.id not in stored])
            return stored
    return set()
