"""The applied state in the store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.errors import StalePlanError, StateError, StoreError
from hookctl.model import Action, AppliedState, DeliveryPlan, Plan

if TYPE_CHECKING:
    import sqlite3

COMPONENT = "applied"
SCRIPTS = (
    """
    CREATE TABLE applied_webhooks (name TEXT PRIMARY KEY, digest TEXT NOT NULL, document TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE applies (serial INTEGER PRIMARY KEY, applied_at REAL NOT NULL, applied_by TEXT NOT NULL, plan_digest TEXT NOT NULL);
    """,
)


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
        from hookctl.store import table_version

        if not self._path.exists():
            return AppliedState()
        with self._connection() as connection:
            if not table_version(connection, COMPONENT):
                return AppliedState()
            connection.execute("BEGIN")  # one snapshot for webhooks and serial; a reader takes no lock
            return _read(connection)

    def apply(self, plan: Plan, *, applied_by: str = "") -> AppliedState:
        """Make the applied state what the plan ends in, in one transaction, and give it with its new serial.

        ``applied_by`` (``user@host``) is kept in the history with the time and the plan's digest.

        Raises:
            StalePlanError: the applied state is no longer the one that the plan starts from.
            StateError: the plan removes a protected webhook.
            StateLockedError: another process kept the store busy.
            StoreError: the store cannot be opened or written. In each case nothing was changed.
        """
        from hookctl.store import migrate, transaction

        if plan.protected_removals:
            raise StateError(f"the plan removes the protected webhook {plan.protected_removals[0]}", hint="Apply `protected: false` first.")
        with self._connection() as connection:
            migrate(connection, COMPONENT, SCRIPTS)
            with transaction(connection):
                _refuse_stale(connection, plan)
                _write(connection, plan)
                connection.execute("INSERT INTO applies VALUES (?, ?, ?, ?)", (plan.serial + 1, time.time(), applied_by, plan.digest))
                return _read(connection)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        from hookctl.store import connect, errors_as_store_errors

        with closing(connect(self._path)) as connection, errors_as_store_errors(self._path):
            yield connection


def _read(connection: sqlite3.Connection) -> AppliedState:
    plans = {}
    for name, digest, document in connection.execute("SELECT name, digest, document FROM applied_webhooks ORDER BY name"):
        try:
            plan = DeliveryPlan.from_json(json.loads(document))
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"the applied webhook {name} cannot be read: {error}", hint="It was written by another version of hookctl, or by hand.") from error
        if plan.digest != digest:
            raise StoreError(
                f"the applied webhook {name} does not match its digest", hint="The store was changed by other means than an apply; restore a backup."
            )
        plans[name] = plan
    return AppliedState(_serial(connection), plans)


def _serial(connection: sqlite3.Connection) -> int:
    (serial,) = connection.execute("SELECT coalesce(max(serial), 0) FROM applies").fetchone()
    return int(serial)


def _refuse_stale(connection: sqlite3.Connection, plan: Plan) -> None:
    """The serial tells of applies since; the digests tell a plan that was made for another store of the same serial."""
    applied = dict(connection.execute("SELECT name, digest FROM applied_webhooks"))
    if plan.serial == _serial(connection) and applied == {change.name: change.before.digest for change in plan.changes if change.before}:
        return
    last = connection.execute("SELECT serial, applied_by, applied_at FROM applies ORDER BY serial DESC LIMIT 1").fetchone()
    now = f"now at serial {last[0]}, applied {f'by {last[1]} ' if last[1] else ''}at {_utc(last[2])}" if last else "empty"
    raise StalePlanError(
        f"the plan is stale: it starts from serial {plan.serial}, and the applied state is {now}", hint="Run `hookctl plan` again and review what it says now."
    )


def _write(connection: sqlite3.Connection, plan: Plan) -> None:
    for change in plan.changes:
        if change.action is Action.DELETE:
            connection.execute("DELETE FROM applied_webhooks WHERE name = ?", (change.name,))
        elif change.after and change.action is not Action.UNCHANGED:
            row = (change.name, change.after.digest, change.after.canonical().decode())
            connection.execute("INSERT OR REPLACE INTO applied_webhooks VALUES (?, ?, ?)", row)


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
