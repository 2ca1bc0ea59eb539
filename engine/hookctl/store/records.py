"""What a store takes and returns: plain records, the same for every implementation."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from hookctl.model import Attempt, Delivery, DeliveryPlan, DeliveryStatus, Event, Json, TraceContext
from hookctl.store.history import Where

MAX_TIME = 1e12
"""Epoch seconds. A greater number cannot be shown as a date."""


class NewDelivery(Struct, frozen=True):
    """A delivery that routing asks for."""

    id: str
    webhook: str
    dead_because: str = ""
    """Not empty: it cannot be decided whether the event is for the webhook, so it is a dead letter from the start."""


class Routed(Struct, frozen=True):
    """An event and its deliveries."""

    event: Event
    deliveries: tuple[NewDelivery, ...]


class Claimed(Struct, frozen=True):
    """A delivery that only the caller may try, until the lease ends."""

    delivery: Delivery
    document: Mapping[str, Json]
    """The whole event."""
    lease: int
    """Distinguishes this claim of the delivery from every earlier and later one."""
    plan: DeliveryPlan | None = None
    """What it is replayed by; None: the plan that is applied now."""
    key: int = 0
    """The store's own number of the delivery."""
    trace: TraceContext | None = None
    """The trace that came with the event."""
    replayed_at: float | None = None
    """When it was last replayed, in epoch seconds; None: never."""


class Outcome(Struct, frozen=True):
    """What an attempt means for its delivery."""

    status: DeliveryStatus
    """``delivered``, ``retrying``, ``held`` or ``dead``."""
    reason: str = ""
    """Why it is dead, retrying or held."""
    due_at: float | None = None
    """When it is tried again, in epoch seconds; only for ``retrying``."""
    hold: bool = False
    """Hold the webhook: nothing is sent to it until the hold ends; always for ``held``, and for some ``dead``."""


class Result(Struct, frozen=True):
    """An attempt that was made on a claimed delivery, and its outcome."""

    claimed: Claimed
    attempt: Attempt
    """Stored as it is, so secrets are masked already."""
    outcome: Outcome
    serial: int
    """The serial of the applied state that the attempt used; only an attempt by the newest one holds its webhook."""
    plan: DeliveryPlan | None = None
    """The plan that the attempt used; stored, so that a replay can use it too."""
    secrets: str = ""
    """Only for an outcome that holds the webhook: see :attr:`Hold.secrets`."""


class RequestKey(Struct, frozen=True):
    """The idempotency key of a request that brings events."""

    key: str
    content: str
    """A digest of what was sent."""


@dataclass(frozen=True, slots=True)
class Circuit:
    """What a worker reports about a webhook whose target fails. A webhook whose target does not fail has none."""

    state: str
    """``open``: nothing is sent. ``half-open``: one probe is sent, or a few requests at a time after it succeeded."""
    reason: str
    since: float
    until: float
    """When the probe is made, in epoch seconds. If the worker ended before, the circuit stays as it reported it."""


class Batch(Struct, frozen=True, kw_only=True):
    """What a worker wants written in one commit: all of it or, on an error, nothing. An absent field writes nothing."""

    now: float
    """Epoch seconds."""
    results: Sequence[Result] = ()
    """See :meth:`hookctl.store.interface.Queue.finish`."""
    released: Sequence[Claimed] = ()
    """See :meth:`hookctl.store.interface.Queue.release`."""
    circuits: Mapping[str, Circuit | None] = {}
    """See :meth:`hookctl.store.interface.Queue.set_circuits`."""
    events: Sequence[Routed] = ()
    """See :meth:`hookctl.store.interface.Queue.enqueue`.

    Their deliveries are claimed in the same commit, as far as ``wanted`` allows. Nothing is claimed of a webhook that
    has an older delivery which is due and unclaimed: :attr:`limit` is for those.
    """
    max_waiting: float = float("inf")
    """How many deliveries may wait after the commit, whoever added the others.

    With more, the commit fails with IntakeRefusedError, which says how many of the events fit. What is held, dead, or
    seen before does not wait.
    """
    refuse_changed: bool = False
    """Fail with ChangedError if an event's id was seen before with another document. Otherwise such an event is one
    that was seen before."""
    keys: Sequence[RequestKey] = ()
    """Remembered as long as events are. With one that was used before for other content, the commit fails with
    ChangedError."""
    wanted: Mapping[str, int] = {}
    """How many deliveries of each webhook to claim at most; see :meth:`hookctl.store.interface.Queue.claim`."""
    limit: int = 0
    """The most deliveries to claim that are due and not among the new ones; see ``claim`` as above."""
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
    """Which deliveries; a field that is not set lets every one through."""

    statuses: Collection[DeliveryStatus] | None = None
    webhook: str | None = None
    since: float | None = None
    """Made at this time or later, in epoch seconds."""
    until: float | None = None
    """Made before this time, in epoch seconds."""
    ids: Collection[str] | None = None
    id_part: str = ""
    """A part of the id, anywhere in it."""
    cause: str | None = None
    """How the last attempt ended: a value of ``FailureKind``, a status such as ``404``, a class such as ``5xx``, or
    ``mismatch`` for a 2xx that a validator rejected."""
    plan_digest: str = ""
    """The beginning of the digest of the delivery plan that the last attempt used."""
    event_type: str | None = None
    event_id: str | None = None
    attempts: int = 0
    """The smallest number of attempts."""
    due_before: float | None = None
    """Tried next before this time, in epoch seconds; what is not tried again does not pass."""
    group: str = ""
    """The key of a group of deliveries that failed for the same cause: see :class:`hookctl.store.overviews.Group`."""
    where: Where | None = None
    """Decides on the whole event; called last, only for deliveries that every other field lets through."""


EVERYTHING = Filter()
UNDELIVERED = frozenset(DeliveryStatus) - {DeliveryStatus.DELIVERED}
UNENDED = frozenset({DeliveryStatus.WAITING, DeliveryStatus.RETRYING, DeliveryStatus.HELD})
"""The statuses of deliveries that may still be made."""


class Hold(Struct, frozen=True):
    """Why nothing is sent to a webhook, until someone resumes it, an apply changes it, or its secrets change."""

    reason: str
    since: float
    """Epoch seconds."""
    plan: str = ""
    """The digest of the delivery plan that it holds; empty for a hold of an older hookctl, which any apply ends."""
    secrets: str = ""
    """A keyed digest of the secrets that were in use, made by the worker; empty if there were none."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A webhook whose deliveries are held although it is applied as active."""

    webhook: str
    reason: str
    deliveries: int
    """How many are held now."""
    hold: Hold | None = None
    """What holds the webhook, so that new deliveries are held too. None: only these were held, by someone."""


@dataclass(frozen=True, slots=True)
class Fullness:
    """How much the store holds, and how much more it has room for."""

    waiting: int
    """The number of deliveries that are to be tried."""
    used_bytes: int
    """The size of the store."""
    free_bytes: int | None
    """The free space of its disk, and what the store has freed inside; None if the store cannot know it."""


Counts = Mapping[str, Mapping[DeliveryStatus, int]]
"""How many deliveries of each status, by webhook name; no zeros."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far certain deliveries are, whichever process makes them."""

    counts: Counts
    due: Mapping[str, float]
    """When the next one of each webhook is due, in epoch seconds. Webhooks without any to come are missing."""
    attempts: int
    claimed: int
    """The number of those that a worker has claimed."""


class Backlog(Struct, frozen=True):
    """How many deliveries of one webhook are not delivered. Cancelled ones do not count."""

    waiting: int = 0
    retrying: int = 0
    held: int = 0
    dead: int = 0
    oldest_at: float | None = None
    """When the oldest of those that are waiting, retrying or held was made, in epoch seconds; None without any."""
    due_at: float | None = None
    """When the first of those that are waiting or retrying can be claimed, in epoch seconds; None without any."""


NO_BACKLOG = Backlog()


@dataclass(frozen=True, slots=True)
class Lock:
    """Who changes the applied state now, or is about to."""

    id: str
    operation: str
    who: str
    """``user@host``."""
    pid: int
    version: str
    """The version of the hookctl that holds it."""
    since: float
    """Epoch seconds."""

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since if abs(self.since) <= MAX_TIME else 0))
        holder = f"process {self.pid}, hookctl {self.version}, lock {self.id}"
        return f"{self.who}, hookctl {self.operation} since {since} ({holder})"

    @property
    def is_left_over(self) -> bool:
        """True when a process of this host took it and has ended. False proves nothing about another host's process."""
        if self.who.rpartition("@")[2] != socket.gethostname() or not 0 < self.pid < 1 << 31:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it runs, as another user
            return False
        return False


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that cannot be read."""

    table: str
    row: str
    """The value of its key."""
    why: str
