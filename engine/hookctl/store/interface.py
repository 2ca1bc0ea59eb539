"""What every queue does, whatever it is kept in.

Three promises that an implementation makes, and ``tests/queue`` checks:

- what :meth:`Queue.enqueue` and :meth:`Queue.finish` have returned from is on disk;
- a delivery is claimed by one worker at a time. A worker that dies or stalls past its lease loses the delivery to the
  next that claims it, and from then on can no longer mark it;
- an event's id is seen once: the same event again makes no second delivery.

Times are epoch seconds, and the caller says what time it is; leases are measured on a clock that nobody sets, too.
Several processes may use one queue at the same time. One object belongs to one thread, its caller's. While a commit
that was handed to :meth:`Queue.submit` is in flight, the store's writer has the connection; every other method waits
for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from hookctl.model import AppliedState, Attempt, Delivery, DeliveryPlan, DeliveryStatus, Event, Json

if TYPE_CHECKING:
    from concurrent.futures import Future


class NewDelivery(Struct, frozen=True):
    """A delivery that routing wants made."""

    id: str
    webhook: str
    dead_because: str = ""
    """Not empty: it cannot even be decided whether the event is for the webhook, so it is a dead letter from the start."""


class Routed(Struct, frozen=True):
    """An event and the deliveries that it makes."""

    event: Event
    deliveries: tuple[NewDelivery, ...]


class Claimed(Struct, frozen=True):
    """A delivery that the caller alone may try, until the lease ends."""

    delivery: Delivery
    document: Mapping[str, Json]
    """The whole event."""
    lease: int
    """Tells this claim of the delivery from every earlier and later one."""
    plan: DeliveryPlan | None = None
    """What it is replayed by; None: what is applied now."""
    key: int = 0
    """The queue's own number of the delivery."""


class Outcome(Struct, frozen=True):
    """What an attempt means for its delivery."""

    status: DeliveryStatus
    """``delivered``, ``retrying`` or ``dead``."""
    reason: str = ""
    """Why it is dead or retrying."""
    due_at: float | None = None
    """When it is tried again; given for ``retrying`` alone."""
    suspend: bool = False
    """The target wants no more of this webhook's deliveries: hold them until the next apply or resume."""


class Result(Struct, frozen=True):
    """An attempt that was made on a claimed delivery, and its outcome."""

    claimed: Claimed
    attempt: Attempt
    """Secrets masked: it is stored as it is."""
    outcome: Outcome
    serial: int
    """Of the applied state that the attempt was made by: a suspension holds until a later one."""
    plan: DeliveryPlan | None = None
    """What the attempt was made by; kept, so that a replay can use it."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What a worker reports about a webhook whose target fails. A webhook whose target does not fail has none."""

    state: str
    """``open``: nothing is sent; ``half-open``: one probe is, or a few more at a time since the probe succeeded."""
    reason: str
    since: float
    until: float
    """When the probe is made. If the worker has ended by then, nobody may know better."""


class Batch(Struct, frozen=True, kw_only=True):
    """What a worker wants written in one commit: all of it or, on an error, nothing. An absent field writes nothing."""

    now: float
    """Epoch seconds."""
    results: Sequence[Result] = ()
    """See :meth:`Queue.finish`."""
    released: Sequence[Claimed] = ()
    """See :meth:`Queue.release`."""
    circuits: Mapping[str, Circuit | None] = {}
    """See :meth:`Queue.set_circuits`."""
    events: Sequence[Routed] = ()
    """See :meth:`Queue.enqueue`.

    Their deliveries are claimed in the same commit, as far as ``wanted`` allows. Nothing is claimed of a webhook that
    has an older delivery which is due and unclaimed: :attr:`limit` is for those.
    """
    max_waiting: float = float("inf")
    """How many deliveries may wait after the commit, whoever added the others.

    With more, the commit fails with IntakeRefusedError, which says how many of the events fit. What is held, dead, or
    seen before does not wait.
    """
    wanted: Mapping[str, int] = {}
    """How many deliveries of each webhook to claim at most; see :meth:`Queue.claim`."""
    limit: int = 0
    """How many deliveries that are due, and not among the new ones, to claim at most; see :meth:`Queue.claim`."""
    lease_seconds: float = 0.0
    """How long the claims last."""


class Committed(Struct, frozen=True):
    """What became of a :class:`Batch`."""

    lost: Collection[str] = frozenset()
    """The ids of results whose lease was lost; nothing was recorded of them."""
    is_new: Sequence[bool] = ()
    """For each event: False where its id was seen before."""
    claims: Sequence[Claimed] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which deliveries; an absent field lets every one through."""

    status: DeliveryStatus | None = None
    webhook: str | None = None
    since: float | None = None
    """Made at this time or later."""
    ids: Collection[str] | None = None
    id_part: str = ""
    """Somewhere in the id."""
    undelivered: bool = False
    """All but the delivered."""


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Stopped:
    """A webhook whose deliveries are held although it is applied as active."""

    webhook: str
    reason: str
    deliveries: int
    """How many are held now."""
    is_suspended: bool
    """True: its target wants no more, and what comes is held too. False: these deliveries alone were held, by someone's hand."""


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much there is, and how much more there is room for."""

    waiting: int
    """Deliveries that are to be tried."""
    used_bytes: int
    """What the store holds."""
    free_bytes: int
    """What its disk has left, and what the store has freed within itself."""


Counts = Mapping[str, Mapping[DeliveryStatus, int]]
"""How many deliveries of each status, by webhook name; no zeros."""


class Queue(Protocol):
    """Events, their deliveries and the attempts on them. Methods raise ``hookctl.errors.StoreError`` when the store fails."""

    # -- intake

    def enqueue(self, batch: Sequence[Routed], now: float) -> list[bool]:
        """Store events and their deliveries in one commit; all of them or, on an error, none.

        Gives one flag per event: False where its id was seen before (in this batch or ever), and nothing was stored.
        Deliveries for a suspended webhook are held from the start.
        """
        ...

    # -- commits

    def submit(self, batch: Batch) -> Future[Committed]:
        """Hand a batch to the store's writer, which commits it while the caller goes on with something else.

        The future ends when the batch is on disk, or with the error that undid all of it: StoreError and its kinds, or
        IntakeRefusedError. Batches are committed in the order in which they are submitted. Every other method waits
        until no commit is in flight.
        """
        ...

    # -- work

    def claim(self, now: float, limit: int, lease_seconds: float, wanted: Mapping[str, int]) -> list[Claimed]:
        """Take deliveries that are due, at most ``limit``, in one commit.

        ``wanted`` says how many of each webhook at most. Webhooks that it does not name are left alone, and its order
        is the order in which they are served while ``limit`` lasts. Of one webhook, the longest due come first.
        """
        ...

    def finish(self, results: Sequence[Result], now: float) -> set[str]:
        """Record attempts and outcomes in one commit; give the ids whose lease was lost, of which nothing was recorded.

        A lease is lost when another worker has claimed the delivery, or when it was replayed. A delivery that was held
        or cancelled while an attempt was in flight stays so, unless the attempt delivered it or made it a dead letter.
        """
        ...

    def release(self, claims: Iterable[Claimed]) -> None:
        """Give back claims whose attempts did not end: they are due for anyone, as before. Lost leases are skipped."""
        ...

    def renew(self, claims: Iterable[Claimed], now: float, lease_seconds: float) -> set[str]:
        """Hold claims for longer, from now on; gives the ids whose lease was lost."""
        ...

    def next_due(self, webhooks: Collection[str]) -> float | None:
        """When the next delivery of these webhooks can be claimed, in epoch seconds; None when nothing waits.

        That is when it is due, or when the lease on it ends. What workers had claimed that have died is due at once.
        """
        ...

    def claimed_elsewhere(self) -> int:
        """How many deliveries other workers hold a lease on."""
        ...

    def close(self) -> None:
        """Release the store. Claims that were neither finished nor released are free for others at once."""
        ...

    def check(self) -> None:
        """Raise StoreGoneError when the store is no longer where it was opened: nothing may be acknowledged or sent from it then.

        Each method that changes something does so itself, after its commit.
        """
        ...

    def clock_set(self, before: float, now: float) -> None:
        """The wall clock was set, from ``before`` to ``now``: what was to be tried in an hour is to be tried in an hour.

        May be called by each worker that notices, and at any time with ``before`` as ``now``, for a clock that was set back while nobody looked.
        """
        ...

    # -- applied state

    def reconcile(self, applied: AppliedState) -> None:
        """Fit what waits to the webhooks that are applied now.

        Deliveries of a webhook that is gone are cancelled, of an inactive or suspended one held, and held ones of an active one are due again.
        A renamed webhook's deliveries, and what is known of it, get its new name.
        A suspension ends with the first apply after it. A serial below one that was reconciled before changes nothing.
        """
        ...

    def resume(self, webhook: str) -> bool:
        """End a webhook's suspension before the next apply, and make what it held due again. False: it is not suspended."""
        ...

    def suspended(self) -> Mapping[str, str]:
        """The webhooks that are suspended, and why."""
        ...

    def stopped(self, applied: AppliedState) -> list[Stopped]:
        """What is held otherwise than by an apply, in order of name: suspensions that still hold, and what was held by hand since the last reconciliation."""
        ...

    # -- looking and repeating

    def deliveries(self, which: Filter = EVERYTHING, limit: int | None = None) -> list[Delivery]:
        """The deliveries that pass the filter, newest first."""
        ...

    def document(self, delivery_id: str) -> Mapping[str, Json] | None:
        """The whole event of a delivery; None when there is no such delivery."""
        ...

    def attempts(self, delivery_id: str) -> list[Attempt]:
        """Every attempt on a delivery, oldest first. A replay starts to number from 1 again."""
        ...

    def replay(self, ids: Sequence[str], now: float, *, as_planned: bool = False) -> list[str]:
        """Make deliveries due now, whatever became of them, with a fresh retry schedule; their attempts stay on record.

        Gives the ids that are due now; those that someone is trying at this moment are left alone. ``as_planned``: by the delivery plan of the last
        attempt, and not by the one that is applied; those that were never tried are left alone then.
        """
        ...

    def cancel(self, ids: Sequence[str], now: float, reason: str) -> list[str]:
        """Never try these again, as far as they wait or are held; gives their ids. One that is being tried at this moment may still be delivered."""
        ...

    def prune(self, before: float, limit: int) -> int:
        """Forget events that came before a time and whose deliveries all ended before it, with their attempts: the oldest, at most ``limit``.

        Gives how many. What is waiting or held stays, however old. A forgotten event's id is new if it comes again.
        """
        ...

    def fullness(self) -> Fullness:
        """How full the queue is."""
        ...

    def free_bytes(self) -> int:
        """:attr:`Fullness.free_bytes`, without the cost of the rest."""
        ...

    def circuits(self) -> Mapping[str, Circuit]:
        """What was last said of each webhook's target; see :meth:`set_circuits`."""
        ...

    def set_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """Say what stands between webhooks and their targets; None: nothing."""
        ...

    def counts(self, *, own: bool = False) -> Counts:
        """How many deliveries there are; ``own``: of those only that came in through this object."""
        ...

    def last_results(self) -> Mapping[str, tuple[DeliveryStatus, float]]:
        """What the last attempt of each webhook came to, and when."""
        ...
