"""Storing events and their deliveries in PostgreSQL, inside the caller's transaction.

A batch takes two round trips: one for what decides on it, one for its rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from hookctl.errors import IntakeRefusedError
from hookctl.model import Delivery, DeliveryStatus
from hookctl.model.trace import trace_text
from hookctl.store.postgres import reading
from hookctl.store.postgres.arrays import long_texts, numbers, texts, texts_or_null
from hookctl.store.postgres.claiming import IS_FREE, Lease
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.generations import BITS, DAYS
from hookctl.store.postgres.locks import CLASS, ENQUEUING, LOCK_SHARED, NUMBERING
from hookctl.store.reasons import held_reason
from hookctl.store.records import Batch, Claimed, Hold, Routed
from hookctl.store.texts import to_text

KNOWN_IDS = f"""
    SELECT id FROM events
    WHERE id = ANY(%s::text[]) AND seq >= (SELECT max(number) - {DAYS} FROM generations)::bigint << {BITS}
"""  # noqa: S608 - constants
TAKE_NUMBERS = f"SELECT take_numbers(%s, %s, {CLASS}, {NUMBERING})"
WITH_OLDER = f"""
    SELECT w FROM unnest(%(webhooks)s::text[]) w WHERE EXISTS (
        SELECT 1 FROM live WHERE webhook = w AND ready_at <= %(now)s AND {IS_FREE}
    )
"""  # noqa: S608
"""Webhooks with a delivery that is due and unclaimed."""
ADD_EVENTS = """
    INSERT INTO events (seq, id, event_type, event_time, received_at, document, trace)
    SELECT seq, id, event_type, event_time, %s, document, trace
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::float8[], %s::text[], %s::text[])
        AS e (seq, id, event_type, event_time, document, trace)
"""
ADD_DELIVERIES = """
    INSERT INTO deliveries (
        seq, event, id, webhook, status, reason, ready_at, lease, owner, lease_until, lease_ends,
        created_at, due_at, set_at, ended
    )
    SELECT seq, event, id, webhook, status, reason, ready_at, lease, owner, lease_until,
        CASE WHEN owner IS NOT NULL
            THEN coalesce(%(clock)s::float8, extract(epoch FROM statement_timestamp())::float8) + %(seconds)s::float8
        END,
        %(now)s, %(now)s, %(now)s, status = 'dead'
    FROM unnest(
        %(seq)s::bigint[], %(event)s::bigint[], %(id)s::text[], %(webhook)s::text[], %(status)s::text[],
        %(reason)s::text[], %(ready_at)s::float8[], %(lease)s::int[], %(owner)s::text[], %(lease_until)s::float8[]
    ) AS d (seq, event, id, webhook, status, reason, ready_at, lease, owner, lease_until)
"""
ADD_UNKNOWN_DELIVERIES = f"{ADD_DELIVERIES} ON CONFLICT DO NOTHING RETURNING seq"
"""Without those whose ids are being tried already. Takes longer for each row."""
COUNT_WAITING = "SELECT count(*) FROM live WHERE ready_at IS NOT NULL"
LAST_NUMBER = "SELECT last_value - (NOT is_called)::int FROM delivery_numbers"
RECOUNT_SECONDS = 1.0
FORMATS: dict[str, Callable[[Sequence[Any]], str]] = {
    **dict.fromkeys(("id", "webhook", "status", "reason"), texts),
    "owner": texts_or_null,
}
"""How columns of new deliveries are written that are not numbers."""


class Enqueued(NamedTuple):
    """What became of a batch of events."""

    made: range
    """The row numbers of its deliveries."""
    is_new: list[bool]
    """For each event."""
    claims: list[Claimed]


class Room:
    """How many deliveries wait at most, without counting them for each batch.

    Counting takes some 50 ms for a million. Between two counts, no more can have been added than numbers were taken,
    but for what others are storing at this moment.
    """

    def __init__(self) -> None:
        self._counted = self._number = 0
        self._at = float("-inf")

    def refuse_too_many(
        self, connection: Connection, added: Sequence[int], max_waiting: float, before: int | None = None
    ) -> None:
        """Raise IntakeRefusedError if too many deliveries would wait.

        ``added`` says how many come with each event. ``before`` is the last number that was taken before those of these
        deliveries; None if they have none yet.
        """
        adding = sum(added)
        if not adding or max_waiting == float("inf"):
            return
        if before is None:
            (before,) = connection.execute(LAST_NUMBER).fetchone() or (0,)
        is_fresh = time.monotonic() - self._at < RECOUNT_SECONDS
        if is_fresh and self._counted + before - self._number + adding <= max_waiting:
            return
        (waiting,) = connection.execute(COUNT_WAITING).fetchone() or (0,)
        self._counted, self._number, self._at = waiting, before, time.monotonic()
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
    event: int
    id: str
    webhook: str
    status: str = "waiting"
    reason: str = ""
    ready_at: float | None = None
    lease: int = 0
    owner: str | None = None
    lease_until: float | None = None


def enqueue(connection: Connection, batch: Batch, lease: Lease, room: Room, *, is_repeated: bool) -> Enqueued:
    """Store events and their deliveries; see :class:`hookctl.store.records.Batch`.

    ``is_repeated``: the transaction was begun before, and something was in the way. Then a delivery may be stored
    already: its event came again after so long that its id was forgotten, and is still being tried.
    """
    routed = batch.events
    ids = [one.event.id for one in routed]
    targets = {delivery.webhook for one in routed for delivery in one.deliveries}
    wanted = [webhook for webhook, most in batch.wanted.items() if most > 0 and webhook in targets]
    connection.execute(LOCK_SHARED, (ENQUEUING,))
    known_ids = connection.execute(KNOWN_IDS, (texts(ids),))
    first_event = connection.execute(TAKE_NUMBERS, ("event_numbers", len(routed)))
    total = sum(len(one.deliveries) for one in routed)
    first_delivery = connection.execute(TAKE_NUMBERS, ("delivery_numbers", max(1, total)))
    older = connection.execute(WITH_OLDER, {"webhooks": wanted, "now": batch.now, "clock": lease.clock})
    holds = reading.holds(connection)
    known = {name for (name,) in known_ids.fetchall()}
    is_new = [name not in known and not known.add(name) for name in ids]  # type: ignore[func-returns-value]
    fresh = [one for one, new in zip(routed, is_new, strict=True) if new]
    counts = [_count_waiting(one, holds) if new else 0 for one, new in zip(routed, is_new, strict=True)]
    key = _value(first_delivery)
    room.refuse_too_many(connection, counts, batch.max_waiting, key - 1)
    numbered = [*enumerate(fresh, _value(first_event))]
    add_events(connection, numbered, batch.now)
    claimable = {webhook: batch.wanted[webhook] for webhook in wanted}
    for (webhook,) in older.fetchall():
        del claimable[webhook]
    rows, claims = _rows(numbered, key, batch.now, lease, claimable=claimable, holds=holds)
    if is_repeated:
        added = add_unknown_deliveries(connection, rows, batch.now, lease)
        claims = [one for one in claims if one.key in added]
    elif rows:
        connection.execute(ADD_DELIVERIES, _values(rows, batch.now, lease))
    return Enqueued(range(rows[0].seq, rows[-1].seq + 1) if rows else range(0), is_new, claims)


def add_events(connection: Connection, numbered: Sequence[tuple[int, Routed]], now: float) -> None:
    """Insert events with these numbers."""
    if not numbered:
        return
    events = [(seq, routed.event) for seq, routed in numbered]
    columns = (
        numbers([seq for seq, _ in events]),
        texts([event.id for _, event in events]),
        texts([event.event_type for _, event in events]),
        numbers([event.event_time for _, event in events]),
        long_texts([event.text or to_text(event.document) for _, event in events]),
        texts_or_null([trace_text(event.trace) if event.trace else None for _, event in events]),
    )
    connection.execute(ADD_EVENTS, (now, *columns))


def add_unknown_deliveries(connection: Connection, rows: Sequence[NewRow], now: float, lease: Lease) -> set[int]:
    """Insert rows, without those whose ids are being tried already; returns the numbers of those inserted."""
    if not rows:
        return set()
    return {seq for (seq,) in connection.execute(ADD_UNKNOWN_DELIVERIES, _values(rows, now, lease)).fetchall()}


def _values(rows: Sequence[NewRow], now: float, lease: Lease) -> dict[str, Any]:
    columns = zip(NewRow._fields, zip(*rows, strict=True), strict=True)
    given = {name: FORMATS.get(name, numbers)(column) for name, column in columns}
    return given | {"now": now, "clock": lease.clock, "seconds": lease.seconds}


def _value(cursor: Any) -> int:
    return int(cursor.fetchone()[0])


def _count_waiting(routed: Routed, holds: Mapping[str, Hold]) -> int:
    """How many of an event's deliveries wait from the start."""
    return sum(not delivery.dead_because and delivery.webhook not in holds for delivery in routed.deliveries)


def _rows(
    events: Sequence[tuple[int, Routed]],
    key: int,
    now: float,
    lease: Lease,
    *,
    claimable: dict[str, int],
    holds: Mapping[str, Hold],
) -> tuple[list[NewRow], list[Claimed]]:
    """The deliveries of events, numbered from ``key`` on; those that are ``claimable`` are claimed, and counted off."""
    waiting: dict[str, Any] = {"ready_at": now}
    claimed: dict[str, Any] = {
        "ready_at": lease.until,
        "lease": 1,
        "owner": lease.owner,
        "lease_until": lease.until,
    }
    state: dict[str, Any]
    rows: list[NewRow] = []
    claims: list[Claimed] = []
    for event, routed in events:
        for delivery in routed.deliveries:
            webhook = delivery.webhook
            if delivery.dead_because:
                state = {"status": "dead", "reason": printable(delivery.dead_because)}
            elif webhook in holds:
                state = {"status": "held", "reason": held_reason(holds[webhook].reason)}
            elif claimable.get(webhook, 0) > 0:
                claimable[webhook] -= 1
                state = claimed
                fresh = Delivery(delivery.id, routed.event.id, webhook, DeliveryStatus.WAITING, 0, now, "", now)
                claims.append(Claimed(fresh, routed.event.document, 1, key=key, trace=routed.event.trace))
            else:
                state = waiting
            rows.append(NewRow(key, event, delivery.id, webhook, **state))
            key += 1
    return rows, claims


def printable(text: str) -> str:
    """A text without NUL, which PostgreSQL does not store."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
