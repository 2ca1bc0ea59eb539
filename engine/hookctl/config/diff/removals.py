"""How many webhooks a plan takes out of service at once. This protects against a lost or wrong directory."""

from __future__ import annotations

from dataclasses import dataclass

from hookctl.model import Change, Plan, Status


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """The limit is ``percent`` of the applied webhooks. It applies once at least ``minimum`` webhooks are applied."""

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
