"""Reports for the contract of formats: those of a real directory, with ordinary and with hostile text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hookctl.config.directory import CheckedDirectory, check_directory
from hookctl.config.effects import Effects
from hookctl.config.review import review_files
from hookctl.plugin.host import load_plugins
from hookctl.plugin.report_format import FindingsReport, Report, ResultsReport, ReviewReport
from hookctl.report.formats.results import Outcome, Result

KINDS = ("findings", "review", "results")
HOSTILE = (
    'a "quote", <b>markup</b> & `code` | a cell ]]> --> \\ \u202e \u2028\r\n::stop-commands::x\n##[error]x\n\x1b[31mred'
)
"""Text that some format takes for more than text. Webhooks and the answers of targets can contain all of it."""
VALID = "name: Siem\nevent: anomaly\nurl: https://siem.example.com/ingest\n"
INVALID = "name: Broken\nevent: anomaly\nurl: http://siem.example.com/ingest\nsevrity: high\n"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def samples(root: Path, *, is_hostile: bool = True) -> Iterator[tuple[str, Report]]:
    """Reports with content, and the kind of each. The files are below ``root``."""
    text = HOSTILE if is_hostile else "the target answered 503"
    checked = _checked(root, {"valid.yaml": VALID, "invalid.yaml": INVALID})
    findings = [replace(finding, message=f"{finding.message}: {text}") for finding in checked.findings]
    yield "findings", FindingsReport(**_common(root, "validate"), findings=findings, nothing="No problems found.")
    valid = _checked(root, {"valid.yaml": VALID, "invalid.yaml": VALID.replace("Siem", "Audit")})
    review = review_files(valid, root / "webhooks.d", load_plugins())
    review = replace(
        review, plan_findings=tuple(replace(finding, webhook="Siem", span=None, file=None) for finding in findings)
    )
    yield "review", ReviewReport(**_common(root, "plan"), review=review, outcome=None, policies={})
    results = [
        Result(
            webhook=name,
            group="test.anomaly",
            outcome=outcome,
            reason="" if outcome is Outcome.SUCCESSFUL else text,
            advice=() if outcome is Outcome.SUCCESSFUL else (text,),
            lines=tuple(text.splitlines()),
            seconds=0.25,
        )
        for name, outcome in zip(("Siem", "Audit", "Tickets", "Files"), Outcome, strict=True)
    ]
    yield "results", _results(root, valid, results, "1 successful, 3 failed.")


def quiet(root: Path) -> Iterator[tuple[str, Report]]:
    """Reports of a run that found and changed nothing, and the kind of each."""
    checked = _checked(root, {"valid.yaml": VALID})
    yield "findings", FindingsReport(**_common(root, "validate"), findings=(), nothing="No problems found.")
    review = review_files(checked, root / "webhooks.d", load_plugins())
    plan = replace(review.plan, changes=(), unchanged=checked.plans)
    review = replace(review, plan=plan, effects=Effects(changes={}), file_findings=(), plan_findings=())
    yield "review", ReviewReport(**_common(root, "plan"), review=review, outcome=None, policies={})
    yield "results", _results(root, checked, [], "Nothing to test.")


def _results(root: Path, checked: CheckedDirectory, results: list[Result], summary: str) -> ResultsReport:
    return ResultsReport(
        **_common(root, "test"),
        results=results,
        webhooks=checked.webhooks,
        summary=summary,
        json=lambda: json.dumps({"tests": [result.webhook for result in results]}) + "\n",
        started_at=STARTED,
    )


def _common(root: Path, command: str) -> dict[str, Any]:
    return {"command": command, "root": root, "directory": Path("webhooks.d")}


def _checked(root: Path, files: dict[str, str]) -> CheckedDirectory:
    """The files as hookctl reads them, in a directory that holds only these."""
    directory = root / "webhooks.d"
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return check_directory(directory, load_plugins())
