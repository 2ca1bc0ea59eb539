"""What ``hookctl test`` was asked to print and write of its results, and the printing and writing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli.formats import Outputs, write_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hookctl.cli.session import Session
    from hookctl.model import Finding, Webhook
    from hookctl.report.formats.results import Result


@dataclass(frozen=True, slots=True)
class Reports:
    """The forms that were asked for."""

    outputs: Outputs
    junit: Path | None
    show_invocation: bool
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def write(
        self,
        ctx: click.Context,
        session: Session,
        results: Sequence[Result],
        webhooks: Mapping[str, Webhook],
        *,
        summary: str,
        text: Callable[[bool], str],
        json: Callable[[], str],
    ) -> None:
        """Write them all.

        ``text`` and ``json`` make what the results' own kind has; the other forms are made of ``results``.
        """
        from hookctl.cli.repository import repository_root
        from hookctl.report.formats.annotations import of_results
        from hookctl.report.formats.comment import results_comment
        from hookctl.report.formats.github import annotation_lines, notice_line
        from hookctl.report.formats.sarif import sarif_text

        command, root = ctx.info_name or "", repository_root()
        self._write_junit(results)
        self.outputs.write(
            color=session.color,
            text=text,
            json=json,
            markdown=lambda: results_comment(command, results, summary),
            github=lambda: (
                annotation_lines(of_results(results, webhooks, root)) + notice_line(f"hookctl {command}", summary)
            ),
            sarif=lambda: sarif_text(of_results(results, webhooks, root), command),
        )

    def write_errors(self, findings: Sequence[Finding]) -> None:
        """Have the JUnit file, which a CI step waits for, say why no test was begun."""
        from hookctl.report.formats.results import of_findings

        self._write_junit(of_findings(findings))

    def _write_junit(self, results: Sequence[Result]) -> None:
        from hookctl.report.formats.junit import junit_xml
        from hookctl.report.text.printable import inert

        if self.junit:
            write_report(
                self.junit, inert(junit_xml(results, started_at=self.started_at.isoformat(timespec="seconds")))
            )
