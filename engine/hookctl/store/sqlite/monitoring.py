"""Reads out of the SQLite store what it reports to people and to monitoring.

Everything is counted in indexes that hold only deliveries that are not delivered. Of the deliveries themselves, one or
two are read for each webhook, so that neither a long history nor a long backlog makes this slow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

from hookctl.store.records import MAX_TIME, Backlog

TO_TRY = """
    SELECT webhook, count(*), min(seq), min(ready_at) FROM deliveries INDEXED BY deliveries_ready
    WHERE ready_at IS NOT NULL {0} GROUP BY webhook
"""
RETRYING = """
    SELECT webhook, count(*) FROM deliveries INDEXED BY deliveries_retrying
    WHERE status = 'retrying' {0} GROUP BY webhook
"""
HELD = """
    SELECT webhook, count(*), min(seq) FROM deliveries INDEXED BY deliveries_held
    WHERE status = 'held' {0} GROUP BY webhook
"""
DEAD = """
    SELECT webhook, count(*) FROM deliveries INDEXED BY deliveries_dead WHERE status = 'dead' {0} GROUP BY webhook
"""
"""The index must be named: SQLite may take one that does not have the rows in order of webhook."""
WAITING = """
    SELECT tries.webhook, tries.number - coalesce(again.number, 0), tries.oldest FROM (
        SELECT webhook, count(*) AS number, min(seq) AS oldest FROM deliveries INDEXED BY deliveries_ready
        WHERE ready_at IS NOT NULL {0} GROUP BY webhook
    ) tries LEFT JOIN (
        SELECT webhook, count(*) AS number FROM deliveries INDEXED BY deliveries_retrying
        WHERE status = 'retrying' {0} GROUP BY webhook
    ) again ON again.webhook = tries.webhook
    WHERE tries.number > coalesce(again.number, 0)
"""
AMONG = "AND webhook IN (SELECT value FROM json_each(?))"
CREATED = "SELECT seq, created_at FROM deliveries WHERE seq IN (SELECT value FROM json_each(?))"
"""Row numbers grow with time, so the one with the smallest number is the oldest."""
NUMBER = (int, float)
"""A union of types would be made for each value."""
NONE_TO_TRY, NONE_HELD = (None, 0, None, None), (None, 0, None)
DEAD_REASONS = """
    SELECT reason FROM deliveries WHERE status = 'dead' AND webhook = ? ORDER BY created_at DESC LIMIT ?
"""


def backlogs(connection: sqlite3.Connection, only: Collection[str] | None = None) -> dict[str, Backlog]:
    """See :meth:`hookctl.store.monitoring.Monitoring.backlogs`; of some webhooks, or of all.

    Rows without a webhook's name are damaged: left out.
    """
    to_try = {row[0]: row for row in _named(connection, TO_TRY, only)}
    retrying = dict(_named(connection, RETRYING, only))
    held = {row[0]: row for row in _named(connection, HELD, only)}
    dead = dict(_named(connection, DEAD, only))
    firsts = json.dumps([row[2] for rows in (to_try, held) for row in rows.values()])
    created: dict[Any, Any] = {seq: at for seq, at in connection.execute(CREATED, (firsts,)).fetchall() if _is_time(at)}
    found = {}
    for name in dict.fromkeys((*to_try, *held, *dead)):
        _, tries, first, due_at = to_try.get(name, NONE_TO_TRY)
        _, holds, first_held = held.get(name, NONE_HELD)
        again = min(retrying.get(name, 0), tries) if tries else 0
        times = [created[seq] for seq in (first, first_held) if seq in created]
        found[name] = Backlog(
            waiting=tries - again,
            retrying=again,
            held=holds,
            dead=dead.get(name, 0),
            oldest_at=min(times) if times else None,
            due_at=due_at if _is_time(due_at) else None,
        )
    return found


def waiting(connection: sqlite3.Connection, webhook: str | None = None) -> list[tuple[str, int, int]]:
    """Webhooks with deliveries that were never tried, how many, and the number of the oldest that waits or is retried.

    Of one webhook, or of all.
    """
    which, values = ("", ()) if webhook is None else ("AND webhook = ?", (webhook, webhook))
    rows = connection.execute(WAITING.format(which), values).fetchall()
    return [row for row in rows if isinstance(row[0], str)]


def dead_reasons(connection: sqlite3.Connection, webhook: str, limit: int) -> list[str]:
    """See :meth:`hookctl.store.monitoring.Monitoring.dead_reasons`."""
    return [str(reason) for (reason,) in connection.execute(DEAD_REASONS, (webhook, limit))]


def _named(connection: sqlite3.Connection, query: str, only: Collection[str] | None) -> Iterator[Any]:
    which, values = ("", ()) if only is None else (AMONG, (json.dumps(list(only)),))
    return (row for row in connection.execute(query.format(which), values).fetchall() if isinstance(row[0], str))


def _is_time(value: object) -> bool:
    return isinstance(value, NUMBER) and -MAX_TIME <= value <= MAX_TIME
