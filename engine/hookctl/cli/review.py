"""What ``plan`` and ``apply`` have in common: findings, the plan, and what policies and the queue say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.cli.checked import checked_directory

if TYPE_CHECKING:
    import click

    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.model import Finding, Plan
    from hookctl.pipeline import Checked, PlanFinding
    from hookctl.report.annotations import Annotation


@dataclass(frozen=True, slots=True)
class Review:
    """A plan and everything that is said of it."""

    plan: Plan
    findings: tuple[PlanFinding, ...]
    waiting: Mapping[str, int]
    """How many deliveries wait for a webhook that the plan removes."""
    warnings: tuple[Finding, ...] = ()
    """About the files that the plan was made of."""

    @property
    def refused(self) -> bool:
        """True when the plan may not be applied."""
        return any(finding.is_error for finding in self.findings)


def review_directory(ctx: click.Context, session: Session, outputs: Outputs) -> Review:
    """Plan the directory's files against what is applied now. Shows their findings; errors among them end the command."""
    return review_checked(session, checked_directory(ctx, session, outputs, warnings_to_stderr=outputs.printed != "text"))


def review_checked(session: Session, checked: Checked) -> Review:
    """Plan files that were checked, and are valid, against what is applied now."""
    from hookctl.apply import AppliedStore
    from hookctl.pipeline import plan_directory, tool_versions

    applied = AppliedStore(session.store_path).read()
    return review_plan(session, plan_directory(checked, applied, session.plugins, tool_versions(session.plugins)), checked)


def review_plan(session: Session, plan: Plan, checked: Checked | None = None) -> Review:
    """The plan, made of the files ``checked`` if it is no saved one, with what policies say of it, and how many deliveries it would cancel."""
    from hookctl.pipeline import check_plan

    webhooks, warnings = (checked.webhooks, checked.findings) if checked else ((), ())
    return Review(plan, check_plan(plan, session.plugins, session.settings.get("policies", {}), webhooks), _waiting(session, plan), warnings)


def write_review(ctx: click.Context, session: Session, outputs: Outputs, review: Review) -> None:
    """Write the plan and what is said of it in each form asked for. Raises HookctlError as outputs do."""
    from hookctl.report.comment import plan_comment
    from hookctl.report.github import annotation_lines, notice_line
    from hookctl.report.plan import plan_summary, render_json, render_text
    from hookctl.report.sarif import sarif_text

    command = ctx.info_name or ""
    outputs.write(
        color=session.color,
        text=lambda color: render_text(review.plan, review.findings, color=color, waiting=review.waiting),
        json=lambda: render_json(review.plan, review.findings),
        markdown=lambda: plan_comment(command, review.plan, review.findings, waiting=review.waiting, warnings=review.warnings),
        github=lambda: annotation_lines(_annotations(session, review)) + notice_line(f"hookctl {command}", plan_summary(review.plan)),
        sarif=lambda: sarif_text(_annotations(session, review), command),
    )


def _annotations(session: Session, review: Review) -> list[Annotation]:
    from hookctl.cli.repository import repository_root
    from hookctl.report.annotations import of_findings, of_policies

    root = repository_root()
    return [*of_findings(review.warnings, root), *of_policies(review.findings, session.directory, root)]


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
