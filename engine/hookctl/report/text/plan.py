"""A plan as text for people and as JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from hookctl.config.diff import change_document, document_head, field_changes, sign
from hookctl.config.effects import ChangeEffects
from hookctl.model import Action, Change, DeliveryPlan, Finding, Json, Plan, Revision, Status
from hookctl.model.change import by_name
from hookctl.model.quantities import counted
from hookctl.model.secret import plan_references
from hookctl.report.style import Line, signed, styled
from hookctl.report.text.effects import (
    effect_document,
    effect_lines,
    event_lines,
    missed_lines,
    summary_document,
    summary_lines,
)
from hookctl.report.text.fields import field_lines
from hookctl.report.text.outcome import ApplyOutcome, outcome_document
from hookctl.report.text.printable import json_chunks, printable
from hookctl.report.text.type_changes import type_lines, type_title, types_document

if TYPE_CHECKING:
    from hookctl.config.review import Review

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.RENAME: "~", Action.UNCHANGED: " "}
INDENT = " " * 6
"""Before each line of a change that is below its title."""
NAMED = 5
"""The number of unchanged webhooks that are listed by name; the others are counted."""
SHORT_COMMIT = 12
"""The number of characters of a commit's id that are shown."""


def render_text(review: Review, *, color: bool) -> str:
    """The changes with their fields, what each means and its findings; then what all mean together, and the summary."""
    plan, effects = review.plan, review.effects
    lines: list[str] = []
    brief: list[str] = []
    found, others = by_webhook(plan, review.plan_findings)
    for change in shown_changes(plan, found):
        findings = [*finding_lines(found.get(change.name, ()), color=color)]
        meaning = effects.changes.get(change.name)
        if meaning and meaning.is_brief and change.after:
            brief += [_new_in_one_line(change.after, meaning, color), *findings]
        else:
            lines += [_title_text(change, color), *_body_text(change, meaning, color), *findings, ""]
    lines += _types_text(review, color)
    if brief:
        count = sum(meaning.is_brief for meaning in effects.changes.values())
        are = "is" if count == 1 else "are"
        lines += [f"  {count:,} more {are} new, one line each; see one in full with `--only NAME`:", *brief, ""]
    if others:
        lines += [*finding_lines(others, color=color), ""]
    together = [f"  {line.styled(color)}" for line in summary_lines(effects, plan.heal)]
    effect_block = ["Effects:", *together, ""] if together else []
    errors = sum(finding.is_error for finding in review.plan_findings)
    refusal = [f"{counted(errors, 'error')}: this plan cannot be applied."] if errors else []
    return "\n".join([*lines, *_unchanged(plan), *effect_block, plan_summary(review), *refusal]) + "\n"


def plan_json(review: Review, outcome: ApplyOutcome | None = None, *, key: bytes | None = None) -> Iterator[str]:
    """The plan as ``schemas/plan.schema.json`` describes it, piece by piece: what ``--out`` saves and ``apply`` reads.

    It is ASCII alone, for terminals and logs. Only one change is in memory at a time, unless ``key`` signs the
    document.

    Args:
        review: the plan, what it means, and every finding.
        outcome: what became of it in an apply.
        key: signs the document.
    """
    changes = (
        change_document(
            change, effect_document(effects) if (effects := review.effects.changes.get(change.name)) else None
        )
        for change in review.plan.changes
    )
    document: dict[str, Any] = {
        **document_head(
            review.plan, summary_document(review.effects), types_document(review.plan, review.effects.types)
        ),
        "changes": changes,
        "findings": [*map(_finding_document, review.findings)],
    }
    if review.ignored_findings:
        document["ignored"] = [_finding_document(one) | {"reason": one.ignored} for one in review.ignored_findings]
    if outcome:
        document["outcome"] = outcome_document(outcome)
    return json_chunks(sign({**document, "changes": [*changes]}, key) if key else document)


def _types_text(review: Review, color: bool) -> Iterator[str]:
    """The changes of event types, and what each means."""
    effects = {one.name: one for one in review.effects.types}
    for change in review.plan.event_types:
        sign, title = type_title(change)
        yield signed(f"  {title}", sign, color, bold=True)
        yield from (line.styled(color, INDENT) for line in type_lines(change, effects.get(change.name)))
        yield ""


def by_webhook(plan: Plan, findings: Sequence[Finding]) -> tuple[dict[str, list[Finding]], list[Finding]]:
    """The findings about each webhook of the plan, by its name, and the findings about none of them."""
    names = {change.name for change in plan.changes} | plan.digests.keys()
    found: dict[str, list[Finding]] = {}
    others = []
    for finding in findings:
        if finding.webhook in names:
            found.setdefault(finding.webhook, []).append(finding)
        else:
            others.append(finding)
    return found, others


def shown_changes(plan: Plan, found: Collection[str]) -> Sequence[Change]:
    """The changes, and the unchanged webhooks that findings are about (``found``); ordered by name."""
    unchanged = (
        Change(name, Action.UNCHANGED, plan.unchanged[name], plan.unchanged[name])
        for name in found
        if name in plan.unchanged
    )
    return sorted([*plan.changes, *unchanged], key=lambda change: by_name(change.name))


def change_title(change: Change) -> tuple[str, str]:
    """The change with its sign and name, and the target of a change whose fields are not listed."""
    shown = change.before if change.action in {Action.DELETE, Action.UNCHANGED} else None
    name = f"{change.renamed_from} -> {change.name}" if change.renamed_from else change.name
    return f"{SIGNS[change.action]} {printable(name)}", f"  {shown.method} {printable(shown.url)}" if shown else ""


def change_fields(change: Change) -> Iterator[Line]:
    """What differs: the name, and the fields of a change that lists them."""
    if change.renamed_from:
        yield Line("renamed; its history and waiting deliveries move with it")
    if change.action not in {Action.DELETE, Action.UNCHANGED}:
        yield from change_lines(change)


def secret_lines(change: Change) -> Iterator[Line]:
    """The secrets that the webhook needs from now on, by reference; they are not read."""
    if change.after:
        before = plan_references(change.before) if change.before else set()
        if needed := sorted(map(str, plan_references(change.after) - before)):
            yield Line(f"needs secrets: {', '.join(map(printable, needed))}")


def change_lines(change: Change) -> Iterator[Line]:
    """The fields that differ, one on each line and a body template line by line."""
    for field in field_changes(change):
        for mark, text in field_lines(field, change):
            line = f"{mark} {text}".rstrip()
            yield Line(line[1:], line[:1])


def _title_text(change: Change, color: bool) -> str:
    title, target = change_title(change)
    return signed(f"  {title}", SIGNS[change.action], color, bold=True) + target


def _body_text(change: Change, effects: ChangeEffects | None, color: bool) -> Iterator[str]:
    yield from (line.styled(color, INDENT) for line in change_fields(change))
    about = [*secret_lines(change), *(effect_lines(effects) if effects else ())]
    yield from (f"{INDENT}{line.styled(color)}" for line in about)


def _new_in_one_line(plan: DeliveryPlan, effects: ChangeEffects, color: bool) -> str:
    """What it is, each host that is contacted for the first time, and the events that it would receive."""
    named = signed(f"  + {printable(effects.name)}", "+", color, bold=True)
    status = "" if plan.status is Status.ACTIVE else f", {plan.status}"
    hosts = f", new host: {', '.join(map(printable, effects.new_hosts))}" if effects.new_hosts else ""
    events = f", {', '.join(event_lines(effects.matching))}" if effects.matching else ""
    if effects.matching and effects.matching.missed:
        events += f", {' '.join(map(str.strip, missed_lines(effects.name, effects.matching)))}"
    return f"{named}  {plan.method} {printable(plan.url)} for {printable(plan.events_text)}{status}{hosts}{events}"


def finding_lines(findings: Sequence[Finding], *, color: bool) -> Iterator[str]:
    """The findings about a plan, each with its hint and its place."""
    for finding in findings:
        mark = styled(finding.severity.value, color, fg="red" if finding.is_error else "yellow", bold=True)
        message, *details = finding_parts(finding)
        yield f"    {mark}{message}"
        yield from (f"{INDENT}{detail}" for detail in details)


def finding_parts(finding: Finding) -> Iterator[str]:
    """What follows the severity of a finding about a plan; then its hint and its place, if it has them."""
    yield f"[{printable(finding.label)}]: {printable(finding.message)}"
    if finding.hint:
        yield printable(finding.hint)
    if finding.file and finding.span:
        yield f"at {printable(finding.file.path)}:{finding.span.line}:{finding.span.column}"


def _unchanged(plan: Plan) -> list[str]:
    count = len(plan.digests)
    if not count or not plan.has_changes:
        return []
    names = map(printable, nsmallest(NAMED, plan.digests, key=by_name))
    more = f" and {count - NAMED} more" if count > NAMED else ""
    word = "left as they are" if plan.only else "unchanged"
    return [f"    {count} {word}: {', '.join(names)}{more}", ""]


def plan_summary(review: Review) -> str:
    """Such as: Plan: 1 to add, 2 to change, 0 to remove."""
    plan = review.plan
    only = f"Only {', '.join(map(printable, plan.only))}. " if plan.only else ""
    only = f"Environment {printable(plan.environment)}. {only}" if plan.environment else only
    if not plan.has_changes:
        if not review.is_complete:
            return f"{only}No changes found, but not every webhook could be compared."
        files = "its files" if only else "the files"
        if plan.against:
            return f"{only}No changes. {files.capitalize()} match {revision(plan.against)}."
        return f"{only}No changes. The applied webhooks match {files}."
    counts = Counter(change.action for change in plan.changes)
    renamed = f", {counts[Action.RENAME]} to rename" if counts[Action.RENAME] else ""
    against = f", compared with {revision(plan.against)}" if plan.against else ""
    changes = f"{counts[Action.CREATE]} to add, {counts[Action.UPDATE]} to change, {counts[Action.DELETE]} to remove"
    return f"{only}Plan: {changes}{renamed}{types_changed(plan)}{against}."


def types_changed(plan: Plan) -> str:
    """How many event types change, for the end of a list; empty if none does."""
    return f", {counted(len(plan.event_types), 'event type')}" if plan.event_types else ""


def revision(named: Revision) -> str:
    """A git revision as a person reads it: what was asked for, and the commit that it is."""
    short = named.commit[:SHORT_COMMIT]
    return short if named.commit.startswith(named.ref) else f"{printable(named.ref)} ({short})"


def _finding_document(finding: Finding) -> dict[str, Json]:
    return {
        "policy": finding.label,
        "webhook": finding.webhook or None,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "range": _range(finding),
    }


def _range(finding: Finding) -> Json:
    if not finding.file or not finding.span:
        return None
    span = finding.span
    start: Json = {"line": span.line, "column": span.column}
    return {"filename": finding.file.path, "start": start, "end": {"line": span.end_line, "column": span.end_column}}
