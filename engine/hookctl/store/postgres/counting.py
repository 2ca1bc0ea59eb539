"""Counts attempts into the tables behind pages, a batch at a time; inside the caller's transaction.

Attempts are numbered when they are stored, and several processes store them. So one with a lower number may be
committed after one with a higher number. Whoever stores attempts therefore holds an advisory lock, whose number is
that of the last attempt before; attempts are counted up to the lowest of these.
"""

from __future__ import annotations

from typing import Any

from hookctl.store import causes
from hookctl.store.counting import HOUR, MAX_HEADS, NEVER_TRIED, window
from hookctl.store.overview_bounds import BOUNDS, COUNTS
from hookctl.store.overviews import Progress
from hookctl.store.postgres.connection import Connection

_ADD = ", ".join(f"{name} = {{0}}.{name} + excluded.{name}" for name in COUNTS)
_NAMES = ", ".join(COUNTS)
_SUMS = ", ".join(f"sum({name})" for name in COUNTS)
_TAKE = ", ".join(f"{name} = recent.{name} - gone.{name}" for name in COUNTS)
_OUTSIDE = "hour NOT BETWEEN %(first)s AND %(last)s"

COUNTED = "SELECT attempt, hour FROM counted"
LOCK_COUNTED = f"{COUNTED} FOR UPDATE SKIP LOCKED"
NUMBER = "SELECT last_value FROM attempt_numbers"
UNFINISHED = """
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid = 'meta'::regclass::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The lower half of the numbers of the last attempts before those that are being stored."""
LAST = "SELECT coalesce(max(seq), 0) FROM attempts"
END = """
    SELECT coalesce(max(seq), 0) FROM (
        SELECT seq FROM attempts WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s
    ) found
"""
COUNT = f"""
    WITH batch AS MATERIALIZED (
        SELECT hour, webhook, count(*) FILTER (WHERE delivered) AS succeeded,
            count(*) FILTER (WHERE NOT delivered) AS failed, {
    ", ".join(f"count(*) FILTER (WHERE seconds <= {bound}) AS le_{place}" for place, bound in enumerate(BOUNDS))
}
        FROM (
            SELECT floor(a.started_at / 3600)::bigint AS hour, d.webhook, a.delivered, a.seconds
            FROM attempts a JOIN deliveries d ON d.seq = a.delivery
            WHERE a.seq > %(after)s AND a.seq <= %(end)s
                AND a.started_at >= %(first)s * 3600.0 AND a.started_at < (%(last)s + 1) * 3600.0
        ) one GROUP BY hour, webhook
    ), by_hour AS (
        INSERT INTO hours (hour, webhook, {_NAMES}) SELECT hour, webhook, {_NAMES} FROM batch
        ON CONFLICT (hour, webhook) DO UPDATE SET {_ADD.format("hours")}
    )
    INSERT INTO recent (webhook, {_NAMES}) SELECT webhook, {_SUMS} FROM batch GROUP BY webhook
    ON CONFLICT (webhook) DO UPDATE SET {_ADD.format("recent")}
"""  # noqa: S608 - constants
FAILED = """
    SELECT d.seq, d.id, d.webhook, a.started_at, a.result, a.record
    FROM attempts a JOIN deliveries d ON d.seq = a.delivery
    WHERE NOT a.delivered AND a.seq > %(after)s AND a.seq <= %(end)s ORDER BY a.seq
"""
FIND_CAUSE = "SELECT id FROM causes WHERE result = %s AND md5(head) = md5(%s) AND head = %s"
COUNT_CAUSES = "SELECT count(*) FROM causes WHERE result = %s"
ADD_CAUSE = "INSERT INTO causes (result, head) VALUES (%s, %s) RETURNING id"
ADD_HOUR_CAUSES = """
    INSERT INTO hour_causes (hour, webhook, cause, attempts, last_at, delivery) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (hour, webhook, cause) DO UPDATE SET
        attempts = hour_causes.attempts + excluded.attempts,
        delivery = CASE
            WHEN excluded.last_at >= hour_causes.last_at THEN excluded.delivery ELSE hour_causes.delivery
        END,
        last_at = greatest(hour_causes.last_at, excluded.last_at)
"""
SET_CAUSE = """
    UPDATE deliveries d SET cause = g.cause FROM unnest(%s::bigint[], %s::int[]) AS g (seq, cause) WHERE d.seq = g.seq
"""
NAMELESS = """
    SELECT seq, reason FROM ended WHERE status = 'dead' AND cause IS NULL AND attempts = 0 LIMIT %s
"""
"""Dead letters from the start."""
FORGET_HOURS = (
    f"""
    UPDATE recent SET {_TAKE} FROM (
        SELECT webhook, {", ".join(f"sum({name}) AS {name}" for name in COUNTS)} FROM hours WHERE {_OUTSIDE}
        GROUP BY webhook
    ) AS gone
    WHERE recent.webhook = gone.webhook
    """,  # noqa: S608
    "DELETE FROM recent WHERE succeeded <= 0 AND failed <= 0",
    f"DELETE FROM hours WHERE {_OUTSIDE}",  # noqa: S608
    f"DELETE FROM hour_causes WHERE {_OUTSIDE}",  # noqa: S608
    """
    DELETE FROM causes WHERE id NOT IN (SELECT cause FROM hour_causes)
        AND NOT EXISTS (SELECT 1 FROM live WHERE status = 'retrying' AND cause = causes.id)
        AND NOT EXISTS (SELECT 1 FROM ended WHERE status = 'dead' AND cause = causes.id)
    """,
)
RENAME = (
    f"""
    INSERT INTO hours (hour, webhook, {_NAMES}) SELECT hour, %(new)s, {_NAMES} FROM hours WHERE webhook = %(old)s
    ON CONFLICT (hour, webhook) DO UPDATE SET {_ADD.format("hours")}
    """,  # noqa: S608
    f"""
    INSERT INTO recent (webhook, {_NAMES}) SELECT %(new)s, {_NAMES} FROM recent WHERE webhook = %(old)s
    ON CONFLICT (webhook) DO UPDATE SET {_ADD.format("recent")}
    """,  # noqa: S608
    """
    INSERT INTO hour_causes (hour, webhook, cause, attempts, last_at, delivery)
    SELECT hour, %(new)s, cause, attempts, last_at, delivery FROM hour_causes WHERE webhook = %(old)s
    ON CONFLICT (hour, webhook, cause) DO UPDATE SET
        attempts = hour_causes.attempts + excluded.attempts,
        last_at = greatest(hour_causes.last_at, excluded.last_at)
    """,
    *(f"DELETE FROM {table} WHERE webhook = %(old)s" for table in ("hours", "recent", "hour_causes")),  # noqa: S608
)
"""Moves what is counted for a webhook to its new name."""


def progress(connection: Connection) -> Progress:
    """See :meth:`hookctl.store.pages_interface.Overviews.progress`."""
    counted, _ = _row(connection, COUNTED)
    return Progress(counted, max(counted, _row(connection, LAST)[0]))


def count_attempts(connection: Connection, now: float, limit: int) -> Progress:
    """See :meth:`hookctl.store.pages_interface.Overviews.count_attempts`."""
    row = connection.execute(LOCK_COUNTED).fetchone()
    if row is None:  # another process counts
        return progress(connection)
    after, first = row
    which = window(now)
    if which["first"] != first:
        for statement in FORGET_HOURS:
            connection.execute(statement, which)
    found = connection.execute(END, (after, _complete(connection), limit)).fetchone()
    end = max(after, found[0] if found else 0)
    if end > after:
        values = which | {"after": after, "end": end}
        connection.execute(COUNT, values)
        _count_failures(connection, values)
    _name_never_tried(connection)
    connection.execute("UPDATE counted SET attempt = %s, hour = %s", (end, which["first"]))
    return Progress(end, max(end, _row(connection, LAST)[0]))


def is_due(connection: Connection, now: float) -> bool:
    """Whether there is anything to count, or counts to delete."""
    counted, first = _row(connection, COUNTED)
    return (
        _row(connection, LAST)[0] > counted
        or first != window(now)["first"]
        or connection.execute(NAMELESS, (1,)).fetchone() is not None
    )


def rename(connection: Connection, old: str, new: str) -> None:
    """Give what is counted for a webhook its new name."""
    for statement in RENAME:
        connection.execute(statement, {"old": old, "new": new})


def _complete(connection: Connection) -> int:
    """The number up to which all attempts that will ever be stored are committed."""
    (last,) = _row(connection, NUMBER)  # read before the locks: whoever locks later gets greater numbers
    # last - low, modulo 2**32, is how far before the last one an attempt may still be missing.
    behind = [(last - low) & 0xFFFFFFFF for (low,) in connection.execute(UNFINISHED).fetchall()]
    return int(last) - max((one for one in behind if one < 1 << 31), default=0)


def _row(connection: Connection, query: str) -> Any:
    return connection.execute(query).fetchone()


def _count_failures(connection: Connection, which: dict[str, int]) -> None:
    known: dict[tuple[str, str], int] = {}
    newest: dict[int, int] = {}
    counts: dict[tuple[int, str, int], tuple[int, float, str]] = {}
    for seq, delivery_id, webhook, started_at, result, record in connection.execute(FAILED, which).fetchall():
        key = (causes.shown(result), causes.head_of(record.encode()))
        if key not in known:
            known[key] = _cause(connection, *key)
        newest[seq] = cause = known[key]
        hour = int(started_at // HOUR)
        if which["first"] <= hour <= which["last"]:
            count, last_at, _ = counts.get((hour, webhook, cause), (0, started_at, ""))
            counts[hour, webhook, cause] = (count + 1, max(last_at, started_at), delivery_id)
    for place, values in counts.items():
        connection.execute(ADD_HOUR_CAUSES, (*place, *values))
    _set_causes(connection, newest)


def _set_causes(connection: Connection, named: dict[int, int]) -> None:
    if named:
        ordered = sorted(named)
        connection.execute(SET_CAUSE, (ordered, [named[seq] for seq in ordered]))


def _name_never_tried(connection: Connection) -> None:
    known: dict[str, int] = {}
    named: dict[int, int] = {}
    for seq, reason in connection.execute(NAMELESS, (NEVER_TRIED,)).fetchall():
        head = causes.head_of_reason(reason)
        if head not in known:
            known[head] = _cause(connection, "", head)
        named[seq] = known[head]
    _set_causes(connection, named)


def _cause(connection: Connection, result: str, head: str) -> int:
    """The number of a cause, which is added if it is new."""
    if found := connection.execute(FIND_CAUSE, (result, head, head)).fetchone():
        return int(found[0])
    if head and _count(connection, result) >= MAX_HEADS:
        return _cause(connection, result, "")
    return int((connection.execute(ADD_CAUSE, (result, head)).fetchone() or (0,))[0])


def _count(connection: Connection, result: str) -> int:
    return int((connection.execute(COUNT_CAUSES, (result,)).fetchone() or (0,))[0])
