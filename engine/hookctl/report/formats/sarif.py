"""The format ``sarif``: SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from hookctl._version import __version__
from hookctl.config.check.catalog import RULES
from hookctl.model import Json
from hookctl.plugin.report_format import ReportFormat
from hookctl.report.formats import annotations as annotated
from hookctl.report.formats.annotations import POLICY_PREFIX, Annotation
from hookctl.report.text.printable import json_text

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
SOURCE_ROOT = "%SRCROOT%"
"""The name by which GitHub and others know the root of the repository."""


def sarif_text(annotations: Iterable[Annotation], command: str, policies: Mapping[str, str] | None = None) -> str:
    """A log of one run.

    Args:
        annotations: the results.
        command: distinguishes the uploads for one commit: ``validate``, ``plan``.
        policies: the summary of each policy, by name.
    """
    annotations = list(annotations)
    rules = list(dict.fromkeys(annotation.rule for annotation in annotations))
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "hookctl",
                "version": __version__,
                "rules": [_descriptor(rule, policies or {}) for rule in rules],
            }
        },
        "automationDetails": {"id": f"hookctl/{command}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {SOURCE_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [_result(annotation, rules.index(annotation.rule)) for annotation in annotations],
    }
    if any(annotation.ignored for annotation in annotations):  # all results have suppressions, or none has
        for annotation, result in zip(annotations, run["results"], strict=True):
            result["suppressions"] = _suppressions(annotation)
    log: Json = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(log) + "\n"


def _descriptor(rule: str, policies: Mapping[str, str]) -> Json:
    summary, explanation, example = _explained(rule)
    summary = policies.get(rule.removeprefix(POLICY_PREFIX), summary) if rule.startswith(POLICY_PREFIX) else summary
    return {
        "id": rule,
        "shortDescription": {"text": _message(summary)},
        "fullDescription": {"text": _message(explanation)},
        "help": {"text": _message(f"{explanation}{example}")},
    }


def _explained(rule: str) -> tuple[str, str, str]:
    """A rule's summary, its explanation, and what follows that in its help."""
    known = RULES["policy" if rule.startswith(POLICY_PREFIX) else rule]
    examples = [f"{title}:\n\n{text}" for title, text in (("Refused", known.bad), ("Accepted", known.good)) if text]
    return known.summary, known.explanation, "".join(f"\n\n{example}" for example in examples)


def _result(annotation: Annotation, index: int) -> dict[str, Json]:
    place: dict[str, Json] = {"artifactLocation": _artifact(annotation.path)}
    if span := annotation.span:  # ends are exclusive, as SARIF has them
        place["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return {
        "ruleId": annotation.rule,
        "ruleIndex": index,
        "level": "error" if annotation.is_error else "warning",
        "message": {"text": _message(" ".join([f"{annotation.message}.", *annotation.advice]))},
        "locations": [{"physicalLocation": place}],
    }


def _suppressions(annotation: Annotation) -> list[Json]:
    return [{"kind": "inSource", "justification": annotation.ignored}] if annotation.ignored else []


def _artifact(path: str) -> Json:
    uri = quote(path, errors="surrogateescape")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": SOURCE_ROOT}


def _message(text: str) -> str:
    """A plain-text message without placeholders or links.

    The standard requires that literal braces are doubled.
    """
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


FORMAT = ReportFormat(
    name="sarif",
    summary="For code scanning: SARIF 2.1.0.",
    findings=lambda report: sarif_text(
        annotated.of_findings([*report.findings, *report.ignored], report.root), report.command
    ),
    review=lambda report: sarif_text(
        [*annotated.of_review(report), *annotated.of_findings(report.review.ignored_findings, report.root)],
        report.command,
        report.policies,
    ),
    results=lambda report: sarif_text(
        annotated.of_results(report.results, report.webhooks, report.root), report.command
    ),
)
