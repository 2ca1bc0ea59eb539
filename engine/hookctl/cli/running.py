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
    from hookctl.cli.session import Session
    from hookctl.delivery.runner.listener import Listener
    from hookctl.delivery.runner.runner import Runner
    from hookctl.network import Network
    from hookctl.store.interface import Store

GRACE = 5.0
"""Seconds for which requests in flight may go on when the command is asked to stop."""
OTHER_FILES = 400
"""Open files besides the connections of requests in flight; connections kept for later requests are among them."""


AHEAD = ("concurrent.futures.thread",)
"""Imported before file descriptors can run short: later the runner needs it where no attempt could fail in its
place."""
AHEAD_OF_AUTH = ("hookctl.delivery.attempt.auth_adapter", "requests_oauthlib")
"""The same if a webhook has auth: a library whose import failed half-way stays broken until the process ends."""


@contextmanager
def running(session: Session, network: Network, listener: Listener | None = None) -> Iterator[tuple[Runner, Store]]:
    """A runner, and the store that it works on. At the end of the block, deliveries in flight go back into the queue.

    ``Runner.stop`` can give them time before that.

    Raises StateError if nothing was ever applied, SettingsError for invalid limits.
    """
    from hookctl.cli.safety import limits_of_store
    from hookctl.delivery.attempt.engine import AttemptEngine
    from hookctl.delivery.runner.runner import Runner
    from hookctl.model import AppliedState
    from hookctl.report.text.printable import printable

    limits = limits_of_store(session)
    store = session.existing_store()
    state = store.read_state() if store else AppliedState()
    for name, why in sorted(state.unreadable.items()):
        message = f"The applied webhook {printable(name)} cannot be read: {why}."
        echo(f"{message} Nothing is delivered to it until it is applied again. See `hookctl doctor`.", err=True)
    if store is None or not (state.serial or state.plans or state.unreadable):
        raise StateError(
            "no webhook is applied yet, so there is nothing to deliver to",
            hint="Review with `hookctl plan`, then `hookctl apply`.",
        )
    for module in AHEAD + (AHEAD_OF_AUTH if any(plan.auth for plan in state.plans.values()) else ()):
        importlib.import_module(module)
    engine = AttemptEngine(session.plugins, network, f"hookctl/{__version__}")
    runner = Runner(
        queue=store,
        engine=engine,
        plugins=session.plugins,
        read_state=store.read_state,
        store_limits=limits,
        listener=listener,
        max_in_flight=_most_in_flight(),
    )
    try:
        yield runner, store
    finally:
        try:
            runner.stop(0.0)
        finally:
            session.close()  # here, because the caller still catches signals: none may stop the release of claims


def _most_in_flight() -> int:
    """The runner's most requests in flight, fewer if this process may open fewer files for them."""
    from hookctl.delivery.runner.limits import MAX_IN_FLIGHT

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_IN_FLIGHT + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    return MAX_IN_FLIGHT if soft == resource.RLIM_INFINITY else max(1, min(MAX_IN_FLIGHT, soft - OTHER_FILES))
