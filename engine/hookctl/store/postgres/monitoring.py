"""Reads out of the PostgreSQL store what it reports to people and to monitoring.

Everything is counted in the small partition of deliveries that have not ended, or in indexes of dead letters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Backlog

TO_TRY = """
    SELECT webhook, count(*), min(seq), min(ready_at) FROM live WHERE ready_at IS NOT NULL {0} GROUP BY webhook
"""
RETRYING = "SELECT webhook, count(*) FROM live WHERE status = 'retrying' {0} GROUP BY webhook"
HELD = "SELECT webhook, count(*), min(seq) FROM live WHERE status = 'held' {0} GROUP BY webhook"
DEAD = "SELECT webhook, count(*) FROM ended WHERE status = 'dead' {0} GROUP BY webhook"
AMONG = "AND webhook = ANY(%s)"
CREATED = "SELECT seq, created_at FROM live WHERE seq = ANY(%s)"
"""Row numbers grow with time, so the one with the smallest number is the oldest."""
DEAD_REASONS = "SELECT reason FROM ended WHERE status = 'dead' AND webhook = %s ORDER BY created_at DESC LIMIT %s"


def backlogs(connection: Connection, only: Collection[str] | None = None) -> dict[str, Backlog]:
    """See :meth:`hookctl.store.monitoring.Monitoring.backlogs`; of some webhooks, or of all."""
    to_try = {name: values for name, *values in _rows(connection, TO_TRY, only)}
    retrying = dict(_rows(connection, RETRYING, only))
    held = {name: values for name, *values in _rows(connection, HELD, only)}
    dead = dict(_rows(connection, DEAD, only))
    firsts = [values[1] for values in (*to_try.values(), *held.values())]
    created: dict[int, float] = dict(connection.execute(CREATED, (firsts,)).fetchall())

    def one(name: str) -> Backlog:
        tries, first, due_at = to_try.get(name, (0, None, None))
        holds, first_held = held.get(name, (0, None))
        again = min(retrying.get(name, 0), tries)
        return Backlog(
            waiting=tries - again,
            retrying=again,
            held=holds,
            dead=dead.get(name, 0),
            oldest_at=min((created[seq] for seq in (first, first_held) if seq in created), default=None),
            due_at=due_at,
        )

    return {name: one(name) for name in dict.fromkeys((*to_try, *held, *dead))}


def waiting(connection: Connection, only: Collection[str] | None = None) -> Iterator[tuple[str, int, int]]:
    """Webhooks with deliveries that were never tried, how many, and the number of the oldest that waits or is retried.

    Of some webhooks, or of all.
    """
    retrying = dict(_rows(connection, RETRYING, only))
    for name, count, oldest, _ in _rows(connection, TO_TRY, only):
        if count > retrying.get(name, 0):
            yield name, count - retrying.get(name, 0), oldest


def dead_reasons(connection: Connection, webhook: str, limit: int) -> list[str]:
    """See :meth:`hookctl.store.monitoring.Monitoring.dead_reasons`."""
    return [str(reason) for (reason,) in connection.execute(DEAD_REASONS, (webhook, limit))]


def _rows(connection: Connection, query: str, only: Collection[str] | None) -> list[Any]:
    if only is None:
        return connection.execute(query.format("")).fetchall()
    return connection.execute(query.format(AMONG), ([*only],)).fetchall()
