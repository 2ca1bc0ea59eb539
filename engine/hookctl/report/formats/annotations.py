"""What is wrong, with its place in the repository: what GitHub's annotations and SARIF are made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hookctl.model import Finding, Span, Webhook
from hookctl.model.finding import POLICY
from hookctl.model.rules.plans import TEST_FAILED
from hookctl.report.formats.results import Outcome, Result
from hookctl.report.text.printable import printable

POLICY_PREFIX = "policy/"
"""Before a policy's name, where a rule id is asked for."""
FAILED_TEST = TEST_FAILED.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One thing that is wrong."""

    rule: str
    """A rule id of the catalogue, or ``policy/NAME``."""
    is_error: bool
    message: str
    """In one line, without a full stop."""
    advice: tuple[str, ...]
    """What to do, in sentences."""
    path: str
    """Relative to the repository's root, with slashes; absolute outside of it."""
    span: Span | None


def of_findings(findings: Iterable[Finding], root: Path) -> Iterator[Annotation]:
    """What is wrong in files. ``root`` is the repository's."""
    for finding in findings:
        meant = (f"Did you mean {' or '.join(finding.suggestions)}?",) if finding.suggestions else ()
        yield Annotation(
            rule=finding.rule,
            is_error=finding.is_error,
            message=printable(finding.message),
            advice=tuple(map(printable, (*meant, finding.hint))) if finding.hint else tuple(map(printable, meant)),
            path=in_repository(finding.path, root),
            span=finding.span,
        )


def of_plan(findings: Iterable[Finding], directory: Path, root: Path) -> Iterator[Annotation]:
    """The findings about a plan. One without a file is about the ``directory`` of the webhooks."""
    for finding in findings:
        about = f"{finding.webhook}: " if finding.webhook else ""
        yield Annotation(
            rule=f"{POLICY_PREFIX}{finding.source}" if finding.rule == POLICY else finding.rule,
            is_error=finding.is_error,
            message=printable(f"{about}{finding.message}"),
            advice=(printable(finding.hint),) if finding.hint else (),
            path=in_repository(finding.file.path if finding.file else str(directory), root),
            span=finding.span if finding.file else None,
        )


def of_results(results: Iterable[Result], places: Mapping[str, Webhook], root: Path) -> Iterator[Annotation]:
    """The tests that failed, each where its webhook's name stands; ``places`` are the webhooks of the files, by name."""
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
            )


def in_repository(path: str, root: Path) -> str:
    """A path as the user wrote it, relative to the root of the repository; absolute where it is not below it."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve() would follow links, and git does not
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else absolute.as_posix()
