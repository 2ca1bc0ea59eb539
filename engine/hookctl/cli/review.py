"""Reviews for commands: what they are about, from options and settings, and how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.cli.repository import cache_folder
from hookctl.cli.safety import removal_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.effects import Recent
    from hookctl.config.review import Options, Review
    from hookctl.model import Json
    from hookctl.report.formats.annotations import Annotation
    from hookctl.report.text.outcome import ApplyOutcome


def review_options(
    session: Session,
    *,
    only: tuple[str, ...] = (),
    against: str | None = None,
    samples: tuple[Mapping[str, Json], ...] = (),
    recent: Recent | None = None,
) -> Options:
    """What a review is about: the options of the command, and the settings of this machine."""
    from hookctl.config.review import Options

    return Options(
        only=only,
        against=against,
        samples=samples,
        recent=recent,
        policies=session.settings.get("policies", {}),
        removal_limit=removal_limit(session),
        cache=cache_folder(),
        progress=lambda words: session.progress.update(lambda: words),
    )


def write_review(
    ctx: click.Context, session: Session, outputs: Outputs, review: Review, outcome: ApplyOutcome | None = None
) -> None:
    """Write the review and what became of the plan, in every form that was asked for.

    Raises HookctlError as outputs do.
    """
    from hookctl.report.text.plan import plan_json, plan_summary, render_text
    from hookctl.report.text.printable import printable

    session.progress.clear()
    command = ctx.info_name or ""

    def markdown() -> str:
        from hookctl.report.formats.comment import plan_comment

        return plan_comment(command, review, outcome)

    def github() -> str:
        from hookctl.report.formats.github import annotation_lines, notice_line

        notices = [plan_summary(review.plan), *([outcome.message] if outcome else [])]
        return annotation_lines(_annotations(session, review)) + "".join(
            notice_line(f"hookctl {command}", notice) for notice in notices
        )

    def sarif() -> str:
        from hookctl.report.formats.sarif import sarif_text

        summaries = {name: policy.summary for name, policy in session.plugins.policies.items()}
        return sarif_text(_annotations(session, review), command, summaries)

    ended = f"\n{printable(outcome.message)}\n" if outcome else ""
    outputs.write(
        color=session.color,
        text=lambda color: render_text(review, color=color) + ended,
        json=lambda: plan_json(review, outcome),
        markdown=markdown,
        github=github,
        sarif=sarif,
    )


def _annotations(session: Session, review: Review) -> list[Annotation]:
    from hookctl.cli.repository import repository_root
    from hookctl.report.formats.annotations import of_findings, of_plan

    root = repository_root()
    return [*of_findings(review.file_findings, root), *of_plan(review.plan_findings, session.directory, root)]
