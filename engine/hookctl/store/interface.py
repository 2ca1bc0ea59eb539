"""What every store does, whatever it is kept in: :class:`Store`, put together from one protocol for each topic.

An implementation makes three promises, and ``tests/store`` checks them:

- what :meth:`Work.submit` has reported as committed, and what any other method has returned from, is on disk;
- one worker at a time claims a delivery. A worker that dies or stalls past its lease loses the delivery to the next
  one that claims it, and can no longer record anything for it;
- an event's id is accepted once: the same event again makes no second delivery.

Times are epoch seconds, and the caller passes the current time; leases are also measured on a clock that nobody sets.
Several processes may use one store at the same time. One object belongs to one thread, its caller's. While a commit
that was handed to :meth:`Work.submit` is in flight, the store's writer has the connection; the other methods wait
for it, except :meth:`Upkeep.check` and the methods of :class:`State` and :class:`Locks`.

Methods raise ``hookctl.errors.StoreError`` and its kinds when the store fails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Unpack

from hookctl.model import AppliedState, Attempt, Delivery, DeliveryPlan, DeliveryStatus, Json, Plan
from hookctl.store.copying import Copying
from hookctl.store.events_interface import Events, Log
from hookctl.store.healing import Healing
from hookctl.store.history import AuditEntry, ReplayOptions
from hookctl.store.monitoring import Monitoring
from hookctl.store.pages_interface import Overviews
from hookctl.store.records import (
    EVERYTHING,
    UNENDED,
    Batch,
    Circuit,
    Claimed,
    Committed,
    Counts,
    Damaged,
    Filter,
    Fullness,
    Hold,
    Lock,
    RequestKey,
    Result,
    Routed,
    Stopped,
)
from hookctl.store.runners_interface import Runners, Workers
from hookctl.store.tokens import Tokens

if TYPE_CHECKING:
    from concurrent.futures import Future


class State(Protocol):
    """The applied state: what the last apply left."""

    def read_state(self) -> AppliedState:
        """What is applied now; serial 0 and no plans if nothing was ever applied.

        A delivery plan that is damaged is not among the plans but in ``unreadable``, and affects no other.
        """
        ...

    def serial(self) -> int:
        """The serial of the applied state, without the cost of reading the state; 0 if nothing was ever applied."""
        ...

    def check_plan(self, plan: Plan) -> None:
        """Raise now what :meth:`apply` would raise about the plan: StalePlanError or StateError."""
        ...

    def apply(self, plan: Plan, *, applied_by: str = "", lock_id: str = "", commit: str = "") -> AppliedState:
        """Replace the applied state by the one that the plan describes, in one transaction.

        Args:
            plan: starts from what is applied now.
            applied_by: ``user@host``, kept in the history with the time and the plan's digest.
            lock_id: the lock that the caller holds; empty: none.
            commit: the git commit that the plan was made from, kept in the history; empty: not known.

        Returns:
            The new state, with its serial.

        Raises:
            StalePlanError: the applied state is no longer the one that the plan starts from.
            StateError: the plan removes a protected webhook.
            StateLockedError: another holds the lock, or the caller's lock was released.
            StoreError: the store cannot be written. In each case nothing was changed.
        """
        ...


class Locks(Protocol):
    """The lock on the applied state: one apply at a time, from reading its plan to its commit."""

    def hold_lock(
        self, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
    ) -> AbstractContextManager[Lock]:
        """Hold the lock inside the block.

        Args:
            operation: the command that takes it, such as ``apply``; others are shown it.
            who: ``user@host``; others are shown it.
            timeout: seconds to wait while another holds the lock.
            waiting: called with that lock, repeatedly while it waits.

        Raises:
            StateLockedError: another still holds the lock. The message names the holder, the hint how to release it.
        """
        ...

    def read_lock(self) -> Lock | None:
        """The lock that is held now; None if there is none."""
        ...

    def break_lock(self, lock_id: str) -> Lock:
        """Take the lock with this id from its holder, who can no longer apply anything under it, and return it.

        Raises StateError when there is no lock, or when it has another id.
        """
        ...


class Work(Protocol):
    """Events come in, workers claim deliveries and record what their attempts led to."""

    def submit(self, batch: Batch) -> Future[Committed]:
        """Hand a batch to the store's writer, which commits it while the caller goes on with something else.

        The future ends when the batch is on disk, or with the error that undid all of it: StoreError and its kinds, or
        IntakeRefusedError. Batches are committed in the order in which they are submitted. Every other method waits
        until no commit is in flight.
        """
        ...

    def enqueue(
        self,
        batch: Sequence[Routed],
        now: float,
        max_waiting: float = float("inf"),
        *,
        refuse_changed: bool = False,
        keys: Sequence[RequestKey] = (),
    ) -> list[bool]:
        """Store events and their deliveries in one commit; all of them or, on an error, none.

        Returns one flag per event: False if its id was seen before (in this batch or ever), so that nothing was stored.
        Deliveries for a held webhook are held from the start. Everything else is as in :class:`Batch`.
        """
        ...

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """Claim deliveries that are due, at most ``limit``, in one commit.

        ``wanted`` contains the most to claim of each webhook. Webhooks that it does not name are left alone, and its
        order is the order in which they are served until ``limit`` is reached. Of one webhook, the longest due come
        first.
        """
        ...

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """Record attempts and outcomes in one commit; returns the ids whose lease was lost, with nothing recorded.

        A lease is lost when another worker has claimed the delivery, or when it was replayed. A delivery that was held
        or cancelled while an attempt was in flight stays so, unless the attempt delivered it or made it a dead letter.

        An outcome that holds the webhook holds everything that waits for it. The attempt then uses up none of the
        delivery's attempts but the first. If its serial is not the newest, an apply may have fixed the cause: then the
        webhook is not held, and a delivery that would be held is due at once.
        """
        ...

    def release(self, claims: Iterable[Claimed]) -> None:
        """Give back claims whose attempts did not end: they are due for anyone, as before. Lost leases are skipped."""
        ...

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """Extend claims to ``lease_seconds`` from now on; returns the ids whose lease was lost."""
        ...

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """When the next delivery of these webhooks can be claimed, in epoch seconds; None when nothing waits.

        That is when it is due, or when the lease on it ends. What a dead worker had claimed is due at once.
        """
        ...

    def claimed_elsewhere(self) -> int:
        """How many deliveries other workers hold a lease on."""
        ...

    def clock_set(self, before: float, now: float) -> None:
        """Move due times along with the wall clock, which was set from ``before`` to ``now``.

        What was due in an hour is still due in an hour. Each worker that notices may call this, and at any time with
        ``before`` equal to ``now``, for a clock that was set back while no worker ran.
        """
        ...


class Standing(Protocol):
    """What is known of each webhook besides its delivery plan."""

    def reconcile(self, applied: AppliedState) -> None:
        """Fit the waiting deliveries to the webhooks that are applied now.

        Deliveries of a removed webhook are cancelled, those of an inactive or held one are held, and held ones of any
        other are due again. A renamed webhook's deliveries, and what is known of it, get its new name. A hold ends
        when the webhook is applied with another delivery plan. A serial below one that was reconciled before changes
        nothing.
        """
        ...

    def hold(self, plan: DeliveryPlan, reason: str, now: float, audit: AuditEntry | None = None) -> bool:
        """Hold an applied webhook by hand, with everything that waits for it. Returns False if it is held already.

        ``audit`` is recorded in the same commit if it was not. What is being tried may still be delivered.
        """
        ...

    def resume(self, webhook: str, audit: AuditEntry | None = None) -> bool:
        """End a webhook's hold, and make what it held due again. Returns False if the webhook is not held.

        ``audit`` is recorded in the same commit if it was held.
        """
        ...

    def holds(self) -> Mapping[str, Hold]:
        """The webhooks that are held, by name; see :class:`hookctl.store.records.Hold`."""
        ...

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """The webhooks whose deliveries are held by something other than an apply, in order of name.

        They are those with a hold, and those held by hand since the last reconciliation.
        """
        ...

    def circuits(self) -> Mapping[str, Circuit]:
        """The circuits that are not closed, by webhook; see :meth:`set_circuits`."""
        ...

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """Record the circuits of webhooks; None: it is closed."""
        ...

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """The status that the last attempt of each webhook led to, and when, in epoch seconds."""
        ...


class History(Protocol):
    """Reads events, deliveries and attempts, and repeats or cancels deliveries."""

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """The deliveries that pass the filter, newest first."""
        ...

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """The whole event of a delivery; None when there is no such delivery."""
        ...

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """Every attempt on a delivery, oldest first. A replay starts to number from 1 again."""
        ...

    def counts(self, *, own: bool = False) -> Counts:
        """How many deliveries there are of each status, by webhook; ``own``: only those added through this object."""
        ...

    def replay(self, ids: Sequence[str], now: float, **options: Unpack[ReplayOptions]) -> list[str]:
        """Make deliveries due now, with a new retry schedule; their attempts stay on record.

        Returns the ids that are due now. Those that a worker is trying at this moment are left alone.
        """
        ...

    def cancel(
        self,
        ids: Sequence[str],
        now: float,
        reason: str,
        audit: AuditEntry | None = None,
        *,
        statuses: Collection[DeliveryStatus] = UNENDED,
    ) -> list[str]:
        """Never try these again, if they have one of these statuses now; returns their ids.

        ``statuses`` are of those that wait or are held. ``audit`` is recorded in the same commit. One that is being
        tried at this moment may still be delivered.
        """
        ...


class Upkeep(Protocol):
    """Keeps the store small, finds damage, and ends its use."""

    def prune(self, before: float, limit: int) -> int:
        """Delete events that came before a time and whose deliveries all ended before it, with their attempts.

        Deletes the oldest, at most ``limit``, and returns how many. What waits or is held stays, however old. The id of
        a deleted event counts as new if it comes again.
        """
        ...

    def fullness(self) -> Fullness:
        """How full the store is."""
        ...

    def free_bytes(self) -> int | None:
        """:attr:`hookctl.store.records.Fullness.free_bytes`, without the cost of the rest."""
        ...

    def damaged(self) -> list[Damaged]:
        """The rows that cannot be read. Reads everything: for ``doctor``, not for a runner."""
        ...

    def check(self) -> None:
        """Raise StoreGoneError if the store is no longer where it was opened: nothing may be acknowledged or sent then.

        Each method that changes something does so itself, after its commit.
        """
        ...

    def close(self) -> None:
        """Close the store. Claims that were neither finished nor released are free for others at once."""
        ...


class Queue(Work, Workers, Standing, History, Events, Upkeep, Protocol):
    """Events, their deliveries and the attempts on them: everything that a runner needs."""


class Store(State, Locks, Queue, Healing, Log, Runners, Monitoring, Overviews, Tokens, Copying, Protocol):
    """Everything that a command needs. :func:`hookctl.store.opening.open_store` opens one."""
