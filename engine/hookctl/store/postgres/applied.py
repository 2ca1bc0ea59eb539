"""The applied state in PostgreSQL, and the lock on it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple

from hookctl.model import Action, AppliedState, DefinedType, Plan, Rename
from hookctl.store.applied_rows import (
    AppliedRow,
    LastApply,
    damage_of,
    defined_types,
    digests_of,
    refuse_incomplete,
    refuse_removals,
    refuse_stale,
    state_digest,
    state_of,
)
from hookctl.store.locking import refuse_other, refuse_unknown
from hookctl.store.postgres import past
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.locks import APPLYING, LOCK_ALL
from hookctl.store.records import Lock

ROWS = "SELECT name, name, digest, convert_to(document, 'UTF8') FROM applied_webhooks ORDER BY name"
LAST = "SELECT serial, applied_at, applied_by FROM applies ORDER BY serial DESC LIMIT 1"
LAST_DIGEST = "SELECT state_digest FROM applies ORDER BY serial DESC LIMIT 1"
TYPES = "SELECT name, document FROM applied_event_types ORDER BY name"
SET_TYPE = """
    INSERT INTO applied_event_types (name, document) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET document = excluded.document
"""
IS_INCOMPLETE = "SELECT to_regclass('copy_progress') IS NOT NULL"
RENAMES = "SELECT serial, old, new, taken FROM renames ORDER BY serial, old"
SET_WEBHOOK = """
    INSERT INTO applied_webhooks (name, digest, document) VALUES (%s, %s, %s)
    ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, document = excluded.document
"""
ADD_APPLY = """
    INSERT INTO applies (serial, applied_at, applied_by, plan_digest, state_digest, commit_id)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
LOCK = "SELECT id, operation, who, pid, version, since FROM lock"
TAKE_LOCK = """
    INSERT INTO lock (id, operation, who, pid, version, since) VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def serial(connection: Connection) -> int:
    """The serial of the last apply; 0 if nothing was ever applied."""
    last = _last_apply(connection)
    return last.serial if last else 0


def read(connection: Connection) -> AppliedState:
    """See :meth:`hookctl.store.interface.State.read_state`; inside the caller's snapshot or transaction."""
    (is_incomplete,) = connection.execute(IS_INCOMPLETE).fetchone() or (False,)
    refuse_incomplete(is_incomplete=is_incomplete)
    rows = _rows(connection)
    digest = connection.execute(LAST_DIGEST).fetchone()
    types = _types(connection)
    now = state_digest(((one.name, one.digest) for one in rows), digests_of(types))
    is_edited = digest is not None and digest[0] not in {"", now}
    renames = tuple(Rename(*row) for row in connection.execute(RENAMES).fetchall())
    return state_of(rows, serial(connection), renames, types, is_edited=is_edited)


def check(connection: Connection, plan: Plan) -> None:
    """See :meth:`hookctl.store.interface.State.check_plan`; inside the caller's snapshot."""
    refuse_removals(plan)
    refuse_stale(plan, read(connection), _last_apply(connection))


def apply(
    connection: Connection,
    plan: Plan,
    *,
    applied_by: str,
    lock_id: str,
    commit: str,
    also: Callable[[Connection], object],
) -> AppliedState:
    """See :meth:`hookctl.store.interface.State.apply`. ``also`` is called in the same transaction, at its end."""
    connection.execute(LOCK_ALL, (APPLYING,))
    refuse_other(read_lock(connection), lock_id)
    check(connection, plan)
    if not plan.only:  # after an apply of all files, only what they describe is left
        damaged = [row.key for row in _rows(connection) if damage_of(row)]
        connection.execute("DELETE FROM applied_webhooks WHERE name = ANY(%s)", (damaged,))
    _write(connection, plan)
    _write_types(connection, plan)
    past.record(connection, plan)
    rows = connection.execute("SELECT name, digest FROM applied_webhooks ORDER BY name").fetchall()
    digest = state_digest(rows, digests_of(_types(connection)))
    connection.execute(ADD_APPLY, (plan.serial + 1, time.time(), applied_by, plan.digest, digest, commit))
    also(connection)
    return read(connection)


def read_lock(connection: Connection) -> Lock | None:
    """See :meth:`hookctl.store.interface.Locks.read_lock`."""
    row = connection.execute(LOCK).fetchone()
    return Lock(*row) if row else None


def take_lock(connection: Connection, mine: Lock) -> Lock | None:
    """None if the lock is ours now, otherwise the one that is held; inside the caller's transaction."""
    connection.execute(TAKE_LOCK, astuple(mine))
    held = read_lock(connection)
    return None if held is None or held.id == mine.id else held


def give_back_lock(connection: Connection, lock_id: str) -> None:
    """Delete the lock with this id if it is still held; inside the caller's transaction."""
    connection.execute("DELETE FROM lock WHERE id = %s", (lock_id,))


def break_lock(connection: Connection, lock_id: str) -> Lock:
    """See :meth:`hookctl.store.interface.Locks.break_lock`; inside the caller's transaction."""
    held = refuse_unknown(read_lock(connection), lock_id)
    give_back_lock(connection, lock_id)
    return held


def _rows(connection: Connection) -> list[AppliedRow]:
    return [AppliedRow(*row) for row in connection.execute(ROWS).fetchall()]


def _types(connection: Connection) -> dict[str, DefinedType]:
    return defined_types(connection.execute(TYPES).fetchall())


def _last_apply(connection: Connection) -> LastApply | None:
    row = connection.execute(LAST).fetchone()
    return LastApply(*row) if row else None


def _write(connection: Connection, plan: Plan) -> None:
    for change in plan.changes:
        if change.before and change.action in {Action.DELETE, Action.RENAME}:
            connection.execute("DELETE FROM applied_webhooks WHERE name = %s", (change.before.name,))
        if change.action in {Action.CREATE, Action.RENAME}:
            connection.execute("UPDATE renames SET taken = true WHERE old = %s", (change.name,))
        if change.renamed_from:
            row = (plan.serial + 1, change.renamed_from, change.name)
            connection.execute("INSERT INTO renames (serial, old, new) VALUES (%s, %s, %s)", row)
        if change.after:
            connection.execute(SET_WEBHOOK, (change.name, change.after.digest, change.after.canonical().decode()))


def _write_types(connection: Connection, plan: Plan) -> None:
    for change in plan.event_types:
        if change.after:
            connection.execute(SET_TYPE, (change.name, change.after.canonical().decode()))
        else:
            connection.execute("DELETE FROM applied_event_types WHERE name = %s", (change.name,))
