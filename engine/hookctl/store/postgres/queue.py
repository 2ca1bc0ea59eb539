"""The queue in the PostgreSQL store: one database, for any number of processes and hosts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from hookctl.errors import StoreGoneError
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus
from hookctl.store.clock import since_boot
from hookctl.store.history import AuditEntry
from hookctl.store.postgres import audit as audit_log
from hookctl.store.postgres import finishing, reading, sharing, upkeep
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.claiming import Lease
from hookctl.store.postgres.committing import write
from hookctl.store.postgres.connection import Connection, Database, read_about
from hookctl.store.postgres.enqueuing import Room
from hookctl.store.postgres.locks import HOLD, WORKER, new_number
from hookctl.store.postgres.reconciling import hold_by_hand, reconcile, stopped, unhold
from hookctl.store.postgres.schema import ensure, identify
from hookctl.store.postgres.server_time import behind, in_server_time, moved, read_clocks
from hookctl.store.postgres.workers import has_ended, new_name
from hookctl.store.records import (
    Batch,
    Circuit,
    Claimed,
    Committed,
    Counts,
    Fullness,
    Hold,
    Members,
    Part,
    RequestKey,
    Result,
    Routed,
    Stopped,
)
from hookctl.store.writer import Writer

if TYPE_CHECKING:
    from concurrent.futures import Future

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
DEAD_WORKERS_SECONDS = 1.0
"""Between two checks that the workers that hold leases are still alive."""
CLOCKS_SECONDS = 60.0
"""After which the server's clock is read again."""


class PostgresQueue:
    """The part of :class:`hookctl.store.postgres.store.PostgresStore` that a runner needs.

    The connection, and all else that this object holds, belongs to the writer's thread while a commit is in flight, and
    to the caller's thread otherwise. Every method but :meth:`submit` and :meth:`check` therefore waits for the writer.
    """

    def __init__(self, address: Address, clock: Callable[[], float] | None = None) -> None:
        self._address, self._clock = address, clock
        self._store = ""
        """The id of the store."""
        self._kept: set[str] = set()
        """Digests of delivery plans that are in the store."""
        self._made: list[range] = []
        """The numbers of the deliveries that were added here."""
        self._room = Room()
        self._worker = new_name()
        self._is_worker = False
        """Whether anything was claimed here."""
        self._lock = new_number(WORKER)
        self._looked_at = float("-inf")
        self._writer = Writer()
        self._database = Database(address, self._prepare)
        self._clocks: tuple[float, float] = self._database.read(read_clocks)
        if weakness := self._database.read(read_about).weakness:
            log.warning("the store may lose events that were acknowledged, as weak_commits=allow accepts: %s", weakness)

    def close(self) -> None:
        """See :meth:`hookctl.store.interface.Upkeep.close`."""
        try:
            if self._is_worker:
                self._write(upkeep.free_owners, [self._worker])
                self._read(lambda connection: connection.execute("SELECT pg_advisory_unlock_all()"))
        finally:
            self._writer.close()
            self._database.close()

    def check(self) -> None:
        """See :meth:`hookctl.store.interface.Upkeep.check`."""
        self._database.check()

    def _prepare(self, connection: Connection) -> None:
        """Check that a new connection leads to the same store, and be seen on it as a worker."""
        self._identify(connection)
        if self._is_worker:
            connection.execute(HOLD, (self._lock,))

    def _identify(self, connection: Connection) -> None:
        if not self._store:
            ensure(connection, self._address.schema)
        found = identify(connection)
        if self._store and found != self._store:
            raise StoreGoneError(
                f"the store {self._address.name} was replaced by another one",
                hint="Stop every hookctl that uses the store, then start again.",
            )
        self._store = found

    def _read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        self._writer.wait()
        return self._database.read(work, *args, **options)

    def _write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        self._writer.wait()
        return self._database.write(work, *args, **options)

    # -- commits

    def submit(self, batch: Batch) -> Future[Committed]:
        """See :meth:`hookctl.store.interface.Work.submit`."""
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
        """See :meth:`hookctl.store.interface.Work.enqueue`."""
        whole = Batch(now=now, events=batch, max_waiting=max_waiting, refuse_changed=refuse_changed, keys=keys)
        return [*self._commit_now(whole).is_new]

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """See :meth:`hookctl.store.interface.Work.claim`."""
        batch = Batch(now=now, limit=limit, lease_seconds=lease_seconds, wanted=wanted)
        return [*self._commit_now(batch).claims]

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Work.finish`."""
        return {*self._commit_now(Batch(now=now, results=results)).lost}

    def release(self, claims: Iterable[Claimed]) -> None:
        """See :meth:`hookctl.store.interface.Work.release`."""
        self._commit_now(Batch(now=0.0, released=[*claims]))

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """See :meth:`hookctl.store.interface.Standing.set_circuits`."""
        self._commit_now(Batch(now=0.0, circuits=circuits))

    def _commit_now(self, batch: Batch) -> Committed:
        """Commit a batch on the caller's thread."""
        self._writer.wait()
        return self._commit(batch)

    def _commit(self, batch: Batch) -> Committed:
        """Commit a batch; see :meth:`hookctl.store.interface.Work.submit`. The caller's thread has the connection."""
        batch = in_server_time(batch, self._behind())
        claims = batch.limit > 0 and any(count > 0 for count in batch.wanted.values())
        if claims:
            self._free_dead_workers()
        has_others = bool(batch.results or batch.released or batch.circuits or batch.events or batch.keys)
        if claims and not has_others:
            ready = self._database.read(reading.ready)
            claims = any(ready.get(name, batch.now + 1) <= batch.now for name, most in batch.wanted.items() if most)
        if not claims and not has_others:
            return Committed()
        if claims or (batch.events and batch.wanted):
            self._be_worker()
        plans = {
            result.plan.digest: result.plan
            for result in batch.results
            if result.plan is not None and result.plan.digest not in self._kept
        }
        rows = [finishing.row_of(result, batch.now) for result in batch.results]
        lease = self._lease(batch.now, batch.lease_seconds)
        is_repeated = False

        def work(connection: Connection) -> tuple[Committed, range]:
            nonlocal is_repeated
            before, is_repeated = is_repeated, True
            return write(connection, batch, rows, plans, lease, self._room, claims=claims, is_repeated=before)

        committed, made = self._database.write_at_once(work)
        self._kept.update(plans)
        self._remember_made(made)
        return committed

    def _be_worker(self) -> None:
        if not self._is_worker:
            self._is_worker = True
            self._database.disconnect()  # the next connection shows that this is a worker

    def _remember_made(self, made: range) -> None:
        if not made:
            return
        if self._made and self._made[-1].stop == made.start:  # no other process has added any in between
            made = range(self._made.pop().start, made.stop)
        self._made.append(made)

    def _behind(self) -> float:
        """Seconds to add to this host's clock for the server's. The connection is the caller's."""
        if self._clock:
            return 0.0
        if since_boot() - self._clocks[1] > CLOCKS_SECONDS:
            self._clocks = self._database.read(read_clocks)
        return behind(self._clocks)

    def _lease(self, now: float, seconds: float) -> Lease:
        return Lease(self._worker, now + seconds, seconds, self._clock() if self._clock else None)

    def _free_dead_workers(self) -> None:
        """Free what processes of this machine had claimed that have ended. Of others, it is free when leases end."""
        if time.monotonic() - self._looked_at < DEAD_WORKERS_SECONDS:
            return
        self._looked_at = time.monotonic()
        self._clocks = self._database.read(read_clocks)
        owners = [owner for (owner,) in self._database.read(lambda one: one.execute(upkeep.OWNERS).fetchall())]
        dead = [owner for owner in owners if owner != self._worker and has_ended(owner)]
        if dead:
            self._database.write(upkeep.free_owners, dead)

    # -- work

    def take_part(self, part: Part, lease_seconds: float) -> Members:
        """See :meth:`hookctl.store.runners_interface.Workers.take_part`."""
        self._writer.wait()
        self._be_worker()
        clock = self._clock() if self._clock else None
        members = self._database.read(sharing.look, self._worker, part, lease_seconds, clock)
        if members is None:
            members = self._database.write(sharing.take_part, self._worker, part, lease_seconds, clock)
        return members

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """See :meth:`hookctl.store.interface.Work.renew`."""
        held = [*claims]
        if not held:
            return set()
        self._writer.wait()
        lease = self._lease(now + self._behind(), lease_seconds)
        return self._write(finishing.renew, held, lease.values)

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """See :meth:`hookctl.store.interface.Work.next_due`."""
        self._writer.wait()
        self._free_dead_workers()
        ready = self._database.read(reading.ready)
        seconds = self._behind()
        return min((ready[webhook] - seconds for webhook in webhooks if webhook in ready), default=None)

    def claimed_elsewhere(self) -> int:
        """See :meth:`hookctl.store.interface.Work.claimed_elsewhere`."""
        query = "SELECT count(*) FROM live WHERE owner IS NOT NULL AND owner <> %s"
        row = self._read(lambda connection: connection.execute(query, (self._worker,)).fetchone())
        return int(row[0]) if row else 0

    def clock_set(self, before: float, now: float) -> None:
        """See :meth:`hookctl.store.interface.Work.clock_set`."""
        leapt = self._clock is not None or self._read(upkeep.has_server_leapt, self._clocks)
        self._clocks = self._read(read_clocks)
        seconds = self._behind()
        self._write(upkeep.clock_set, before + seconds, now + seconds, leapt=leapt)

    # -- applied state

    def reconcile(self, applied: AppliedState) -> None:
        """See :meth:`hookctl.store.interface.Standing.reconcile`."""
        self._write(reconcile, applied)

    def hold(self, plan: DeliveryPlan, reason: str, now: float, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Standing.hold`."""
        self._writer.wait()
        at = now + self._behind()

        def work(connection: Connection) -> bool:
            held = hold_by_hand(connection, plan, reason, at)
            if held is not None:
                audit_log.record(connection, audit, held)
            return held is not None

        return self._write(work)

    def resume(self, webhook: str, audit: AuditEntry | None = None) -> bool:
        """See :meth:`hookctl.store.interface.Standing.resume`."""

        def work(connection: Connection) -> bool:
            ended = connection.execute("DELETE FROM holds WHERE webhook = %s", (webhook,)).rowcount == 1
            if ended:
                audit_log.record(connection, audit, unhold(connection, webhook))
            return ended

        return self._write(work)

    def holds(self) -> Mapping[str, Hold]:
        """See :meth:`hookctl.store.interface.Standing.holds`."""
        return self._read(reading.holds)

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """See :meth:`hookctl.store.interface.Standing.stopped`."""
        return self._read(stopped, applied)

    def circuits(self) -> Mapping[str, Circuit]:
        """See :meth:`hookctl.store.interface.Standing.circuits`."""
        found = self._read(reading.circuits)
        return moved(found, -self._behind())

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """See :meth:`hookctl.store.interface.Standing.last_results`."""
        return self._read(reading.last_results)

    # -- upkeep

    def counts(self, *, own: bool = False) -> Counts:
        """See :meth:`hookctl.store.interface.History.counts`."""
        return self._read(reading.counts, self._made if own else None)

    def prune(self, before: float, limit: int) -> int:
        """See :meth:`hookctl.store.interface.Upkeep.prune`."""
        return self._write(upkeep.prune, before, limit, self._clock() if self._clock else None)

    def fullness(self) -> Fullness:
        """See :meth:`hookctl.store.interface.Upkeep.fullness`."""
        return self._read(upkeep.fullness)

    def free_bytes(self) -> int | None:
        """See :meth:`hookctl.store.interface.Upkeep.free_bytes`."""
        return None
