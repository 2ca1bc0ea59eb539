"""The directory's files, checked, and a webhook found by its name."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.repository import cache_folder
from hookctl.errors import HookctlError
from hookctl.model import has_errors
from hookctl.model.nearest import MOST, nearest

_MANY = 1_000_000
"""What a large directory holds stays for the whole command; to look for garbage in it again and again takes a tenth of the time."""

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.directory import Checked
    from hookctl.model import Finding


def check(session: Session) -> Checked:
    """The directory's files, checked; with progress on standard error if there are so many that it takes a while."""
    gc.set_threshold(_MANY)
    from hookctl.config.directory import check_directory

    checked = check_directory(
        session.directory,
        session.plugins,
        cache=cache_folder(),
        progress=lambda done, files: session.progress.update(lambda: f"{done:,} of {files:,} files checked"),
    )
    session.progress.clear()
    return checked


def checked_directory(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    *,
    warnings_to_stderr: bool,
    on_errors: Callable[[Sequence[Finding]], None] | None = None,
) -> Checked:
    """The files, free of errors. Errors among the findings are written in each form asked for, told to ``on_errors``, and end the command.

    Warnings alone are shown as text.
    """
    checked = check(session)
    without_errors(ctx, session, outputs, checked.findings, warnings_to_stderr=warnings_to_stderr, on_errors=on_errors)
    return checked


def without_errors(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    findings: tuple[Finding, ...],
    *,
    warnings_to_stderr: bool,
    on_errors: Callable[[Sequence[Finding]], None] | None = None,
) -> tuple[Finding, ...]:
    """The findings, shown as text if all are warnings. Errors among them are written, and end the command, as above."""
    if has_errors(findings):
        if on_errors:
            on_errors(findings)
        write_findings(ctx, session, outputs, findings)
        ctx.exit(exit_codes.FAILED)
    if findings:
        from hookctl.report.text.findings import findings_text

        echo(findings_text(findings, color=session.color), err=warnings_to_stderr, color=session.color)
    return findings


def write_findings(
    ctx: click.Context, session: Session, outputs: Outputs, findings: Sequence[Finding], nothing: str = "No findings."
) -> None:
    """Write findings in each form asked for; ``nothing`` is the sentence for people when there are none. Raises HookctlError as outputs do."""
    from hookctl.cli.repository import repository_root
    from hookctl.report.formats.annotations import of_findings
    from hookctl.report.formats.comment import findings_comment
    from hookctl.report.formats.github import annotation_lines
    from hookctl.report.formats.sarif import sarif_text
    from hookctl.report.text.findings import findings_json_text, findings_text

    command, root = ctx.info_name or "", repository_root()
    outputs.write(
        color=session.color,
        text=lambda color: findings_text(findings, color=color) if findings else f"{nothing}\n",
        json=lambda: findings_json_text(findings),
        markdown=lambda: findings_comment(command, findings, nothing),
        github=lambda: annotation_lines(of_findings(findings, root)),
        sarif=lambda: sarif_text(of_findings(findings, root), command),
    )


def unknown_webhook(name: str, known: Iterable[str]) -> HookctlError:
    """The error for a name that no webhook has, with those that it may have meant."""
    known = tuple(known)
    near = [other for other in known if other.casefold().startswith(name.casefold())][:MOST] or nearest(name, known)
    hint = f"Did you mean {', '.join(near)}?" if near else "See `hookctl list`."
    return HookctlError(f"there is no webhook named {name!r}", hint=hint)
