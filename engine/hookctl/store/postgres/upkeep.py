"""Keeping the PostgreSQL queue in order: clocks that were set, history that is over, and how full it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookctl.store.postgres import sharing
from hookctl.store.postgres.claiming import ENDED
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.enqueuing import COUNT_WAITING, printable
from hookctl.store.postgres.generations import begin_if_due, drop_oldest, first_number, is_small
from hookctl.store.postgres.locks import PRUNING, TRY_LOCK_ALL
from hookctl.store.postgres.server_time import read_clocks
from hookctl.store.records import Circuit, Fullness

SLACK = 60.0
"""Seconds by which clocks may differ without anybody having set one."""
# A due time stays as far ahead as it was when it was set, however the wall clock is changed.
CLOCK_FELL = """
    UPDATE live SET
        due_at = %(now)s + greatest(0, due_at - set_at), set_at = %(now)s,
        ready_at = CASE
            WHEN ready_at IS NULL THEN NULL
            WHEN owner IS NULL THEN %(now)s + greatest(0, due_at - set_at) ELSE %(now)s
        END
    WHERE (ready_at IS NOT NULL OR status = 'held') AND set_at > %(now)s + %(slack)s
"""
CLOCK_LEAPT = """
    UPDATE live SET
        due_at = due_at + %(by)s, set_at = %(before)s + %(by)s,
        ready_at = CASE WHEN ready_at IS NULL OR owner IS NOT NULL THEN ready_at ELSE ready_at + %(by)s END
    WHERE (ready_at IS NOT NULL OR status = 'held') AND due_at > %(before)s AND set_at <= %(before)s + %(slack)s
"""
"""Changes only what was not due before the leap."""
FREE_OWNER = f"""
    UPDATE deliveries SET
        owner = NULL, lease_until = NULL, ready_at = CASE WHEN ready_at IS NOT NULL THEN due_at END,
        ended = status IN {ENDED}
    WHERE NOT ended AND owner = ANY(%s)
"""  # noqa: S608 - constants
OWNERS = """
    WITH RECURSIVE owners (owner) AS (
        (SELECT owner FROM live WHERE owner IS NOT NULL ORDER BY owner LIMIT 1)
        UNION ALL
        SELECT n.owner FROM owners o CROSS JOIN LATERAL (
            SELECT owner FROM live WHERE owner > o.owner ORDER BY owner LIMIT 1
        ) n
    )
    SELECT owner FROM owners UNION SELECT name FROM members
"""
END_STOPPED = f"""
    UPDATE deliveries SET owner = NULL, lease_until = NULL, ended = true
    WHERE NOT ended AND owner IS NOT NULL AND status IN {ENDED} AND lease_until <= %s
        AND lease_ends <= coalesce(%s::float8, extract(epoch FROM statement_timestamp())::float8)
"""  # noqa: S608
"""What was cancelled while a worker tried it that never came back."""
SET_CIRCUIT = """
    INSERT INTO circuits (webhook, state, reason, since, until) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (webhook) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, since = excluded.since, until = excluded.until
"""
PRUNABLE = """
    SELECT seq FROM events e WHERE seq >= %(first)s AND seq < %(end)s AND received_at < %(before)s AND NOT EXISTS (
        SELECT 1 FROM deliveries d
        WHERE d.event = e.seq
            AND (d.status IN ('waiting', 'retrying', 'held') OR d.owner IS NOT NULL OR d.set_at >= %(before)s)
    )
    ORDER BY seq LIMIT %(count)s
"""
"""Events whose deliveries have all ended."""
PRUNE = """
    WITH gone AS (DELETE FROM deliveries WHERE event = ANY(%(events)s) RETURNING seq),
    tried AS (DELETE FROM attempts WHERE delivery IN (SELECT seq FROM gone))
    DELETE FROM events WHERE seq = ANY(%(events)s)
"""
PRUNE_KEYS = "DELETE FROM request_keys WHERE key IN (SELECT key FROM request_keys WHERE at < %s ORDER BY at LIMIT %s)"
GENERATIONS = "SELECT number FROM generations ORDER BY number"
SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'm')
"""


def has_server_leapt(connection: Connection, seen: tuple[float, float]) -> bool:
    """Whether the server's clock was set as well since ``read_clocks`` gave ``seen``."""
    now, boot = read_clocks(connection)
    return abs((now - seen[0]) - (boot - seen[1])) > SLACK


def clock_set(connection: Connection, before: float, now: float, *, leapt: bool) -> None:
    """See :meth:`hookctl.store.interface.Work.clock_set`; inside the caller's transaction.

    ``leapt`` is False if only this host's clock was wrong. Then only those times are changed that were
    set by a clock that was ahead.
    """
    connection.execute(CLOCK_FELL, {"now": now, "slack": SLACK})
    if leapt and now - before > SLACK:  # what has been moved, or set since, is past the slack: nobody moves it twice
        connection.execute(CLOCK_LEAPT, {"before": before, "by": now - before, "slack": SLACK})


def free_owners(connection: Connection, owners: list[str]) -> None:
    """Free what these workers have claimed or share; inside the caller's transaction."""
    connection.execute(FREE_OWNER, (owners,))
    sharing.remove(connection, owners)


def set_circuits(connection: Connection, circuits: Mapping[str, Circuit | None]) -> None:
    """See :meth:`hookctl.store.interface.Standing.set_circuits`, in the server's time; inside a transaction."""
    for webhook, circuit in sorted(circuits.items()):
        if circuit is None:
            connection.execute("DELETE FROM circuits WHERE webhook = %s", (webhook,))
        else:
            values = (webhook, circuit.state, printable(circuit.reason), circuit.since, circuit.until)
            connection.execute(SET_CIRCUIT, values)


def prune(connection: Connection, before: float, limit: int, clock: float | None) -> int:
    """See :meth:`hookctl.store.interface.Upkeep.prune`; inside the caller's transaction.

    One process at a time does this. Of a generation with many events, nothing is deleted until all can be dropped.
    """
    row = connection.execute(TRY_LOCK_ALL, (PRUNING,)).fetchone()
    if not row or not row[0]:
        return 0
    connection.execute(PRUNE_KEYS, (before, limit))
    connection.execute(END_STOPPED, (before, clock))
    if begin_if_due(connection):
        return 0  # it keeps events from being stored until the commit
    dropped = drop_oldest(connection, before)
    if dropped:
        return dropped
    deleted = 0
    numbers: list[int] = [number for (number,) in connection.execute(GENERATIONS).fetchall()]
    ends = [first_number(numbers[0]), *(first_number(number + 1) for number in numbers)]
    for place, end in enumerate(ends):
        if deleted < limit and (place == 0 or is_small(connection, numbers[place - 1])):
            first = ends[place - 1] if place else 0
            deleted += _prune_range(connection, first, end, before, limit - deleted)
    return deleted


def _prune_range(connection: Connection, first: int, end: int, before: float, count: int) -> int:
    values: dict[str, Any] = {"first": first, "end": end, "before": before, "count": count}
    events = [seq for (seq,) in connection.execute(PRUNABLE, values).fetchall()]
    return connection.execute(PRUNE, {"events": events}).rowcount if events else 0


def fullness(connection: Connection) -> Fullness:
    """See :meth:`hookctl.store.interface.Upkeep.fullness`."""
    (waiting,) = connection.execute(COUNT_WAITING).fetchone() or (0,)
    (used,) = connection.execute(SIZE).fetchone() or (0,)
    return Fullness(waiting, used, None)
