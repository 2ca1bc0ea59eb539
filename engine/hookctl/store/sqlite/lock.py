"""The lock on the applied state: one apply at a time, from the reading of its plan to its commit.

SQLite's own lock keeps two commits apart; this one also covers the time in which a person reads a plan and decides, and tells others who that is.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl._version import __version__
from hookctl.errors import StateError, StateLockedError

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
MAX_TIME = 1e12
"""Epoch seconds that a calendar has a name for."""
POLL_SECONDS = 0.2
"""Between two looks whether the lock is free."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Who changes the applied state now, or is about to."""

    id: str
    operation: str
    who: str
    """``user@host``."""
    pid: int
    version: str
    """Of the hookctl that holds it."""
    since: float
    """Epoch seconds."""

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since if abs(self.since) <= MAX_TIME else 0))
        return f"{self.who}, hookctl {self.operation} since {since} (process {self.pid}, hookctl {self.version}, lock {self.id})"

    @property
    def is_left_over(self) -> bool:
        """True when it was taken on this host by a process that is gone. False proves nothing: another host cannot be asked."""
        if self.who.rpartition("@")[2] != socket.gethostname() or not 0 < self.pid < 1 << 31:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:  # it runs, as another user
            return False
        return False


@contextmanager
def hold(
    path: Path, *, operation: str, who: str, timeout: float = 0.0, waiting: Callable[[Lock], None] = lambda _: None
) -> Iterator[Lock]:
    """Hold the lock of the store at ``path`` inside the block; the store is made where it does not exist.

    While another holds it, ``waiting`` is told of that lock, again and again for up to ``timeout`` seconds.

    Raises:
        StateLockedError: another still holds it. The message says who, from where and since when, the hint how to break it.
        StoreError: the store cannot be opened or written.
    """
    deadline = time.monotonic() + timeout
    import secrets  # who only reads the state takes no lock

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
            if other is None:  # it is ours; or it may be, if this is an interrupt
                _give_back(path, mine.id)
        if time.monotonic() >= deadline:
            raise _locked(other)
        waiting(other)
        time.sleep(POLL_SECONDS)


def break_lock(path: Path, lock_id: str) -> Lock:
    """Take the lock of that id from whoever holds it, and give what it was: they can no longer apply anything under it.

    Raises StateError when there is no lock, or it is another one.
    """
    from hookctl.store.sqlite.connection import transaction

    if not path.exists():
        raise StateError("the state is not locked", hint="There is nothing to break.")
    with _connection(path) as connection, transaction(connection):
        held = _read(connection)
        if held is None:
            raise StateError("the state is not locked", hint="There is nothing to break.")
        if held.id != lock_id:
            raise StateError(
                f"the lock is not {lock_id}, but that of {held}",
                hint="Break that one only if you know that nothing runs under it.",
            )
        connection.execute("DELETE FROM lock")
        return held


def refuse_locked(connection: sqlite3.Connection, lock_id: str) -> None:
    """Raise StateLockedError unless the state is locked by ``lock_id``; if that is empty, unless it is not locked at all."""
    from hookctl.store.sqlite.migrations import table_version

    held = _read(connection) if table_version(connection, COMPONENT) else None
    if (held.id if held else "") == lock_id:
        return
    if held and not lock_id:
        raise _locked(held)
    taken = f", and the lock is that of {held} now" if held else ""
    raise StateLockedError(
        f"the lock {lock_id} of this apply was broken{taken}", hint="Nothing was applied. Plan again."
    )


def _locked(held: Lock) -> StateLockedError:
    hint = (
        f"Wait for it with --lock-timeout 5m. If nothing runs there any more, break the lock: hookctl unlock {held.id}"
    )
    if held.is_left_over:
        hint = f"That process is gone and has not given the lock back. Break it: hookctl unlock {held.id}"
    return StateLockedError(f"the state is locked by {held}", hint=hint)


def _take(path: Path, mine: Lock) -> Lock | None:
    """None when the lock is ours now, else the one that is held."""
    from hookctl.store.sqlite.connection import transaction

    with _connection(path) as connection, transaction(connection):
        held = _read(connection)
        if held is None:
            connection.execute("INSERT INTO lock VALUES (1, ?, ?, ?, ?, ?, ?)", astuple(mine))
        return held


def _give_back(path: Path, lock_id: str) -> None:
    from hookctl.store.sqlite.connection import transaction

    if path.exists():
        with _connection(path) as connection, transaction(connection):
            connection.execute("DELETE FROM lock WHERE id = ?", (lock_id,))


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    from hookctl.store.sqlite.connection import connect, errors_as_store_errors
    from hookctl.store.sqlite.migrations import migrate

    with closing(connect(path)) as connection, errors_as_store_errors(path):
        migrate(connection, COMPONENT, SCRIPTS)
        yield connection


def _read(connection: sqlite3.Connection) -> Lock | None:
    row = connection.execute("SELECT id, operation, who, pid, version, since FROM lock").fetchone()
    if not row:
        return None
    lock_id, operation, who, pid, version, since = row  # what is damaged locks all the same, and can be broken
    number, at = pid if isinstance(pid, int) else 0, since if isinstance(since, int | float) else 0.0
    return Lock(str(lock_id), str(operation), str(who), number, str(version), at)
