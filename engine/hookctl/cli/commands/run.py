"""``hookctl run``: delivers continuously, until it is stopped."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING

import click

from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo_lines
from hookctl.cli.options import network_options

if TYPE_CHECKING:
    from hookctl.cli.interrupts import Interrupts
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.listener import Listener
    from hookctl.delivery.runner.runner import Runner
    from hookctl.errors import StateError
    from hookctl.model import AppliedState, Attempt, Delivery, Json
    from hookctl.store.records import Circuit

EPILOG = """
\b
Examples:
  hookctl run                          deliver until Ctrl-C or SIGTERM
  hookctl run --log json               log one JSON object per line, for a log collector
  hookctl run --health 127.0.0.1:9100  answer health checks with 200 or 503
  hookctl run --metrics 127.0.0.1:9101 serve http://127.0.0.1:9101/metrics to Prometheus
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
@click.option(
    "--health",
    metavar="FILE|ADDR",
    help="Report health for a supervisor: in FILE, or by HTTP at HOST:PORT or unix:PATH.",
)
@click.option("--metrics", "metrics_at", metavar="ADDR", help="Serve metrics to Prometheus, at HOST:PORT or unix:PATH.")
@network_options
@click.pass_obj
def command(
    session: Session,
    *,
    grace: float,
    log_format: str,
    health: str | None,
    metrics_at: str | None,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver what is queued, until stopped. Several can run on one store.

    An apply takes effect within a second. After the first SIGTERM or Ctrl-C, hookctl starts no more requests, waits for
    those in flight, and puts the rest back into the queue. The second stops it at once. No delivery is lost either way.
    If the store fails, hookctl tries it again for a minute.
    """
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import running

    log = Log(log_format)
    session.load_plugins()
    with (
        catching_interrupts() as interrupts,
        _publishing(metrics_at, session, log.listener()) as (listener, measured),
        running(session, session.network(connect_to, cacert), listener, stopping=lambda: interrupts.requested) as (
            runner,
            store,
        ),
    ):
        with _reporting(health, runner) as beat, store.announce_runner(runner.wakeup.ask):

            def stepped(error: StateError | None) -> None:
                beat(error)
                measured(error)

            run_logged(runner, interrupts, log, stepped)
        log.write("stopping", {"in_flight": runner.in_flight})
        runner.stop(grace)
        log.write("stopped", runner.tally.summary)


def run_logged(runner: Runner, interrupts: Interrupts, log: Log, stepped: Callable[[StateError | None], None]) -> None:
    """Deliver until a signal asks the process to stop, and log when the store fails and works again.

    ``stepped`` is called after each step, with the error if the store failed. Raises what
    :func:`hookctl.delivery.runner.sending.run` raises.
    """
    from hookctl.delivery.runner.sending import run

    with _collecting_only_new():
        run(
            runner,
            stopping=lambda: interrupts.requested,
            failed=lambda error: log.write("trouble", {"message": error.message}),
            recovered=lambda seconds: log.write("recovered", {"seconds": round(seconds, 3)}),
            stepped=stepped,
        )


@contextmanager
def _collecting_only_new() -> Iterator[None]:
    """Inside the block, the garbage collector leaves out what exists now: modules, plugins and the applied state.

    To look through them takes 30 to 80 ms, about once a second under load, in which nothing else runs.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _reporting(target: str | None, runner: Runner) -> AbstractContextManager[Callable[[StateError | None], None]]:
    """Publishes the runner's health at the target of --health; gives what to call after each step."""
    if target is None:
        return nullcontext(lambda _: None)
    from hookctl.cli.health import reporting  # an HTTP server is slow to import

    return reporting(target, runner.next_due)


@contextmanager
def _publishing(
    target: str | None, session: Session, listener: Listener
) -> Iterator[tuple[Listener, Callable[[StateError | None], None]]]:
    """Publishes metrics at the target of --metrics; gives the runner's listener, and what to call after each step."""
    if target is None:
        yield listener, lambda _: None
        return
    from hookctl.cli.metrics import counting, new_metrics, publishing  # slow to import

    metrics = new_metrics(session)
    with publishing(target, session, metrics):
        yield counting(listener, metrics), metrics.add_step


class Log:
    """Writes log lines to standard output."""

    def __init__(self, log_format: str) -> None:
        from hookctl.report.text.log import json_line, text_line

        self._line = json_line if log_format == "json" else text_line
        self._lock = Lock()

    def write(self, event: str, record: dict[str, Json]) -> None:
        """Log an event, with the current time. Any thread may call it."""
        self.write_all([(time.time(), event, record)])

    def write_all(self, records: Iterable[tuple[float, str, dict[str, Json]]]) -> None:
        """Log several events, each with its time in epoch seconds, in one write. Any thread may call it."""
        lines = [self._line(*record) for record in records]
        with self._lock:
            echo_lines(lines)

    def listener(self) -> Listener:
        """A listener that logs everything that a runner reports."""
        from hookctl.delivery.runner.listener import Listener
        from hookctl.report.text.log import attempt_record

        def attempted(news: Sequence[tuple[Delivery, Attempt]]) -> None:
            now = time.time()
            self.write_all((now, one.status.value, attempt_record(one, attempt)) for one, attempt in news)

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

        def held(webhook: str, reason: str) -> None:
            from hookctl.report.text.holds import resume_command

            self.write("hold", {"webhook": webhook, "reason": reason, "resume": resume_command(webhook)})

        def resumed(webhook: str) -> None:
            self.write("resumed", {"webhook": webhook, "reason": "one of its secrets has changed"})

        return Listener(attempted, circuit, applied, held, resumed)
