"""The part of a store that repairs deliveries together with an apply: its interface, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hookctl.model import AppliedState, Attempt, DeliveryPlan, DeliveryStatus, Json, Plan
from hookctl.store.history import AuditEntry

RUNNERS_KNOW_SECONDS = 1.0
"""Seconds after which every runner has read a new state; each looks ten times a second."""


@dataclass(frozen=True, slots=True)
class Repairable:
    """A delivery that no worker has claimed, with everything that shows whether another delivery plan repairs it."""

    id: str
    status: DeliveryStatus
    reason: str
    version: int
    """See :attr:`hookctl.model.Repair.version`."""
    attempts: int
    """How many were made; 0 also after a replay that was not tried yet."""
    document: Mapping[str, Json]
    """The whole event."""
    attempt: Attempt | None
    """The last one; None if there is none, or it cannot be read."""
    plan: DeliveryPlan | None
    """The delivery plan that the last attempt used; None if it is not kept, or cannot be read."""


class Healing(Protocol):
    """Finds deliveries that an apply may repair, and replays them with it."""

    def repairable(self, webhook: str, status: DeliveryStatus, limit: int) -> list[Repairable]:
        """The newest deliveries of a webhook that are dead, held or retrying, at most ``limit``, found by an index.

        Deliveries whose event cannot be read, and those that a worker has claimed, are left out.
        """
        ...

    def apply_and_heal(
        self, plan: Plan, audit: AuditEntry, *, applied_by: str = "", lock_id: str = "", commit: str = ""
    ) -> tuple[AppliedState, int]:
        """Apply the plan, and replay what it heals, :attr:`hookctl.model.Plan.heal`: both, or neither.

        Arguments and errors are those of :meth:`hookctl.store.interface.State.apply`. Returns the new state, and how
        many deliveries are replayed; those that have changed since the plan was made are left alone. They are due a
        second after the time of ``audit``, when every runner has read the new state, with a new retry schedule.
        ``audit`` is recorded with their number.
        """
        ...
