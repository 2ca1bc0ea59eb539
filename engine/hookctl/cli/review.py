"""What ``plan`` and ``apply`` have in common: findings, the plan, and what policies and the queue say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.cli.checked import checked_directory

if TYPE_CHECKING:
    import click

    from hookctl.cli.session import Session
    from hookctl.model import Plan, Webhook
    from hookctl.pipeline import Checked, PlanFinding


@dataclass(frozen=True, slots=True)
class Review:
    """A plan and everything that is said of it."""

    plan: Plan
    findings: tuple[PlanFinding, ...]
    waiting: Mapping[str, int]
    """How many deliveries wait for a webhook that the plan removes."""

    @property
    def refused(self) -> bool:
        """True when the plan may not be applied."""
        return any(finding.is_error for finding in self.findings)


def review_directory(ctx: click.Context, session: Session, output_format: str = "text") -> Review:
    """Plan the directory's files against what is applied now. Shows their findings; errors among them end the command."""
    return review_checked(session, checked_directory(ctx, session, output_format, warnings_to_stderr=output_format == "json"))


def review_checked(session: Session, checked: Checked) -> Review:
    """Plan files that were checked, and are valid, against what is applied now."""
    from hookctl.apply import AppliedStore
    from hookctl.pipeline import plan_directory, tool_versions

    applied = AppliedStore(session.store_path).read()
    return review_plan(session, plan_directory(checked, applied, session.plugins, tool_versions(session.plugins)), checked.webhooks)


def review_plan(session: Session, plan: Plan, webhooks: Iterable[Webhook] = ()) -> Review:
    """The plan, made of ``webhooks`` if it is no saved one, with what policies say of it, and how many deliveries it would cancel."""
    from hookctl.pipeline import check_plan

    return Review(plan, check_plan(plan, session.plugins, session.settings.get("policies", {}), webhooks), _waiting(session, plan))


def _waiting(session: Session, plan: Plan) -> dict[str, int]:
    from hookctl.model import Action, DeliveryStatus

    removed = [change.name for change in plan.changes if change.action is Action.DELETE]
    if not removed or not session.store_path.exists():
        return {}
    from hookctl.queue.sqlite import SqliteQueue

    queue = SqliteQueue(session.store_path)
    try:
        counts = queue.counts()
    finally:
        queue.close()
    cancelled = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING, DeliveryStatus.HELD)
    return {name: sum(counts.get(name, {}).get(status, 0) for status in cancelled) for name in removed}
