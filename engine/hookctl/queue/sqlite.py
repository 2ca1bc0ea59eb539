"""The queue in the SQLite store: one file, on one machine, for several processes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hookctl.model import AppliedState, Attempt, Delivery, DeliveryStatus, Json
from hookctl.queue import reading, tables
from hookctl.queue.interface import EVERYTHING, Claimed, Counts, Filter, Result, Routed, Stopped
from hookctl.queue.reconciling import reconcile, stopped, suspend, unhold
from hookctl.queue.records import attempt_to_text, to_text
from hookctl.queue.workers import Worker, is_alive
from hookctl.store import connect, errors_as_store_errors, migrate, transaction

LOOK_FOR_DEAD_WORKERS = 1.0
"""Seconds between two looks whether the workers that hold leases still live."""


class SqliteQueue:
    """A :class:`hookctl.queue.interface.Queue` in the SQLite file at ``path``, made when it does not exist.

    Raises StoreError when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        migrate(self._connection, tables.COMPONENT, tables.SCRIPTS)
        self._worker = Worker(path)
        self._looked_at = float("-inf")

    def close(self) -> None:
        """See :meth:`hookctl.queue.interface.Queue.close`."""
        with errors_as_store_errors(self._path):
            if self._connection.execute("SELECT 1 FROM deliveries WHERE owner = ?", (self._worker.name,)).fetchone():
                with transaction(self._connection):
                    self._connection.execute(tables.FREE_OWNER, (self._worker.name,))
            self._connection.close()
        self._worker.close()

    # -- intake

    def enqueue(self, batch: Sequence[Routed], now: float) -> list[bool]:
        """See :meth:`hookctl.queue.interface.Queue.enqueue`."""
        with transaction(self._connection):
            suspended = self.suspended()
            return [self._add(routed, suspended, now) for routed in batch]

    def _add(self, routed: Routed, suspended: Mapping[str, str], now: float) -> bool:
        event = routed.event
        document = to_text(event.document)
        added = self._connection.execute(tables.ADD_EVENT, (event.id, event.event_type, event.event_time, now, document))
        if not added.rowcount:
            return False
        for delivery in routed.deliveries:
            status, reason = DeliveryStatus.WAITING, ""
            if delivery.dead_because:
                status, reason = DeliveryStatus.DEAD, delivery.dead_because
            elif delivery.webhook in suspended:
                status, reason = DeliveryStatus.HELD, suspended[delivery.webhook]
            ready_at = now if status is DeliveryStatus.WAITING else None
            self._connection.execute(tables.ADD_DELIVERY, (delivery.id, added.lastrowid, delivery.webhook, status, reason, now, now, ready_at))
        return True

    def position(self) -> int:
        """See :meth:`hookctl.queue.interface.Queue.position`."""
        with self._reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM deliveries").fetchone()[0])

    # -- work

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """See :meth:`hookctl.queue.interface.Queue.claim`."""
        self._free_dead_workers()
        due = [webhook for webhook, count in wanted.items() if count > 0 and self._is_due(webhook, now)]
        if not due or limit <= 0:
            return []
        with errors_as_store_errors(self._path):
            self._worker.start()
        taken: list[int] = []
        with transaction(self._connection) as connection:
            for webhook in due:
                count = min(wanted[webhook], limit - len(taken))
                values = {"owner": self._worker.name, "until": now + lease_seconds, "webhook": webhook, "now": now, "count": count}
                taken += [seq for (seq,) in connection.execute(tables.CLAIM, values).fetchall()]
            return list(self._claimed(taken))

    def _claimed(self, taken: list[int]) -> Iterator[Claimed]:
        documents: dict[int, Mapping[str, Json]] = {}
        for *fields, lease, event, text in self._connection.execute(tables.CLAIMED, (json.dumps(taken),)):
            document = documents.get(event)
            if document is None:
                document = documents[event] = json.loads(text)
            yield Claimed(reading.delivery(fields), document, lease)

    def _is_due(self, webhook: str, now: float) -> bool:
        with self._reading() as connection:
            return connection.execute("SELECT 1 FROM deliveries WHERE webhook = ? AND ready_at <= ? LIMIT 1", (webhook, now)).fetchone() is not None

    def _free_dead_workers(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_FOR_DEAD_WORKERS:
            return
        self._looked_at = time.monotonic()
        with self._reading() as connection:
            owners = [owner for (owner,) in connection.execute("SELECT DISTINCT owner FROM deliveries WHERE owner IS NOT NULL").fetchall()]
            dead = [owner for owner in owners if owner != self._worker.name and not is_alive(self._path, owner)]
        if dead:
            with transaction(self._connection) as connection:
                connection.executemany(tables.FREE_OWNER, [(owner,) for owner in dead])

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """See :meth:`hookctl.queue.interface.Queue.finish`."""
        lost: set[str] = set()
        last: dict[str, DeliveryStatus] = {}
        with transaction(self._connection) as connection:
            for result in results:
                webhook = self._mark(result)
                if webhook is None:
                    lost.add(result.claimed.delivery.id)
                    continue
                connection.execute(tables.ADD_ATTEMPT, (attempt_to_text(result.attempt), result.claimed.delivery.id))
                last[webhook] = result.outcome.status
                if result.outcome.suspend:
                    suspend(connection, webhook, result.serial, result.outcome.reason)
            connection.executemany(tables.REMEMBER_RESULT, [(webhook, status, now) for webhook, status in last.items()])
        return lost

    def _mark(self, result: Result) -> str | None:
        """The delivery's webhook; None where the lease was lost."""
        outcome = result.outcome
        values = self._lease(result.claimed) | {
            "status": outcome.status,
            "reason": outcome.reason,
            "attempts": result.attempt.number,
            "due_at": outcome.due_at,
        }
        statement = tables.RETRY if outcome.status is DeliveryStatus.RETRYING else tables.END
        rows = self._connection.execute(statement, values).fetchall()
        return str(rows[0][0]) if rows else None

    def _lease(self, claimed: Claimed) -> dict[str, Any]:
        return {"id": claimed.delivery.id, "lease": claimed.lease, "owner": self._worker.name}

    def release(self, claims: Iterable[Claimed]) -> None:
        """See :meth:`hookctl.queue.interface.Queue.release`."""
        with transaction(self._connection) as connection:
            connection.executemany(tables.RELEASE, [self._lease(claimed) for claimed in claims])

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """See :meth:`hookctl.queue.interface.Queue.next_due`."""
        query = "SELECT ready_at FROM deliveries WHERE webhook = ? AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1"
        with self._reading() as connection:
            rows = [connection.execute(query, (webhook,)).fetchone() for webhook in webhooks]
        return min((row[0] for row in rows if row), default=None)

    def in_hand_elsewhere(self) -> int:
        """See :meth:`hookctl.queue.interface.Queue.in_hand_elsewhere`."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM deliveries WHERE owner IS NOT NULL AND owner <> ?"
            return int(connection.execute(query, (self._worker.name,)).fetchone()[0])

    # -- applied state

    def reconcile(self, applied: AppliedState) -> None:
        """See :meth:`hookctl.queue.interface.Queue.reconcile`."""
        with transaction(self._connection) as connection:
            reconcile(connection, applied)

    def resume(self, webhook: str) -> bool:
        """See :meth:`hookctl.queue.interface.Queue.resume`."""
        with transaction(self._connection) as connection:
            ended = connection.execute("DELETE FROM suspensions WHERE webhook = ?", (webhook,)).rowcount == 1
            if ended:
                unhold(connection, webhook)
            return ended

    def suspended(self) -> Mapping[str, str]:
        """See :meth:`hookctl.queue.interface.Queue.suspended`."""
        with self._reading() as connection:
            return dict(connection.execute("SELECT webhook, reason FROM suspensions"))

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """See :meth:`hookctl.queue.interface.Queue.stopped`."""
        with self._reading() as connection:
            return stopped(connection, applied)

    # -- looking and repeating

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """See :meth:`hookctl.queue.interface.Queue.deliveries`."""
        with self._reading() as connection:
            return reading.deliveries(connection, which, limit)

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """See :meth:`hookctl.queue.interface.Queue.document`."""
        with self._reading() as connection:
            return reading.document(connection, delivery_id)

    def recent_events(self, limit: int) -> list[Mapping[str, Json]]:
        """The events that were stored last, whole, the newest first: what a plan is tried on."""
        with self._reading() as connection:
            return [json.loads(text) for (text,) in connection.execute("SELECT document FROM events ORDER BY seq DESC LIMIT ?", (limit,))]

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """See :meth:`hookctl.queue.interface.Queue.attempts`."""
        with self._reading() as connection:
            return reading.attempts(connection, delivery_id)

    def replay(self, ids: Sequence[str], now: float) -> list[str]:
        """See :meth:`hookctl.queue.interface.Queue.replay`."""
        with transaction(self._connection) as connection:
            return [name for name in ids if connection.execute(tables.REPLAY, {"id": name, "now": now}).rowcount]

    def counts(self, after: int = 0) -> Counts:
        """See :meth:`hookctl.queue.interface.Queue.counts`."""
        with self._reading() as connection:
            return reading.counts(connection, after)

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """See :meth:`hookctl.queue.interface.Queue.last_results`."""
        with self._reading() as connection:
            rows = connection.execute("SELECT webhook, status, at FROM last_results")
            return {webhook: (DeliveryStatus(status), at) for webhook, status, at in rows}

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with errors_as_store_errors(self._path):
            yield self._connection
