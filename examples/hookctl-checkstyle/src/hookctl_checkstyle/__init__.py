"""A plugin for hookctl: the report format ``checkstyle``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hookctl.plugin import FindingsReport, ReportFormat, ReviewReport, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Finding

COLUMNS = ("what", "path", "line", "webhook", "rule", "message")


def row(*values: object) -> str:
    """One line of the table; csv quotes whatever is in a value."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def rows(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding."""
    for finding in findings:
        line = finding.span.line if finding.span else ""
        yield row(finding.severity, finding.path, line, finding.webhook, finding.rule, finding.message)


def write_findings(report: FindingsReport) -> Iterator[str]:
    """What `validate` found."""
    yield row(*COLUMNS)
    yield from rows(report.findings)


def write_review(report: ReviewReport) -> Iterator[str]:
    """What a plan changes, and the findings about it."""
    yield row(*COLUMNS)
    for change in report.review.plan.changes:
        yield row(change.action, "", "", change.name, "", "")
    yield from rows(report.review.findings)


@hookimpl
def hookctl_format_types() -> Iterable[ReportFormat]:
    """The format, for `validate`, `plan` and `apply`."""
    return [
        ReportFormat(
            name="checkstyle",
            summary="A table of comma-separated values.",
            findings=write_findings,
            review=write_review,
        )
    ]
