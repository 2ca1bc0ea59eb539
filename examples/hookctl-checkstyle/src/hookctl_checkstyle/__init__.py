"""A plugin for hookctl: the report format ``checkstyle``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from hookctl.plugin import FindingsReport, ReportFormat, ReviewReport, hookimpl

if TYPE_CHECKING:
    from hookctl.model import Finding

FOREIGN = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot contain, or does not keep in an attribute."""


def attribute(name: str, value: object) -> str:
    """``name="value"``, with everything escaped that XML requires."""
    return f"{name}={quoteattr(FOREIGN.sub(' ', str(value)))}"


def error(finding: Finding) -> str:
    """The element of one finding, in a line of its own."""
    position = [("line", finding.span.line), ("column", finding.span.column)] if finding.span else []
    message = f"{finding.message}. {finding.hint}".strip()
    source = f"hookctl.{finding.label}"
    attributes = [*position, ("severity", finding.severity.value), ("message", message), ("source", source)]
    return f"    <error {' '.join(attribute(*pair) for pair in attributes)}/>\n"


def place(finding: Finding) -> str:
    """The file of a finding; that of a policy has only the name of a webhook."""
    return finding.path or finding.webhook


def document(findings: Iterable[Finding]) -> Iterator[str]:
    """The whole report."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n'
    for name, group in groupby(sorted(findings, key=place), key=place):
        yield f"  <file {attribute('name', name)}>\n"
        yield from map(error, group)
        yield "  </file>\n"
    yield "</checkstyle>\n"


def write_findings(report: FindingsReport) -> Iterator[str]:
    """What `validate` found."""
    return document(report.findings)


def write_review(report: ReviewReport) -> Iterator[str]:
    """What `plan` and `apply` found. The format has no place for changes."""
    return document(report.review.findings)


@hookimpl
def hookctl_format_types() -> Iterable[ReportFormat]:
    """The format, for `validate`, `plan` and `apply`."""
    return [
        ReportFormat(
            name="checkstyle",
            summary="For Jenkins, reviewdog and others: XML as Checkstyle writes it.",
            findings=write_findings,
            review=write_review,
        )
    ]
