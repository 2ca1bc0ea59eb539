"""What goes into the attempt engine, what is under way in it, and what comes out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from hookctl.model import Attempt, DeliveryPlan, FailureKind, Json

if TYPE_CHECKING:
    from hookctl.delivery.attempt.authenticate import Authenticated
    from hookctl.delivery.attempt.prepared import Prepared, Unsigned


class Job(Struct, frozen=True):
    """One attempt to be made."""

    delivery_id: str
    """Stable over all attempts; sent as ``webhook-id``."""
    plan: DeliveryPlan
    document: Mapping[str, Json]
    """The whole event: ``{id, event_type, event_time, data}``."""
    number: int
    """Which attempt of the delivery this is, from 1."""


class Finished(Struct, frozen=True):
    """A job and what came of it."""

    job: Job
    attempt: Attempt


class Exchange(Struct, eq=False):
    """An attempt under way. Times are monotonic seconds, but for ``started_at``."""

    job: Job
    ticket: int
    started_at: float
    started: float
    since: float
    """When its stage began."""
    seconds: float
    """How long its stage may take, from when it has its turn: what waits for a thread is not late."""
    stage: FailureKind = FailureKind.SECRET
    """What it fails with when it is given up."""
    prepared: Prepared | None = None
    unsigned: Unsigned | None = None
    """The request before auth."""
    sent: Authenticated | None = None
    earlier: frozenset[str] = frozenset()
    """Credentials of the requests of this attempt before ``sent``."""
    refreshed: bool = False
    has_ended: bool = False
    spent: float = 0.0
    """Seconds of the target's time that an earlier request of this attempt took."""

    def enter(self, stage: FailureKind, seconds: float) -> None:
        """Go on to a stage that may take ``seconds``."""
        self.stage, self.seconds, self.since = stage, seconds, time.monotonic()

    def replace_sent(self, sent: Authenticated) -> None:
        """Take ``sent`` for the request of the attempt, and keep what is secret in the one before."""
        if self.sent is not None:
            self.earlier |= self.sent.credentials()
        self.sent = sent
