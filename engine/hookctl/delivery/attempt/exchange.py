"""The inputs of the attempt engine, its state of an attempt in flight, and its results."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from hookctl.model import Attempt, AttemptTrace, DeliveryPlan, FailureKind, Json

if TYPE_CHECKING:
    from hookctl.delivery.attempt.authenticate import Authenticated
    from hookctl.delivery.attempt.prepared import Prepared, Unsigned


class Job(Struct, frozen=True):
    """An attempt to make."""

    delivery_id: str
    """The delivery's id: the same for all its attempts; sent as ``webhook-id``."""
    plan: DeliveryPlan
    document: Mapping[str, Json]
    """The whole event: ``{id, event_type, event_time, data}``."""
    number: int
    """The number of this attempt of the delivery, from 1."""
    trace: AttemptTrace | None = None
    """What its request carries as ``traceparent``; None: nothing."""


class Finished(Struct, frozen=True):
    """A job and its attempt."""

    job: Job
    attempt: Attempt
    secrets: bytes = b""
    """A digest of the secrets that it used; empty if its plan refers to none, or could not be prepared. In memory only:
    it is not keyed."""


class Exchange(Struct, eq=False):
    """An attempt in flight. Times are monotonic seconds, except ``started_at``."""

    job: Job
    ticket: int
    started_at: float
    started: float
    since: float
    """When the current stage began."""
    seconds: float
    """Seconds that the current stage may take, without the time that it waits for a thread."""
    stage: FailureKind = FailureKind.SECRET
    """The current stage, as the kind of failure if the attempt is abandoned now."""
    prepared: Prepared | None = None
    unsigned: Unsigned | None = None
    """The request before auth."""
    sent: Authenticated | None = None
    earlier: frozenset[str] = frozenset()
    """The credentials of earlier requests of this attempt, before ``sent``."""
    refreshed: bool = False
    has_ended: bool = False
    spent: float = 0.0
    """Seconds that an earlier request of this attempt took."""

    def enter(self, stage: FailureKind, seconds: float) -> None:
        """Enter a stage that may take ``seconds``."""
        self.stage, self.seconds, self.since = stage, seconds, time.monotonic()

    def replace_sent(self, sent: Authenticated) -> None:
        """Make ``sent`` the request of the attempt, and keep the credentials of the one before for masking."""
        if self.sent is not None:
            self.earlier |= self.sent.credentials()
        self.sent = sent
