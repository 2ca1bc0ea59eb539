"""The catalog of rules as text and as a page."""

from __future__ import annotations

import textwrap

from hookctl.config.check.catalog import GROUPS, RULES
from hookctl.delivery.events.rules import EVENT_RULES, EventRule
from hookctl.model.api_problems import PROBLEMS
from hookctl.model.rules.rule import Rule
from hookctl.plugin import Policy
from hookctl.report.style import heading
from hookctl.report.text.columns import paragraph
from hookctl.report.text.printable import printable
from hookctl.report.text.schema import field_rows, render_table
from hookctl.report.text.table import table

_INTRODUCTION = """\
This page is for anyone who wants to understand a finding. Every finding names one of these rules, and
`hookctl explain RULE` prints the same text. The page is generated from the rules: `make docs` writes it."""


def rule_text(rule: Rule, *, width: int = 0, color: bool = False) -> str:
    """One rule for a terminal: summary, explanation and examples. ``width`` is in columns; 0 for unlimited."""
    summary, explanation = (paragraph(text, width) for text in (f"{rule.id}: {rule.summary}", rule.explanation))
    parts = [heading(rule.id, color) + summary.removeprefix(rule.id), explanation]
    for title, example in (("Refused", rule.bad), ("Accepted", rule.good)):
        if example:
            parts.append(
                f"{heading(title, color)}:\n\n" + "\n".join(f"    {printable(line)}" for line in example.split("\n"))
            )
    return "\n\n".join(parts) + "\n"


def answer_text(name: str, *, width: int = 0, color: bool = False) -> str:
    """For a terminal: what a rule of events or a problem of the API means, and what to do. ``width`` is as above."""
    parts = []
    if name in EVENT_RULES:
        meaning, fix = EVENT_RULES[EventRule(name)]
        parts += [f"{name}: the event {meaning}.", fix]
    if name in PROBLEMS:
        status, meaning = PROBLEMS[name]
        parts += [f"{name}: the API of `hookctl serve` answers with status {status} because {meaning}."]
    parts += ["`hookctl explain serve` describes the API."]
    first, *rest = (paragraph(part, width) for part in parts)
    return "\n\n".join([heading(name, color) + first.removeprefix(name), *rest]) + "\n"


def policy_text(policy: Policy, *, width: int = 0, color: bool = False) -> str:
    """One policy for a terminal: summary, the settings of its table, and what applies to every policy."""
    rows = field_rows(policy.schema)
    settings = (
        f"Settings in [policies.{policy.name}] of hookctl.toml:\n\n{render_table(rows, width=width, color=color)}\n"
        if rows
        else ""
    )
    heading = paragraph(printable(f"{policy.name}: {policy.summary}"), width)
    return f"{heading}\n\n{settings}{rule_text(RULES['policy'], width=width, color=color)}"


def rules_text(*, width: int = 0, color: bool = False) -> str:
    """Every rule with its summary, a row each, below the heading of its group. ``width`` is as for a rule."""
    groups = []
    for title, rules in GROUPS.items():
        rows = [(rule.id, rule.summary) for rule in rules]
        groups.append("\n".join([heading(f"{title}:", color), *table(rows, indent=2, width=width, color=False)]) + "\n")
    return "\n".join(groups)


def rules_page() -> str:
    """docs/rules.md."""
    parts = ["# Rules", _INTRODUCTION]
    for rule in RULES.values():
        parts += [
            f"## {rule.id}",
            rule.summary,
            textwrap.fill(rule.explanation, 120, break_on_hyphens=False, break_long_words=False),
        ]
        parts += [
            f"{title}:\n\n```yaml\n{example}\n```"
            for title, example in (("Refused", rule.bad), ("Accepted", rule.good))
            if example
        ]
    return "\n\n".join(parts) + "\n"
