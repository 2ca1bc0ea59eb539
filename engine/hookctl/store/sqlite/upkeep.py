"""Keeping the SQLite queue in order: history that is over, clocks that were set, and how full it is."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from hookctl.store.records import Circuit, Fullness
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.overview_tables import RESTART_COUNTED

SLACK = 60.0
"""Seconds by which clocks may differ without anybody having set one."""
# A due time stays as far ahead as it was when it was set, however the wall clock is changed.
CLOCK_FELL = """
    UPDATE deliveries SET
        due_at = :now + max(0, due_at - set_at), set_at = :now,
        ready_at = CASE
            WHEN ready_at IS NULL THEN NULL WHEN owner IS NULL THEN :now + max(0, due_at - set_at) ELSE :now
        END
    WHERE (ready_at IS NOT NULL OR status = 'held') AND set_at > :now + :slack AND typeof(set_at) = 'real'
"""
CLOCK_LEAPT = """
    UPDATE deliveries SET
        due_at = due_at + :by, set_at = :before + :by,
        ready_at = CASE WHEN ready_at IS NULL OR owner IS NOT NULL THEN ready_at ELSE ready_at + :by END
    WHERE (ready_at IS NOT NULL OR status = 'held') AND due_at > :before AND set_at <= :before + :slack
"""
"""Changes only what was not due before the leap."""


def clock_set(connection: sqlite3.Connection, before: float, now: float) -> None:
    """See :meth:`hookctl.store.interface.Queue.clock_set`; inside the caller's transaction."""
    connection.execute(CLOCK_FELL, {"now": now, "slack": SLACK})
    if now - before > SLACK:  # what has been moved, or set since, is past the slack, so nobody moves it twice
        connection.execute(CLOCK_LEAPT, {"before": before, "by": now - before, "slack": SLACK})


def set_circuits(connection: sqlite3.Connection, circuits: Mapping[str, Circuit | None]) -> None:
    """See :meth:`hookctl.store.interface.Queue.set_circuits`; inside the caller's transaction."""
    for webhook, circuit in circuits.items():
        if circuit is None:
            connection.execute("DELETE FROM circuits WHERE webhook = ?", (webhook,))
        else:
            values = (webhook, circuit.state, circuit.reason, circuit.since, circuit.until)
            connection.execute(tables.SET_CIRCUIT, values)


def prune(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """See :meth:`hookctl.store.interface.Queue.prune`; inside the caller's transaction."""
    row = connection.execute(tables.FIRST_AFTER, (before,)).fetchone()
    values = {"before": before, "count": limit, "end": row[0] if row else 2**62}
    events = json.dumps([seq for (seq,) in connection.execute(tables.PRUNABLE, values).fetchall()])
    counts = [connection.execute(statement, (events,)).rowcount for statement in tables.PRUNE]
    connection.execute(RESTART_COUNTED)
    return counts[-1]


def fullness(connection: sqlite3.Connection, path: Path) -> Fullness:
    """See :meth:`hookctl.store.interface.Queue.fullness`."""
    (waiting,) = connection.execute(tables.COUNT_WAITING).fetchone()
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return Fullness(waiting, (pages - free) * size, free_bytes(connection, path))


def free_bytes(connection: sqlite3.Connection, path: Path) -> int:
    """See :meth:`hookctl.store.interface.Queue.free_bytes`."""
    free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    disk = os.statvfs(path.parent)
    return int(disk.f_bavail * disk.f_frsize + free * size)
