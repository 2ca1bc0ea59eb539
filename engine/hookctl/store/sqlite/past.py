"""What each apply changed, with the delivery plans that it replaced, and the history of applies and actions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hookctl.errors import StoreError
from hookctl.model import Action, DeliveryPlan, Plan
from hookctl.store.overviews import Applied, ChangeRecord, HistoryEntry, HistoryPage, PlanVersion
from hookctl.store.records import MAX_TIME
from hookctl.store.sqlite import audit, reading
from hookctl.store.sqlite.migrations import table_version
from hookctl.store.texts import plan_from_text

COMPONENT, SINCE = "applied", 6
"""The component that the tables belong to, and its first version that has them."""
SCRIPT = """
    -- What each apply changed; nothing of applies before this table existed.
    CREATE TABLE IF NOT EXISTS changes (
        name TEXT NOT NULL,
        serial INTEGER NOT NULL,
        action TEXT NOT NULL,
        before TEXT NOT NULL,        -- digests of delivery plans; empty: none
        after TEXT NOT NULL,
        renamed_from TEXT NOT NULL,
        PRIMARY KEY (name, serial)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS changes_of_serial ON changes (serial, name, action);
    -- The delivery plans that they replaced.
    CREATE TABLE IF NOT EXISTS past_plans (digest TEXT NOT NULL PRIMARY KEY, document TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS commits (serial INTEGER PRIMARY KEY, commit_id TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS applies_at ON applies (applied_at);
"""
ADD_CHANGE = "INSERT OR REPLACE INTO changes VALUES (?, ?, ?, ?, ?, ?)"
ADD_PLAN = "INSERT OR IGNORE INTO past_plans VALUES (?, ?)"
ADD_COMMIT = "INSERT OR REPLACE INTO commits VALUES (?, ?)"
SERIAL_AT = """
    SELECT serial FROM applies WHERE applied_at <= ? AND serial BETWEEN 0 AND 1 << 62
    ORDER BY applied_at DESC, serial DESC LIMIT 1
"""
CHANGES = """
    SELECT name, action, before, after, renamed_from FROM changes INDEXED BY changes_of_serial
    WHERE serial = ? AND name > ? ORDER BY name LIMIT ?
"""
NUMBERS = """
    SELECT serial, action, count(*) FROM changes WHERE serial IN (SELECT value FROM json_each(?))
    GROUP BY serial, action
"""
COMMITS = "SELECT serial, commit_id FROM commits WHERE serial IN (SELECT value FROM json_each(?))"
LATEST = """
    SELECT c.name, c.action, c.before, a.serial, a.applied_at, a.applied_by, m.commit_id
    FROM json_each(?) names
    JOIN changes c ON c.name = names.value AND c.serial = (SELECT max(serial) FROM changes WHERE name = names.value)
    JOIN applies a ON a.serial = c.serial LEFT JOIN commits m ON m.serial = c.serial
"""
APPLIES = """
    SELECT serial, applied_at, applied_by, plan_digest FROM applies
    WHERE applied_at <= ? AND (applied_at, 1, serial) < (?, ?, ?) AND serial BETWEEN 0 AND 1 << 62
    ORDER BY applied_at DESC, serial DESC LIMIT ?
"""
ONE_APPLY = "SELECT serial, applied_at, applied_by, plan_digest FROM applies WHERE serial = ?"
ACTIONS = """
    SELECT seq, at, who, action, what, reason, deliveries FROM audit
    WHERE at <= ? AND (at, 0, seq) < (?, ?, ?) ORDER BY at DESC, seq DESC LIMIT ?
"""
PLANS = (
    "SELECT document FROM plans WHERE digest = ?",
    "SELECT document FROM past_plans WHERE digest = ?",
)
Position = tuple[float, int, int]
NEWEST: Position = (MAX_TIME, 2, 0)


def record(connection: sqlite3.Connection, plan: Plan, commit: str) -> None:
    """Record the changes of a plan that is being applied, inside the caller's transaction."""
    serial = plan.serial + 1
    rows = [
        (
            change.name,
            serial,
            change.action.value,
            *(side.digest if side else "" for side in (change.before, change.after)),
            change.renamed_from or "",
        )
        for change in plan.changes
    ]
    connection.executemany(ADD_CHANGE, rows)
    replaced = [(one.before.digest, one.before.canonical().decode()) for one in plan.changes if one.before]
    connection.executemany(ADD_PLAN, replaced)
    if commit:
        connection.execute(ADD_COMMIT, (serial, commit))


def serial_at(connection: sqlite3.Connection, at: float) -> int:
    """The serial that was applied at a time; 0 if nothing was."""
    row = connection.execute(SERIAL_AT, (at,)).fetchone() if table_version(connection, COMPONENT) else None
    return int(row[0]) if row else 0


def history(connection: sqlite3.Connection, limit: int, before: Position | None) -> HistoryPage:
    """See :meth:`hookctl.store.pages_interface.Overviews.history`. Damaged rows are skipped."""
    before = before or NEWEST
    values = (before[0], *before, limit + 1)
    rows = connection.execute(ACTIONS, values).fetchall()
    entries = [_action(row) for row in rows if audit.is_sound(row[1:])]
    if table_version(connection, COMPONENT):
        entries += _applies(connection, connection.execute(APPLIES, values).fetchall())
    entries.sort(key=lambda entry: entry.position, reverse=True)
    return HistoryPage(entries[:limit], entries[limit - 1].position if len(entries) > limit else None)


def apply_entry(connection: sqlite3.Connection, serial: int) -> HistoryEntry | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.apply_entry`. None also if its row is damaged."""
    if not table_version(connection, COMPONENT):
        return None
    return next(iter(_applies(connection, connection.execute(ONE_APPLY, (serial,)).fetchall())), None)


def changes(connection: sqlite3.Connection, serial: int, limit: int, after: str) -> list[ChangeRecord]:
    """See :meth:`hookctl.store.pages_interface.Overviews.changes`."""
    if not _has_changes(connection):
        return []
    rows = connection.execute(CHANGES, (serial, after, limit)).fetchall()
    return [ChangeRecord(*row) for row in rows if reading.fits(row, *[str] * 5)]


def applied(connection: sqlite3.Connection, webhooks: Collection[str]) -> Mapping[str, Applied]:
    """See :meth:`hookctl.store.pages_interface.Overviews.applied`."""
    if not _has_changes(connection):
        return {}
    return {
        name: Applied(serial, at, by, commit or "", before)
        for name, action, before, serial, at, by, commit in connection.execute(LATEST, (json.dumps(list(webhooks)),))
        if action != Action.DELETE and reading.fits((before, serial, at, by), str, int, float, str)
    }


def previous_plan(connection: sqlite3.Connection, webhook: str) -> PlanVersion | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.previous_plan`."""
    latest = applied(connection, [webhook]).get(webhook)
    before = plan(connection, latest.before) if latest and latest.before else None
    return PlanVersion(before, latest) if latest and before else None


def plan(connection: sqlite3.Connection, digest: str) -> DeliveryPlan | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.plan`. None also if this hookctl cannot read it."""
    for query in PLANS if _has_changes(connection) else PLANS[:1]:
        if row := connection.execute(query, (digest,)).fetchone():
            try:
                return plan_from_text(row[0])
            except StoreError:
                return None
    return None


def _has_changes(connection: sqlite3.Connection) -> bool:
    """False before the first apply by a hookctl that records changes."""
    return table_version(connection, COMPONENT) >= SINCE


def _applies(connection: sqlite3.Connection, rows: Sequence[Any]) -> list[HistoryEntry]:
    sound = [row for row in rows if reading.fits(row, int, float, str, str)]
    serials = json.dumps([row[0] for row in sound])
    numbers: dict[int, dict[str, int]] = {}
    commits: dict[int, str] = {}
    if _has_changes(connection):
        for serial, action, count in connection.execute(NUMBERS, (serials,)):
            numbers.setdefault(serial, {})[action] = count
        commits = dict(connection.execute(COMMITS, (serials,)).fetchall())
    return [
        HistoryEntry(
            at=at,
            who=who,
            action="apply",
            what=f"serial {serial}, plan {digest[:12]}",
            reason="",
            deliveries=None,
            serial=serial,
            commit=commits.get(serial, ""),
            changes=numbers.get(serial, {}),
            position=(at, 1, serial),
        )
        for serial, at, who, digest in sound
    ]


def _action(row: Sequence[Any]) -> HistoryEntry:
    seq, at, who, action, what, reason, deliveries = row
    return HistoryEntry(
        at=at,
        who=who,
        action=action,
        what=what,
        reason=reason,
        deliveries=deliveries,
        serial=None,
        commit="",
        changes={},
        position=(at, 0, seq),
    )
