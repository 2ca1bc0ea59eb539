"""How much a plan takes out of service at once: a guard against a directory that was lost or read at the wrong place."""

from __future__ import annotations

from dataclasses import dataclass

from hookctl.model import Change, Plan, Status


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """More than ``percent`` of the applied webhooks is too many at once, once ``minimum`` of them are applied."""

    percent: float = 30
    minimum: int = 10

    def is_exceeded_by(self, plan: Plan) -> bool:
        """Whether the plan removes or deactivates too many."""
        applied = len(plan.digests_before)
        return applied >= self.minimum and len(stopped_by(plan)) * 100 > self.percent * applied


DEFAULT_LIMIT = RemovalLimit()


def stopped_by(plan: Plan) -> tuple[Change, ...]:
    """The changes that remove a webhook, or make an active one inactive."""
    return tuple(
        change for change in plan.changes if change.before and (change.after is None or _goes_inactive(change))
    )


def _goes_inactive(change: Change) -> bool:
    before, after = change.before, change.after
    return (
        before is not None and after is not None and before.status is Status.ACTIVE and after.status is Status.INACTIVE
    )
