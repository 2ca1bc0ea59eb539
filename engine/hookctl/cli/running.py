"""A runner on this machine's store, for the commands that deliver."""

from __future__ import annotations

import importlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hookctl._version import __version__
from hookctl.cli.echo import echo
from hookctl.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

    from hookctl.cli.session import Session
    from hookctl.delivery.runner.listener import Listener
    from hookctl.delivery.runner.runner import Runner
    from hookctl.network import Network
    from hookctl.store.sqlite.queue import SqliteQueue

GRACE = 5.0
"""Seconds that requests under way get to end when the command is asked to stop."""
OTHER_FILES = 400
"""Open files that are no connection to a target, or one that is kept for the next request."""


AHEAD = ("concurrent.futures.thread",)
"""What the runner needs sooner or later where no attempt can fail in its place, so before file descriptors may be short."""
AHEAD_OF_AUTH = ("hookctl.delivery.attempt.auth_adapter", "requests_oauthlib")
"""The same where a webhook has auth: a library that was imported in part stays broken for as long as the process lives."""


@contextmanager
def running(
    session: Session, network: Network, listener: Listener | None = None
) -> Iterator[tuple[Runner, SqliteQueue]]:
    """A runner and its queue. What is still under way at the end of the block is put back into the queue; see ``Runner.stop`` for a grace.

    Raises StateError when nothing was ever applied, SettingsError for limits that are none.
    """
    from hookctl.delivery.attempt.engine import AttemptEngine
    from hookctl.delivery.runner.retention import store_limits
    from hookctl.delivery.runner.runner import Runner
    from hookctl.report.text.printable import printable
    from hookctl.store.sqlite.applied import AppliedStore

    limits = store_limits(session.settings.get("retention", {}), session.settings.get("intake", {}))

    applied = AppliedStore(session.store_path)
    state = applied.read()
    for name, why in sorted(state.unreadable.items()):
        message = (
            f"The applied webhook {printable(name)} cannot be read: {why}. Nothing is delivered to it, and no event"
        )
        echo(f"{message} is routed to it, until it is applied again. See `hookctl doctor`.", err=True)
    if not (state.serial or state.plans or state.unreadable):
        raise StateError(
            "nothing is applied yet, so there is no webhook to deliver to",
            hint="Review with `hookctl plan`, then `hookctl apply`.",
        )
    for module in AHEAD + (AHEAD_OF_AUTH if any(plan.auth for plan in state.plans.values()) else ()):
        importlib.import_module(module)
    with opened_queue(session.store_path) as queue:
        engine = AttemptEngine(session.plugins, network, f"hookctl/{__version__}")
        runner = Runner(
            queue=queue,
            engine=engine,
            plugins=session.plugins,
            read_state=applied.read,
            store_limits=limits,
            listener=listener,
            max_in_flight=_most_in_flight(),
        )
        try:
            yield runner, queue
        finally:
            runner.stop(0.0)


@contextmanager
def opened_queue(path: Path) -> Iterator[SqliteQueue]:
    """The queue of a store, closed at the end of the block."""
    from hookctl.store.sqlite.queue import SqliteQueue

    queue = SqliteQueue(path)
    try:
        yield queue
    finally:
        queue.close()


def _most_in_flight() -> int:
    """As many requests as the runner would make, or as there may be open files: each is a connection."""
    from hookctl.delivery.runner.limits import MAX_IN_FLIGHT

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_IN_FLIGHT + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return MAX_IN_FLIGHT if soft == resource.RLIM_INFINITY else max(1, min(MAX_IN_FLIGHT, soft - OTHER_FILES))
