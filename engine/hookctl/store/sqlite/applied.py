"""The applied state in the store."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from hookctl.model import Action, AppliedState, Plan, Rename, Status
from hookctl.store.applied_rows import (
    AppliedRow,
    LastApply,
    damage_of,
    digests_of,
    refuse_incomplete,
    refuse_removals,
    refuse_stale,
    state_digest,
    state_of,
)
from hookctl.store.history import LogEntry, Route, Routes
from hookctl.store.records import MAX_TIME, Damaged
from hookctl.store.sqlite import event_types, past, routes
from hookctl.store.sqlite.applied_damage import damaged
from hookctl.store.sqlite.connection import connect, errors_as_store_errors, transaction
from hookctl.store.sqlite.lock import refuse_locked
from hookctl.store.sqlite.migrations import migrate, table_version

COMPONENT = "applied"
SCRIPTS = (
    """
    -- With row ids: without them a row of more than 1 kB takes a page of its own.
    CREATE TABLE applied_webhooks (name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE applies (
        serial INTEGER PRIMARY KEY,
        applied_at REAL NOT NULL,
        applied_by TEXT NOT NULL,
        plan_digest TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE renames (
        serial INTEGER NOT NULL,
        old TEXT NOT NULL,
        new TEXT NOT NULL,
        PRIMARY KEY (serial, old)
    ) WITHOUT ROWID;
    """,
    """
    -- SHA-256 over the names and digests that the apply left; NULL if an older hookctl applied.
    ALTER TABLE applies ADD COLUMN state_digest TEXT;
    """,
    """
    -- 1: the old name was given to another webhook since.
    ALTER TABLE renames ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
    """,
    routes.SCRIPT,
    past.SCRIPT,
    event_types.SCRIPT,
)
STATE_DIGEST_SINCE, RENAMES_SINCE, ROUTES_SINCE, EVENT_TYPES_SINCE = 3, 4, 5, 7
"""The first versions of the tables that have them. Only an apply migrates; a store of an older version can be read."""

_LAST = "FROM applies WHERE serial BETWEEN 0 AND 1 << 62 ORDER BY serial DESC LIMIT 1"
"""The last apply. A greater serial is damage: none could follow it."""
_APPLIES = """
    SELECT serial, applied_at, applied_by, plan_digest FROM applies
    WHERE applied_at BETWEEN ? AND 1e12 AND serial BETWEEN 0 AND 1 << 62 ORDER BY serial DESC LIMIT ?
"""
HAS_PROGRESS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'copy_progress'"
PROGRESS = "SELECT 1 FROM copy_progress"
_READING_KIB = 512
"""SQLite's cache while the state is read: each page is read once, and keeping them all takes longer than that."""


class AppliedStore:
    """The applied state in a SQLite file. Holds no connection: each call opens the file and closes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> AppliedState:
        """See :meth:`hookctl.store.interface.State.read_state`. Never creates the file."""
        with self._snapshot() as connection:
            return _read(connection) if connection else AppliedState()

    def check(self, plan: Plan) -> None:
        """See :meth:`hookctl.store.interface.State.check_plan`. Never creates the file."""
        refuse_removals(plan)
        with self._snapshot() as connection:
            _refuse_stale(connection, plan)

    def apply(
        self,
        plan: Plan,
        *,
        applied_by: str = "",
        lock_id: str = "",
        commit: str = "",
        also: Callable[[sqlite3.Connection], object] = lambda _: None,
    ) -> AppliedState:
        """See :meth:`hookctl.store.interface.State.apply`. ``also`` is called in the same transaction, at its end."""
        refuse_removals(plan)
        with self._connection() as connection:
            migrate(connection, COMPONENT, SCRIPTS)
            with transaction(connection):
                refuse_locked(connection, lock_id)
                _refuse_stale(connection, plan)
                if not plan.only:
                    _forget_damaged(connection)
                _write(connection, plan)
                event_types.write(connection, plan)
                routes.record(connection, plan)
                past.record(connection, plan, commit)
                rows = connection.execute("SELECT name, digest FROM applied_webhooks ORDER BY name")
                done = (
                    plan.serial + 1,
                    time.time(),
                    applied_by,
                    plan.digest,
                    state_digest(rows, event_types.digests(connection)),
                )
                connection.execute("INSERT INTO applies VALUES (?, ?, ?, ?, ?)", done)
                also(connection)
                return _read(connection)

    def log(self, limit: int, since: float | None) -> list[LogEntry]:
        """The newest applies, newest first; see :meth:`hookctl.store.events_interface.Log.log`."""
        with self._snapshot() as connection:
            rows = connection.execute(_APPLIES, (-MAX_TIME if since is None else since, limit)) if connection else ()
            return [_log_entry(*row) for row in rows if isinstance(row[2], str) and isinstance(row[3], str)]

    def serial_at(self, at: float) -> int:
        """See :meth:`hookctl.store.events_interface.Log.serial_at`. Never creates the file."""
        with self._snapshot() as connection:
            if connection is None:
                return 0
            is_kept = table_version(connection, COMPONENT) >= ROUTES_SINCE
            return routes.serial_at(connection, at) if is_kept else last_serial(connection)

    def routes_at(self, at: float) -> Routes:
        """See :meth:`hookctl.store.events_interface.Log.routes_at`. Never creates the file."""
        with self._snapshot() as connection:
            if connection is None:
                return Routes(0, {})
            if table_version(connection, COMPONENT) >= ROUTES_SINCE:
                return routes.routes_at(connection, at)
            state = _read(connection)
            return Routes(
                state.serial,
                {
                    name: Route(plan.events, plan.status is Status.ACTIVE, plan.when)
                    for name, plan in state.plans.items()
                },
            )

    def damaged(self) -> list[Damaged]:
        """The rows about applies that cannot be read. Never creates the file."""
        with self._snapshot() as connection:
            return list(damaged(connection)) if connection else []

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection | None]:
        """A connection that sees one moment and takes no lock; None where nothing was ever applied."""
        if not self._path.exists():
            yield None
            return
        with self._connection() as connection:
            connection.execute(f"PRAGMA cache_size = -{_READING_KIB}")
            connection.execute("BEGIN")
            yield connection if table_version(connection, COMPONENT) else None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(connect(self._path)) as connection, errors_as_store_errors(self._path):
            yield connection


def _rows(connection: sqlite3.Connection) -> list[AppliedRow]:
    query = "SELECT rowid, name, digest, CAST(document AS BLOB) FROM applied_webhooks ORDER BY name"
    return [AppliedRow(*row) for row in connection.execute(query)]


def last_serial(connection: sqlite3.Connection) -> int:
    """The serial of the last apply; 0 if nothing was ever applied."""
    try:
        row = connection.execute(f"SELECT serial {_LAST}").fetchone()
    except sqlite3.OperationalError:  # to ask for the table before would take three times as long
        if table_version(connection, COMPONENT):
            raise
        return 0
    return int(row[0]) if row else 0


def _read(connection: sqlite3.Connection) -> AppliedState:
    """The state. Raises StoreError for a delivery plan of another format, StateError in an incomplete copy."""
    is_copy = connection.execute(HAS_PROGRESS).fetchone() is not None
    refuse_incomplete(is_incomplete=is_copy and connection.execute(PROGRESS).fetchone() is not None)
    rows = _rows(connection)
    last = _last_apply(connection)
    types = event_types.read(connection) if table_version(connection, COMPONENT) >= EVENT_TYPES_SINCE else {}
    is_edited = _is_edited(connection, rows, digests_of(types))
    return state_of(rows, last.serial if last else 0, _renames(connection), types, is_edited=is_edited)


def _forget_damaged(connection: sqlite3.Connection) -> None:
    """Delete the damaged rows: after an apply of all files, only what they describe is left."""
    damaged = [(row.key,) for row in _rows(connection) if damage_of(row)]
    connection.executemany("DELETE FROM applied_webhooks WHERE rowid = ?", damaged)


def _is_edited(connection: sqlite3.Connection, rows: Iterable[AppliedRow], types: Mapping[str, str]) -> bool:
    """Whether something other than an apply changed ``rows``, all that are applied in order of name, or ``types``."""
    if table_version(connection, COMPONENT) < STATE_DIGEST_SINCE:
        return False
    row = connection.execute(f"SELECT state_digest {_LAST}").fetchone()
    return bool(row and row[0]) and row[0] != state_digest(((one.name, one.digest) for one in rows), types)


def _renames(connection: sqlite3.Connection) -> tuple[Rename, ...]:
    if table_version(connection, COMPONENT) < RENAMES_SINCE:
        return ()
    rows = connection.execute("SELECT serial, old, new, taken FROM renames ORDER BY serial, old")
    sound = [row for row in rows.fetchall() if tuple(map(type, row[:3])) == (int, str, str)]
    return tuple(Rename(serial, old, new, bool(taken)) for serial, old, new, taken in sound)


def _last_apply(connection: sqlite3.Connection) -> LastApply | None:
    """None before the first."""
    row = connection.execute(f"SELECT serial, applied_at, applied_by {_LAST}").fetchone()
    return LastApply(*row) if row else None


def _log_entry(serial: int, at: float, who: str, digest: str) -> LogEntry:
    what = f"serial {serial}, plan {digest[:12]}"
    return LogEntry(at=at, who=who, action="apply", what=what, reason="", deliveries=None, serial=serial)


def _refuse_stale(connection: sqlite3.Connection | None, plan: Plan) -> None:
    state = _read(connection) if connection else AppliedState()
    refuse_stale(plan, state, _last_apply(connection) if connection else None)


def _write(connection: sqlite3.Connection, plan: Plan) -> None:
    for change in plan.changes:
        if change.before and change.action in {Action.DELETE, Action.RENAME}:
            connection.execute("DELETE FROM applied_webhooks WHERE name = ?", (change.before.name,))
        if change.action in {Action.CREATE, Action.RENAME}:
            connection.execute("UPDATE renames SET taken = 1 WHERE old = ?", (change.name,))
        if change.renamed_from:
            connection.execute(
                "INSERT INTO renames (serial, old, new) VALUES (?, ?, ?)",
                (plan.serial + 1, change.renamed_from, change.name),
            )
        if change.after:
            row = (change.name, change.after.digest, change.after.canonical().decode())
            connection.execute("INSERT OR REPLACE INTO applied_webhooks VALUES (?, ?, ?)", row)
