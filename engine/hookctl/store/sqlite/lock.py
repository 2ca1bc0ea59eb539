"""The lock on the applied state: one apply at a time, from reading its plan to its commit.

SQLite's own lock separates two commits. This one also covers the time in which someone reads a plan and decides, and
shows others who that is. Each step uses a connection of its own, so that an interrupt in the middle of one cannot keep
the lock from being given back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl._version import __version__
from hookctl.errors import StateError, StateLockedError
from hookctl.store.records import Lock
from hookctl.store.sqlite.connection import connect, errors_as_store_errors, transaction
from hookctl.store.sqlite.migrations import migrate, table_version

if TYPE_CHECKING:
    import sqlite3

COMPONENT = "lock"
SCRIPTS = (
    """
    CREATE TABLE lock (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        id TEXT NOT NULL,
        operation TEXT NOT NULL,
        who TEXT NOT NULL,
        pid INTEGER NOT NULL,
        version TEXT NOT NULL,
        since REAL NOT NULL
    );
    """,
)
POLL_SECONDS = 0.2
"""Between two attempts to take the lock."""


@contextmanager
def hold(
    path: Path, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
) -> Iterator[Lock]:
    """See :meth:`hookctl.store.interface.Locks.hold_lock`; a store that does not exist is created."""
    import secrets  # slow to import, and only an apply takes the lock

    deadline = time.monotonic() + timeout
    mine = Lock(secrets.token_hex(4), operation, who, os.getpid(), __version__, 0.0)
    while True:
        other = None
        try:
            mine = replace(mine, since=time.time())
            other = _take(path, mine)
            if other is None:
                yield mine
                return
        finally:
            if other is None:  # it is ours, or after an interrupt it may be
                _give_back(path, mine.id)
        if time.monotonic() >= deadline:
            raise _locked(other)
        waiting(other)
        time.sleep(POLL_SECONDS)


def read_lock(path: Path) -> Lock | None:
    """See :meth:`hookctl.store.interface.Locks.read_lock`."""
    with _connection(path) as connection:
        return _read(connection)


def break_lock(path: Path, lock_id: str) -> Lock:
    """See :meth:`hookctl.store.interface.Locks.break_lock`."""
    with _connection(path) as connection, transaction(connection):
        held = _read(connection)
        if held is None:
            raise StateError("the state is not locked", hint="There is no lock to release.")
        if held.id != lock_id:
            raise StateError(
                f"there is no lock {lock_id}; the state is locked by {held}",
                hint="Release it only if you are sure that its process has ended.",
            )
        connection.execute("DELETE FROM lock")
        return held


def refuse_locked(connection: sqlite3.Connection, lock_id: str) -> None:
    """Raise StateLockedError unless ``lock_id`` holds the lock; if it is empty, unless nobody holds it."""
    held = _read(connection) if table_version(connection, COMPONENT) else None
    if (held.id if held else "") == lock_id:
        return
    if held and not lock_id:
        raise _locked(held)
    taken = f", and it is now held by {held}" if held else ""
    raise StateLockedError(
        f"the lock {lock_id} of this apply was released{taken}", hint="Nothing was applied. Run `hookctl plan` again."
    )


def _locked(held: Lock) -> StateLockedError:
    hint = (
        "Wait for it with --lock-timeout 5m. "
        f"If that process no longer runs, release the lock: hookctl unlock {held.id}"
    )
    if held.is_left_over:
        hint = f"That process no longer exists. Release its lock: hookctl unlock {held.id}"
    return StateLockedError(f"the state is locked by {held}", hint=hint)


def _take(path: Path, mine: Lock) -> Lock | None:
    """None if the lock is ours now, otherwise the one that is held."""
    with _connection(path) as connection, transaction(connection):
        held = _read(connection)
        if held is None:
            connection.execute("INSERT INTO lock VALUES (1, ?, ?, ?, ?, ?, ?)", astuple(mine))
        return held


def _give_back(path: Path, lock_id: str) -> None:
    if path.exists():
        with _connection(path) as connection, transaction(connection):
            connection.execute("DELETE FROM lock WHERE id = ?", (lock_id,))


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as connection, errors_as_store_errors(path):
        migrate(connection, COMPONENT, SCRIPTS)
        yield connection


def _read(connection: sqlite3.Connection) -> Lock | None:
    row = connection.execute("SELECT id, operation, who, pid, version, since FROM lock").fetchone()
    if not row:
        return None
    lock_id, operation, who, pid, version, since = row  # a damaged row still locks, and can be released
    number, at = pid if isinstance(pid, int) else 0, since if isinstance(since, int | float) else 0.0
    return Lock(str(lock_id), str(operation), str(who), number, str(version), at)
