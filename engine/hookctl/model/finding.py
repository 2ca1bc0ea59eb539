"""Findings: what is wrong with files, a plan or a test, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hookctl.model.source import Pointer, SourceFile, Span


class Severity(StrEnum):
    """An error stops plan and apply; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


POLICY = "policy"
"""The rule of every finding that a policy reports; ``source`` names the policy."""
HOOKCTL = "hookctl"
"""The source of hookctl's own findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem in a file, in a plan or in a test.

    A policy gives ``message``, ``webhook`` and, where they apply, ``hint``, ``severity`` and ``pointer``; hookctl fills
    in the rest.
    """

    rule: str = POLICY
    """A rule id from ``hookctl.model.rules``."""
    severity: Severity = Severity.ERROR
    message: str
    """What is wrong, in one sentence without a full stop."""
    hint: str = ""
    """What to do, in one sentence."""
    source: str = HOOKCTL
    """Who reports it: ``hookctl``, or the name of a policy."""
    webhook: str = ""
    """The webhook's name; empty where it is not known, and where a whole file or plan is meant."""
    pointer: Pointer = ()
    """The field that is meant, as a webhook file has it: ``("retry", "schedule")``. A block that stands alone counts as
    the first item of its list: ``("auth", 0)``. Only policies use it: they know no files, and hookctl finds the
    span."""
    file: SourceFile | None = None
    """None where no file is meant."""
    span: Span | None = None
    """None where the whole file or directory is meant."""
    suggestions: tuple[str, ...] = ()
    """Did you mean: nearest first."""
    ignored: str = ""
    """The reason that an author gives in the file for ignoring this warning; empty if it is not ignored."""

    @property
    def is_error(self) -> bool:
        """True for an error, false for a warning."""
        return self.severity is Severity.ERROR

    @property
    def path(self) -> str:
        """The path of the file; empty where no file is meant."""
        return self.file.path if self.file else ""

    @property
    def label(self) -> str:
        """What reports show in brackets: the policy's name, or the rule's id."""
        return self.source if self.rule == POLICY else self.rule


_BRIEF = 60
"""The number of characters of an author's text that a message quotes."""


def brief(text: str) -> str:
    """``text`` as messages quote it: shortened when it is long."""
    return text if len(text) <= _BRIEF else text[: _BRIEF - 3] + "..."


def has_errors(findings: Iterable[Finding]) -> bool:
    """True when one of the findings is an error."""
    return any(finding.is_error for finding in findings)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by file, position and rule: the order in which people read them."""
    return sorted(findings, key=_place)


def _place(finding: Finding) -> tuple[str, int, int, str]:
    line, column = (finding.span.line, finding.span.column) if finding.span else (0, 0)
    return finding.path, line, column, finding.rule
