"""How each webhook routed events after each apply, so that hookctl can say why an event did not match one."""

from __future__ import annotations

import sqlite3

from hookctl.model import Plan, Status
from hookctl.store.history import Route, Routes

SCRIPT = """
    -- What decides which events a webhook receives, from each apply on that changed it. If it was removed, status is
    -- NULL.
    -- What was applied before this table existed has the serial 0.
    CREATE TABLE IF NOT EXISTS routes (
        name TEXT NOT NULL,
        serial INTEGER NOT NULL,
        event TEXT,
        status TEXT,
        condition TEXT,
        PRIMARY KEY (name, serial)
    ) WITHOUT ROWID;
    INSERT OR IGNORE INTO routes (name, serial, event, status, condition)
        SELECT name, 0, json_extract(document, '$.event'), json_extract(document, '$.status'),
            json_extract(document, '$.when')
        FROM applied_webhooks WHERE typeof(name) = 'text' AND typeof(document) = 'text' AND json_valid(document);
"""
AT = """
    SELECT name, max(serial), event, status, condition FROM routes WHERE serial <= ? GROUP BY name
"""
"""SQLite takes the other columns from the row with the greatest serial."""
SERIAL_AT = "SELECT max(serial) FROM applies WHERE applied_at <= ? AND serial BETWEEN 0 AND 1 << 62"
ADD = "INSERT OR REPLACE INTO routes (name, serial, event, status, condition) VALUES (?, ?, ?, ?, ?)"


def record(connection: sqlite3.Connection, plan: Plan) -> None:
    """Record the changes of a plan that is being applied, inside the caller's transaction."""
    serial = plan.serial + 1
    gone = [change.before for change in plan.changes if change.before and (not change.after or change.renamed_from)]
    now = [change.after for change in plan.changes if change.after]
    rows: list[tuple[object, ...]] = [(webhook.name, serial, None, None, None) for webhook in gone]
    rows += [(webhook.name, serial, webhook.event, webhook.status.value, webhook.when) for webhook in now]
    connection.executemany(ADD, rows)


def serial_at(connection: sqlite3.Connection, at: float) -> int:
    """See :meth:`hookctl.store.events_interface.Log.serial_at`."""
    return connection.execute(SERIAL_AT, (at,)).fetchone()[0] or 0


def routes_at(connection: sqlite3.Connection, at: float) -> Routes:
    """See :meth:`hookctl.store.events_interface.Log.routes_at`. Damaged rows are skipped."""
    serial = serial_at(connection, at)
    rows = connection.execute(AT, (serial,)).fetchall()
    return Routes(
        serial,
        {
            name: Route(event, status == Status.ACTIVE, condition if isinstance(condition, str) else None)
            for name, _, event, status, condition in rows
            if isinstance(name, str) and isinstance(event, str) and isinstance(status, str)
        },
    )
