"""Checks the webhook files of the directory, and ends a command if they have errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.repository import cache_folder
from hookctl.cli.terminal import text_width
from hookctl.errors import EventError
from hookctl.model import has_errors
from hookctl.model.nearest import unknown_webhook
from hookctl.model.quantities import counted
from hookctl.model.rules.files import DIRECTORY_EMPTY

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.directory import CheckedDirectory
    from hookctl.model import AppliedState, DeliveryPlan, Finding, Json


def check_files(session: Session) -> CheckedDirectory:
    """Check the directory's files; with progress on standard error if there are so many that it takes a while."""
    from hookctl.config.directory import check_directory

    checked = check_directory(
        session.directory,
        session.plugins,
        cache=cache_folder(),
        variables=session.variables,
        progress=lambda done, files: session.progress.update(lambda: f"{done:,} of {files:,} files checked"),
    )
    session.progress.clear()
    return checked


def check_files_or_exit(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    *,
    only: Sequence[str] = (),
    warnings_to_stderr: bool = True,
    may_be_empty: Callable[[], bool] = lambda: False,
    applied: Callable[[], AppliedState] | None = None,
) -> CheckedDirectory:
    """Check the directory's files; errors end the command, as :func:`exit_on_errors` says.

    If ``only`` names webhooks, only errors in their files do. Those in others are counted on standard error. A
    directory without files is accepted if ``may_be_empty()`` is true, which is asked only then. ``applied()`` is what
    files with errors are compared with, to name the fields of event types that are gone.
    """
    everything = check_files(session)
    if [finding.rule for finding in everything.findings] == [DIRECTORY_EMPTY.id] and may_be_empty():
        everything = replace(everything, findings=())
    checked = everything.only(only)
    if checked.is_partial:
        _mention_others(everything.findings, {file.path for file in checked.files})
    findings = checked.findings
    if applied and checked.event_types.types and not checked.valid:
        from hookctl.config.type_changes import find_gone_fields

        findings = (*find_gone_fields(checked, applied(), session.plugins), *findings)
    exit_on_errors(ctx, session, outputs, findings, ignored=checked.ignored, warnings_to_stderr=warnings_to_stderr)
    return checked


def applied_state(session: Session, against: str | None = None) -> AppliedState:
    """What the files are compared with: what is applied, or what a git revision has."""
    from hookctl.model import AppliedState

    if against is not None:
        from hookctl.config.directory import check_revision

        _, base = check_revision(
            session.directory, against, session.plugins, cache=cache_folder(), variables=session.variables
        )
        return AppliedState(plans=base.plans, event_types=base.event_types.types)
    store = session.existing_store()
    return store.read_state() if store else AppliedState()


def is_anything_applied(session: Session) -> bool:
    """Whether webhooks are applied, readable or not."""
    store = session.existing_store()
    state = store.read_state() if store else None
    return bool(state and (state.plans or state.unreadable))


def _mention_others(findings: Sequence[Finding], shown: Collection[str]) -> None:
    errors = [finding.path for finding in findings if finding.is_error and finding.path not in shown]
    if errors:
        where = counted(len(set(errors)), "other file")
        echo(f"{counted(len(errors), 'error')} in {where}; `hookctl validate` shows them all.", err=True)


def exit_on_errors(
    ctx: click.Context,
    session: Session,
    outputs: Outputs,
    findings: Sequence[Finding],
    *,
    ignored: Sequence[Finding] = (),
    warnings_to_stderr: bool,
) -> None:
    """End the command if one of the findings is an error: write them all, in every format that was asked for.

    If all of them are warnings, they are shown as text, and the command goes on.
    """
    if has_errors(findings):
        from hookctl.cli.reports import write_findings

        write_findings(ctx, session, outputs, findings, ignored=ignored)
        ctx.exit(exit_codes.FAILED)
    if findings:
        from hookctl.report.text.findings import findings_text

        width = text_width(err=warnings_to_stderr)
        shown = findings_text(findings, len(ignored), width=width, color=session.color)
        echo(shown, err=warnings_to_stderr, color=session.color)


def named_plan(plans: Mapping[str, DeliveryPlan], name: str) -> DeliveryPlan:
    """The delivery plan of that name. Raises UnknownWebhookError when there is none."""
    if name in plans:
        return plans[name]
    raise unknown_webhook(name, plans)


def mock_of(session: Session, plan: DeliveryPlan, event_type: str) -> Mapping[str, Json]:
    """The mock event of one of a webhook's event types. Raises UsageError if it does not receive that type."""
    if event_type not in plan.events:
        raise wrong_type(plan, event_type)
    return session.event_types[event_type].mock


def wrong_type(plan: DeliveryPlan, event_type: str) -> click.UsageError:
    """The error for an event of a type that a webhook does not receive."""
    types = " and ".join(map(repr, plan.events))
    return click.UsageError(f"the event has the type {event_type!r}, but {plan.name} is for {types}")


def read_event(session: Session, file: BinaryIO) -> Mapping[str, Json]:
    """The one event that a file holds. Raises EventError unless it is an event of a known type, valid by its schema."""
    from hookctl.delivery.events.intake import MAX_EVENT_BYTES, EventGate, first_line_is_whole

    data = b""
    try:
        data = file.read(MAX_EVENT_BYTES + 1)
        return EventGate(session.event_types).parse(data).document
    except EventError as error:
        message, hint = error.message, "The file must contain one event, as `hookctl schema event NAME` describes it."
        if first_line_is_whole(data):
            message = "the file contains several events"
            hint = "Pick one of them, for example with `head -n 1`."
        raise EventError(f"{file.name}: {message}", hint=hint) from error
    except OSError as error:
        from hookctl.delivery.runner.sending import unreadable

        raise unreadable(file, error, "Name a file that can be read, or - for standard input.") from error
