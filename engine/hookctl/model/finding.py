"""Findings: what is wrong in a file, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hookctl.model.source import SourceFile, Span


class Severity(StrEnum):
    """An error stops plan and apply; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in a file."""

    rule: str
    """A rule id from ``hookctl.model.rules``."""
    severity: Severity
    message: str
    """What is wrong, in one sentence without a full stop."""
    hint: str
    """What to do, in one sentence."""
    file: SourceFile
    span: Span | None = None
    """None where the whole file or directory is meant."""
    suggestions: tuple[str, ...] = ()
    """Did you mean: nearest first."""
    webhook: str = ""
    """The webhook's name, where it is known."""


_BRIEF = 60
"""Characters of an author's text that a message repeats."""


def brief(text: str) -> str:
    """``text`` as a message repeats it: cut where it is long."""
    return text if len(text) <= _BRIEF else text[: _BRIEF - 3] + "..."


def has_errors(findings: Iterable[Finding]) -> bool:
    """True when one of the findings is an error."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, position and rule: the order in which people read them."""
    return sorted(
        findings, key=lambda f: (f.file.path, f.span.line if f.span else 0, f.span.column if f.span else 0, f.rule)
    )
