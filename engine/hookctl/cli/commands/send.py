"""``hookctl send``: events from a file or standard input, through the queue to their targets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import network_options

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
  hookctl send events.jsonl                 deliver what the file holds
  producer | hookctl send -                 deliver while another program writes
  hookctl send events.jsonl --wait 10m      stay for retries that fall due within ten minutes
  hookctl send /dev/null                    only go on with what is due from before
"""


@click.command("send", epilog=EPILOG)
@click.argument("file", type=click.File("rb"))
@click.option(
    "--wait",
    metavar="DURATION",
    default="30s",
    callback=seconds,
    show_default=True,
    help="Stay for retries that fall due up to this long after the last event was read.",
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

    Each event is checked against its type's schema and stored before anything is sent; an event whose id was seen before is not sent
    again. What was due from before is delivered too. A bad line is reported with its number, and the rest go on. First attempts are all made, save to
    a target that keeps failing; retries as far as --wait goes, the others stay in the queue for the next send. Exits 0 only if no line was bad and
    everything was delivered.

    The first Ctrl-C ends in good order, the second at once; nothing that was accepted is lost either way.
    """
    from hookctl.report.text.progress import render_summary, render_summary_json

    session: Session = ctx.obj
    summary = _send(session, file, wait, connect_to, cacert)
    outputs.write(
        color=session.color,
        text=lambda color: render_summary(summary, color=color),
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

    reader = EventReader(
        EventGate(session.plugins.event_types)
    )  # plugins are loaded before signals are caught: one may hang
    with catching_interrupts() as interrupts, running(session, session.network(connect_to, cacert)) as (runner, store):
        intake = send(
            Source(file), reader, runner, store, wait=wait, stopping=lambda: interrupts.requested, progress=show
        )
        if interrupts.requested:
            progress.clear()
            echo("Stopping; requests under way get a few seconds. Once more to stop at once.", err=True)
        runner.stop(GRACE)
        progress.clear()
        if intake.bad > len(intake.problems):
            echo(f"{intake.bad - len(intake.problems):,} more bad events are counted only.", err=True)
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
    store.check()  # the summary says what was accepted
    return Summary(intake, runner.tally, store.counts(own=True), still_due, runner.next_due(), seconds, interrupted)
