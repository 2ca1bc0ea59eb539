"""The queue in the SQLite store: one file, on one machine, for several processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus
from hookctl.store.clock import since_boot
from hookctl.store.history import AuditEntry
from hookctl.store.records import (
    Batch,
    Circuit,
    Claimed,
    Committed,
    Counts,
    Damaged,
    Fullness,
    Hold,
    RequestKey,
    Result,
    Routed,
    Stopped,
)
from hookctl.store.sqlite import audit as audit_log
from hookctl.store.sqlite import (
    claiming,
    enqueuing,
    finishing,
    overview_tables,
    reading,
    repeats,
    tokens,
    upkeep,
)
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.claiming import Lease
from hookctl.store.sqlite.connection import (
    check_identity,
    connect,
    errors_as_store_errors,
    real_path,
    transaction,
)
from hookctl.store.sqlite.history import SqliteHistory
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.reconciling import hold_by_hand, reconcile, stopped, unhold
from hookctl.store.sqlite.workers import Worker, is_alive
from hookctl.store.writer import Writer

if TYPE_CHECKING:
    from concurrent.futures import Future

DEAD_WORKERS_SECONDS = 1.0
"""Between two checks that the workers that hold leases are still alive."""


class SqliteQueue(SqliteHistory):
    """A :class:`hookctl.store.interface.Queue` in the SQLite file at ``path``, which it creates when there is none.

    ``monotonic`` is the clock of leases, the same for every process. Raises StoreError when the file cannot be opened.

    The connection, and all else that this object holds, belongs to the writer's thread while a commit is in flight, and
    to the caller's thread otherwise. Every method but :meth:`submit` and :meth:`check` therefore waits for the writer.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = since_boot) -> None:
        self._path = real_path(
            path
        )  # workers find one another by the files beside it, under whatever name each opened it
        self._monotonic = monotonic
        self._kept: set[str] = set()
        """Digests of delivery plans that are in the store."""
        self._made: list[range] = []
        """The numbers of the deliveries that were added here."""
        self._writer = Writer()
        self._connection = connect(path)
        migrate(self._connection, tables.COMPONENT, tables.SCRIPTS)
        migrate(self._connection, overview_tables.COMPONENT, overview_tables.SCRIPTS)
        migrate(self._connection, audit_log.COMPONENT, audit_log.SCRIPTS)
        migrate(self._connection, repeats.COMPONENT, repeats.SCRIPTS)
        migrate(self._connection, tokens.COMPONENT, tokens.SCRIPTS)
        self._worker = Worker(self._path)
        self._looked_at = float("-inf")
        self._ready_at: tuple[int, int] | None = None
        self._ready_times: Mapping[str, float] = {}

    def close(self) -> None:
        """See :meth:`hookctl.store.interface.Queue.close`."""
        try:
            with self._reading() as connection:
                if connection.execute("SELECT 1 FROM deliveries WHERE owner = ?", (self._worker.name,)).fetchone():
                    with transaction(connection):
                        connection.execute(tables.FREE_OWNER, (self._worker.name,))
        finally:
            self._writer.close()
            self._connection.close()
            self._worker.close()

    def check(self) -> None:
        """See :meth:`hookctl.store.interface.Queue.check`."""
        check_identity(self._connection)

    # -- commits

    def submit(self, batch: Batch) -> Future[Committed]:
        """See :meth:`hookctl.store.interface.Queue.submit`."""
        return self._writer.submit(partial(self._commit, batch))

    def enqueue(
        self,
        batch: Sequence[Routed],
        now: float,
        max_waiting: float = float("inf"),
        *,
        refuse_changed: bool = False,
        keys: Sequence[RequestKey] = (),
    ) -> list[bool]:
        """See :meth:`hookctl.store.interface.Queue.enqueue`."""
        whole = Batch(now=now, events=batch, max_waiting=max_waiting, refuse_changed=refuse_changed, keys=keys)
        return [*self._commit_now(whole).is_new]

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """See :meth:`hookctl.store.interface.Queue.claim`."""
        batch = Batch(now=now, limit=limit, lease_seconds=lease_seconds, wanted=wanted)
        return [*self._commit_now(batch).claims]

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Queue.finish`."""
        return {*self._commit_now(Batch(now=now, results=results)).lost}

    def release(self, claims: Iterable[Claimed]) -> None:
        """See :meth:`hookctl.store.interface.Queue.release`."""
        self._commit_now(Batch(now=0.0, released=[*claims]))

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """See :meth:`hookctl.store.interface.Queue.set_circuits`."""
        self._commit_now(Batch(now=0.0, circuits=circuits))

    def _commit_now(self, batch: Batch) -> Committed:
        """Commit a batch on the caller's thread."""
        self._writer.wait()
        return self._commit(batch)

    def _commit(self, batch: Batch) -> Committed:
        """Commit a batch; see :meth:`hookctl.store.interface.Queue.submit`. The caller's thread has the connection."""
        due = self._due(batch) if batch.limit > 0 else {}
        if batch.limit > 0 and not due and not (batch.results or batch.released or batch.circuits or batch.events):
            return Committed()
        if due or (batch.events and batch.wanted):
            with errors_as_store_errors(self._path):
                self._worker.start()
        plans = {
            result.plan.digest: result.plan
            for result in batch.results
            if result.plan is not None and result.plan.digest not in self._kept
        }
        lease = self._lease(batch.now, batch.lease_seconds)
        enqueued, claims = None, []
        rows = [finishing.attempt_row(result) for result in batch.results]
        with transaction(self._connection) as connection:
            lost = finishing.finish(connection, batch.results, rows, plans, now=batch.now, owner=self._worker.name)
            connection.executemany(tables.RELEASE, [self._held(claimed) for claimed in batch.released])
            upkeep.set_circuits(connection, batch.circuits)
            repeats.add_keys(connection, batch.keys, batch.now)
            if batch.events:
                enqueued = enqueuing.enqueue(
                    connection, batch.events, batch.now, lease, wanted=batch.wanted, max_waiting=batch.max_waiting
                )
                if batch.refuse_changed and not all(enqueued.is_new):
                    repeats.refuse_changed(connection, batch.events, enqueued.is_new)
            if due:
                claims = claiming.claim(connection, batch.now, batch.limit, lease, due)
        self._kept.update(plans)
        if enqueued is None:
            return Committed(lost, claims=claims)
        self._remember_made(enqueued.made)
        return Committed(lost, enqueued.is_new, [*enqueued.claims, *claims])

    def _due(self, batch: Batch) -> dict[str, int]:
        """How many deliveries to claim of each wanted webhook that has any to claim."""
        self._free_dead_workers()
        ready = self._ready()
        return {
            webhook: count
            for webhook, count in batch.wanted.items()
            if count > 0 and ready.get(webhook, float("inf")) <= batch.now
        }

    def _remember_made(self, made: range) -> None:
        if self._made and self._made[-1].stop == made.start:  # no other process has added any in between
            made = range(self._made.pop().start, made.stop)
        self._made.append(made)

    def _ready(self) -> Mapping[str, float]:
        """When the next delivery of each webhook can be claimed, for webhooks that have any waiting.

        It is read again only after a change: a runner with nothing to do asks six times a second, and reading the times
        of thousands of webhooks takes several milliseconds.
        """
        with errors_as_store_errors(self._path):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()  # of changes by others
            state = (version, self._connection.total_changes)
            if self._ready_at != state:
                self._ready_at, self._ready_times = state, reading.ready(self._connection)
            return self._ready_times

    def _lease(self, now: float, seconds: float) -> Lease:
        monotonic = self._monotonic()
        return Lease(self._worker.name, now + seconds, monotonic + seconds, monotonic)

    def _free_dead_workers(self) -> None:
        if time.monotonic() - self._looked_at < DEAD_WORKERS_SECONDS:
            return
        self._looked_at = time.monotonic()
        with errors_as_store_errors(self._path):
            owners = [owner for (owner,) in self._connection.execute(tables.OWNERS).fetchall()]
            dead = [owner for owner in owners if owner != self._worker.name and not is_alive(self._path, owner)]
        if dead:
            with transaction(self._connection) as connection:
                connection.executemany(tables.FREE_OWNER, [(owner,) for owner in dead])

    # -- work

    def _held(self, claimed: Claimed) -> dict[str, Any]:
        return {"key": claimed.key, "lease": claimed.lease, "owner": self._worker.name}

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Queue.renew`."""
        lease = self._lease(now, lease_seconds)
        end = {"until": lease.until, "ends": lease.ends}
        with self._writing() as connection:
            return {
                one.delivery.id
                for one in claims
                if not connection.execute(tables.RENEW, self._held(one) | end).rowcount
            }

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """See :meth:`hookctl.store.interface.Queue.next_due`."""
        self._writer.wait()
        self._free_dead_workers()
        ready = self._ready()
        return min((ready[webhook] for webhook in webhooks if webhook in ready), default=None)

    def claimed_elsewhere(self) -> int:
        """See :meth:`hookctl.store.interface.Queue.claimed_elsewhere`."""
        with self._reading() as connection:
            return int(connection.execute(tables.COUNT_OTHERS, (self._worker.name,)).fetchone()[0])

    def clock_set(self, before: float, now: float) -> None:
        """See :meth:`hookctl.store.interface.Queue.clock_set`."""
        with self._writing() as connection:
            upkeep.clock_set(connection, before, now)

    # -- applied state

    def reconcile(self, applied: AppliedState) -> None:
        """See :meth:`hookctl.store.interface.Queue.reconcile`."""
        with self._writing() as connection:
            reconcile(connection, applied)

    def hold(self, plan: DeliveryPlan, reason: str, now: float, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Standing.hold`."""
        with self._writing() as connection:
            held = hold_by_hand(connection, plan, reason, now)
            if held is not None:
                audit_log.record(connection, audit, held)
            return held is not None

    def resume(self, webhook: str, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Queue.resume`."""
        with self._writing() as connection:
            ended = connection.execute("DELETE FROM holds WHERE webhook = ?", (webhook,)).rowcount == 1
            if ended:
                audit_log.record(connection, audit, unhold(connection, webhook))
            return ended

    def holds(self) -> Mapping[str, Hold]:
        """See :meth:`hookctl.store.interface.Queue.holds`."""
        with self._reading() as connection:
            return reading.holds(connection)

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """See :meth:`hookctl.store.interface.Queue.stopped`."""
        with self._reading() as connection:
            return stopped(connection, applied)

    # -- upkeep

    def damaged(self) -> list[Damaged]:
        """See :meth:`hookctl.store.interface.Queue.damaged`; only the rows of the queue."""
        from hookctl.store.sqlite.queue_damage import damaged

        with self._reading() as connection:
            return list(damaged(connection))

    def prune(self, before: float, limit: int) -> int:
        """See :meth:`hookctl.store.interface.Queue.prune`."""
        with self._writing() as connection:
            repeats.prune(connection, before, limit)
            return upkeep.prune(connection, before, limit)

    def fullness(self) -> Fullness:
        """See :meth:`hookctl.store.interface.Queue.fullness`."""
        with self._reading() as connection:
            check_identity(connection)  # else a store that has moved would be an error about its directory
            return upkeep.fullness(connection, self._path)

    def free_bytes(self) -> int:
        """See :meth:`hookctl.store.interface.Queue.free_bytes`."""
        with self._reading() as connection:
            check_identity(connection)  # else a store that has moved would be an error about its directory
            return upkeep.free_bytes(connection, self._path)

    def circuits(self) -> Mapping[str, Circuit]:
        """See :meth:`hookctl.store.interface.Queue.circuits`."""
        with self._reading() as connection:
            return reading.circuits(connection)

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
        self._writer.wait()
        with errors_as_store_errors(self._path):
            yield self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._writer.wait()
        with transaction(self._connection) as connection:
            yield connection
