"""Generations: the partitions of what grows with time.

The rows of one generation have numbers from ``number << BITS`` on. A new generation begins on each day, by the server's
clock, when history is looked through. When all of a generation is past its retention, its partitions are dropped, which
takes no longer if there are many rows. What is still needed of it is moved to the partitions ``*_kept`` before.
"""

from __future__ import annotations

from typing import Any

from psycopg.errors import LockNotAvailable, QueryCanceled

from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.locks import ENQUEUING, LOCK_ALL

BITS = 40
"""A generation has room for a trillion numbers."""
TABLES = (("events", "events"), ("ended", "ended"), ("attempts", "attempts"))
DAYS = 7
"""An event's id is known for at least as many days after it came: in its own generation, and in this many after it."""
NEWEST = "SELECT number, began_at::date < now()::date FROM generations ORDER BY number DESC LIMIT 1"
IS_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM events_{0}) AND NOT EXISTS (SELECT 1 FROM ended_{0})"
MANY = 10_000
"""Events of a generation that are deleted one by one. With more, it is dropped as a whole, when all of it is over."""
MOST_KEPT = 10_000
"""Events of a generation that are moved when it is dropped. With more, the others are deleted one by one."""
OLDEST_TWO = "SELECT number FROM generations ORDER BY number LIMIT 2"
_NEEDED = """
    SELECT event FROM live WHERE event >= %(first)s AND event < %(end)s
    UNION SELECT event FROM ended WHERE event >= %(first)s AND event < %(end)s AND seq >= %(end)s
"""
"""Events of a generation with a delivery that has not ended, or that was made later."""
COUNT_NEEDED = f"SELECT count(*) FROM ({_NEEDED}) needed"  # noqa: S608
ADD_NEEDED = f"INSERT INTO needed {_NEEDED} ON CONFLICT DO NOTHING"
ADD_ENDED_LATER = """
    INSERT INTO needed SELECT DISTINCT event FROM ended_{0}
    WHERE set_at >= %(before)s AND event >= %(first)s AND event < %(end)s
"""
KEEP_EVENTS = "INSERT INTO events SELECT * FROM events_{0} WHERE seq IN (SELECT seq FROM needed)"
KEEP_DELIVERIES = """
    INSERT INTO ended SELECT * FROM ended_{0}
    WHERE event IN (SELECT seq FROM needed) OR event < %(first)s OR event >= %(end)s
"""
KEEP_ATTEMPTS = """
    INSERT INTO attempts SELECT * FROM attempts_{0} a
    WHERE EXISTS (SELECT 1 FROM live WHERE seq = a.delivery) OR EXISTS (SELECT 1 FROM ended WHERE seq = a.delivery)
"""
LOCK_SECONDS = "500ms"
"""How long to wait for other transactions before partitions are detached. Others wait behind it for as long."""


def first_number(generation: int) -> int:
    """The lowest number of a generation."""
    return generation << BITS


def begin(connection: Connection, number: int) -> None:
    """Create the partitions of a generation, and have new numbers be in it; inside the caller's transaction."""
    first, end = first_number(number), first_number(number + 1)
    for table, prefix in TABLES:
        connection.execute(f"CREATE TABLE {prefix}_{number} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({end})")
    connection.execute(f"CREATE UNIQUE INDEX ON events_{number} (id)")
    connection.execute("INSERT INTO generations (number) VALUES (%s)", (number,))
    connection.execute(
        "SELECT setval('event_numbers', %s, false), setval('delivery_numbers', %s, false)", (first, first)
    )


def begin_if_due(connection: Connection) -> bool:
    """Begin a generation if the newest one is of an earlier day and not empty; inside the caller's transaction.

    Returns whether one was begun. If others store events for longer than hookctl waits, the next call tries again.
    """
    number, is_old = _row(connection, NEWEST)
    if not is_old or _row(connection, IS_EMPTY.format(number))[0]:
        return False
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}'")
            # Whoever stores events looks for their ids in the generations that there are, and holds this lock.
            connection.execute(LOCK_ALL, (ENQUEUING,))
            begin(connection, number + 1)
    except LockNotAvailable:
        return False
    return True


def is_small(connection: Connection, number: int) -> bool:
    """Whether a generation has so few events that they can be deleted one by one, or so many that must be kept."""
    row = connection.execute(f"SELECT 1 FROM events_{number} OFFSET {MANY} LIMIT 1").fetchone()  # noqa: S608
    return row is None or _count_needed(connection, number) > MOST_KEPT


def drop_oldest(connection: Connection, before: float) -> int:
    """Drop the oldest generation if it has many events and all came before a time; inside the caller's transaction.

    Events with a delivery that has not ended, or that ended later, are kept, with all their deliveries and attempts.
    Returns how many events were deleted; 0 also if a partition is in use for longer than hookctl waits.
    """
    numbers = [number for (number,) in connection.execute(OLDEST_TWO).fetchall()]
    if len(numbers) < 2 or is_small(connection, numbers[0]):
        return 0
    (newest,) = _row(connection, f"SELECT max(received_at) FROM events_{numbers[0]}")  # noqa: S608
    if newest >= before:
        return 0
    try:
        with connection.transaction():
            return _drop(connection, numbers[0], before)
    except (LockNotAvailable, QueryCanceled):  # the next call tries again
        return 0


def _count_needed(connection: Connection, number: int) -> int:
    values = {"first": first_number(number), "end": first_number(number + 1)}
    return int(connection.execute(COUNT_NEEDED, values).fetchone()[0])  # type: ignore[index]


def _drop(connection: Connection, number: int, before: float) -> int:
    connection.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}'")
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SET LOCAL enable_seqscan = on")
    connection.execute(f"LOCK TABLE events_{number}, ended_{number} IN SHARE MODE")  # nothing can end there meanwhile
    (total,) = _row(connection, f"SELECT count(*) FROM events_{number}")  # noqa: S608
    # Not a temporary one: a user may lack the right to create those. Nobody else sees it, since it is dropped below.
    connection.execute("CREATE UNLOGGED TABLE needed (seq bigint PRIMARY KEY)")
    values = {"first": first_number(number), "end": first_number(number + 1), "before": before}
    connection.execute(ADD_ENDED_LATER.format(number), values)
    for table, prefix in TABLES:
        connection.execute(f"ALTER TABLE {table} DETACH PARTITION {prefix}_{number}")
    connection.execute(ADD_NEEDED, values)
    kept = connection.execute(KEEP_EVENTS.format(number)).rowcount
    connection.execute(KEEP_DELIVERIES.format(number), values)
    connection.execute(KEEP_ATTEMPTS.format(number))
    for _, prefix in TABLES:
        connection.execute(f"DROP TABLE {prefix}_{number}")
    connection.execute("DROP TABLE needed")
    connection.execute("DELETE FROM generations WHERE number = %s", (number,))
    return int(total) - kept


def _row(connection: Connection, query: str) -> Any:
    return connection.execute(query).fetchone()
