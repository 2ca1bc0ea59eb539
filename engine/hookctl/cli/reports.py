"""Writes findings, reviews and results of tests, in every format that was asked for.

All functions raise HookctlError for a file that cannot be written, and PluginError for a plugin's format that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from hookctl.cli.formats import TEXT, Outputs, find_format
from hookctl.cli.repository import repository_root
from hookctl.cli.terminal import text_width
from hookctl.report.formats.registry import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from hookctl.cli.session import Session
    from hookctl.config.review import Review
    from hookctl.model import Finding, Webhook
    from hookctl.plugin.interfaces import Pieces, ReportFormat
    from hookctl.report.formats.results import Result
    from hookctl.report.text.outcome import ApplyOutcome

Make = Callable[[], "Pieces"]


def write_findings(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    findings: Sequence[Finding],
    nothing: str = "No findings.",
    *,
    ignored: Sequence[Finding] = (),
) -> None:
    """Write findings about webhook files; ``nothing`` is what people read if there are none.

    ``ignored`` are the warnings that comments in the files ignore.

    A format without findings reports errors as tests that could not start: a CI step waits for its file.
    """
    from hookctl.plugin.interfaces import FindingsReport, ResultsReport
    from hookctl.report.formats.results import of_findings
    from hookctl.report.text.findings import findings_json_text, findings_text, ignored_text, summary_line

    nothing += ignored_text(len(ignored), before=" ", after=".")
    report = FindingsReport(**_run(ctx, session), findings=findings, nothing=nothing, ignored=ignored)
    errors = partial(
        ResultsReport,
        **_run(ctx, session),
        webhooks={},
        summary=summary_line(findings, len(ignored)),
        json=lambda: findings_json_text(findings, ignored),
        started_at=datetime.now(UTC),
    )

    def make(found: ReportFormat) -> Make:
        if found.findings:
            return partial(found.findings, report)
        return lambda: found.results(errors(results=of_findings(findings))) if found.results else ""

    def text(color: bool) -> str:
        if not findings:
            return f"{nothing}\n"
        return findings_text(findings, len(ignored), width=text_width(), color=color)

    _write(ctx, session, outputs, text, make)


def write_review(
    ctx: click.Context, session: Session, outputs: Outputs, review: Review, outcome: ApplyOutcome | None = None
) -> None:
    """Write a review, and how the apply ended."""
    from hookctl.plugin.interfaces import ReviewReport
    from hookctl.report.text.plan import render_text
    from hookctl.report.text.printable import printable

    session.progress.clear()
    summaries = {name: policy.summary for name, policy in session.plugins.policies.items()}
    report = ReviewReport(**_run(ctx, session), review=review, outcome=outcome, policies=summaries)
    ended = f"\n{printable(outcome.message)}\n" if outcome else ""
    via = _proxy_note(session) if review.plan.has_changes else ""
    _write(
        ctx,
        session,
        outputs,
        lambda color: render_text(review, color=color) + via + ended,
        lambda found: partial(found.review, report) if found.review else str,
    )


@dataclass(frozen=True, slots=True)
class Reports:
    """How ``hookctl test`` was asked to report."""

    outputs: Outputs
    show_invocation: bool
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def write(
        self,
        ctx: click.Context,
        session: Session,
        results: Sequence[Result],
        webhooks: Mapping[str, Webhook],
        *,
        summary: str,
        text: Callable[[bool], str],
        json: Callable[[], str],
    ) -> None:
        """Write results. ``text`` and ``json`` make those formats; tests and replays have their own."""
        from hookctl.plugin.interfaces import ResultsReport

        report = ResultsReport(
            **_run(ctx, session),
            results=results,
            webhooks=webhooks,
            summary=summary,
            json=json,
            started_at=self.started_at,
        )
        make = lambda found: partial(found.results, report) if found.results else str  # noqa: E731
        _write(ctx, session, self.outputs, text, make)


def _proxy_note(session: Session) -> str:
    """The lines that name the proxy; empty without one."""
    from hookctl.report.text.network import proxy_note

    return f"\n{proxy_note(session.proxy)}\n" if session.proxy else ""


def _run(ctx: click.Context, session: Session) -> dict[str, Any]:
    """What every report has."""
    return {"command": ctx.info_name or "", "root": repository_root(), "directory": session.directory}


def _write(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    text: Callable[[bool], str],
    make: Callable[[ReportFormat], Make],
) -> None:
    """Write each format: ``text`` is called with whether to color, ``make`` gives what makes a format's report."""
    formats = {form: find_format(form, ctx) for form in outputs.forms - {TEXT}}
    outputs.write(
        color=session.color,
        text=text,
        ci_commands={form for form, found in formats.items() if found.has_ci_commands},
        **{form: make(found) if form in FORMATS else _safe(make(found)) for form, found in formats.items()},
    )


def _safe(make: Make) -> Make:
    """A plugin's report, without the characters that a terminal acts on; line feeds and tabs stay."""
    from hookctl.report.text.printable import printable_lines

    return lambda: "\t".join(map(printable_lines, "".join(make()).split("\t")))
