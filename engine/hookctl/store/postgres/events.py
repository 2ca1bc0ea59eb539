"""Reading kept events out of the PostgreSQL tables, and making deliveries of them later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hookctl.errors import IntakeRefusedError
from hookctl.model import DeliveryStatus, Json
from hookctl.store.history import EventFilter, EventPage, StoredEvent
from hookctl.store.postgres import reading
from hookctl.store.postgres.claiming import Lease
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.enqueuing import TAKE_NUMBERS, NewRow, Room, add_unknown_deliveries
from hookctl.store.postgres.locks import BACKFILLING, LOCK_ALL
from hookctl.store.reasons import held_reason
from hookctl.store.records import MAX_TIME
from hookctl.store.texts import STATUS, document_or_none

CHUNK = 500
"""Events that one statement reads: a filter that stops early should not have read many documents."""
LAST = (2 * MAX_TIME, 0)
"""A position after every event's."""
NONE: Mapping[DeliveryStatus, int] = {}

KEYS = """
    SELECT received_at, seq FROM events
    WHERE received_at >= %s AND received_at < %s AND (received_at, seq) < (%s, %s) {0}
    ORDER BY received_at DESC, seq DESC LIMIT %s
"""
ROWS = """
    SELECT e.received_at, e.seq, e.id, e.event_type, e.event_time, e.document
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS k (seq, place) JOIN events e ON e.seq = k.seq
    WHERE {0} ORDER BY k.place
"""
HAS_DELIVERY = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.seq)"
HAS_DELIVERY_TO = "EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.seq AND d.webhook = %s)"
STATUSES = "SELECT event, status, count(*) FROM deliveries WHERE event = ANY(%s) GROUP BY event, status"
NUMBERS = "SELECT id, max(seq) FROM events WHERE id = ANY(%s) GROUP BY id"
"""The row numbers of events, by id; of the newest one, if an id came again after hookctl had forgotten it."""
HAVE = "SELECT DISTINCT event FROM deliveries WHERE webhook = %s AND event = ANY(%s)"
WEBHOOKS = "SELECT event, webhook FROM deliveries WHERE event = ANY(%s) ORDER BY seq"


def events(
    connection: Connection,
    which: EventFilter,
    limit: int,
    before: tuple[float, int] | None,
    look_at: int | None,
) -> EventPage:
    """See :meth:`hookctl.store.events_interface.Events.events`."""
    found: list[StoredEvent] = []
    looked_at, position = 0, before or LAST
    while look_at is None or looked_at < look_at:
        keys = _keys(connection, which, position)
        if not keys:
            return EventPage(found, looked_at, None)
        for one in _read(connection, [seq for _, seq in keys], which):
            if len(found) == limit:
                return EventPage(found, looked_at, found[-1].position, found[-1].id)
            found.append(one)
        looked_at += len(keys)
        position = keys[-1]
    row = connection.execute("SELECT id FROM events WHERE seq = %s", (position[1],)).fetchone()
    return EventPage(found, looked_at, position, str(row[0]) if row else None)


def event(connection: Connection, event_id: str) -> StoredEvent | None:
    """See :meth:`hookctl.store.events_interface.Events.event`."""
    numbers = _numbers(connection, [event_id])
    return next(_read(connection, list(numbers.values()), EventFilter()), None)


def with_delivery(connection: Connection, webhook: str, event_ids: Collection[str]) -> set[str]:
    """See :meth:`hookctl.store.events_interface.Events.events_with_delivery`."""
    numbers = _numbers(connection, event_ids)
    have = _have(connection, webhook, numbers.values())
    return {name for name, seq in numbers.items() if seq in have}


def documents(connection: Connection, event_ids: Collection[str]) -> dict[str, Mapping[str, Json]]:
    """The documents of the events with these ids, by id. Those that are not stored, or damaged, are missing."""
    numbers = _numbers(connection, event_ids)
    return {one.id: one.document for one in _read(connection, list(numbers.values()), EventFilter())}


def webhooks(connection: Connection, event_ids: Collection[str]) -> dict[str, list[str]]:
    """See :meth:`hookctl.store.events_interface.Events.webhooks_of`."""
    ids = {seq: name for name, seq in _numbers(connection, event_ids).items()}
    found: dict[str, list[str]] = {}
    for seq, webhook in connection.execute(WEBHOOKS, ([*ids],)):
        found.setdefault(ids[seq], []).append(webhook)
    return found


def backfill(
    connection: Connection,
    webhook: str,
    missed: Sequence[tuple[str, str]],
    now: float,
    *,
    max_waiting: float,
    room: Room,
) -> int:
    """See :meth:`hookctl.store.events_interface.Events.backfill`; inside the caller's transaction."""
    connection.execute(LOCK_ALL, (BACKFILLING,))  # another one would make the same deliveries
    numbers = _numbers(connection, [event_id for event_id, _ in missed])
    have = _have(connection, webhook, numbers.values())
    wanted = {seq: name for event_id, name in missed if (seq := numbers.get(event_id)) and seq not in have}
    if not wanted:
        return 0
    holds = reading.holds(connection)
    is_held = webhook in holds
    try:
        room.refuse_too_many(connection, [0 if is_held else 1] * len(wanted), max_waiting)
    except IntakeRefusedError as error:
        raise IntakeRefusedError(error.message, hint=error.hint) from None  # of no events that a caller passed
    (key,) = connection.execute(TAKE_NUMBERS, ("delivery_numbers", len(wanted))).fetchone() or (0,)
    state: dict[str, Any] = {"ready_at": now}
    if is_held:
        state = {"status": "held", "reason": held_reason(holds[webhook].reason)}
    rows = [NewRow(number, seq, name, webhook, **state) for number, (seq, name) in enumerate(wanted.items(), key)]
    return len(add_unknown_deliveries(connection, rows, now, Lease("", 0.0, 0.0, None)))


def _keys(connection: Connection, which: EventFilter, before: tuple[float, int]) -> list[tuple[float, int]]:
    conditions, values = "", []
    if which.event_type is not None:
        conditions, values = "AND event_type = %s", [which.event_type]
    if which.id is not None:
        conditions += " AND seq = %s"
        values.append(_numbers(connection, [which.id]).get(which.id))  # type: ignore[arg-type]
    since = -MAX_TIME if which.since is None else which.since
    until = MAX_TIME if which.until is None else which.until
    return connection.execute(KEYS.format(conditions), (since, until, *before, *values, CHUNK)).fetchall()


def _read(connection: Connection, seqs: Sequence[int], which: EventFilter) -> Iterator[StoredEvent]:
    """The events with these row numbers that pass the filter, in this order. Damaged rows are skipped."""
    conditions: list[str] = ["true"]
    values: list[Any] = [list(seqs)]
    if which.matched is not None:
        conditions.append(HAS_DELIVERY if which.matched else f"NOT {HAS_DELIVERY}")
    if which.unmade_for is not None:
        conditions.append(f"NOT {HAS_DELIVERY_TO}")
        values.append(which.unmade_for)
    rows = connection.execute(ROWS.format(" AND ".join(conditions)), values).fetchall()
    statuses = _statuses(connection, [row[1] for row in rows])
    for received_at, seq, event_id, event_type, event_time, text in rows:
        document = document_or_none(text)
        if document is not None and (which.where is None or which.where(document)):
            made = statuses.get(seq, NONE)
            yield StoredEvent(event_id, event_type, event_time, received_at, document, made, (received_at, seq))


def _statuses(connection: Connection, seqs: Sequence[int]) -> Mapping[int, Mapping[DeliveryStatus, int]]:
    found: dict[int, dict[DeliveryStatus, int]] = {}
    for seq, status, count in connection.execute(STATUSES, (list(seqs),)):
        found.setdefault(seq, {})[STATUS[status]] = count
    return found


def _numbers(connection: Connection, event_ids: Collection[str]) -> dict[str, int]:
    return dict(connection.execute(NUMBERS, (list(event_ids),)).fetchall())


def _have(connection: Connection, webhook: str, seqs: Collection[int]) -> set[int]:
    """Those of the events that have a delivery to the webhook."""
    return {seq for (seq,) in connection.execute(HAVE, (webhook, list(seqs)))}
