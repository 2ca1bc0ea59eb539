"""The lock on the applied state: one apply at a time, from reading its plan to its commit.

SQLite's own lock separates two commits. This one also covers the time in which someone reads a plan and decides, and
shows others who that is. Each step uses a connection of its own, so that an interrupt in the middle of one cannot keep
the lock from being given back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.store.locking import hold_lock, refuse_other, refuse_unknown
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


def hold(
    path: Path, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
) -> AbstractContextManager[Lock]:
    """See :meth:`hookctl.store.interface.Locks.hold_lock`; a store that does not exist is created."""
    return hold_lock(
        lambda mine: _take(path, mine),
        lambda lock_id: _give_back(path, lock_id),
        operation=operation,
        who=who,
        timeout=timeout,
        waiting=waiting,
    )


def read_lock(path: Path) -> Lock | None:
    """See :meth:`hookctl.store.interface.Locks.read_lock`."""
    with _connection(path) as connection:
        return _read(connection)


def break_lock(path: Path, lock_id: str) -> Lock:
    """See :meth:`hookctl.store.interface.Locks.break_lock`."""
    with _connection(path) as connection, transaction(connection):
        held = _read(connection)
        held = refuse_unknown(held, lock_id)
        connection.execute("DELETE FROM lock")
        return held


def refuse_locked(connection: sqlite3.Connection, lock_id: str) -> None:
    """Raise StateLockedError unless ``lock_id`` holds the lock; if it is empty, unless nobody holds it."""
    refuse_other(_read(connection) if table_version(connection, COMPONENT) else None, lock_id)


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
