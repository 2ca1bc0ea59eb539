"""Reads out of the SQLite store what it reports to people and to monitoring.

Everything is counted in indexes that hold only deliveries that are not delivered. Of the deliveries themselves, one or
two are read for each webhook, so that neither a long history nor a long backlog makes this slow.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from hookctl.store.records import MAX_TIME, Backlog

TO_TRY = """
    SELECT webhook, count(*), min(seq), min(ready_at) FROM deliveries WHERE ready_at IS NOT NULL GROUP BY webhook
"""
RETRYING = "SELECT webhook, count(*) FROM deliveries WHERE status = 'retrying' GROUP BY webhook"
HELD = "SELECT webhook, count(*), min(seq) FROM deliveries WHERE status = 'held' GROUP BY webhook"
DEAD = "SELECT webhook, count(*) FROM deliveries WHERE status = 'dead' GROUP BY webhook"
CREATED = "SELECT seq, created_at FROM deliveries WHERE seq IN (SELECT value FROM json_each(?))"
"""Row numbers grow with time, so the one with the smallest number is the oldest."""
DEAD_REASONS = """
    SELECT reason FROM deliveries WHERE status = 'dead' AND webhook = ? ORDER BY created_at DESC LIMIT ?
"""


def backlogs(connection: sqlite3.Connection) -> dict[str, Backlog]:
    """See :meth:`hookctl.store.monitoring.Monitoring.backlogs`. Rows without a webhook's name are damaged: left out."""
    to_try = {webhook: values for webhook, *values in _named(connection, TO_TRY)}
    retrying = dict(_named(connection, RETRYING))
    held = {webhook: values for webhook, *values in _named(connection, HELD)}
    dead = dict(_named(connection, DEAD))
    firsts = json.dumps([values[1] for values in (*to_try.values(), *held.values())])
    created = {seq: at for seq, at in connection.execute(CREATED, (firsts,)) if _is_time(at)}

    def one(webhook: str) -> Backlog:
        tries, first, due_at = to_try.get(webhook, (0, None, None))
        holds, first_held = held.get(webhook, (0, None))
        again = min(retrying.get(webhook, 0), tries)
        return Backlog(
            waiting=tries - again,
            retrying=again,
            held=holds,
            dead=dead.get(webhook, 0),
            oldest_at=min((created[seq] for seq in (first, first_held) if seq in created), default=None),
            due_at=due_at if _is_time(due_at) else None,
        )

    return {webhook: one(webhook) for webhook in dict.fromkeys((*to_try, *held, *dead))}


def dead_reasons(connection: sqlite3.Connection, webhook: str, limit: int) -> list[str]:
    """See :meth:`hookctl.store.monitoring.Monitoring.dead_reasons`."""
    return [str(reason) for (reason,) in connection.execute(DEAD_REASONS, (webhook, limit))]


def _named(connection: sqlite3.Connection, query: str) -> Iterator[Any]:
    return (row for row in connection.execute(query).fetchall() if isinstance(row[0], str))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= MAX_TIME
