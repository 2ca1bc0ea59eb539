"""Comments for a pull request: what is wrong in files, what an apply would change, what tests came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from hookctl.config.effects import ChangeEffects
from hookctl.model import Action, Change, Finding
from hookctl.model.quantities import counted
from hookctl.plugin.report_format import ReportFormat
from hookctl.report.formats.markdown import Block, Part, code, document
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.text.effects import summary_lines
from hookctl.report.text.findings import findings_text, summary_line
from hookctl.report.text.outcome import ApplyOutcome, Ending
from hookctl.report.text.plan import by_webhook, described, finding_lines, plan_summary, shown_changes

if TYPE_CHECKING:
    from hookctl.config.review import Review

NAMED = 10
"""So many removed webhooks are named in the warning, the others counted."""
MARKS = {Ending.APPLIED: "✅", Ending.NO_CHANGES: "✅"}
"""Before what became of an apply; all else is a stop."""
INDENT = 6
"""Columns before a change's lines in the text report."""


def findings_comment(command: str, findings: Sequence[Finding], nothing: str) -> str:
    """What is wrong, a block for each file; the sentence ``nothing`` if that is it."""
    return document(
        [f"## hookctl {command}", f"**{summary_line(findings) if findings else nothing}**"], _finding_parts(findings)
    )


def plan_comment(command: str, review: Review, outcome: ApplyOutcome | None = None) -> str:
    """The plan: its summary, a warning of what is removed, its findings, what all of it means, and a block per change."""
    plan, effects = review.plan, review.effects
    removed = [change.name for change in plan.changes if change.action is Action.DELETE]
    head = [f"## hookctl {command}", code(plan_summary(plan))]
    if errors := sum(finding.is_error for finding in review.plan_findings):
        head.append(f"### ⛔ {counted(errors, 'error')}: this cannot be applied")
    if removed:
        more = f" and {len(removed) - NAMED} more" if len(removed) > NAMED else ""
        when = "removed" if outcome and outcome.ending is Ending.APPLIED else "will be removed"
        head += [f"### ⚠️ {counted(len(removed), 'webhook')} {when}", f"{', '.join(map(code, removed[:NAMED]))}{more}"]
    if outcome:
        head.insert(1, f"**{MARKS.get(outcome.ending, '⛔')}** {code(outcome.message)}")
    about, others = by_webhook(plan, review.plan_findings)
    parts = _finding_parts(review.file_findings)
    if outcome and outcome.tests:
        tests = tuple(line for test in outcome.tests for line in test.lines)
        parts.append(partial(Block, "test events", tests, is_open=True))
    if others:
        lines = tuple(map(_diff_line, finding_lines(others, color=False)))
        parts.append(partial(Block, "the plan as a whole", lines, is_open=True))
    if together := tuple(line.strip() for line in summary_lines(effects, color=False)):
        parts.append(partial(Block, "effects", together, is_open=True))
    for change in shown_changes(plan, about):
        parts.append(partial(_change, change, effects.changes.get(change.name), about.get(change.name, ())))
    return document(head, parts)


def _change(change: Change, effects: ChangeEffects | None, findings: Sequence[Finding]) -> Block:
    title, *lines = [*described(change, effects, color=False), *finding_lines(findings, color=False)]
    return Block(title.strip(), tuple(map(_diff_line, lines or [title])), "diff")


def results_comment(command: str, results: Sequence[Result], summary: str) -> str:
    """What tests came to: a line for each, and a block for each that says more."""
    counts = Counter(result.outcome for result in results)
    head = [f"## hookctl {command}", f"**{summary}**"]
    overview = partial(Block, "all", tuple(result.lines[0] for result in results), is_open=not counts[Outcome.FAILED])
    told = [partial(Block, result.lines[0].strip(), result.lines[1:]) for result in results if len(result.lines) > 1]
    return document(head, [*([overview] if results else []), *told])


def _finding_parts(findings: Sequence[Finding]) -> list[Part]:
    return [partial(_file, path, list(group)) for path, group in groupby(findings, key=lambda finding: finding.path)]


def _file(path: str, findings: Sequence[Finding]) -> Block:
    return Block(path, tuple(findings_text(findings).rstrip("\n").split("\n")), is_open=True)


def _diff_line(line: str) -> str:
    """A line of the text report as a diff has it: the sign in the first column, ``!`` for what is changed."""
    shown = line[min(INDENT, len(line) - len(line.lstrip())) :]
    return f"!{shown[1:]}" if shown.startswith("~ ") else shown


FORMAT = ReportFormat(
    name="markdown",
    summary="For a comment on a pull request: Markdown of at most 65,535 characters.",
    findings=lambda report: findings_comment(report.command, report.findings, report.nothing),
    review=lambda report: plan_comment(report.command, report.review, report.outcome),
    results=lambda report: results_comment(report.command, report.results, report.summary),
)
