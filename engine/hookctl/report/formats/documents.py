"""The format ``json``: findings, plans and test results as the schemas in ``schemas/`` describe them."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.plugin.report_format import FindingsReport, ReportFormat, ResultsReport, ReviewReport


def _findings(report: FindingsReport) -> str:
    from hookctl.report.text.findings import findings_json_text

    return findings_json_text(report.findings, report.ignored)


def _review(report: ReviewReport) -> Iterator[str]:
    from hookctl.report.text.plan import plan_json

    return plan_json(report.review, report.outcome)


def _results(report: ResultsReport) -> str:
    return report.json()


FORMAT = ReportFormat(
    name="json",
    summary="For programs; each kind of report has a JSON Schema.",
    findings=_findings,
    review=_review,
    results=_results,
)
