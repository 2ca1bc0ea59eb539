"""The applied state in the store."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.apply.lock import refuse_locked
from hookctl.errors import StalePlanError, StateError, StoreError
from hookctl.model import Action, AppliedState, DeliveryPlan, Plan, Rename
from hookctl.model.delivery_plan import FORMAT, KnownPlans

if TYPE_CHECKING:
    import sqlite3

COMPONENT = "applied"
SCRIPTS = (
    """
    -- With row ids: without them a row of more than 1 kB takes a page of its own.
    CREATE TABLE applied_webhooks (name TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE applies (serial INTEGER PRIMARY KEY, applied_at REAL NOT NULL, applied_by TEXT NOT NULL, plan_digest TEXT NOT NULL);
    """,
    """
    CREATE TABLE renames (serial INTEGER NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY (serial, old)) WITHOUT ROWID;
    """,
    """
    ALTER TABLE applies ADD COLUMN state_digest TEXT;  -- SHA-256 over the names and digests that the apply left; NULL: of a hookctl that wrote none
    """,
    """
    ALTER TABLE renames ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;  -- 1: the old name was given to another webhook since
    """,
)
STATE_DIGEST_SINCE, RENAMES_SINCE = 3, 4
"""The versions of the tables that have them; a store that no apply has brought up to them is read as it is."""

_READING_KIB = 512
"""SQLite's cache while the state is read: each page is needed once, and to keep them all takes longer than to read them."""
_THIS_FORMAT = f',"format":{FORMAT},"headers":'.encode()
"""Stands in the canonical JSON of a delivery plan of this format, and of no other."""


class AppliedStore:
    """The applied state in a SQLite file. Holds no connection: each call opens the file and closes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> AppliedState:
        """What is applied now; serial 0 and no plans where nothing was ever applied. Never creates the file.

        Raises:
            StoreError: the store cannot be read, or holds what this hookctl does not understand.
            StateLockedError: another process kept the store busy.
        """
        with self._snapshot() as connection:
            return _read(connection) if connection else AppliedState()

    def check(self, plan: Plan) -> None:
        """Raise now what :meth:`apply` would raise of the plan: StalePlanError, StateError. Never creates the file."""
        _refuse_removals(plan)
        with self._snapshot() as connection:
            _refuse_stale(connection, plan)

    def apply(self, plan: Plan, *, applied_by: str = "", lock_id: str = "") -> AppliedState:
        """Make the applied state what the plan ends in, in one transaction, and give it with its new serial.

        ``applied_by`` (``user@host``) is kept in the history with the time and the plan's digest. ``lock_id`` is of the lock that the caller holds.

        Raises:
            StalePlanError: the applied state is no longer the one that the plan starts from.
            StateError: the plan removes a protected webhook.
            StateLockedError: another holds the lock, the caller's was broken, or another process kept the store busy.
            StoreError: the store cannot be opened or written. In each case nothing was changed.
        """
        from hookctl.store import migrate, transaction

        _refuse_removals(plan)
        with self._connection() as connection:
            migrate(connection, COMPONENT, SCRIPTS)
            with transaction(connection):
                refuse_locked(connection, lock_id)
                _refuse_stale(connection, plan)
                _write(connection, plan)
                rows = connection.execute("SELECT name, digest FROM applied_webhooks ORDER BY name")
                done = (plan.serial + 1, time.time(), applied_by, plan.digest, _state_digest(rows))
                connection.execute("INSERT INTO applies VALUES (?, ?, ?, ?, ?)", done)
                return _read(connection)

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection | None]:
        """A connection that sees one moment and takes no lock; None where nothing was ever applied."""
        from hookctl.store import table_version

        if not self._path.exists():
            yield None
            return
        with self._connection() as connection:
            connection.execute(f"PRAGMA cache_size = -{_READING_KIB}")
            connection.execute("BEGIN")
            yield connection if table_version(connection, COMPONENT) else None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        from hookctl.store import connect, errors_as_store_errors

        with closing(connect(self._path)) as connection, errors_as_store_errors(self._path):
            yield connection


def _read(connection: sqlite3.Connection) -> AppliedState:
    """The documents are compared with their digests, and read when somebody asks for what is in them."""
    rows = connection.execute("SELECT name, digest, CAST(document AS BLOB) FROM applied_webhooks ORDER BY name").fetchall()
    for name, digest, document in [row for row in rows if hashlib.sha256(row[2]).hexdigest() != row[1] or _THIS_FORMAT not in row[2]]:
        _read_plan(name, document)  # what cannot be read at all has its own message
        if hashlib.sha256(document).hexdigest() != digest:
            hint = "The store was changed by other means than an apply; restore a backup."
            raise StoreError(f"the applied webhook {name} does not match its digest", hint=hint)
    documents = {name: document for name, _, document in rows}
    digests = {name: digest for name, digest, _ in rows}
    last = _last_apply(connection)
    plans = KnownPlans(digests, lambda name: _read_plan(name, documents[name]))
    return AppliedState(last[0] if last else 0, plans, _renames(connection), _is_edited(connection, digests))


def _is_edited(connection: sqlite3.Connection, digests: Mapping[str, str]) -> bool:
    """``digests`` are of all that are applied, in order of name."""
    from hookctl.store import table_version

    if table_version(connection, COMPONENT) < STATE_DIGEST_SINCE:
        return False
    row = connection.execute("SELECT state_digest FROM applies ORDER BY serial DESC LIMIT 1").fetchone()
    return bool(row and row[0]) and row[0] != _state_digest(digests.items())


def _state_digest(rows: Iterable[tuple[str, str]]) -> str:
    """Of names and digests, in order of name."""
    return hashlib.sha256(json.dumps([*rows]).encode()).hexdigest()


def _read_plan(name: str, document: bytes) -> DeliveryPlan:
    try:
        return DeliveryPlan.from_json(json.loads(document))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"the applied webhook {name} cannot be read: {error}", hint="It was written by another version of hookctl, or by hand.") from error


def _renames(connection: sqlite3.Connection) -> tuple[Rename, ...]:
    from hookctl.store import table_version

    if table_version(connection, COMPONENT) < RENAMES_SINCE:
        return ()
    rows = connection.execute("SELECT serial, old, new, taken FROM renames ORDER BY serial, old")
    return tuple(Rename(serial, old, new, bool(taken)) for serial, old, new, taken in rows)


def _last_apply(connection: sqlite3.Connection) -> tuple[int, float, str] | None:
    """Serial, epoch seconds and who; None before the first."""
    row: tuple[int, float, str] | None = connection.execute("SELECT serial, applied_at, applied_by FROM applies ORDER BY serial DESC LIMIT 1").fetchone()
    return row


def _refuse_removals(plan: Plan) -> None:
    if plan.protected_removals:
        raise StateError(f"the plan removes the protected webhook {plan.protected_removals[0]}", hint="Bring its file back, or apply `protected: false` first.")


def _refuse_stale(connection: sqlite3.Connection | None, plan: Plan) -> None:
    """The serial tells of applies since; the digests tell a plan that was made for another store of the same serial."""
    last = _last_apply(connection) if connection else None
    applied = dict(connection.execute("SELECT name, digest FROM applied_webhooks")) if connection else {}
    if plan.serial == (last[0] if last else 0) and applied == {change.before.name: change.before.digest for change in plan.changes if change.before}:
        return
    now = f"now at serial {last[0]}, applied {f'by {last[2]} ' if last[2] else ''}at {_utc(last[1])}" if last else "empty"
    raise StalePlanError(
        f"the plan is stale: it starts from serial {plan.serial}, and the applied state is {now}", hint="Run `hookctl plan` again and review what it says now."
    )


def _write(connection: sqlite3.Connection, plan: Plan) -> None:
    for change in plan.changed:
        if change.before and change.action in {Action.DELETE, Action.RENAME}:
            connection.execute("DELETE FROM applied_webhooks WHERE name = ?", (change.before.name,))
        if change.action in {Action.CREATE, Action.RENAME}:
            connection.execute("UPDATE renames SET taken = 1 WHERE old = ?", (change.name,))
        if change.renamed_from:
            connection.execute("INSERT INTO renames (serial, old, new) VALUES (?, ?, ?)", (plan.serial + 1, change.renamed_from, change.name))
        if change.after:
            row = (change.name, change.after.digest, change.after.canonical().decode())
            connection.execute("INSERT OR REPLACE INTO applied_webhooks VALUES (?, ?, ?)", row)


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
