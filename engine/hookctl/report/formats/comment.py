"""The format ``markdown``: comments for a pull request about findings, a plan or the results of tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from hookctl.config.effects import ChangeEffects, TypeEffects
from hookctl.model import Action, Change, Finding, TypeChange
from hookctl.model.quantities import counted
from hookctl.plugin.report_format import ReportFormat
from hookctl.report.formats.markdown import Block, Part, code, document
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.style import Line
from hookctl.report.text.effects import effect_lines, summary_lines
from hookctl.report.text.findings import findings_text, ignored_text, summary_line
from hookctl.report.text.outcome import ApplyOutcome, Ending
from hookctl.report.text.plan import (
    by_webhook,
    change_fields,
    change_title,
    finding_parts,
    plan_summary,
    secret_lines,
    shown_changes,
)
from hookctl.report.text.type_changes import type_lines, type_title

if TYPE_CHECKING:
    from hookctl.config.review import Review

NAMED = 10
"""The most removed webhooks that the warning names; more are counted."""
MARKS = {Ending.APPLIED: "✅", Ending.NO_CHANGES: "✅"}
"""The marks of the outcomes of an apply; every other outcome has a stop sign."""


def findings_comment(command: str, findings: Sequence[Finding], nothing: str, ignored: int = 0) -> str:
    """The findings, a block for each file; the sentence ``nothing`` if there are none.

    ``ignored`` is the number of warnings that comments in the files ignore.
    """
    summary = summary_line(findings, ignored) if findings else nothing
    return document([f"## hookctl {command}", f"**{summary}**"], _finding_parts(findings))


def plan_comment(command: str, review: Review, outcome: ApplyOutcome | None = None) -> str:
    """The plan: its summary, a warning about removals, its findings, what it means, and a block for each change."""
    plan, effects = review.plan, review.effects
    removed = [change.name for change in plan.changes if change.action is Action.DELETE]
    head = [f"## hookctl {command}", code(plan_summary(review))]
    if errors := sum(finding.is_error for finding in review.plan_findings):
        head.append(f"### ⛔ {counted(errors, 'error')}: this cannot be applied")
    if removed:
        more = f" and {len(removed) - NAMED} more" if len(removed) > NAMED else ""
        when = "removed" if outcome and outcome.ending is Ending.APPLIED else "will be removed"
        head += [f"### ⚠️ {counted(len(removed), 'webhook')} {when}", f"{', '.join(map(code, removed[:NAMED]))}{more}"]
    if outcome:
        head.insert(1, f"**{MARKS.get(outcome.ending, '⛔')}** {code(outcome.message)}")
    if review.ignored_findings:
        head.append(f"{ignored_text(len(review.ignored_findings))} by comments in the files")
    about, others = by_webhook(plan, review.plan_findings)
    parts = _finding_parts(review.file_findings)
    if outcome and outcome.tests:
        tests = tuple(line for test in outcome.tests for line in test.lines)
        parts.append(partial(Block, "test events", tests, is_open=True))
    if others:
        parts.append(partial(Block, "the plan as a whole", tuple(_about(others)), is_open=True))
    if together := tuple(line.text for line in summary_lines(effects, plan.heal)):
        parts.append(partial(Block, "effects", together, is_open=True))
    for change in shown_changes(plan, about):
        parts.append(partial(_change, change, effects.changes.get(change.name), about.get(change.name, ())))
    types = {one.name: one for one in effects.types}
    parts += [partial(_type_change, change, types.get(change.name)) for change in plan.event_types]
    return document(head, parts)


def _type_change(change: TypeChange, effects: TypeEffects | None) -> Block:
    _, title = type_title(change)
    return Block(title, tuple(map(_diff_line, type_lines(change, effects))) or (title,), "diff")


def _change(change: Change, effects: ChangeEffects | None, findings: Sequence[Finding]) -> Block:
    title = "".join(change_title(change)).strip()
    body = [*change_fields(change), *secret_lines(change), *(effect_lines(effects) if effects else ())]
    lines = [*map(_diff_line, body), *_about(findings)]
    return Block(title, tuple(lines) or (title,), "diff")


def _about(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings about a plan, in lines."""
    for finding in findings:
        message, *details = finding_parts(finding)
        yield f"{finding.severity.value}{message}"
        yield from details


def _diff_line(line: Line) -> str:
    """A line of a change in a block of the language ``diff``, which shows ``!`` as changed and does not know ``~``."""
    return f"{'!' if line.mark == '~' else line.mark}{line.text}"


def results_comment(command: str, results: Sequence[Result], summary: str) -> str:
    """The results of tests: a line for each, and a block for each that has more lines."""
    counts = Counter(result.outcome for result in results)
    head = [f"## hookctl {command}", f"**{summary}**"]
    overview = partial(Block, "all", tuple(result.lines[0] for result in results), is_open=not counts[Outcome.FAILED])
    detailed = [
        partial(Block, result.lines[0].strip(), result.lines[1:]) for result in results if len(result.lines) > 1
    ]
    return document(head, [*([overview] if results else []), *detailed])


def _finding_parts(findings: Sequence[Finding]) -> list[Part]:
    return [partial(_file, path, list(group)) for path, group in groupby(findings, key=lambda finding: finding.path)]


def _file(path: str, findings: Sequence[Finding]) -> Block:
    return Block(path, tuple(findings_text(findings).rstrip("\n").split("\n")), is_open=True)


FORMAT = ReportFormat(
    name="markdown",
    summary="For a comment on a pull request: Markdown of at most 65,535 characters.",
    findings=lambda report: findings_comment(report.command, report.findings, report.nothing, len(report.ignored)),
    review=lambda report: plan_comment(report.command, report.review, report.outcome),
    results=lambda report: results_comment(report.command, report.results, report.summary),
)
