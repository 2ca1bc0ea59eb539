"""Checks the webhook files of the directory, and ends a command if they have errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.repository import cache_folder
from hookctl.cli.terminal import text_width
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
) -> CheckedDirectory:
    """Check the directory's files; errors end the command, as :func:`exit_on_errors` says."""
    checked = check_files(session)
    exit_on_errors(ctx, session, outputs, checked.findings, warnings_to_stderr=warnings_to_stderr)
    return checked


def exit_on_errors(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    findings: Sequence[Finding],
    *,
    warnings_to_stderr: bool,
) -> None:
    """End the command if one of the findings is an error: write them all, in every format that was asked for.

    If all of them are warnings, they are shown as text, and the command goes on.
    """
    if has_errors(findings):
        from hookctl.cli.reports import write_findings

        write_findings(ctx, session, outputs, findings)
        ctx.exit(exit_codes.FAILED)
    if findings:
        from hookctl.report.text.findings import findings_text

        width = text_width(err=warnings_to_stderr)
        shown = findings_text(findings, width=width, color=session.color)
        echo(shown, err=warnings_to_stderr, color=session.color)


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
            hint="The file must contain one event, as `hookctl schema event NAME` describes it.",
        ) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
