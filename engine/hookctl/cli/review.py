"""What ``plan`` and ``apply`` have in common: findings, the plan, and what policies and the queue say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hookctl.cli.checked import checked_directory, unknown_webhook
from hookctl.cli.repository import cache_folder
from hookctl.cli.safety import drift, removal_limit
from hookctl.cli.surroundings import NOTHING_GIVEN, Given, gather

if TYPE_CHECKING:
    import click

    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.directory import Checked
    from hookctl.config.effects import Effects
    from hookctl.config.review import PlanFinding
    from hookctl.model import Finding, Plan
    from hookctl.report.formats.annotations import Annotation
    from hookctl.report.text.outcome import ApplyOutcome


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan is to be about."""

    only: tuple[str, ...] = ()
    """The names of the webhooks; empty: all."""
    against: str | None = None
    """The git revision to compare with; None: what is applied."""


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Review:
    """A plan and everything that is said of it."""

    plan: Plan
    findings: tuple[PlanFinding, ...]
    effects: Effects
    warnings: tuple[Finding, ...] = ()
    """About the files that the plan was made of."""

    @property
    def refused(self) -> bool:
        """True when the plan may not be applied."""
        return any(finding.is_error for finding in self.findings)

    @property
    def has_drift(self) -> bool:
        """True when something else than an apply has changed what runs."""
        from hookctl.config.review import DRIFT

        return any(finding.policy == DRIFT for finding in self.findings)

    def refusing_removals(self) -> Review:
        """The same, but that too many removals are an error."""
        from hookctl.config.review import REMOVALS

        return replace(
            self,
            findings=tuple(replace(one, is_error=True) if one.policy == REMOVALS else one for one in self.findings),
        )


def review_directory(
    ctx: click.Context, session: Session, outputs: Outputs, given: Given = NOTHING_GIVEN, scope: Scope = EVERYTHING
) -> Review:
    """Plan the directory's files as ``scope`` says. Shows their findings; errors among them end the command."""
    return review_checked(
        session, checked_directory(ctx, session, outputs, warnings_to_stderr=outputs.printed != "text"), given, scope
    )


def review_checked(
    session: Session, checked: Checked, given: Given = NOTHING_GIVEN, scope: Scope = EVERYTHING
) -> Review:
    """Plan files that were checked, and are valid, against what is applied now or was said in a revision."""
    from hookctl.config.review import Base, check_revision, plan_directory, tool_versions
    from hookctl.model import AppliedState
    from hookctl.store.sqlite.applied import AppliedStore

    base: Base | None = (
        check_revision(session.directory, scope.against, session.plugins, cache=cache_folder())
        if scope.against is not None
        else None
    )
    session.progress.update(lambda: f"{len(checked.plans):,} webhooks read, comparing them")
    applied = AppliedState(plans=base.plans) if base else AppliedStore(session.store_path).read()
    known = {*applied.plans, *checked.plans}
    for name in scope.only:
        if name not in known:
            raise unknown_webhook(name, known)
    versions = tool_versions(session.plugins)
    plan = plan_directory(checked, applied, versions, only=scope.only, against=base.revision if base else None)
    said = base.findings if base else drift(session, applied)
    return _review(session, plan, said, checked, given)


def review_saved(session: Session, plan: Plan, warnings: tuple[Finding, ...] = ()) -> Review:
    """A saved plan, with what it means now and what policies say of it now; ``warnings`` are about its webhooks.

    What the file says is applied is not believed: of a plan that starts from anything else, which no apply carries out,
    only the changes are shown.
    """
    from hookctl.config.effects import Effects
    from hookctl.store.sqlite.applied import AppliedStore

    applied = AppliedStore(session.store_path).read()
    said = drift(session, applied)
    if not plan.starts_from(applied):
        return Review(plan, tuple(said), Effects(changes={}), warnings)
    return replace(_review(session, plan, said), warnings=warnings)


def _review(
    session: Session,
    plan: Plan,
    said: Sequence[PlanFinding],
    checked: Checked | None = None,
    given: Given = NOTHING_GIVEN,
) -> Review:
    from hookctl.config.review import check_plan, check_removals, plan_effects

    webhooks, warnings, outlines = (checked.webhooks, checked.findings, checked.outlines) if checked else ((), (), None)
    session.progress.update(lambda: f"{len(plan.changed):,} changes, working out what they mean")
    known = gather(session, plan, given)
    effects = plan_effects(
        plan, session.plugins, samples=known.samples, recent=known.recent, waiting=known.waiting, outlines=outlines
    )
    findings = check_plan(plan, session.plugins, session.settings.get("policies", {}), webhooks)
    removals = check_removals(plan, removal_limit(session), is_error=False)
    session.progress.clear()
    return Review(plan, (*said, *findings, *removals), effects, warnings)


def write_review(
    ctx: click.Context, session: Session, outputs: Outputs, review: Review, outcome: ApplyOutcome | None = None
) -> None:
    """Write the plan, what is said of it and what became of it, in each form asked for. Raises HookctlError as outputs do."""
    from hookctl.report.text.plan import plan_summary, render_json, render_text
    from hookctl.report.text.printable import printable

    command = ctx.info_name or ""

    def markdown() -> str:
        from hookctl.report.formats.comment import plan_comment

        return plan_comment(
            command, review.plan, review.findings, effects=review.effects, warnings=review.warnings, outcome=outcome
        )

    def github() -> str:
        from hookctl.report.formats.github import annotation_lines, notice_line

        notices = [plan_summary(review.plan), *([outcome.message] if outcome else [])]
        return annotation_lines(_annotations(session, review)) + "".join(
            notice_line(f"hookctl {command}", notice) for notice in notices
        )

    def sarif() -> str:
        from hookctl.report.formats.sarif import sarif_text

        return sarif_text(
            _annotations(session, review),
            command,
            {name: policy.summary for name, policy in session.plugins.policies.items()},
        )

    ended = f"\n{printable(outcome.message)}\n" if outcome else ""
    outputs.write(
        color=session.color,
        text=lambda color: render_text(review.plan, review.findings, review.effects, color=color) + ended,
        json=lambda: render_json(review.plan, review.findings, review.effects, review.warnings, outcome),
        markdown=markdown,
        github=github,
        sarif=sarif,
    )


def _annotations(session: Session, review: Review) -> list[Annotation]:
    from hookctl.cli.repository import repository_root
    from hookctl.report.formats.annotations import of_findings, of_policies

    root = repository_root()
    return [*of_findings(review.warnings, root), *of_policies(review.findings, session.directory, root)]
