"""A plan as text for people and as JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hookctl.config.diff import sign, to_document
from hookctl.config.effects import ChangeEffects, Effects
from hookctl.model import Action, Change, Finding, Json, Plan, Revision, Status
from hookctl.model.outline import Outline
from hookctl.report.style import signed, styled
from hookctl.report.text.effects import effect_document, effect_lines, event_lines, summary_document, summary_lines
from hookctl.report.text.fields import field_lines
from hookctl.report.text.outcome import ApplyOutcome, outcome_document
from hookctl.report.text.printable import json_text, printable

if TYPE_CHECKING:
    from hookctl.config.review import PlanFinding

SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.RENAME: "~", Action.UNCHANGED: " "}
NO_EFFECTS = Effects(changes={})
NAMED = 5
"""So many unchanged webhooks are named, the others counted."""
SHORT_COMMIT = 12
"""Characters of a commit's id that a person needs."""


def render_text(plan: Plan, findings: Sequence[PlanFinding] = (), effects: Effects = NO_EFFECTS, *, color: bool) -> str:
    """The changes with their fields, what each means and what policies say of it; then what all mean together, and the summary line."""
    lines: list[str] = []
    outlined: list[str] = []
    said, others = by_change(plan, findings)
    for change in plan.changes if said else plan.changed:
        meaning = effects.changes.get(change.name)
        if meaning and meaning.outline:
            outlined += [
                _outlined(meaning, meaning.outline, color),
                *finding_lines(said.get(change.name, ()), color=color),
            ]
        elif change.action is not Action.UNCHANGED or change.name in said:
            lines += [
                *described(change, meaning, color=color),
                *finding_lines(said.get(change.name, ()), color=color),
                "",
            ]
    if outlined:
        count = sum(meaning.outline is not None for meaning in effects.changes.values())
        lines += [
            f"  {count:,} more {'is' if count == 1 else 'are'} new, in a line each; whole with `--only NAME` or `--format json`:",
            *outlined,
            "",
        ]
    if others:
        lines += [*finding_lines(others, color=color), ""]
    together = summary_lines(effects, color=color)
    return (
        "\n".join([*lines, *_unchanged(plan), *(["Effects:", *together, ""] if together else []), plan_summary(plan)])
        + "\n"
    )


def render_json(
    plan: Plan,
    findings: Sequence[PlanFinding] = (),
    effects: Effects = NO_EFFECTS,
    warnings: Sequence[Finding] = (),
    outcome: ApplyOutcome | None = None,
    *,
    key: bytes | None = None,
) -> str:
    """The plan as ``schemas/plan.schema.json`` has it; what ``--out`` saves and ``apply`` reads. ASCII alone, for terminals and logs.

    ``warnings`` are about the files that it was made of; ``outcome`` is what became of it in an apply; ``key`` signs
    it.
    """
    document = to_document(
        plan, {name: effect_document(found) for name, found in effects.changes.items()}, summary_document(effects)
    )
    document["findings"] = [*map(_warning_document, warnings), *map(_finding_document, findings)]
    if outcome:
        document["outcome"] = outcome_document(outcome)
    if key:
        document = sign(document, key)
    return json_text(document) + "\n"


def by_change(plan: Plan, findings: Sequence[PlanFinding]) -> tuple[dict[str, list[PlanFinding]], list[PlanFinding]]:
    """What is said of each change that something is said of, by its name, and what is said of none."""
    names = {change.name for change in plan.changed} | plan.changes.unchanged
    said: dict[str, list[PlanFinding]] = {}
    others = []
    for finding in findings:
        if finding.webhook in names:
            said.setdefault(finding.webhook, []).append(finding)
        else:
            others.append(finding)
    return said, others


def described(change: Change, effects: ChangeEffects | None, *, color: bool) -> Iterator[str]:
    """A change in lines: its name, its fields, and what it means."""
    sign = SIGNS[change.action]
    shown = change.after or change.before
    target = (
        f"  {shown.method} {printable(shown.url)}"
        if shown and change.action in {Action.DELETE, Action.UNCHANGED}
        else ""
    )  # else among the fields
    name = f"{change.renamed_from} -> {change.name}" if change.renamed_from else change.name
    yield signed(f"  {sign} {printable(name)}", sign, color, bold=True) + target
    if change.renamed_from:
        yield "      renamed; its history and what waits for it follow"
    if change.action is not Action.DELETE:
        yield from change_lines(change, color)
    if effects:
        yield from (f"      {line}" for line in effect_lines(effects, color=color))


def _outlined(effects: ChangeEffects, outline: Outline, color: bool) -> str:
    """A new webhook in one line: what it is, each host that it newly talks to, and the events that it would get."""
    traits = outline.traits
    named = signed(f"  + {printable(effects.name)}", "+", color, bold=True)
    status = "" if traits.status is Status.ACTIVE else f", {traits.status}"
    hosts = f", new host: {', '.join(map(printable, effects.new_hosts))}" if effects.new_hosts else ""
    events = f", {', '.join(event_lines(effects.matching))}" if effects.matching else ""
    return f"{named}  {traits.method} {printable(outline.url)} for {printable(traits.event)}{status}{hosts}{events}"


def change_lines(change: Change, color: bool) -> Iterator[str]:
    """The fields that differ, one a line and a body template line by line."""
    for field in change.fields:
        for mark, text in field_lines(field, change):
            yield signed(f"      {mark} {text}".rstrip(), mark, color)


def finding_lines(findings: Sequence[PlanFinding], *, color: bool) -> Iterator[str]:
    """What policies say, each with its hint."""
    for finding in findings:
        severity, hue = ("error", "red") if finding.is_error else ("warning", "yellow")
        mark = styled(severity, color, fg=hue, bold=True)
        yield f"    {mark}[{printable(finding.policy)}]: {printable(finding.message)}"
        if finding.hint:
            yield f"      {printable(finding.hint)}"
        if finding.file and finding.span:
            yield f"      at {printable(finding.file.path)}:{finding.span.line}:{finding.span.column}"


def _unchanged(plan: Plan) -> list[str]:
    count = len(plan.changes.unchanged)
    if not count or not plan.has_changes:
        return []
    names = map(printable, plan.changes.first_unchanged(NAMED))
    more = f" and {count - NAMED} more" if count > NAMED else ""
    word = "left as they are" if plan.only else "unchanged"
    return [f"    {count} {word}: {', '.join(names)}{more}", ""]


def plan_summary(plan: Plan) -> str:
    """Such as: Plan: 1 to add, 2 to change, 0 to remove."""
    only = f"Only {', '.join(map(printable, plan.only))}. " if plan.only else ""
    if not plan.has_changes:
        then = f"at {revision(plan.against)}" if plan.against else "applied"
        return f"{only}No changes. What {'was' if plan.against else 'is'} {then} is what {'its files say' if only else 'the files say'}."
    counts = Counter(change.action for change in plan.changed)
    renamed = f", {counts[Action.RENAME]} to rename" if counts[Action.RENAME] else ""
    against = f", compared with {revision(plan.against)}" if plan.against else ""
    return f"{only}Plan: {counts[Action.CREATE]} to add, {counts[Action.UPDATE]} to change, {counts[Action.DELETE]} to remove{renamed}{against}."


def revision(named: Revision) -> str:
    """A git revision as a person reads it: what was asked for, and the commit that it is."""
    short = named.commit[:SHORT_COMMIT]
    return short if named.commit.startswith(named.ref) else f"{printable(named.ref)} ({short})"


def _finding_document(finding: PlanFinding) -> Json:
    return {
        "policy": finding.policy,
        "webhook": finding.webhook or None,
        "severity": "error" if finding.is_error else "warning",
        "message": finding.message,
        "hint": finding.hint,
        "range": _range(finding),
    }


def _warning_document(finding: Finding) -> Json:
    return {
        "policy": finding.rule,
        "webhook": finding.webhook or None,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "range": _range(finding),
    }


def _range(finding: PlanFinding | Finding) -> Json:
    if not finding.file or not finding.span:
        return None
    span = finding.span
    start: Json = {"line": span.line, "column": span.column}
    return {"filename": finding.file.path, "start": start, "end": {"line": span.end_line, "column": span.end_column}}
