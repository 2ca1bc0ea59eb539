"""A runner on this machine's store, for the commands that deliver."""

from __future__ import annotations

import importlib
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from hookctl._version import __version__
from hookctl.cli.echo import echo
from hookctl.errors import StateError, StateLockedError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.listener import Listener
    from hookctl.delivery.runner.runner import Runner
    from hookctl.model import AppliedState
    from hookctl.network import Network
    from hookctl.store.interface import Store

T = TypeVar("T")

GRACE = 5.0
"""Seconds for which requests in flight may go on when the command is asked to stop."""
FEWEST_CONNECTIONS = 64
"""Of clients that are served, even if this process may open few files."""
OTHER_FILES = 400
"""Open files besides the connections of requests in flight; connections kept for later requests are among them."""


AHEAD = ("concurrent.futures.thread",)
"""Imported before file descriptors can run short: later the runner needs it where no attempt could fail in its
place."""
AHEAD_OF_AUTH = ("hookctl.delivery.attempt.auth_adapter", "requests_oauthlib")
"""The same if a webhook has auth: a library whose import failed half-way stays broken until the process ends."""


@contextmanager
def running(
    session: Session, network: Network, listener: Listener | None = None, *, stopping: Callable[[], bool]
) -> Iterator[tuple[Runner, Store]]:
    """A runner, and the store that it works on. At the end of the block, deliveries in flight go back into the queue.

    ``Runner.stop`` can give them time before that. If another process keeps the store busy at the start, it waits as
    the runner's loops do, until ``stopping()`` is true.

    Raises StateError if nothing was ever applied or the store stays busy, SettingsError for invalid limits and for
    observers that cannot be used.
    """
    from hookctl.cli.safety import limits_of_store, observing_plugins
    from hookctl.delivery.attempt.engine import AttemptEngine
    from hookctl.delivery.runner.runner import Runner

    limits, plugins = limits_of_store(session), observing_plugins(session)
    store, state = applied_store(session, stopping)
    for module in AHEAD + (AHEAD_OF_AUTH if any(plan.auth for plan in state.plans.values()) else ()):
        importlib.import_module(module)
    engine = AttemptEngine(plugins, network, f"hookctl/{__version__}")
    make = partial(
        Runner,
        queue=store,
        engine=engine,
        plugins=plugins,
        read_state=partial(_current, store, [state]),
        store_limits=limits,
        listener=listener,
        max_in_flight=_most_in_flight(),
    )
    runner = while_busy(make, stopping)
    try:
        yield runner, store
    finally:
        try:
            runner.stop(0.0)
        finally:
            session.close()  # here, because the caller still catches signals: none may stop the release of claims


def _current(store: Store, known: list[AppliedState]) -> AppliedState:
    """What is applied now. ``known`` has one state, which is read again only after an apply.

    The runner asks twice a second, and reading ten thousand webhooks takes a tenth of a second.
    """
    if store.serial() != known[0].serial:
        known[0] = store.read_state()
    return known[0]


def applied_store(session: Session, stopping: Callable[[], bool]) -> tuple[Store, AppliedState]:
    """The session's store, and what is applied to it. Standard error reports applied webhooks that are damaged.

    Waits as :func:`while_busy` does. Raises StateError if nothing was ever applied.
    """
    from hookctl.delivery.producer import nothing_applied
    from hookctl.model import AppliedState
    from hookctl.report.text.printable import printable

    store = while_busy(session.existing_store, stopping)
    state = store.read_state() if store else AppliedState()
    for name, why in sorted(state.unreadable.items()):
        message = f"The applied webhook {printable(name)} cannot be read: {why}."
        echo(f"{message} Nothing is delivered to it until it is applied again. See `hookctl doctor`.", err=True)
    if store is None or not (state.serial or state.plans or state.unreadable):
        raise nothing_applied()
    return store, state


def report_busy(error: StateError) -> None:
    """Report on standard error that a command waits for the store."""
    echo(f"Waiting, for up to a minute: {error.message}", err=True)


def while_busy(work: Callable[[], T], stopping: Callable[[], bool]) -> T:
    """The result of ``work``, repeated while another process keeps the store busy.

    Raises StateLockedError if the store stays busy for too long, and KeyboardInterrupt once ``stopping()`` is true.
    """
    from hookctl.delivery.runner.patience import STORE_PATIENCE

    until: float | None = None
    while True:
        try:
            return work()
        except StateLockedError as error:
            if until is None:
                until = time.monotonic() + STORE_PATIENCE
                report_busy(error)
            if stopping():
                raise KeyboardInterrupt from error
            if time.monotonic() > until:
                raise


def most_connections(wanted: int) -> int:
    """How many connections of clients this process may have besides those of its runner, at most ``wanted``."""
    from hookctl.delivery.runner.limits import MAX_IN_FLIGHT

    others = MAX_IN_FLIGHT + OTHER_FILES
    return max(FEWEST_CONNECTIONS, min(wanted, _raise_limit(others + wanted) - others))


def _most_in_flight() -> int:
    """The runner's most requests in flight, fewer if this process may open fewer files for them."""
    from hookctl.delivery.runner.limits import MAX_IN_FLIGHT

    return max(1, min(MAX_IN_FLIGHT, _raise_limit(MAX_IN_FLIGHT + OTHER_FILES) - OTHER_FILES))


def _raise_limit(wanted: int) -> int:
    """Have this process be able to open so many files, or as many as the system lets it; how many it can open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return wanted if soft == resource.RLIM_INFINITY else soft
