"""A connection to the server: opened when it is first needed, checked, and opened again after it was lost."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from hookctl.errors import SettingsError, StoreError, StoreGoneError
from hookctl.store.postgres import sessions
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.failures import errors_as_store_errors, is_lost

P = ParamSpec("P")
T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]

PATIENCE = 5.0
"""Seconds for which hookctl tries to reach the server again before a method fails."""
PAUSE = 0.05, 1.0
"""The longest pause before the first attempt to reconnect, and before any other; each is a random part of it."""
LOOK_SECONDS = 1.0
"""Between two looks, while it is used, whether a connection still leads to the same store."""
REPEATS = 8
"""How often a transaction is begun anew after another one got in its way."""
OLDEST = 140000
"""PostgreSQL 14, as a number."""
TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}
PLANNER = {"jit": "off", "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_mergejoin": "off"}
"""Every query has an index to use. The planner might not know: a table is empty at one time, and large at another."""
WITH_HASHES, WITH_LOOPS = "SET LOCAL enable_nestloop = off", "SET LOCAL enable_nestloop = on"
"""Before and after a statement with a value for each of many rows. A planner that expects few rows would compare each
row with each value."""
NETWORK = {
    "application_name": "hookctl",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "target_session_attrs": "read-write",
}
IN_THE_WAY = {"40001", "40P01", "23505"}
"""Another transaction came first: it changed or moved the same rows, or stored the same event."""
ABOUT = """
    SELECT current_setting('server_version_num')::int,
        set_config('synchronous_commit', current_setting('synchronous_commit'), false), current_setting('fsync'),
        current_setting('full_page_writes'), current_setting('server_encoding'), pg_backend_pid()
"""
"""Commits of the session stay as they are now, also if the server reads its settings again."""

LIFE = "SELECT pg_postmaster_start_time()::text || coalesce(pg_last_wal_replay_lsn()::text, '')"
"""Differs after each failover, and after each recovery of the server from a crash."""
TRANSACTION = "SELECT pg_current_xact_id_if_assigned()::text, pg_current_wal_insert_lsn()::text"
"""Asked after all that a transaction has written."""
HAS_RECEIVED = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"


class About(NamedTuple):
    """What hookctl asks a server when it connects."""

    version: int
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    encoding: str
    pid: int

    @property
    def weakness(self) -> str:
        """Why this server may lose what it has acknowledged; empty if it does not."""
        if self.synchronous_commit not in {"on", "remote_apply"}:
            return f"synchronous_commit is {self.synchronous_commit}"
        off = [name for name in ("fsync", "full_page_writes") if getattr(self, name) == "off"]
        return f"{off[0]} is off" if off else ""


def connect(address: Address, *, application: str = "hookctl") -> Connection:
    """Open a connection in autocommit mode, and refuse a server that cannot keep a store's promises.

    Raises SettingsError, StoreError, or psycopg.Error if the server cannot be reached.
    """
    settings = {"search_path": address.schema} | sessions.SETTINGS | TIMEOUTS | PLANNER
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given = _read_url(address)
    options = f"{given.pop('options', '')} {options}".strip()
    network: dict[str, Any] = NETWORK | given | {"application_name": application, "client_encoding": "utf8"}
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of lost connections, which hookctl handles
    connection: Connection = psycopg.connect(**network, options=options, autocommit=True)
    sessions.use_plain_text(connection)
    try:
        refuse_unfit(address, connection, read_about(connection))
    except BaseException:
        connection.close()
        raise
    return connection


def _read_url(address: Address) -> dict[str, Any]:
    """What libpq reads in the URL. Raises SettingsError, without anything that may belong to a password."""
    try:
        return psycopg.conninfo.conninfo_to_dict(address.url)
    except psycopg.ProgrammingError as error:
        what, _, where = str(error).strip().partition(": ")
        is_parameter = what.endswith("query parameter") and "=" not in where
        raise SettingsError(
            f"the store's URL is not valid: {what}{f' {where}' if is_parameter else ''}",
            hint="Write postgresql://USER@HOST/DATABASE and parameters of libpq or of `hookctl explain postgres`; "
            "percent-encode what is special in a URL.",
        ) from error


def read_about(connection: Connection) -> About:
    """What the server says about itself."""
    return About(*(connection.execute(ABOUT).fetchone() or ()))


def refuse_unfit(address: Address, connection: Connection, about: About) -> None:
    """Raise SettingsError if the server is too old, is behind a pooler, or loses commits."""
    if about.version < OLDEST:
        raise SettingsError(
            f"the server has PostgreSQL {about.version // 10_000}, and hookctl needs 14 or newer",
            hint="Upgrade the server, or use another one.",
        )
    if about.encoding != "UTF8":
        raise SettingsError(
            f"the database {connection.info.dbname} is in {about.encoding}, and events are in UTF-8",
            hint="Create a database with ENCODING 'UTF8'.",
        )
    if about.pid != connection.info.backend_pid and not address.allows_pooler:
        raise SettingsError(
            "a connection pooler is between hookctl and the server, and may give each transaction another connection",
            hint="Name the server itself. If the pooler is in session mode, add pooler=session to the URL.",
        )
    if about.weakness and not address.allows_weak_commits:
        raise SettingsError(
            f"the server may lose events that were acknowledged: {about.weakness}",
            hint="Turn it on for hookctl's user. To accept the loss, add weak_commits=allow to the store's URL.",
        )


class Database:
    """One connection at a time. Belongs to one thread at a time.

    ``prepare`` is called with each new connection, and again from time to time.
    """

    def __init__(self, address: Address, prepare: Callable[[Connection], object], application: str = "hookctl") -> None:
        self.address = address
        self._prepare, self._application = prepare, application
        self._open: Connection | None = None
        self._life = ""
        """The :data:`LIFE` of the server that the last connection led to."""
        self._looked_at = 0.0
        self._is_closed = False
        self._gone: StoreGoneError | None = None

    def close(self) -> None:
        """Close the connection. Nothing can be read or written afterwards."""
        self._is_closed = True
        self.disconnect()

    def disconnect(self) -> None:
        """Close the connection; the next use opens another one."""
        if self._open is not None:
            with suppress(psycopg.Error):  # it may be lost already
                self._open.close()
            self._open = None

    def check(self) -> None:
        """Raise StoreGoneError if the last connection found another store in its place."""
        if self._gone:
            raise StoreGoneError(self._gone.message, hint=self._gone.hint)

    def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        """What ``work`` returns. It changes nothing, so it is called again if the connection is lost."""

        def once(connection: Connection) -> T:
            return work(connection, *args, **options)

        return self._repeat(once)

    def snapshot(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        """As :meth:`read`, but every statement of ``work`` sees the same moment."""

        def once(connection: Connection) -> T:
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return work(connection, *args, **options)

        return self._repeat(once)

    def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        """Call ``work`` in a transaction, and return what it returned once the transaction is on disk.

        ``work`` is called again if another transaction got in the way, or if the connection was lost before the commit.
        If it was lost during the commit, hookctl reads what became of the transaction.
        """

        def once(connection: Connection) -> T:
            connection.execute("BEGIN")
            result = work(connection, *args, **options)
            row = connection.execute(TRANSACTION).fetchone()
            return self._commit(connection, row or (None, None), result)

        return self._repeat(once)

    def write_at_once(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **options: P.kwargs) -> T:
        """As :meth:`write`, with fewer round trips: statements are sent together until ``work`` fetches a result.

        ``work`` must not use ``rowcount``.
        """

        def once(connection: Connection) -> T:
            with connection.pipeline():
                connection.execute("BEGIN")
                result = work(connection, *args, **options)
                transaction = connection.execute(TRANSACTION)
            return self._commit(connection, transaction.fetchone() or (None, None), result)

        return self._repeat(once)

    # -- connecting

    def _connected(self) -> Connection:
        self.check()
        if self._is_closed:
            raise StoreError("the store is closed", hint="Open it again.")
        if self._open is not None and (self._open.closed or self._open.broken):
            self.disconnect()
        if self._open is not None and time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._look_again(self._open)
        if self._open is None:
            self._looked_at = time.monotonic()
            opened = connect(self.address, application=self._application)
            try:
                (self._life,) = opened.execute(LIFE).fetchone() or ("",)
                self._prepare(opened)
            except StoreGoneError as error:
                self._gone = error
                opened.close()
                raise
            except BaseException:
                opened.close()
                raise
            self._open = opened
        return self._open

    def _look_again(self, connection: Connection) -> None:
        """Raise StoreGoneError if another store has taken the place of the one before."""
        try:
            self._prepare(connection)
        except StoreGoneError as error:
            self._gone = error
            self.disconnect()
            raise
        self._looked_at = time.monotonic()

    def _repeat(self, once: Callable[[Connection], T]) -> T:
        """Call ``once`` until it is not interrupted by a lost connection or by another transaction."""
        deadline, repeats, pause = time.monotonic() + PATIENCE, 0, PAUSE[0]
        while True:
            with errors_as_store_errors(self.address):
                try:
                    connection = self._connected()
                    try:
                        return once(connection)
                    except BaseException:
                        _roll_back(connection)
                        raise
                except psycopg.Error as error:
                    repeats += 1
                    if is_lost(error) or (self._open is not None and self._open.closed):
                        self.disconnect()
                        if time.monotonic() + pause > deadline:
                            raise
                        if error.sqlstate == "26000":
                            continue
                    elif error.sqlstate not in IN_THE_WAY or repeats > REPEATS:
                        self.disconnect()  # it may hold a lock that no rollback releases, or its tables may be gone
                        raise
                    else:
                        continue
            time.sleep(random.uniform(0, pause))  # noqa: S311 - so that not all workers come at once
            pause = min(2 * pause, PAUSE[1])

    def _commit(self, connection: Connection, written: tuple[Any, ...], result: T) -> T:
        """Commit, and return ``result``. ``written`` is what :data:`TRANSACTION` gave."""
        transaction, position = written
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            if transaction is None or not (is_lost(error) or connection.closed):
                raise
            self.disconnect()
            if not self._has_committed(transaction, position, self._life):
                raise
        return result

    def _has_committed(self, transaction: str, position: str, life: str) -> bool:
        """Whether a transaction whose connection was lost during its commit is on disk.

        A server that has recovered from a crash, or has taken over, may have given the number of a transaction that it
        never heard of to another one. So its answer counts only if it has received the log up to ``position``.
        """
        deadline, pause = time.monotonic() + PATIENCE, PAUSE[0]
        while True:
            try:
                connection = self._connected()
                if self._life != life:
                    received = connection.execute(HAS_RECEIVED, (position,)).fetchone()
                    if not received or not received[0]:
                        return False
                row = connection.execute("SELECT pg_xact_status(%s::xid8)", (transaction,)).fetchone()
            except psycopg.Error as error:
                if not is_lost(error):  # the server knows no such transaction: it never got that far there
                    return False
                self.disconnect()
                row = ("unreachable",)
            if row and row[0] in {"committed", "aborted"}:
                return bool(row[0] == "committed")
            if time.monotonic() + pause > deadline:
                raise StoreError(
                    "the connection to the store was lost during a commit, and it is not known whether it was made",
                    hint="Nothing needs to be done: what is stored twice counts once.",
                )
            time.sleep(random.uniform(0, pause))  # noqa: S311 - as above
            pause = min(2 * pause, PAUSE[1])


def _roll_back(connection: Connection) -> None:
    if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
        with suppress(psycopg.Error):  # then the connection is lost, and the server rolls back
            connection.execute("ROLLBACK")


def quoted(name: str) -> sql.Identifier:
    """A name as an identifier in SQL."""
    return sql.Identifier(name)
