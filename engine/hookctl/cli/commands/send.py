"""``hookctl send``: delivers events from a file or standard input, through the queue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.event_file import EventStream
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import network_options
from hookctl.cli.terminal import text_width

if TYPE_CHECKING:
    from hookctl.cli.progress import Progress
    from hookctl.cli.rejects import Rejects
    from hookctl.cli.sending import Sending
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.runner import Runner
    from hookctl.delivery.runner.sending import Intake
    from hookctl.model import TraceContext
    from hookctl.network import Network
    from hookctl.report.text.progress import Summary
    from hookctl.store.interface import Store

EPILOG = """
\b
Examples:
  hookctl send events.jsonl                 deliver the events in the file
  producer | hookctl send -                 deliver events while a program writes them
  hookctl send events.jsonl --enqueue       only store the events, for `hookctl run` to deliver
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
@click.option(
    "--enqueue",
    is_flag=True,
    help="Only store the events, and leave their deliveries to `hookctl run`. Needs no secrets and no network.",
)
@click.option(
    "--rejects",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the place of every bad event to FILE, with the reason, as JSON lines.",
)
@click.option(
    "--traceparent",
    metavar="VALUE",
    envvar=["HOOKCTL_SEND_TRACEPARENT", "TRACEPARENT"],
    help="The span that the events come from, as in W3C Trace Context. Default: the variable TRACEPARENT.",
)
@format_option()
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    file: BinaryIO,
    *,
    wait: float,
    enqueue: bool,
    rejects: Path | None,
    traceparent: str | None,
    outputs: Outputs,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver the events in FILE (- for standard input): JSON lines, or one JSON array.

    Each event is checked against its type's schema and stored before it is sent. An event with an id that was accepted
    before is not sent again. A bad line is reported with its number and skipped; after ten of them, only counts by
    reason are shown. Earlier deliveries that are now due are sent too.

    While `hookctl run` is running on the store, it makes the attempts; send stores the events and follows their
    deliveries. With --enqueue, send exits as soon as the events are stored.

    Every first attempt is made, except to a target that keeps failing. Retries are made if --wait allows; later ones
    stay in the queue for the next `hookctl send` or `hookctl run`. Exits 0 only if no line is bad and every event is
    delivered.

    The first Ctrl-C lets requests in flight finish, the second stops at once. Accepted events are not lost either way.
    """
    from hookctl.cli.progress import Progress
    from hookctl.cli.rejects import Rejects
    from hookctl.cli.tracing import given_trace
    from hookctl.report.text.progress import render_summary, render_summary_json

    session: Session = ctx.obj
    progress = Progress()
    with Rejects(rejects, file, progress.clear) as bad:
        summary = _send(
            session,
            file,
            wait,
            lambda: session.network(connect_to, cacert),
            only_enqueue=enqueue,
            progress=progress,
            rejects=bad,
            trace=given_trace(traceparent),
        )
    outputs.write(
        color=session.color,
        text=lambda color: render_summary(summary, width=text_width(), color=color),
        json=lambda: render_summary_json(summary),
    )
    if summary.interrupted:
        ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(exit_codes.OK if summary.succeeded else exit_codes.FAILED)


def _send(
    session: Session,
    file: BinaryIO,
    wait: float,
    network: Callable[[], Network],
    *,
    only_enqueue: bool,
    progress: Progress,
    rejects: Rejects,
    trace: TraceContext | None,
) -> Summary:
    from hookctl.cli.handing_over import enqueue, hand_over
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import while_busy
    from hookctl.cli.sending import Sending
    from hookctl.delivery.events.applied_types import AppliedTypes

    # Loads the plugins before signals are caught: Ctrl-C could not end an import that hangs.
    types = AppliedTypes(session.plugins)
    with catching_interrupts() as interrupts:
        sending = Sending(file, types, interrupts, progress, rejects, trace=trace)
        if only_enqueue:
            return enqueue(session, sending)
        store = while_busy(session.existing_store, sending.is_stopping)
        if store is not None and store.has_runner():
            return hand_over(session, sending, wait=wait, network=network)
        return _deliver(session, sending, wait, network())


def _deliver(session: Session, sending: Sending, wait: float, network: Network) -> Summary:
    """Store the events and make the attempts."""
    from hookctl.cli.running import GRACE, running
    from hookctl.delivery.runner.listener import Listener
    from hookctl.delivery.runner.sending import send

    with running(session, network, Listener(applied=sending.types.take), stopping=sending.is_stopping) as (
        runner,
        store,
    ):
        sending.look_again(store)
        intake = send(
            sending.source,
            sending.reader,
            runner,
            store,
            wait=wait,
            stopping=sending.is_stopping,
            progress=lambda intake: sending.show(intake, runner.tally, runner.in_flight),
            stalled=sending.report_busy,
            rejected=sending.rejects.add,
        )
        if sending.is_interrupted:
            sending.say("Stopping: requests in flight may take a few more seconds. Press Ctrl-C again to stop at once.")
        runner.stop(GRACE)
        sending.close(intake)
        return _summary(runner, store, intake, sending)


def _summary(runner: Runner, store: Store, intake: Intake, sending: Sending) -> Summary:
    from hookctl.model import DeliveryStatus
    from hookctl.report.text.progress import Summary

    due = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING)
    still_due = sum(by_status.get(status, 0) for by_status in store.counts().values() for status in due)
    store.check()  # the summary must not report events as accepted that the store has lost
    return Summary(
        intake,
        runner.tally,
        store.counts(own=True),
        still_due,
        runner.next_due(),
        sending.seconds,
        interrupted=sending.is_interrupted,
    )
