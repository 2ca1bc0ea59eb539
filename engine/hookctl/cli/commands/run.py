"""``hookctl run``: delivers continuously, until it is stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.options import network_options

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.listener import Listener
    from hookctl.model import AppliedState, Attempt, Delivery, Json
    from hookctl.store.records import Circuit

EPILOG = """
\b
Examples:
  hookctl run                          deliver until Ctrl-C or SIGTERM
  hookctl run --log json               log one JSON object per line, for a log collector
  hookctl run --grace 30s              wait up to 30 seconds for requests in flight when stopping
"""


@click.command("run", epilog=EPILOG)
@click.option(
    "--grace",
    metavar="DURATION",
    default="10s",
    callback=seconds,
    show_default=True,
    help="How long to wait for requests in flight when stopping.",
)
@click.option(
    "--log",
    "log_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format of the log: one line for each outcome.",
)
@network_options
@click.pass_obj
def command(
    session: Session, *, grace: float, log_format: str, connect_to: tuple[str, ...], cacert: str | None
) -> None:
    """Deliver what is queued, until stopped. Several can run on one store.

    An apply takes effect within a second. After the first SIGTERM or Ctrl-C, hookctl starts no more requests, waits for
    those in flight, and puts the rest back into the queue. The second stops it at once. No delivery is lost either way.
    If the store fails, hookctl tries it again for a minute.
    """
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import running
    from hookctl.delivery.runner.sending import run

    log = Log(log_format)
    session.load_plugins()
    with (
        catching_interrupts() as interrupts,
        running(session, session.network(connect_to, cacert), log.listener()) as (runner, _),
    ):
        run(
            runner,
            stopping=lambda: interrupts.requested,
            failed=lambda error: log.write("trouble", {"message": error.message}),
        )
        log.write("stopping", {"in_flight": runner.in_flight})
        runner.stop(grace)
        log.write(
            "stopped",
            {
                "attempts": runner.tally.attempts,
                "delivered": runner.tally.delivered.total(),
                "dead": runner.tally.dead.total(),
            },
        )


class Log:
    """Writes log lines to standard output."""

    def __init__(self, log_format: str) -> None:
        from hookctl.report.text.log import json_line, text_line

        self._line = json_line if log_format == "json" else text_line

    def write(self, event: str, record: dict[str, Json]) -> None:
        """Log an event of the runner, with the current time."""
        echo(self._line(time.time(), event, record), fit=False)  # one line for each

    def listener(self) -> Listener:
        """A listener that logs everything that a runner reports."""
        from hookctl.delivery.runner.listener import Listener
        from hookctl.report.text.log import attempt_record

        def attempted(delivery: Delivery, attempt: Attempt) -> None:
            self.write(delivery.status.value, attempt_record(delivery, attempt))

        def circuit(webhook: str, circuit: Circuit | None) -> None:
            self.write(
                "circuit",
                {
                    "webhook": webhook,
                    "state": circuit.state if circuit else "closed",
                    "reason": circuit.reason if circuit else "",
                },
            )

        def applied(state: AppliedState) -> None:
            self.write("applied", {"serial": state.serial, "webhooks": len(state.plans)})

        return Listener(attempted, circuit, applied)
