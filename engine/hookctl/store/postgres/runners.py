"""Runners on a PostgreSQL store: each listens on a connection of its own, and holds an advisory lock on it.

The server releases the lock when the connection ends, however the process ends. So whoever looks for the lock also
learns whether a runner is alive. A lost notification costs only time: a runner also looks ten times a second.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import psycopg

from hookctl.errors import HookctlError
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.connection import Connection, connect, quoted
from hookctl.store.postgres.locks import COUNT_ALIVE, HOLD, RUNNER, new_number

LISTEN_SECONDS = 0.5
"""Seconds after which the thread looks whether it is to end."""
RECONNECT_SECONDS = 1.0
"""The longest pause before a runner that lost its connection listens again."""
log = logging.getLogger(__name__)


def channel(address: Address) -> str:
    """The channel on which runners of a store are woken."""
    return f"hookctl_{address.schema}"


@contextmanager
def announce(address: Address, wake: Callable[[], None]) -> Iterator[None]:
    """Inside the block, others find this process as a runner; ``wake`` runs on a thread.

    Without a connection for it, this logs a warning and tries again from time to time. Others then find no runner.
    """
    ending, ready = Event(), Event()
    listener = Thread(target=_keep_listening, args=(address, wake, ending, ready), name="hookctl-listen", daemon=True)
    try:
        listener.start()
    except (RuntimeError, MemoryError) as error:
        log.warning("other processes cannot wake this runner: %s", error)
        yield
        return
    try:
        ready.wait()
        yield
    finally:
        ending.set()
        listener.join()


def notify(connection: Connection, address: Address) -> None:
    """Wake the runners."""
    connection.execute("SELECT pg_notify(%s, '')", (channel(address),))


def count(connection: Connection) -> int:
    """How many runners are alive."""
    row = connection.execute(COUNT_ALIVE, (RUNNER,)).fetchone()
    return int(row[0]) if row else 0


def _keep_listening(address: Address, wake: Callable[[], None], ending: Event, ready: Event) -> None:
    """Listen until the end, also after the connection is lost. ``ready`` is set after the first attempt."""
    while not ending.is_set():
        try:
            _listen(address, wake, ending, ready)
        except (psycopg.Error, HookctlError) as error:
            if not ready.is_set():
                log.warning("other processes cannot wake this runner: %s", error)
            ready.set()
            ending.wait(random.uniform(0, RECONNECT_SECONDS))  # noqa: S311 - so that not all come at once


def _listen(address: Address, wake: Callable[[], None], ending: Event, ready: Event) -> None:
    connection = connect(address, application="hookctl runner")
    try:
        connection.execute(HOLD, (new_number(RUNNER),))
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(quoted(channel(address))))
        was_listening = ready.is_set()
        ready.set()
        if was_listening:
            wake()  # a notification may have been lost meanwhile
        while not ending.is_set():
            for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                wake()
    finally:
        with suppress(psycopg.Error):  # the connection may be lost already
            connection.execute("SELECT pg_advisory_unlock_all()")  # at once; a connection ends a little later
        connection.close()
