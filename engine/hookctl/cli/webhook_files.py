"""The webhook files of the directory, checked, and the writing of what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.repository import cache_folder
from hookctl.errors import EventError
from hookctl.model import has_errors
from hookctl.model.nearest import unknown_webhook

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.directory import CheckedDirectory
    from hookctl.model import DeliveryPlan, Finding, Json


def check_files(session: Session) -> CheckedDirectory:
    """Check the directory's files; with progress on standard error if there are so many that it takes a while."""
    from hookctl.config.directory import check_directory

    checked = check_directory(
        session.directory,
        session.plugins,
        cache=cache_folder(),
        progress=lambda done, files: session.progress.update(lambda: f"{done:,} of {files:,} files checked"),
    )
    session.progress.clear()
    return checked


def check_files_or_exit(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    *,
    warnings_to_stderr: bool = True,
    on_errors: Callable[[Sequence[Finding]], None] | None = None,
) -> CheckedDirectory:
    """Check the directory's files; errors end the command, as :func:`exit_on_errors` says."""
    checked = check_files(session)
    exit_on_errors(ctx, session, outputs, checked.findings, warnings_to_stderr=warnings_to_stderr, on_errors=on_errors)
    return checked


def exit_on_errors(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    findings: Sequence[Finding],
    *,
    warnings_to_stderr: bool,
    on_errors: Callable[[Sequence[Finding]], None] | None = None,
) -> None:
    """End the command if the findings hold an error: they are given to ``on_errors`` and written in every form asked for.

    If all of them are warnings, they are shown as text, and the command goes on.
    """
    if has_errors(findings):
        if on_errors:
            on_errors(findings)
        write_findings(ctx, session, outputs, findings)
        ctx.exit(exit_codes.FAILED)
    if findings:
        from hookctl.report.text.findings import findings_text

        echo(findings_text(findings, color=session.color), err=warnings_to_stderr, color=session.color)


def write_findings(
    ctx: click.Context, session: Session, outputs: Outputs, findings: Sequence[Finding], nothing: str = "No findings."
) -> None:
    """Write findings in every form asked for; ``nothing`` is what people read when there are none.

    Raises as outputs do.
    """
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


def named_plan(plans: Mapping[str, DeliveryPlan], name: str) -> DeliveryPlan:
    """The delivery plan of that name. Raises UnknownWebhookError when there is none."""
    if name in plans:
        return plans[name]
    raise unknown_webhook(name, plans)


def read_event(session: Session, file: BinaryIO) -> Mapping[str, Json]:
    """The one event that a file holds. Raises EventError unless it is an event of a known type, valid by its schema."""
    from hookctl.delivery.events.intake import MAX_EVENT_BYTES, EventGate

    try:
        return EventGate(session.plugins.event_types).parse(file.read(MAX_EVENT_BYTES + 1)).document
    except EventError as error:
        raise EventError(
            f"{file.name}: {error.message}",
            hint="The file must hold one event, as `hookctl schema event NAME` describes it.",
        ) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
