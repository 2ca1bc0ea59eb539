"""The format ``gitlab``: a code quality report, which GitLab shows in a merge request beside the lines.

GitLab documents it at https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from hookctl.config.check.catalog import RULES
from hookctl.model import Json
from hookctl.plugin.report_format import ReportFormat
from hookctl.report.formats.annotations import Annotation, of_findings, of_results, of_review
from hookctl.report.text.printable import json_text

ERROR, WARNING = "major", "minor"
"""The severities, of GitLab's ``info``, ``minor``, ``major``, ``critical`` and ``blocker``."""
WITHOUT_SPAN = 1
"""The line of a problem that is about a whole file: GitLab requires one."""


def code_quality(annotations: Iterable[Annotation]) -> str:
    """The problems as an array of JSON objects."""
    earlier: Counter[tuple[str, ...]] = Counter()
    issues: list[Json] = []
    for annotation in annotations:
        same = (annotation.rule, annotation.path, annotation.webhook, _unmoved(annotation))
        issues.append(_issue(annotation, _fingerprint(*same, str(earlier[same]))))
        earlier[same] += 1
    return json_text(issues) + "\n"


def _issue(annotation: Annotation, fingerprint: str) -> Json:
    return {
        "description": " ".join([f"{annotation.message}.", *annotation.advice]),
        "check_name": annotation.rule,
        "fingerprint": fingerprint,
        "severity": ERROR if annotation.is_error else WARNING,
        "location": {
            "path": annotation.path,
            "lines": {"begin": annotation.span.line if annotation.span else WITHOUT_SPAN},
        },
    }


def _unmoved(annotation: Annotation) -> str:
    """The message; empty if it contains a position in a file, because an edit elsewhere in the file changes that.

    Then only their order distinguishes the problems of one rule, file and webhook. The message of a policy counts as
    one without a position, because a policy sees no files.
    """
    rule = RULES.get(annotation.rule)
    return "" if rule and rule.names_position else annotation.message


def _fingerprint(*parts: str) -> str:
    """GitLab recognizes a problem of an earlier report by its fingerprint. No line is part of it, because lines move.

    The last part counts equal problems of one file: GitLab shows only one problem for each fingerprint.
    """
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


FORMAT = ReportFormat(
    name="gitlab",
    summary="For GitLab merge requests: a code quality report.",
    findings=lambda report: code_quality(of_findings(report.findings, report.root)),
    review=lambda report: code_quality(of_review(report)),
    results=lambda report: code_quality(of_results(report.results, report.webhooks, report.root)),
)
