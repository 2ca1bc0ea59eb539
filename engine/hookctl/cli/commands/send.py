"""``hookctl send``: delivers events from a file or standard input, through the queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.event_file import EventStream
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import network_options
from hookctl.cli.terminal import text_width

if TYPE_CHECKING:
    from hookctl.cli.progress import Progress
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.runner import Runner
    from hookctl.delivery.runner.sending import Intake
    from hookctl.report.text.progress import Summary
    from hookctl.store.interface import Store

EPILOG = """
\b
Examples:
  hookctl send events.jsonl                 deliver the events in the file
  producer | hookctl send -                 deliver events while a program writes them
  hookctl send events.jsonl --wait 10m      also wait for retries that are due within ten minutes
  hookctl send /dev/null                    deliver only what is already due
"""


@click.command("send", epilog=EPILOG)
@click.argument("file", type=EventStream())
@click.option(
    "--wait",
    metavar="DURATION",
    default="30s",
    callback=seconds,
    show_default=True,
    help="Also wait for retries that are due up to this long after the last event is read.",
)
@format_option()
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    file: BinaryIO,
    *,
    wait: float,
    outputs: Outputs,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver the events in FILE (- for standard input): JSON lines, or one JSON array.

    Each event is checked against its type's schema and stored before it is sent. An event with an id that was accepted
    before is not sent again. A bad line is reported with its number and skipped. Earlier deliveries that are now due
    are sent too.

    Every first attempt is made, except to a target that keeps failing. Retries are made if --wait allows; later ones
    stay in the queue for the next `hookctl send` or `hookctl run`. Exits 0 only if no line is bad and every event is
    delivered.

    The first Ctrl-C lets requests in flight finish, the second stops at once. Accepted events are not lost either way.
    """
    from hookctl.report.text.progress import render_summary, render_summary_json

    session: Session = ctx.obj
    summary = _send(session, file, wait, connect_to, cacert)
    outputs.write(
        color=session.color,
        text=lambda color: render_summary(summary, width=text_width(), color=color),
        json=lambda: render_summary_json(summary),
    )
    if summary.interrupted:
        ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(exit_codes.OK if summary.succeeded else exit_codes.FAILED)


def _send(session: Session, file: BinaryIO, wait: float, connect_to: tuple[str, ...], cacert: str | None) -> Summary:
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.progress import Progress
    from hookctl.cli.running import GRACE, running
    from hookctl.delivery.events.intake import EventGate, EventReader
    from hookctl.delivery.runner.sending import Source, send
    from hookctl.report.text.progress import progress_line

    started = time.monotonic()
    progress, reported = Progress(), 0

    def show(intake: Intake) -> None:
        nonlocal reported
        _report_bad(progress, intake, reported)
        reported = len(intake.problems)
        progress.update(lambda: progress_line(intake, runner.tally, runner.in_flight, time.monotonic() - started))

    # Loads the plugins before signals are caught: Ctrl-C could not end an import that hangs.
    reader = EventReader(EventGate(session.plugins.event_types))
    with catching_interrupts() as interrupts, running(session, session.network(connect_to, cacert)) as (runner, store):
        intake = send(
            Source(file), reader, runner, store, wait=wait, stopping=lambda: interrupts.requested, progress=show
        )
        if interrupts.requested:
            progress.clear()
            echo(
                "Stopping: requests in flight may take a few more seconds. Press Ctrl-C again to stop at once.",
                err=True,
            )
        runner.stop(GRACE)
        progress.clear()
        if intake.bad > len(intake.problems):
            echo(f"{intake.bad - len(intake.problems):,} more bad events are counted but not shown.", err=True)
        return _summary(runner, store, intake, time.monotonic() - started, interrupted=interrupts.requested)


def _report_bad(progress: Progress, intake: Intake, reported: int) -> None:
    from hookctl.report.text.printable import printable

    if len(intake.problems) > reported:
        progress.clear()
    for bad in intake.problems[reported:]:
        echo(printable(f"{bad.place}: {bad.reason}"), err=True)


def _summary(runner: Runner, store: Store, intake: Intake, seconds: float, *, interrupted: bool) -> Summary:
    from hookctl.model import DeliveryStatus
    from hookctl.report.text.progress import Summary

    due = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING)
    still_due = sum(by_status.get(status, 0) for by_status in store.counts().values() for status in due)
    store.check()  # the summary must not report events as accepted that the store has lost
    return Summary(intake, runner.tally, store.counts(own=True), still_due, runner.next_due(), seconds, interrupted)
