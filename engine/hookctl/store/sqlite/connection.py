"""Opening the store's file, and changing it in transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import StateLockedError, StoreError
from hookctl.network.shortage import HINT, lacking, shortage_of
from hookctl.store.sqlite.identity import Identity, file_id, identify, refuse_second_names

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

BUSY_SECONDS = 5.0
"""How long one process waits for another's transaction."""
LOOK_SECONDS = 0.0003
"""Between two looks whether it is over. SQLite's own looks are up to a tenth of a second apart, and transactions here take a few milliseconds."""
CHECKPOINT_CHANGES = 20_000
"""Rows that a connection changes before it copies the write-ahead log into the file: some 40 MB of it. Fewer copies write what changes often less often."""
PAGE_BYTES = 8192
"""Of a new file: an event, and what is recorded of an attempt, take a kilobyte or two each. Smaller pages are more to write, and larger ones for few events."""
CACHE_KIB = 16 * 1024
"""Pages that a connection keeps in memory, as far as it uses so many: more than one transaction changes, which would else be written to the log twice."""
_decode = partial(str, encoding="utf-8", errors="backslashreplace")
"""Bytes that are not UTF-8 are shown as such, where Python would raise an error for all rows of a query that holds one of them."""
Meanwhile = Callable[[], bool]
"""Does a little of something else, for a millisecond at most; False when there is nothing to do."""
APPLICATION_ID = 0x686F6F6B
"""``hook``: written into the file's header, so that another program's database is not taken for ours."""


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the store, creating it (0600, its directory 0700) where it does not exist.

    A symbolic link is resolved here, once, so that SQLite's files beside the store are the same under every name.
    Every commit is on disk before it returns (WAL, ``synchronous=FULL``). Transactions are begun by hand, with
    :func:`transaction`, which makes the checkpoints, too: SQLite's own run beside other connections' commits, which before 3.51.3 could damage the
    file. Use a connection in one thread, never across a fork.

    Raises:
        StoreError: the file or its directory cannot be made or opened, is no database of hookctl's, or has a second name.
        StateLockedError: another process kept the file busy for ``busy_seconds``.
    """
    with errors_as_store_errors(path):
        real = real_path(path)
        if not real.exists():
            real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(real, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        refuse_second_names(real)
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
            connection.execute(
                "PRAGMA temp_store = MEMORY"
            )  # what a savepoint keeps of each page, which else goes through a file
            connection.text_factory = _decode
            connection.execute(
                "SELECT count(*) FROM sqlite_master"
            )  # from here on SQLite has its files beside the store open
            connection.identity = identify(path, real, opened)
        except BaseException:
            connection.close()
            raise
    return connection


def real_path(path: Path) -> Path:
    """The path with all links resolved: the name of the store that SQLite's files, and those of workers, are named after."""
    return Path(os.path.realpath(path))


def check_identity(connection: sqlite3.Connection) -> None:
    """Raise StoreGoneError unless the store is still the file at its path."""
    if isinstance(connection, _Connection) and connection.identity:
        connection.identity.check()


@contextmanager
def transaction(connection: sqlite3.Connection, meanwhile: Meanwhile | None = None) -> Iterator[sqlite3.Connection]:
    """All or nothing: commits at the end of the block, rolls back when it raises.

    Takes the write lock at the start (``BEGIN IMMEDIATE``), so that what is read inside still holds when it is written. One inside of another is
    part of it.

    ``meanwhile`` is called again and again while this waits for another process's transaction, and for the disk. It must not use the connection.

    Raises:
        StoreGoneError: the store is not at its path any more. The commit went to a file that nobody finds: it must not be acknowledged.
        StateLockedError: another process kept the store busy for as long as the connection waits.
        StoreError: SQLite refuses, or the disk does.
    """
    with errors_as_store_errors():
        is_inner = connection.in_transaction
        if is_inner:
            yield connection
            return
        _begin(connection, meanwhile)
        try:
            yield connection
            _commit(connection, meanwhile)
            check_identity(connection)
        except BaseException:
            if connection.in_transaction:  # after some errors SQLite has rolled back by itself
                connection.execute("ROLLBACK")
            raise


def _commit(connection: sqlite3.Connection, meanwhile: Meanwhile | None) -> None:
    """Commit, on the connection's own thread where there is something to do meanwhile: SQLite writes and waits for the disk without Python's lock.

    What ``meanwhile`` raises is raised once SQLite has done, which must not be asked for anything else before.
    """
    if meanwhile is None or not isinstance(connection, _Connection):
        _write(connection)
        return
    writing = connection.writer().submit(_write, connection)
    stopped: BaseException | None = None
    while not writing.done():
        try:
            if stopped or not meanwhile():
                writing.exception()  # waits for the end
        except BaseException as error:  # noqa: BLE001  # the first is raised below
            stopped = stopped or error
    if stopped:
        raise stopped
    writing.result()


def _write(connection: sqlite3.Connection) -> None:
    connection.execute("COMMIT")
    if (
        isinstance(connection, _Connection)
        and connection.total_changes - connection.checkpointed_at >= CHECKPOINT_CHANGES
    ):
        connection.checkpointed_at = connection.total_changes
        connection.execute(
            "PRAGMA wal_checkpoint(FULL)"
        )  # waits for the write lock and holds it, so that nobody commits meanwhile


class _Connection(sqlite3.Connection):
    """A connection that knows its file, how much it has changed since its last checkpoint, and how long it waits for others (seconds)."""

    checkpointed_at = 0
    patience = BUSY_SECONDS
    identity: Identity | None = None
    """None until the store is open."""
    _writer: ThreadPoolExecutor | None = None

    def writer(self) -> ThreadPoolExecutor:
        """The thread that commits while something else is done."""
        if self._writer is None:
            from concurrent.futures import ThreadPoolExecutor  # brings logging in, which a plan does not need

            self._writer = ThreadPoolExecutor(1, "hookctl-commit")
        return self._writer

    def close(self) -> None:
        """As the base class, and the thread ends."""
        if self._writer is not None:
            self._writer.shutdown()
        super().close()


def _begin(connection: sqlite3.Connection, meanwhile: Meanwhile | None) -> None:
    patience = connection.patience if isinstance(connection, _Connection) else BUSY_SECONDS
    deadline = time.monotonic() + patience
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while not _has_begun(connection):
            if time.monotonic() > deadline:
                connection.execute("BEGIN IMMEDIATE")
                return
            if meanwhile is None or not meanwhile():
                time.sleep(LOOK_SECONDS)
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
    """Let what SQLite raises inside the block come out as StoreError or StateLockedError, and where a ``path`` is given, what the file system raises."""
    where = f"the store {path}" if path else "the store"
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StateLockedError(
                f"{where} is busy: another hookctl is writing to it", hint="Try again when the other one is done."
            ) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise StoreError(
                f"{where} is damaged or is not a database: {error}",
                hint="Restore it from a backup, or name another file with --store.",
            ) from error
        if lack := lacking():  # SQLite cannot say so
            raise StoreError(f"{where} cannot be used: {lack}", hint=HINT) from error
        raise StoreError(
            f"{where} cannot be used: {error}", hint="Check its permissions and the space on its disk."
        ) from error
    except OSError as error:
        if path is None:  # nothing is opened there: it is of whatever else the block does
            raise
        lack = shortage_of(error)
        hint = HINT if lack else "Check the path given by --store and its permissions."
        raise StoreError(f"{where} cannot be opened: {lack or error.strerror or error}", hint=hint) from error


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    (tables,) = connection.execute(
        "SELECT count(*) FROM sqlite_master"
    ).fetchone()  # first: the id comes with the first table
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id not in {0, APPLICATION_ID} or (tables and application_id == 0):
        raise StoreError(
            f"the store {path} is a database of another program", hint="Name a file of hookctl's own with --store."
        )


def _use_wal(connection: sqlite3.Connection, deadline: float) -> None:
    """Two processes that make the file at the same moment meet here, where SQLite does not wait by itself."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
