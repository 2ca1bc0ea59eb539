"""Reads the numbers about webhooks out of the PostgreSQL tables behind pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hookctl.store import causes
from hookctl.store.counting import HOUR, hours_until
from hookctl.store.overview_bounds import at_most
from hookctl.store.overviews import Hour, Ranking, Reason, Summary, summary_of
from hookctl.store.postgres import monitoring, reading
from hookctl.store.postgres.connection import Connection

RECENT = f"SELECT webhook, succeeded, failed, {at_most(50)}::float8, {at_most(95)}::float8 FROM recent"  # noqa: S608
RANKINGS: Mapping[Ranking, str] = {
    "waiting": """
        SELECT webhook, count(*) FILTER (WHERE status <> 'retrying') AS number FROM live WHERE ready_at IS NOT NULL
        GROUP BY webhook HAVING count(*) FILTER (WHERE status <> 'retrying') > 0
    """,
    "retrying": monitoring.RETRYING.format(""),
    "held": monitoring.HELD.format(""),
    "dead": monitoring.DEAD.format(""),
    "attempts": "SELECT webhook, succeeded + failed FROM recent",
    "share": "SELECT webhook, succeeded::float8 / (succeeded + failed) FROM recent",
    "p50": f"SELECT webhook, {at_most(50)}::float8 FROM recent",  # noqa: S608
    "p95": f"SELECT webhook, {at_most(95)}::float8 FROM recent",  # noqa: S608
    "last_at": "SELECT webhook, at FROM last_results",
}
OF_HOURS = """
    SELECT hour, webhook, succeeded, failed FROM hours WHERE hour = ANY(%s::bigint[]) AND webhook = ANY(%s)
"""
REASONS = """
    SELECT c.result, c.head, sum(h.attempts)::bigint AS attempts, max(h.last_at),
        (array_agg(h.delivery ORDER BY h.last_at DESC))[1]
    FROM hour_causes h JOIN causes c ON c.id = h.cause
    WHERE h.hour = ANY(%s::bigint[]) AND h.webhook = %s
    GROUP BY c.id ORDER BY attempts DESC, c.id
"""


def summaries(connection: Connection, only: Collection[str] | None) -> Mapping[str, Summary]:
    """See :meth:`hookctl.store.pages_interface.Overviews.summaries`."""
    backlogs = monitoring.backlogs(connection, only)
    last = reading.last_results(connection, only)
    which, values = ("", ()) if only is None else (" WHERE webhook = ANY(%s)", ([*only],))
    recent = {row[0]: row[1:] for row in connection.execute(RECENT + which, values)}
    names = dict.fromkeys((*recent, *last, *backlogs)) if only is None else only
    return {name: summary_of(backlogs.get(name), recent.get(name), last.get(name)) for name in names}


def ranking(connection: Connection, by: Ranking) -> Mapping[str, float]:
    """See :meth:`hookctl.store.pages_interface.Overviews.ranking`."""
    return {name: value for name, value, *_ in connection.execute(RANKINGS[by]).fetchall()}


def hours(connection: Connection, webhooks: Collection[str], now: float) -> Mapping[str, Sequence[Hour]]:
    """See :meth:`hookctl.store.pages_interface.Overviews.hours`."""
    numbers = hours_until(now)
    found = {
        (webhook, hour): Hour(hour * HOUR, succeeded, failed)
        for hour, webhook, succeeded, failed in connection.execute(OF_HOURS, (numbers, [*webhooks]))
    }
    empty = {hour: Hour(hour * HOUR) for hour in numbers}
    return {webhook: [found.get((webhook, hour), empty[hour]) for hour in numbers] for webhook in webhooks}


def reasons(connection: Connection, webhook: str, now: float, limit: int) -> list[Reason]:
    """See :meth:`hookctl.store.pages_interface.Overviews.reasons`."""
    rows = connection.execute(REASONS, (hours_until(now), webhook)).fetchall()
    lines = causes.lines_by_result([(result, head) for result, head, *_ in rows])
    found = [Reason(row[0], line, row[2], row[3], row[4]) for row, line in zip(rows, lines, strict=True)]
    return found[:limit]
