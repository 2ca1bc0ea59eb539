"""A report format, and the data of the reports that it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from hookctl.config.review import Review
    from hookctl.model import Finding, Webhook
    from hookctl.report.formats.results import Result
    from hookctl.report.text.outcome import ApplyOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What every report contains about the run."""

    command: str
    """The command that reports, such as ``plan``."""
    root: Path
    """The root of the user's repository; absolute."""
    directory: Path
    """The directory of the webhook files, as the user wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsReport(Report):
    """The findings about webhook files: the result of ``validate``, and of every command that stops at an error."""

    findings: Sequence[Finding]
    """Every finding about the files."""
    nothing: str
    """The text for people if there are no findings."""
    ignored: Sequence[Finding] = ()
    """The warnings that comments in the files ignore, each with its reason in ``ignored``. They are not findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReport(Report):
    """What an apply would change: the result of ``plan`` and ``apply``."""

    review: Review
    """The plan, its effects, and the findings about both, as ``hookctl.review()`` returns them."""
    outcome: ApplyOutcome | None
    """How the apply ended; None for ``plan``, and before an apply."""
    policies: Mapping[str, str]
    """The summary of each policy, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsReport(Report):
    """The results of tests or replays: the result of ``test``."""

    results: Sequence[Result]
    """The result of each test."""
    webhooks: Mapping[str, Webhook]
    """The webhooks of the files, by name; empty if the files have errors."""
    summary: str
    """One sentence that counts the results."""
    json: Callable[[], str]
    """The results as in ``schemas/test.schema.json`` or ``schemas/replay.schema.json``."""
    started_at: datetime
    """When the command began."""


Pieces = str | Iterable[str]
"""A report: text, or pieces of text, each of which begins a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """A format for ``--format``. A command offers it if the format has every kind of report that the command makes."""

    name: str
    summary: str
    findings: Callable[[FindingsReport], Pieces] | None = None
    """Writes findings. ``validate``, ``plan`` and ``apply`` require it; ``test`` uses it for errors in the files."""
    review: Callable[[ReviewReport], Pieces] | None = None
    """Writes a plan. ``plan`` and ``apply`` require it."""
    results: Callable[[ResultsReport], Pieces] | None = None
    """Writes test results. ``test`` requires it."""
    has_ci_commands: bool = False
    """True for a format that consists of commands to a CI system, such as ``::error::``. It must escape untrusted text
    itself. In every other format, hookctl escapes text that a CI system would read as a command.
    """
