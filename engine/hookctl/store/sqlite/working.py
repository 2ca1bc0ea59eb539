"""The work of the SQLite queue: events in, claims out, results in. Inside the caller's transaction.

Each of the three goes through few statements for the whole batch, since what a statement costs is mostly what it costs to begin one. They are
written for what nearly always is: new events, and leases that still hold. Where it is not so, the batch is undone to its savepoint and goes one by one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Any, NamedTuple

from hookctl.errors import IntakeRefusedError, StoreError
from hookctl.model import Delivery, DeliveryPlan, DeliveryStatus, Json
from hookctl.store.interface import Claimed, Result, Routed
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite import reading
from hookctl.store.sqlite.reading import MAX_TIME, STATUS
from hookctl.store.sqlite.reconciling import suspend
from hookctl.store.sqlite.records import MAX_NUMBER, attempt_to_text, to_text

Alike = tuple[str, str, int, int, str]
"""What deliveries that are ended by one statement have in common: status, reason, attempts, lease and webhook."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim is marked with. A lease ends on both clocks: the wall clock may have been set while it was held."""

    owner: str
    until: float
    ends: float
    monotonic: float
    """Now, on the clock that nobody sets."""


class Enqueued(NamedTuple):
    """What became of a batch of events."""

    made: range
    """The numbers of its deliveries."""
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
    """See :meth:`hookctl.store.interface.Queue.enqueue_and_claim`."""
    suspended = reading.suspended(connection)
    is_new = _add_ids(connection, [routed.event.id for routed in batch])
    _refuse_too_many(
        connection,
        [_waits(routed, suspended) if added else 0 for routed, added in zip(batch, is_new, strict=True)],
        max_waiting,
    )
    (first,) = connection.execute(tables.NEXT_EVENT).fetchone()
    new = list(enumerate([routed for routed, added in zip(batch, is_new, strict=True) if added], first))
    rows = [
        (
            seq,
            routed.event.id,
            routed.event.event_type,
            routed.event.event_time,
            now,
            routed.event.text or to_text(routed.event.document),
        )
        for seq, routed in new
    ]
    connection.executemany(tables.ADD_EVENT, rows)
    if first // tables.MERGE_IDS < (first + len(new)) // tables.MERGE_IDS:
        for statement in tables.MERGE:
            connection.execute(statement)
    made, claims = _add_deliveries(connection, new, now, lease, wanted=wanted, suspended=suspended)
    return Enqueued(made, is_new, claims)


def _add_ids(connection: sqlite3.Connection, ids: Sequence[str]) -> list[bool]:
    """Whether each id is new, in this batch and ever."""
    all_ids = json.dumps(ids)
    known = {name for (name,) in connection.execute(tables.KNOWN_IDS, (all_ids,))}
    with _savepoint(connection) as undo:
        if not known and connection.execute(tables.ADD_IDS, (all_ids,)).rowcount == len(ids):
            return [True] * len(ids)
        undo()
        return [
            name not in known and connection.execute(tables.ADD_IDS, (json.dumps([name]),)).rowcount == 1
            for name in ids
        ]


def _waits(routed: Routed, suspended: Mapping[str, str]) -> int:
    """How many of an event's deliveries wait from the start."""
    return sum(not delivery.dead_because and delivery.webhook not in suspended for delivery in routed.deliveries)


def _refuse_too_many(connection: sqlite3.Connection, added: Sequence[int], max_waiting: float) -> None:
    """Raise IntakeRefusedError when too many deliveries would wait; ``added`` says how many come with each event.

    They are counted only where it might be so: where as many deliveries are kept, waiting or not.
    """
    adding = sum(added)
    if not adding or connection.execute(tables.AT_MOST_KEPT).fetchone()[0] + adding <= max_waiting:
        return
    (waiting,) = connection.execute(tables.COUNT_WAITING).fetchone()
    if waiting + adding <= max_waiting:
        return
    fits = sum(waiting + together <= max_waiting or not together for together in accumulate(added))
    raise IntakeRefusedError(
        f"the store is full: {waiting:,} deliveries wait, and the limit is {max_waiting:,.0f}",
        hint="Deliver or cancel waiting deliveries, or raise intake.max_waiting: see `hookctl explain settings`.",
        fits=fits,
    )


def _add_deliveries(
    connection: sqlite3.Connection,
    new: Sequence[tuple[int, Routed]],
    now: float,
    lease: Lease,
    *,
    wanted: Mapping[str, int],
    suspended: Mapping[str, str],
) -> tuple[range, list[Claimed]]:
    room = {
        webhook: count
        for webhook, count in wanted.items()
        if not connection.execute(tables.IS_DUE, (webhook, now, lease.monotonic)).fetchone()
    }
    (key,) = connection.execute(tables.LAST_DELIVERY).fetchone()
    rows: list[tuple[Any, ...]] = []
    claims: list[Claimed] = []
    for event, routed in new:
        for delivery in routed.deliveries:
            key += 1
            webhook = delivery.webhook
            made = (key, delivery.id, event, webhook, now, now, now)
            if delivery.dead_because:
                rows.append((*made, "dead", delivery.dead_because, None, 0, None, None, None))
            elif webhook in suspended:
                rows.append((*made, "held", suspended[webhook], None, 0, None, None, None))
            elif room.get(webhook, 0) > 0:
                room[webhook] -= 1
                rows.append((*made, "waiting", "", lease.until, 1, lease.owner, lease.until, lease.ends))
                fresh = Delivery(delivery.id, routed.event.id, webhook, DeliveryStatus.WAITING, 0, now, "", now)
                claims.append(Claimed(fresh, routed.event.document, 1, key=key))
            else:
                rows.append((*made, "waiting", "", now, 0, None, None, None))
    claims = _add_rows(connection, rows, claims)
    return range(key + 1 - len(rows), key + 1), claims


def _add_rows(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]], claims: list[Claimed]) -> list[Claimed]:
    """Add rows of deliveries; gives the claims without those of a delivery that is stored already.

    There is one only where the id of its event was damaged, so that the event was taken for a new one. It is left as it stands.
    """
    with _savepoint(connection) as undo:
        try:
            connection.executemany(tables.ADD_DELIVERY, rows)
        except sqlite3.IntegrityError:
            undo()
            stored = {name for (name,) in connection.execute(tables.STORED, (json.dumps([row[1] for row in rows]),))}
            connection.executemany(tables.ADD_DELIVERY, [row for row in rows if row[1] not in stored])
            return [claimed for claimed in claims if claimed.delivery.id not in stored]
    return claims


def claim(
    connection: sqlite3.Connection, now: float, limit: int, lease: Lease, wanted: Mapping[str, int]
) -> list[Claimed]:
    """See :meth:`hookctl.store.interface.Queue.claim`. A delivery whose row, event or plan is damaged becomes dead instead."""
    taken: list[Any] = []
    for webhook, most in wanted.items():
        count = min(most, limit - len(taken))
        if count > 0:
            values = (lease.owner, lease.until, lease.ends, lease.until, webhook, now, lease.monotonic, count)
            taken += connection.execute(tables.CLAIM, values).fetchall()
    sound = [row for row in taken if _is_sound(row)]
    sound.sort(key=lambda row: (row[5], row[0]))
    documents = _documents(connection, {row[2] for row in sound})
    aside = (
        {row[0]: "its row in the store is damaged" for row in taken if not _is_sound(row)}
        if len(sound) < len(taken)
        else {}
    )
    claims = []
    for key, name, event, webhook, status, due_at, attempts, reason, created_at, number, planned in sound:
        event_id, document = documents.get(event, ("", None))
        plan = _plan(connection, planned) if planned else None
        if document is None or (planned and plan is None):
            aside[key] = (
                "its event cannot be read"
                if document is None
                else "the delivery plan that it is replayed by cannot be read"
            )
            continue
        delivery = Delivery(name, event_id, webhook, STATUS[status], attempts, due_at, reason, created_at)
        claims.append(Claimed(delivery, document, number, plan, key))
    if aside:
        _set_aside(connection, aside, now)
    return claims


NUMBER = (int, float)
SOUND = {
    (int, str, int, str, str, due_at, int, str, created_at, int, planned)
    for due_at, created_at, planned in product(NUMBER, NUMBER, (str, type(None)))
}
"""The types that a claimed row may be of; see ``tables.CLAIM``, which gives a whole number for some times."""


def _is_sound(row: Sequence[Any]) -> bool:
    """Whether a claimed row holds what hookctl has written there."""
    if tuple(map(type, row)) not in SOUND:
        return False
    return row[4] in STATUS and 0 <= row[6] <= MAX_NUMBER and abs(row[5]) <= MAX_TIME and abs(row[8]) <= MAX_TIME


def _documents(connection: sqlite3.Connection, events: Collection[int]) -> dict[int, tuple[str, Mapping[str, Json]]]:
    """The id and the document of each event that can be read."""
    found: dict[int, tuple[str, Mapping[str, Json]]] = {}
    for event, name, text in connection.execute(tables.EVENTS, (json.dumps([*events]),)):
        document = reading.document_or_none(text)
        if document is not None and isinstance(name, str):
            found[event] = (name, document)
    return found


def _set_aside(connection: sqlite3.Connection, reasons: Mapping[int, str], now: float) -> None:
    """Make deliveries dead that cannot be tried, so that they hold up no others; the reason says why, by number of the delivery."""
    import logging  # takes a while, and is hardly ever needed

    for key, why in reasons.items():
        logging.getLogger(__name__).warning("delivery number %s is set aside: %s; see `hookctl doctor`", key, why)
    connection.executemany(
        tables.SET_ASIDE, [(f"set aside: {why}; see `hookctl doctor`", now, key) for key, why in reasons.items()]
    )


def _plan(connection: sqlite3.Connection, digest: str) -> DeliveryPlan | None:
    """A delivery plan that is kept; None where there is none, or it is damaged."""
    row = connection.execute("SELECT document FROM plans WHERE digest = ?", (digest,)).fetchone()
    with suppress(StoreError):
        plan = reading.plan(row[0]) if row else None
        return plan if plan and plan.digest == digest else None
    return None


def finish(connection: sqlite3.Connection, results: Sequence[Result], now: float, owner: str) -> set[str]:
    """See :meth:`hookctl.store.interface.Queue.finish`."""
    lost: set[str] = set()
    with _savepoint(connection) as undo:
        if not _mark_all(connection, results, now, owner):
            undo()
            lost = {result.claimed.delivery.id for result in results if not _mark(connection, result, now, owner)}
    recorded = [result for result in results if result.claimed.delivery.id not in lost] if lost else results
    connection.executemany(
        tables.ADD_ATTEMPT, [(result.claimed.key, attempt_to_text(result.attempt)) for result in recorded]
    )
    return lost


def _mark_all(connection: sqlite3.Connection, results: Sequence[Result], now: float, owner: str) -> bool:
    """False where it cannot be done for all at once: a lease was lost, a webhook was renamed, or is to be suspended."""
    if any(result.outcome.suspend for result in results):
        return False
    ended: dict[
        Alike, list[int]
    ] = {}  # most have ended alike, and a statement for all of them costs little more than for one
    retried: list[dict[str, Any]] = []
    last: dict[str, tuple[str, str, float]] = {}
    for result in results:
        webhook, status = result.claimed.delivery.webhook, result.outcome.status
        if status is DeliveryStatus.RETRYING:
            retried.append(_retry_values(result, webhook, now, owner))
        else:
            ended.setdefault(_alike(result, webhook), []).append(result.claimed.key)
        last[webhook] = (webhook, status.value, now)
    changed = sum(_end(connection, keys, alike, now, owner) for alike, keys in ended.items())
    changed += connection.executemany(tables.RETRY, retried).rowcount if retried else 0
    connection.executemany(tables.REMEMBER_RESULT, last.values())
    return changed == len(results)


def _mark(connection: sqlite3.Connection, result: Result, now: float, owner: str) -> bool:
    """False where the lease was lost."""
    row = connection.execute(tables.OWNED, (result.claimed.key, result.claimed.lease, owner)).fetchone()
    if row is None:
        return False
    webhook = row[0]  # as it is called now: it may have been renamed while the delivery was in hand
    if result.outcome.status is DeliveryStatus.RETRYING:
        connection.execute(tables.RETRY, _retry_values(result, webhook, now, owner))
    else:
        _end(connection, [result.claimed.key], _alike(result, webhook), now, owner)
    connection.execute(tables.REMEMBER_RESULT, (webhook, result.outcome.status.value, now))
    if result.outcome.suspend:
        suspend(connection, webhook, result.serial, result.outcome.reason)
    return True


def _alike(result: Result, webhook: str) -> Alike:
    return result.outcome.status.value, result.outcome.reason, result.attempt.number, result.claimed.lease, webhook


def _end(connection: sqlite3.Connection, keys: Sequence[int], alike: Alike, now: float, owner: str) -> int:
    """Mark deliveries that have ended alike; gives how many were still leased."""
    status, reason, attempts, lease, webhook = alike
    return connection.execute(
        tables.END, (status, reason, attempts, now, json.dumps(keys), lease, owner, webhook)
    ).rowcount


def _retry_values(result: Result, webhook: str, now: float, owner: str) -> dict[str, Any]:
    claimed, outcome = result.claimed, result.outcome
    return {
        "reason": outcome.reason,
        "due_at": outcome.due_at,
        "attempts": result.attempt.number,
        "now": now,
        "key": claimed.key,
        "lease": claimed.lease,
        "owner": owner,
        "webhook": webhook,
    }


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Iterator[Any]:
    """Gives a function that undoes what was done since the block began."""
    connection.execute("SAVEPOINT batch")
    yield lambda: connection.execute("ROLLBACK TO batch")
    connection.execute("RELEASE batch")
