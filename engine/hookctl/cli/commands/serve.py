"""``hookctl serve``: HTTP intake and pages, with a runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from hookctl.cli.commands.run import Log, run_logged
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.options import network_options
from hookctl.cli.streams import printing_here
from hookctl.errors import SettingsError

if TYPE_CHECKING:
    from hookctl.cli.interrupts import Interrupts
    from hookctl.cli.session import Session
    from hookctl.delivery.events.applied_types import AppliedTypes
    from hookctl.delivery.metrics.counters import Metrics
    from hookctl.delivery.runner.runner import Runner
    from hookctl.errors import StateError
    from hookctl.model import Json
    from hookctl.network import Network
    from hookctl.serve.access import Access
    from hookctl.serve.context import Context
    from hookctl.serve.counting import AttemptCounter
    from hookctl.serve.intake import Intake
    from hookctl.serve.stores import Stores
    from hookctl.serve.writer import EventWriter

LISTEN = "127.0.0.1:8080"
EPILOG = """
\b
Examples:
  hookctl serve                          serve http://127.0.0.1:8080 and deliver, until Ctrl-C or SIGTERM
  hookctl serve --listen 127.0.0.1:0     choose a free port
"""


@click.command("serve", epilog=EPILOG)
@click.option(
    "--listen", metavar="HOST:PORT", default=LISTEN, show_default=True, help="The address to serve; port 0: a free one."
)
@click.option(
    "--host",
    "names",
    metavar="NAME",
    multiple=True,
    help="A name under which others reach the server, such as that of a proxy in front of it. Repeatable.",
)
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
    session: Session,
    *,
    listen: str,
    names: tuple[str, ...],
    grace: float,
    log_format: str,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Take in events over HTTP, deliver them, and show both in a browser, until stopped."""
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.metrics import counting, knowing, new_metrics
    from hookctl.cli.running import most_connections, running
    from hookctl.cli.sign_in_links import printing_links, require_token
    from hookctl.delivery.events.applied_types import AppliedTypes

    try:
        from hookctl.serve.access.hosts import is_loopback
        from hookctl.serve.application import make_application
        from hookctl.serve.operations import RequestLog
        from hookctl.serve.server import MOST_CONNECTIONS, serving
    except ModuleNotFoundError as error:
        hint = "Install the extra: pip install 'hookctl[serve]'."
        raise SettingsError(f"hookctl serve needs the package {error.name}", hint=hint) from error
    host, port = _address(listen)
    _check_names(names)
    log = Log(log_format)
    session.load_plugins()
    metrics, network, types = new_metrics(session), session.network(connect_to, cacert), AppliedTypes(session.plugins)
    listener = knowing(counting(log.listener(), metrics), types)
    with (
        catching_interrupts() as interrupts,
        running(session, network, listener, stopping=lambda: interrupts.requested) as (runner, store),
    ):
        if not is_loopback(host):
            require_token(store, host)
        stepped, trouble = _watched(runner, metrics, interrupts)
        is_open = is_loopback(host) and not names
        with (
            _opened(
                session, [host, *names], network, metrics, trouble, types=types, log=log, is_open=is_open
            ) as context,
            serving(
                RequestLog(make_application(context), metrics, partial(_log_requests, log)),
                host,
                port,
                most_connections=most_connections(MOST_CONNECTIONS),
                stopping=lambda: interrupts.requested,
            ) as (host, port),
        ):
            echo(f"Serving http://{f'[{host}]' if ':' in host else host}:{port}", err=True)
            with (
                printing_links(context.access.new_link, (host, port), names),
                store.announce_runner(runner.wakeup.ask),
            ):
                run_logged(runner, interrupts, log, stepped)
            log.write("stopping", {"in_flight": runner.in_flight})
            runner.stop(grace)  # while requests to the server end, too
        log.write("stopped", runner.tally.summary)


def _log_requests(log: Log, records: Sequence[tuple[float, dict[str, Json]]]) -> None:
    with printing_here():  # this is the thread of the HTTP server
        log.write_all("request", records)


def _log_trouble(log: Log, message: str) -> None:
    with printing_here():
        log.write("trouble", {"message": message})


def _watched(
    runner: Runner, metrics: Metrics, interrupts: Interrupts
) -> tuple[Callable[[StateError | None], None], Callable[[], str]]:
    """What to call after each step of the runner, and why it is not ready, in one word; empty while it is."""
    from hookctl.cli.health import Health

    health = Health(runner.next_due)

    def stepped(error: StateError | None) -> None:
        health.beat(error)
        metrics.add_step(error)

    return stepped, lambda: "stopping" if interrupts.requested else health.trouble


@contextmanager
def _opened(
    session: Session,
    hosts: Sequence[str],
    network: Network,
    metrics: Metrics,
    trouble: Callable[[], str],
    *,
    log: Log,
    types: AppliedTypes,
    is_open: bool,
) -> Iterator[Context]:
    """What the handlers of requests use, until the end of the block.

    Args:
        session: the settings.
        hosts: the names of the server.
        network: how this machine reaches the targets of tests.
        metrics: what the process counts.
        trouble: why the runner is not ready, in one word; empty while it is.
        log: gets why access cannot be checked.
        types: the event types that the runner keeps up to date.
        is_open: whether anyone who can reach the server may read the metrics.
    """
    from hookctl.cli.metrics import new_exposition
    from hookctl.serve.context import Context
    from hookctl.serve.operations import Operations
    from hookctl.serve.stores import Stores
    from hookctl.store.opening import open_store

    open_one = partial(open_store, session.store_url)
    writer = _writer(session, metrics)
    intake = _intake(session, writer, metrics, types)

    def trouble_of_all() -> str:
        return trouble() or ("store" if writer.is_failing else "" if writer.is_alive else "writer")

    with (
        closing(Operations(metrics, new_exposition(session, metrics), trouble_of_all, is_open=is_open)) as operations,
        closing(Stores(open_one)) as stores,
        closing(Stores(open_one, 2)) as stores_of_access,  # pages that take long must not delay every request
        closing(_counter(session)) as counter,
    ):
        counter.start()
        writer.start()
        with closing(writer):
            yield Context(
                plugins=session.plugins,
                access=_access(session, stores_of_access, hosts, log),
                stores=stores,
                writer=writer,
                intake=intake,
                directory=session.directory,
                operations=operations,
                network=network,
            )


def _access(session: Session, stores: Stores, hosts: Sequence[str], log: Log) -> Access:
    from hookctl.cli.locking import who
    from hookctl.cli.secrets import read_secret
    from hookctl.serve.access import Access

    return Access(
        stores,
        hosts=hosts,
        operator=who(),
        read_secret=partial(read_secret, session),
        trouble=lambda message: _log_trouble(log, message),
    )


def _writer(session: Session, metrics: Metrics) -> EventWriter:
    from hookctl.cli.safety import limits_of_store
    from hookctl.serve.writer import EventWriter
    from hookctl.store.opening import open_store

    return EventWriter(
        partial(open_store, session.store_url),
        limits_of_store(session),
        committed=metrics.add_commit,
        failed=metrics.add_store_error,
        undecided=metrics.add_undecided,
    )


def _intake(session: Session, writer: EventWriter, metrics: Metrics, types: AppliedTypes) -> Intake:
    """Takes in events of the types that are applied, also after the next apply."""
    from hookctl.serve.intake import Intake

    rate = session.settings.get("intake", {}).get("events_per_second")
    intake = Intake(types.current, writer, rate, counts=metrics.events, refusals=metrics.rejected)
    types.follow(intake.gate)
    return intake


def _counter(session: Session) -> AttemptCounter:
    from hookctl.serve.counting import AttemptCounter
    from hookctl.store.opening import open_store

    return AttemptCounter(partial(open_store, session.store_url))


def _check_names(names: Sequence[str]) -> None:
    """Raise SettingsError if a ``--host`` is not a name."""
    from hookctl.serve.access.hosts import is_host_name

    for name in names:
        if not is_host_name(name):
            hint = "Write the name alone, such as hooks.example.com."
            raise SettingsError(f"--host: {name!r} is not the name of a host", hint=hint)


def _address(listen: str) -> tuple[str, int]:
    """The host and the port of ``--listen``. Raises SettingsError."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise SettingsError(f"--listen: {listen} is not an address", hint=f"Write HOST:PORT, such as {LISTEN}.")
    return host, int(port)
