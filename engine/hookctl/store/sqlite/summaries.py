"""Reads the numbers about webhooks out of the SQLite tables behind pages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from hookctl.store import causes
from hookctl.store.counting import HOUR, hours_until
from hookctl.store.overview_bounds import at_most
from hookctl.store.overviews import Hour, Ranking, Reason, Summary, summary_of
from hookctl.store.sqlite import monitoring, reading

RECENT = f"SELECT webhook, succeeded, failed, {at_most(50)}, {at_most(95)} FROM recent WHERE {{}}"  # noqa: S608
AMONG = "webhook IN (SELECT value FROM json_each(?))"
RANKINGS: Mapping[Ranking, str] = {
    "waiting": """
        SELECT t.webhook, count(*) - (
            SELECT count(*) FROM deliveries r INDEXED BY deliveries_retrying
            WHERE r.status = 'retrying' AND r.webhook = t.webhook
        )
        AS number
        FROM deliveries t INDEXED BY deliveries_ready WHERE t.ready_at IS NOT NULL GROUP BY t.webhook HAVING number > 0
    """,
    "retrying": monitoring.RETRYING.format(""),
    "held": monitoring.HELD.format(""),
    "dead": monitoring.DEAD.format(""),
    "attempts": "SELECT webhook, succeeded + failed FROM recent",
    "share": "SELECT webhook, CAST(succeeded AS REAL) / (succeeded + failed) FROM recent",
    "p50": f"SELECT webhook, {at_most(50)} FROM recent",  # noqa: S608
    "p95": f"SELECT webhook, {at_most(95)} FROM recent",  # noqa: S608
    "last_at": "SELECT webhook, at FROM last_results",
}
OF_HOURS = """
    SELECT h.hour, h.webhook, h.succeeded, h.failed FROM json_each(?) names CROSS JOIN json_each(?) numbers
    JOIN hours h ON h.hour = numbers.value AND h.webhook = names.value
"""
REASONS = """
    SELECT c.result, c.head, sum(h.attempts) AS attempts, max(h.last_at), h.delivery
    FROM json_each(?) numbers JOIN hour_causes h ON h.hour = numbers.value AND h.webhook = ?
    JOIN causes c ON c.id = h.cause
    GROUP BY h.cause ORDER BY attempts DESC, h.cause
"""
"""SQLite takes the delivery from the row with the greatest time."""


def summaries(connection: sqlite3.Connection, only: Collection[str] | None) -> Mapping[str, Summary]:
    """See :meth:`hookctl.store.pages_interface.Overviews.summaries`."""
    backlogs = monitoring.backlogs(connection, only)
    last = reading.last_results(connection, only)
    recent = {row[0]: row[1:] for row in _recent(connection, only)}
    names = dict.fromkeys((*recent, *last, *backlogs)) if only is None else only
    return {name: summary_of(backlogs.get(name), recent.get(name), last.get(name)) for name in names}


def ranking(connection: sqlite3.Connection, by: Ranking) -> Mapping[str, float]:
    """See :meth:`hookctl.store.pages_interface.Overviews.ranking`."""
    rows = connection.execute(RANKINGS[by]).fetchall()
    return {name: value for name, value, *_ in rows if isinstance(name, str) and isinstance(value, int | float)}


def hours(connection: sqlite3.Connection, webhooks: Collection[str], now: float) -> Mapping[str, Sequence[Hour]]:
    """See :meth:`hookctl.store.pages_interface.Overviews.hours`."""
    numbers = hours_until(now)
    names = json.dumps(list(webhooks))
    found = {
        (webhook, hour): Hour(hour * HOUR, succeeded, failed)
        for hour, webhook, succeeded, failed in connection.execute(OF_HOURS, (names, json.dumps(numbers)))
    }
    empty = {hour: Hour(hour * HOUR) for hour in numbers}
    return {webhook: [found.get((webhook, hour), empty[hour]) for hour in numbers] for webhook in webhooks}


def reasons(connection: sqlite3.Connection, webhook: str, now: float, limit: int) -> list[Reason]:
    """See :meth:`hookctl.store.pages_interface.Overviews.reasons`."""
    rows = connection.execute(REASONS, (json.dumps(hours_until(now)), webhook)).fetchall()
    lines = causes.lines_by_result([(result, head) for result, head, *_ in rows])
    found = [Reason(row[0], line, row[2], row[3], row[4]) for row, line in zip(rows, lines, strict=True)]
    return found[:limit]


def _recent(connection: sqlite3.Connection, only: Collection[str] | None) -> Iterator[tuple[Any, ...]]:
    """The rows of ``recent`` without those that are damaged."""
    which, values = ("true", ()) if only is None else (AMONG, (json.dumps(list(only)),))
    for row in connection.execute(RECENT.format(which), values).fetchall():
        if isinstance(row[0], str) and isinstance(row[1], int) and isinstance(row[2], int):
            yield row
