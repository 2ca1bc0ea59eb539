"""The format ``github``: annotations, each a line that the runner of GitHub Actions shows beside the code."""

from __future__ import annotations

from collections.abc import Iterable

from hookctl.plugin.report_format import FindingsReport, ReportFormat, ResultsReport, ReviewReport
from hookctl.report.formats.annotations import Annotation, of_findings, of_results, of_review
from hookctl.report.text.printable import inert, printable, printable_lines

ESCAPES = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
"""In the order in which they are replaced."""
PROPERTY_ESCAPES = (*ESCAPES, (":", "%3A"), (",", "%2C"))


def annotation_lines(annotations: Iterable[Annotation]) -> str:
    """A workflow command for each, errors first: GitHub shows only ten of each kind and step."""
    return "".join(
        _command(annotation) for annotation in sorted(annotations, key=lambda annotation: not annotation.is_error)
    )


def notice_line(title: str, message: str) -> str:
    """A notice that belongs to no file."""
    return f"::notice title={_escaped(title, PROPERTY_ESCAPES)}::{_escaped(inert(printable_lines(message)), ESCAPES)}\n"


def _command(annotation: Annotation) -> str:
    place = printable(annotation.path)
    properties: dict[str, str | int] = {"file": place}
    if span := annotation.span:
        properties |= {"line": span.line, "endLine": span.end_line}
        place += f":{span.line}:{span.column}"
        if span.line == span.end_line:  # GitHub accepts columns only within one line
            properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = annotation.rule
    named = ",".join(f"{name}={_escaped(inert(str(value)), PROPERTY_ESCAPES)}" for name, value in properties.items())
    message = "\n".join([f"{place}: {annotation.message}", *annotation.advice])
    return f"::{'error' if annotation.is_error else 'warning'} {named}::{_escaped(inert(message), ESCAPES)}\n"


def _escaped(text: str, escapes: Iterable[tuple[str, str]]) -> str:
    for character, escape in escapes:
        text = text.replace(character, escape)
    return text


def _findings(report: FindingsReport) -> str:
    return annotation_lines(of_findings(report.findings, report.root))


def _review(report: ReviewReport) -> str:
    from hookctl.report.text.plan import plan_summary

    notices = [plan_summary(report.review.plan), *([report.outcome.message] if report.outcome else [])]
    return annotation_lines(of_review(report)) + "".join(
        notice_line(f"hookctl {report.command}", notice) for notice in notices
    )


def _results(report: ResultsReport) -> str:
    annotations = annotation_lines(of_results(report.results, report.webhooks, report.root))
    return annotations + notice_line(f"hookctl {report.command}", report.summary)


FORMAT = ReportFormat(
    name="github",
    summary="For GitHub Actions: annotations next to the lines that they concern.",
    findings=_findings,
    review=_review,
    results=_results,
    has_ci_commands=True,
)
