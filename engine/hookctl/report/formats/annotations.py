"""Problems with their places in the repository, for the formats ``github``, ``sarif`` and ``gitlab``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hookctl.model import Finding, Span, Webhook
from hookctl.model.finding import POLICY
from hookctl.model.rules.plans import TEST_FAILED
from hookctl.plugin.report_format import ReviewReport
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.text.printable import printable

POLICY_PREFIX = "policy/"
"""The prefix that makes a policy's name a rule id."""
FAILED_TEST = TEST_FAILED.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One problem."""

    rule: str
    """A rule's id, or ``policy/NAME``."""
    is_error: bool
    message: str
    """One line without a full stop."""
    advice: tuple[str, ...]
    """Sentences that say what to do."""
    path: str
    """Relative to the root of the repository, with slashes; absolute outside it."""
    span: Span | None
    ignored: str = ""
    """The reason that an author gives for ignoring it; empty if it is not ignored."""
    webhook: str = ""
    """The name of the webhook that it is about; empty if it is about none, or about one whose name is not known."""


def of_findings(findings: Iterable[Finding], root: Path) -> Iterator[Annotation]:
    """The findings about files. ``root`` is the root of the repository."""
    for finding in findings:
        meant = (f"Did you mean {' or '.join(finding.suggestions)}?",) if finding.suggestions else ()
        yield Annotation(
            rule=finding.rule,
            is_error=finding.is_error,
            message=printable(finding.message),
            advice=tuple(map(printable, (*meant, finding.hint))) if finding.hint else tuple(map(printable, meant)),
            path=in_repository(finding.path, root),
            span=finding.span,
            ignored=printable(finding.ignored),
            webhook=finding.webhook,
        )


def of_plan(findings: Iterable[Finding], directory: Path, root: Path) -> Iterator[Annotation]:
    """The findings about a plan. One without a file is placed at ``directory``, where the webhook files are."""
    for finding in findings:
        about = f"{finding.webhook}: " if finding.webhook else ""
        yield Annotation(
            rule=f"{POLICY_PREFIX}{finding.source}" if finding.rule == POLICY else finding.rule,
            is_error=finding.is_error,
            message=printable(f"{about}{finding.message}"),
            advice=(printable(finding.hint),) if finding.hint else (),
            path=in_repository(finding.file.path if finding.file else str(directory), root),
            span=finding.span if finding.file else None,
            webhook=finding.webhook,
        )


def of_review(report: ReviewReport) -> list[Annotation]:
    """Every finding of a review: about the files, then about the plan."""
    review = report.review
    return [
        *of_findings(review.file_findings, report.root),
        *of_plan(review.plan_findings, report.directory, report.root),
    ]


def of_results(results: Iterable[Result], places: Mapping[str, Webhook], root: Path) -> Iterator[Annotation]:
    """The failed tests, each at the name of its webhook. ``places`` are the webhooks of the files, by name."""
    for result in results:
        if result.outcome is Outcome.FAILED:
            webhook = places[result.webhook]
            yield Annotation(
                rule=FAILED_TEST,
                is_error=True,
                message=printable(f"{result.webhook}: {result.reason}"),
                advice=tuple(map(printable, result.advice)),
                path=in_repository(webhook.file.path, root),
                span=webhook.positions.value(("name",)),
                webhook=result.webhook,
            )


def in_repository(path: str, root: Path) -> str:
    """A path, as the user wrote it, relative to the root of the repository; absolute if it is not below that."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve() would follow links; git does not
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.as_posix()
