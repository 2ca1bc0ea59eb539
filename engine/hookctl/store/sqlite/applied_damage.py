"""The rows about applies that cannot be read. Damaged delivery plans are in ``AppliedState.unreadable``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hookctl.store.records import Damaged
from hookctl.store.sqlite.damage import TEXT, TIME, WHOLE, find_damaged, optional
from hookctl.store.sqlite.migrations import table_version

SERIAL = "(typeof({0}) = 'integer' AND {0} BETWEEN 0 AND 1 << 62)"
APPLIED = (
    ("applies", "serial", {"serial": SERIAL, "applied_at": TIME, "applied_by": TEXT, "plan_digest": TEXT}),
    ("renames", "serial || ' ' || old", {"serial": WHOLE, "old": TEXT, "new": TEXT}),
)
"""Tables, in the order in which versions added them, each with its key and the conditions for its columns."""
ROUTES = {
    "name": TEXT,
    "serial": SERIAL,
    "event": optional(TEXT),
    "status": optional(TEXT),
    "condition": optional(TEXT),
}
ROUTES_SINCE = 5
"""The first version of the tables that has ``routes``."""
LOCK = {"id": TEXT, "operation": TEXT, "who": TEXT, "pid": "{0} BETWEEN 1 AND 1 << 31", "version": TEXT, "since": TIME}


def damaged(connection: sqlite3.Connection) -> Iterator[Damaged]:
    """See :meth:`hookctl.store.sqlite.applied.AppliedStore.damaged`."""
    for table, key, columns in APPLIED[: table_version(connection, "applied")]:
        yield from find_damaged(connection, table, key, columns)
    if table_version(connection, "applied") >= ROUTES_SINCE:
        yield from find_damaged(connection, "routes", "name || ' ' || serial", ROUTES)
    if table_version(connection, "lock"):
        yield from find_damaged(connection, "lock", "id", LOCK)
