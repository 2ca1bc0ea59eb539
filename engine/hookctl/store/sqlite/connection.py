"""Opening the store's file, and changing it in transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from hookctl.errors import StateLockedError, StoreError
from hookctl.network.shortage import HINT, lacking, shortage_of
from hookctl.store.sqlite.identity import Identity, file_id, identify, refuse_other_than_one_file

BUSY_SECONDS = 5.0
"""Seconds that one process waits for another's transaction."""
RETRY_SECONDS = 0.0003
"""Seconds between two attempts to begin a transaction.

SQLite's own attempts are up to a tenth of a second apart, and transactions here take a few milliseconds.
"""
CHECKPOINT_CHANGES = 5_000
"""The number of rows that a connection changes before it copies the write-ahead log, some 15 MB, into the file.

No process can commit during a checkpoint. With 5,000 changes, one takes about as long as two commits; with 20,000, all
runners stop for 20 to 50 ms. The log also stays small: a disk takes longer to append to a file than to overwrite it.
"""
PAGE_BYTES = 8192
"""Of a new file. An event, and the record of an attempt, take one or two kilobytes each.

Smaller pages make more of them to write; larger ones write too much when there are few events.
"""
CACHE_KIB = 16 * 1024
"""Pages that a connection keeps in memory when it uses that many.

They are more than one transaction changes; with fewer, SQLite would write some pages to the log twice.
"""
_decode = partial(str, encoding="utf-8", errors="backslashreplace")
"""Shows bytes that are not UTF-8 as escapes. Python would raise an error for all rows of a query that holds one."""
APPLICATION_ID = 0x686F6F6B
"""``hook``: written into the file's header, so that another program's database is not taken for ours."""


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the store, creating it (0600, its directory 0700) where it does not exist.

    A symbolic link is resolved here, once, so that SQLite's files beside the store are the same under every name.
    Every commit is on disk before it returns (WAL, ``synchronous=FULL``). :func:`transaction` begins transactions and
    also makes the checkpoints: SQLite's own run beside other connections' commits, which before 3.51.3 could damage
    the file. Only one thread may use a connection at a time, and never across a fork.

    Raises:
        StoreError: the file or its directory cannot be made or opened, is not a database of hookctl's or not a regular
            file, or has a second name.
        StateLockedError: another process kept the file busy for ``busy_seconds``.
    """
    with errors_as_store_errors(path):
        real = real_path(path)
        if not real.exists():
            real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(real, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        refuse_other_than_one_file(real)
        opened = file_id(path)
        uri = f"{real.as_uri()}?mode=rw"
        connection: _Connection = sqlite3.connect(
            uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        connection.patience = busy_seconds
        try:
            _refuse_foreign(connection, path)
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            _use_wal(connection, time.monotonic() + busy_seconds)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            # What a savepoint keeps of each page would otherwise go through a file.
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.text_factory = _decode
            # From this statement on, SQLite has its files beside the store open.
            connection.execute("SELECT count(*) FROM sqlite_master")
            connection.identity = identify(path, real, opened)
        except BaseException:
            connection.close()
            raise
    return connection


def real_path(path: Path) -> Path:
    """The path with all links resolved, after which SQLite's files and those of workers are named."""
    return Path(os.path.realpath(path))


def check_identity(connection: sqlite3.Connection) -> None:
    """Raise StoreGoneError unless the store is still the file at its path."""
    if isinstance(connection, _Connection) and connection.identity:
        connection.identity.check()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A transaction: commits at the end of the block, rolls back when the block raises.

    It takes the write lock at the start (``BEGIN IMMEDIATE``), so what is read inside still holds when it is written.
    A transaction inside another one is part of it.

    Raises:
        StoreGoneError: the store is no longer at its path. The commit went to a file that nobody will find, so it must
            not be acknowledged.
        StateLockedError: another process kept the store busy for as long as the connection waits.
        StoreError: SQLite or the disk refuses.
    """
    with errors_as_store_errors():
        is_inner = connection.in_transaction
        if is_inner:
            yield connection
            return
        _begin(connection)
        try:
            yield connection
            _commit(connection)
            check_identity(connection)
        except BaseException:
            if connection.in_transaction:  # after some errors SQLite has rolled back by itself
                connection.execute("ROLLBACK")
            raise


def _commit(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")
    if (
        isinstance(connection, _Connection)
        and connection.total_changes - connection.checkpointed_at >= CHECKPOINT_CHANGES
    ):
        connection.checkpointed_at = connection.total_changes
        # FULL waits for the write lock and holds it, so no other process commits during the checkpoint.
        connection.execute("PRAGMA wal_checkpoint(FULL)")


class _Connection(sqlite3.Connection):
    """A connection to one file.

    It knows how much it has changed since its last checkpoint, and how many seconds it waits for others.
    """

    checkpointed_at = 0
    patience = BUSY_SECONDS
    identity: Identity | None = None
    """None until the store is open."""


def _begin(connection: sqlite3.Connection) -> None:
    patience = connection.patience if isinstance(connection, _Connection) else BUSY_SECONDS
    deadline = time.monotonic() + patience
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while not _has_begun(connection):
            if time.monotonic() > deadline:
                connection.execute("BEGIN IMMEDIATE")
                return
            time.sleep(RETRY_SECONDS)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")


def _has_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def errors_as_store_errors(path: Path | None = None) -> Iterator[None]:
    """Raise what SQLite raises inside the block as StoreError or StateLockedError.

    With a ``path``, do the same for what the file system raises.
    """
    where = f"the store {path}" if path else "the store"
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its extension
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StateLockedError(
                f"{where} is busy: another process is writing to it",
                hint="Try again when it is done. `fuser` and `lsof` show which processes use the file.",
            ) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise StoreError(
                f"{where} is damaged or is not a database: {error}",
                hint="Restore it from a backup, or name another file with --store.",
            ) from error
        if lack := lacking():  # SQLite does not say so
            raise StoreError(f"{where} cannot be used: {lack}", hint=HINT) from error
        raise StoreError(
            f"{where} cannot be used: {error}", hint="Check its permissions and the space on its disk."
        ) from error
    except OSError as error:
        if path is None:  # the block opens no file of the store, so the error is not about the store
            raise
        lack = shortage_of(error)
        hint = HINT if lack else "Check the path given by --store and its permissions."
        raise StoreError(f"{where} cannot be opened: {lack or error.strerror or error}", hint=hint) from error


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    # Counted before the id is read: the id is written with the first table.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id not in {0, APPLICATION_ID} or (tables and application_id == 0):
        raise StoreError(
            f"the store {path} is a database of another program",
            hint="Use --store to name a file that only hookctl uses.",
        )


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """Switch to WAL. Where two processes create the file at the same moment, SQLite does not wait by itself."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
