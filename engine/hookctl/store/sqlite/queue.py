"""The queue in the SQLite store: one file, on one machine, for several processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from hookctl.model import AppliedState, Attempt, Delivery, DeliveryStatus, Json
from hookctl.store.clock import since_boot
from hookctl.store.interface import EVERYTHING, Circuit, Claimed, Counts, Filter, Fullness, Result, Routed, Stopped
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite import reading, upkeep, working
from hookctl.store.sqlite.connection import (
    Meanwhile,
    check_identity,
    connect,
    errors_as_store_errors,
    real_path,
    transaction,
)
from hookctl.store.sqlite.damage import Damaged
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.reconciling import reconcile, stopped, unhold
from hookctl.store.sqlite.workers import Worker, is_alive

LOOK_FOR_DEAD_WORKERS = 1.0
"""Seconds between two looks whether the workers that hold leases still live."""


class SqliteQueue:
    """A :class:`hookctl.store.interface.Queue` in the SQLite file at ``path``, made when it does not exist.

    ``monotonic`` is the clock of leases, the same for every process. Raises StoreError when the file cannot be opened.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = since_boot) -> None:
        self._path = real_path(path)  # workers find one another by their files beside it, whatever name each was given
        self._monotonic = monotonic
        self._kept: set[str] = set()
        """Digests of delivery plans that are in the store."""
        self._made: list[range] = []
        """The numbers of the deliveries that were added here."""
        self._connection = connect(path)
        migrate(self._connection, tables.COMPONENT, tables.SCRIPTS)
        self._worker = Worker(self._path)
        self._looked_at = float("-inf")

    def close(self) -> None:
        """See :meth:`hookctl.store.interface.Queue.close`."""
        try:
            with self._reading() as connection:
                if connection.execute("SELECT 1 FROM deliveries WHERE owner = ?", (self._worker.name,)).fetchone():
                    with transaction(connection):
                        connection.execute(tables.FREE_OWNER, (self._worker.name,))
        finally:
            self._connection.close()
            self._worker.close()

    def check(self) -> None:
        """See :meth:`hookctl.store.interface.Queue.check`."""
        check_identity(self._connection)

    # -- intake

    def enqueue(self, batch: Sequence[Routed], now: float) -> list[bool]:
        """See :meth:`hookctl.store.interface.Queue.enqueue`."""
        return self.enqueue_and_claim(batch, now, 0.0, {})[0]

    def enqueue_and_claim(
        self,
        batch: Sequence[Routed],
        now: float,
        lease_seconds: float,
        wanted: Mapping[str, int],
        max_waiting: float = float("inf"),
    ) -> tuple[list[bool], list[Claimed]]:
        """See :meth:`hookctl.store.interface.Queue.enqueue_and_claim`."""
        if wanted:
            self._start_worker()
        with transaction(self._connection) as connection:
            lease = self._lease(now, lease_seconds)
            made, is_new, claims = working.enqueue(
                connection, batch, now, lease, wanted=wanted, max_waiting=max_waiting
            )
        if self._made and self._made[-1].stop == made.start:  # nobody else has added any meanwhile
            made = range(self._made.pop().start, made.stop)
        self._made.append(made)
        return is_new, claims

    def together(self, meanwhile: Meanwhile | None = None) -> AbstractContextManager[object]:
        """See :meth:`hookctl.store.interface.Queue.together`."""
        return transaction(self._connection, meanwhile)

    # -- work

    def claim(
        self,
        now: float,
        limit: int,
        lease_seconds: float,
        wanted: Mapping[str, int],
        meanwhile: Meanwhile | None = None,
    ) -> list[Claimed]:
        """See :meth:`hookctl.store.interface.Queue.claim`."""
        self._free_dead_workers()
        ready = self._ready() if wanted and limit > 0 else {}
        due = {
            webhook: count for webhook, count in wanted.items() if count > 0 and ready.get(webhook, float("inf")) <= now
        }
        if not due:
            return []
        self._start_worker()
        with transaction(self._connection, meanwhile) as connection:
            return working.claim(connection, now, limit, self._lease(now, lease_seconds), due)

    def _ready(self) -> dict[str, float]:
        """When the next delivery of each webhook can be claimed, as far as any waits."""
        with self._reading() as connection:
            return reading.ready(connection)

    def _start_worker(self) -> None:
        with errors_as_store_errors(self._path):
            self._worker.start()

    def _lease(self, now: float, seconds: float) -> working.Lease:
        monotonic = self._monotonic()
        return working.Lease(self._worker.name, now + seconds, monotonic + seconds, monotonic)

    def _free_dead_workers(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_FOR_DEAD_WORKERS:
            return
        self._looked_at = time.monotonic()
        with self._reading() as connection:
            owners = [
                owner
                for (owner,) in connection.execute(
                    "SELECT DISTINCT owner FROM deliveries WHERE owner IS NOT NULL"
                ).fetchall()
            ]
            dead = [owner for owner in owners if owner != self._worker.name and not is_alive(self._path, owner)]
        if dead:
            with transaction(self._connection) as connection:
                connection.executemany(tables.FREE_OWNER, [(owner,) for owner in dead])

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Queue.finish`."""
        plans = {
            result.plan.digest: result.plan
            for result in results
            if result.plan is not None and result.plan.digest not in self._kept
        }
        with transaction(self._connection) as connection:
            connection.executemany(
                tables.ADD_PLAN, [(digest, plan.canonical().decode()) for digest, plan in plans.items()]
            )
            lost = working.finish(connection, results, now, self._worker.name)
        if not self._connection.in_transaction:  # else it may yet come to nothing
            self._kept.update(plans)
        return lost

    def _held(self, claimed: Claimed) -> dict[str, Any]:
        return {"key": claimed.key, "lease": claimed.lease, "owner": self._worker.name}

    def release(self, claims: Iterable[Claimed]) -> None:
        """See :meth:`hookctl.store.interface.Queue.release`."""
        with transaction(self._connection) as connection:
            connection.executemany(tables.RELEASE, [self._held(claimed) for claimed in claims])

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Queue.renew`."""
        lease = self._lease(now, lease_seconds)
        end = {"until": lease.until, "ends": lease.ends}
        with transaction(self._connection) as connection:
            return {
                one.delivery.id
                for one in claims
                if not connection.execute(tables.RENEW, self._held(one) | end).rowcount
            }

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """See :meth:`hookctl.store.interface.Queue.next_due`."""
        ready = self._ready()
        return min((ready[webhook] for webhook in webhooks if webhook in ready), default=None)

    def claimed_elsewhere(self) -> int:
        """See :meth:`hookctl.store.interface.Queue.claimed_elsewhere`."""
        with self._reading() as connection:
            query = "SELECT count(*) FROM deliveries WHERE owner IS NOT NULL AND owner <> ?"
            return int(connection.execute(query, (self._worker.name,)).fetchone()[0])

    def clock_set(self, before: float, now: float) -> None:
        """See :meth:`hookctl.store.interface.Queue.clock_set`."""
        with transaction(self._connection) as connection:
            upkeep.clock_set(connection, before, now)

    # -- applied state

    def reconcile(self, applied: AppliedState) -> None:
        """See :meth:`hookctl.store.interface.Queue.reconcile`."""
        with transaction(self._connection) as connection:
            reconcile(connection, applied)

    def resume(self, webhook: str) -> bool:
        """See :meth:`hookctl.store.interface.Queue.resume`."""
        with transaction(self._connection) as connection:
            ended = connection.execute("DELETE FROM suspensions WHERE webhook = ?", (webhook,)).rowcount == 1
            if ended:
                unhold(connection, webhook)
            return ended

    def suspended(self) -> Mapping[str, str]:
        """See :meth:`hookctl.store.interface.Queue.suspended`."""
        with self._reading() as connection:
            return reading.suspended(connection)

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """See :meth:`hookctl.store.interface.Queue.stopped`."""
        with self._reading() as connection:
            return stopped(connection, applied)

    # -- looking and repeating

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """See :meth:`hookctl.store.interface.Queue.deliveries`."""
        with self._reading() as connection:
            return reading.deliveries(connection, which, limit)

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """See :meth:`hookctl.store.interface.Queue.document`."""
        with self._reading() as connection:
            return reading.document(connection, delivery_id)

    def recent_events(self, limit: int) -> list[Mapping[str, Json]]:
        """The events that were stored last, whole, the newest first: what a plan is tried on."""
        with self._reading() as connection:
            return reading.recent_events(connection, limit)

    def damaged(self) -> list[Damaged]:
        """The rows that cannot be read. Reads every table as a whole: for ``doctor``, not for a runner."""
        from hookctl.store.sqlite.queue_damage import damaged

        with self._reading() as connection:
            return list(damaged(connection))

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """See :meth:`hookctl.store.interface.Queue.attempts`."""
        with self._reading() as connection:
            return reading.attempts(connection, delivery_id)

    def replay(self, ids: Sequence[str], now: float, *, as_planned: bool = False) -> list[str]:
        """See :meth:`hookctl.store.interface.Queue.replay`."""
        with transaction(self._connection) as connection:
            plans = {
                name: (connection.execute(tables.LAST_PLAN, (name,)).fetchone() or (None,))[0] if as_planned else None
                for name in ids
            }
            values = {"now": now, "monotonic": self._monotonic()}
            chosen = [name for name in plans if plans[name] or not as_planned]
            return [
                name
                for name in chosen
                if connection.execute(tables.REPLAY, values | {"id": name, "planned": plans[name]}).rowcount
            ]

    def cancel(self, ids: Sequence[str], now: float, reason: str) -> list[str]:
        """See :meth:`hookctl.store.interface.Queue.cancel`."""
        with transaction(self._connection) as connection:
            return [
                name
                for name in ids
                if connection.execute(tables.CANCEL, {"id": name, "now": now, "reason": reason}).rowcount
            ]

    def prune(self, before: float, limit: int) -> int:
        """See :meth:`hookctl.store.interface.Queue.prune`."""
        with transaction(self._connection) as connection:
            return upkeep.prune(connection, before, limit)

    def fullness(self) -> Fullness:
        """See :meth:`hookctl.store.interface.Queue.fullness`."""
        with self._reading() as connection:
            return upkeep.fullness(connection, self._path)

    def free_bytes(self) -> int:
        """See :meth:`hookctl.store.interface.Queue.free_bytes`."""
        with self._reading() as connection:
            return upkeep.free_bytes(connection, self._path)

    def circuits(self) -> Mapping[str, Circuit]:
        """See :meth:`hookctl.store.interface.Queue.circuits`."""
        with self._reading() as connection:
            return reading.circuits(connection)

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """See :meth:`hookctl.store.interface.Queue.set_circuits`."""
        with transaction(self._connection) as connection:
            for webhook, circuit in circuits.items():
                if circuit is None:
                    connection.execute("DELETE FROM circuits WHERE webhook = ?", (webhook,))
                else:
                    connection.execute(
                        tables.SET_CIRCUIT, (webhook, circuit.state, circuit.reason, circuit.since, circuit.until)
                    )

    def counts(self, *, own: bool = False) -> Counts:
        """See :meth:`hookctl.store.interface.Queue.counts`."""
        with self._reading() as connection:
            return reading.counts(connection, self._made if own else None)

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """See :meth:`hookctl.store.interface.Queue.last_results`."""
        with self._reading() as connection:
            return reading.last_results(connection)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with errors_as_store_errors(self._path):
            yield self._connection
