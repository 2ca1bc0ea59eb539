"""The queue in the SQLite store: one file, on one machine, for several processes."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hookctl.model import AppliedState, Attempt, Delivery, DeliveryStatus, Json
from hookctl.queue import reading, tables, upkeep
from hookctl.queue.clock import since_boot
from hookctl.queue.interface import EVERYTHING, Circuit, Claimed, Counts, Filter, Fullness, Result, Routed, Stopped
from hookctl.queue.reconciling import reconcile, stopped, suspend, unhold
from hookctl.queue.records import attempt_to_text, to_text
from hookctl.queue.workers import Worker, is_alive
from hookctl.store import connect, errors_as_store_errors, migrate, transaction

LOOK_FOR_DEAD_WORKERS = 1.0
"""Seconds between two looks whether the workers that hold leases still live."""


class SqliteQueue:
    """A :class:`hookctl.queue.interface.Queue` in the SQLite file at ``path``, made when it does not exist.

    ``monotonic`` is the clock of leases, the same for every process. Raises StoreError when the file cannot be opened.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = since_boot) -> None:
        self._path = path
        self._monotonic = monotonic
        self._kept: set[str] = set()
        """Digests of delivery plans that are in the store."""
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
            self._connection.execute(tables.ADD_DELIVERY, (delivery.id, added.lastrowid, delivery.webhook, status, reason, now, now, ready_at, now))
        return True

    def position(self) -> int:
        """See :meth:`hookctl.queue.interface.Queue.position`."""
        with self._reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM deliveries").fetchone()[0])

    # -- work

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """See :meth:`hookctl.queue.interface.Queue.claim`."""
        self._free_dead_workers()
        ready = self._ready() if wanted and limit > 0 else {}
        due = [webhook for webhook, count in wanted.items() if count > 0 and ready.get(webhook, float("inf")) <= now]
        if not due:
            return []
        with errors_as_store_errors(self._path):
            self._worker.start()
        taken: list[int] = []
        with transaction(self._connection) as connection:
            for webhook in due:
                count = min(wanted[webhook], limit - len(taken))
                values = self._lease_end(now, lease_seconds) | {"owner": self._worker.name, "webhook": webhook, "now": now, "count": count}
                taken += [seq for (seq,) in connection.execute(tables.CLAIM, values).fetchall()]
            return list(self._claimed(taken))

    def _claimed(self, taken: list[int]) -> Iterator[Claimed]:
        documents: dict[int, Mapping[str, Json]] = {}
        for *fields, lease, event, text, plan in self._connection.execute(tables.CLAIMED, (json.dumps(taken),)):
            document = documents.get(event)
            if document is None:
                document = documents[event] = json.loads(text)
            yield Claimed(reading.delivery(fields), document, lease, reading.plan(plan) if plan else None)

    def _ready(self) -> dict[str, float]:
        """When the next delivery of each webhook can be claimed, as far as any waits."""
        with self._reading() as connection:
            return dict(connection.execute(tables.READY))

    def _lease_end(self, now: float, seconds: float) -> dict[str, float]:
        monotonic = self._monotonic()
        return {"until": now + seconds, "ends": monotonic + seconds, "monotonic": monotonic}

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
                webhook = self._mark(result, now)
                if webhook is None:
                    lost.add(result.claimed.delivery.id)
                    continue
                connection.execute(tables.ADD_ATTEMPT, (attempt_to_text(result.attempt), result.claimed.delivery.id))
                self._keep(result)
                last[webhook] = result.outcome.status
                if result.outcome.suspend:
                    suspend(connection, webhook, result.serial, result.outcome.reason)
            connection.executemany(tables.REMEMBER_RESULT, [(webhook, status, now) for webhook, status in last.items()])
        return lost

    def _keep(self, result: Result) -> None:
        if result.plan is not None and result.plan.digest not in self._kept:
            self._connection.execute(tables.ADD_PLAN, (result.plan.digest, result.plan.canonical().decode()))
            self._kept.add(result.plan.digest)

    def _mark(self, result: Result, now: float) -> str | None:
        """The delivery's webhook; None where the lease was lost."""
        outcome = result.outcome
        values = self._lease(result.claimed) | {
            "status": outcome.status,
            "reason": outcome.reason,
            "attempts": result.attempt.number,
            "due_at": outcome.due_at,
            "now": now,
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

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """See :meth:`hookctl.queue.interface.Queue.renew`."""
        end = self._lease_end(now, lease_seconds)
        with transaction(self._connection) as connection:
            return {one.delivery.id for one in claims if not connection.execute(tables.RENEW, self._lease(one) | end).rowcount}

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """See :meth:`hookctl.queue.interface.Queue.next_due`."""
        ready = self._ready()
        return min((ready[webhook] for webhook in webhooks if webhook in ready), default=None)

    def in_hand_elsewhere(self) -> int:
        """See :meth:`hookctl.queue.interface.Queue.in_hand_elsewhere`."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM deliveries WHERE owner IS NOT NULL AND owner <> ?"
            return int(connection.execute(query, (self._worker.name,)).fetchone()[0])

    def clock_set(self, before: float, now: float) -> None:
        """See :meth:`hookctl.queue.interface.Queue.clock_set`."""
        with transaction(self._connection) as connection:
            upkeep.clock_set(connection, before, now)

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

    def replay(self, ids: Sequence[str], now: float, *, as_planned: bool = False) -> list[str]:
        """See :meth:`hookctl.queue.interface.Queue.replay`."""
        with transaction(self._connection) as connection:
            plans = {name: (connection.execute(tables.LAST_PLAN, (name,)).fetchone() or (None,))[0] if as_planned else None for name in ids}
            values = {"now": now, "monotonic": self._monotonic()}
            chosen = [name for name in plans if plans[name] or not as_planned]
            return [name for name in chosen if connection.execute(tables.REPLAY, values | {"id": name, "planned": plans[name]}).rowcount]

    def cancel(self, ids: Sequence[str], now: float, reason: str) -> list[str]:
        """See :meth:`hookctl.queue.interface.Queue.cancel`."""
        with transaction(self._connection) as connection:
            return [name for name in ids if connection.execute(tables.CANCEL, {"id": name, "now": now, "reason": reason}).rowcount]

    def prune(self, before: float, limit: int) -> int:
        """See :meth:`hookctl.queue.interface.Queue.prune`."""
        with transaction(self._connection) as connection:
            return upkeep.prune(connection, before, limit)

    def fullness(self) -> Fullness:
        """See :meth:`hookctl.queue.interface.Queue.fullness`."""
        with self._reading() as connection:
            return upkeep.fullness(connection, self._path)

    def circuits(self) -> Mapping[str, Circuit]:
        """See :meth:`hookctl.queue.interface.Queue.circuits`."""
        with self._reading() as connection:
            return {webhook: Circuit(*fields) for webhook, *fields in connection.execute("SELECT webhook, state, reason, since, until FROM circuits")}

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """See :meth:`hookctl.queue.interface.Queue.set_circuits`."""
        with transaction(self._connection) as connection:
            for webhook, circuit in circuits.items():
                if circuit is None:
                    connection.execute("DELETE FROM circuits WHERE webhook = ?", (webhook,))
                else:
                    connection.execute(tables.SET_CIRCUIT, (webhook, circuit.state, circuit.reason, circuit.since, circuit.until))

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
