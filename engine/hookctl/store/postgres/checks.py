"""What ``hookctl doctor`` reports about the server of a PostgreSQL store and its tables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from hookctl.model.store_type import EngineCheck
from hookctl.store.postgres.address import Address
from hookctl.store.postgres.connection import Connection, connect, read_about
from hookctl.store.postgres.failures import errors_as_store_errors
from hookctl.store.postgres.schema import INDEXES

NAME = "server"
OLD_SECONDS = 300
"""Seconds after which a transaction counts as old."""
SKEW_SECONDS = 2.0
"""Seconds by which this host's clock may differ from the server's."""
DEAD_SHARE, DEAD_ROWS = 0.5, 100_000
"""A table is bloated if it has more dead rows than this, and they are more than this share of its rows."""
SPARE_CONNECTIONS = 10
HOLDING_BACK = """
    SELECT coalesce(pid::text, ''), kind, seconds, what FROM (
        SELECT pid, 'transaction' AS kind, extract(epoch FROM now() - xact_start) AS seconds,
            coalesce(usename, '?') || ', ' || coalesce(nullif(application_name, ''), 'no name') || ', ' || state AS what
        FROM pg_stat_activity
        WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND datname = current_database()
        UNION ALL
        SELECT NULL, 'prepared transaction', extract(epoch FROM now() - prepared), gid FROM pg_prepared_xacts
        WHERE database = current_database()
    ) held WHERE seconds > %s ORDER BY seconds DESC LIMIT 5
"""
HIDDEN = """
    SELECT pid, coalesce(usename, '?'), age(coalesce(backend_xmin, backend_xid)) FROM pg_stat_activity
    WHERE xact_start IS NULL AND datname = current_database()
        AND age(coalesce(backend_xmin, backend_xid)) > %s ORDER BY 3 DESC LIMIT 5
"""
"""Transactions of others, of which hookctl's user may only see how many have begun since."""
OLD_TRANSACTIONS = 10_000
SLOTS = """
    SELECT slot_name, age(xmin) FROM pg_replication_slots WHERE xmin IS NOT NULL AND NOT active
"""
MISSING_INDEXES = """
    SELECT t.name, t.number - count(i.indexrelid) FILTER (WHERE i.indisvalid)
    FROM unnest(%s::text[], %s::int[]) AS t (name, number)
    LEFT JOIN pg_index i ON i.indrelid = to_regclass(t.name)
    GROUP BY t.name, t.number HAVING count(i.indexrelid) FILTER (WHERE i.indisvalid) < t.number
"""
BLOAT = """
    SELECT relname, n_dead_tup, n_live_tup, last_autovacuum IS NULL AND last_vacuum IS NULL
    FROM pg_stat_user_tables
    WHERE schemaname = current_schema() AND n_dead_tup > %s AND n_dead_tup > %s * (n_dead_tup + n_live_tup)
    ORDER BY n_dead_tup DESC LIMIT 5
"""
AUTOVACUUM = "SELECT current_setting('autovacuum') = 'on' AND current_setting('track_counts') = 'on'"
CONNECTIONS = """
    SELECT name, room - used FROM (
        SELECT 'the server' AS name, current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true), '0')::int AS room,
            (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND usesysid IS NOT NULL) AS used
        UNION ALL
        SELECT 'the database', datconnlimit,
            (SELECT count(*) FROM pg_stat_activity WHERE datid = d.oid AND usesysid IS NOT NULL)
        FROM pg_database d WHERE datname = current_database() AND datconnlimit >= 0
        UNION ALL
        SELECT 'hookctl''s user', rolconnlimit, (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid)
        FROM pg_roles r WHERE rolname = session_user AND rolconnlimit >= 0
    ) limits ORDER BY room - used LIMIT 1
"""
"""The limit with the least room. Of the sessions of others, everybody may see these columns."""
CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


def checks(address: Address) -> Iterator[EngineCheck]:
    """Connect, and check the server and the tables. Raises SettingsError and StoreError as opening the store does."""
    with errors_as_store_errors(address), connect(address, application="hookctl doctor") as connection:
        about = read_about(connection)
        yield EngineCheck(NAME, f"PostgreSQL {about.version // 10_000}.{about.version % 10_000}")
        if about.weakness:
            yield EngineCheck(
                NAME,
                f"events that were acknowledged may be lost: {about.weakness}, which weak_commits=allow accepts",
                "Turn it on, and remove weak_commits=allow from the store's URL.",
            )
        yield from _clock(connection)
        yield from _old_transactions(connection)
        yield from _tables(connection)
        yield from _room(connection)


def _clock(connection: Connection) -> Iterator[EngineCheck]:
    before = time.time()
    (there,) = _row(connection, CLOCK)
    after = time.time()
    skew = there - (before + after) / 2
    if abs(skew) > SKEW_SECONDS + (after - before):
        yield EngineCheck(
            NAME,
            f"this host's clock is {abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} the server's",
            "Synchronize the clocks of all hosts, with NTP for example. Retries are early or late by the difference.",
        )


def _old_transactions(connection: Connection) -> Iterator[EngineCheck]:
    for pid, kind, seconds, what in connection.execute(HOLDING_BACK, (OLD_SECONDS,)).fetchall():
        end = f"End it: SELECT pg_terminate_backend({pid})" if pid else f"End it: ROLLBACK PREPARED '{what}'"
        yield EngineCheck(
            NAME,
            f"a {kind} has been open for {seconds / 60:,.0f} min ({what}), so vacuum cannot remove what was delivered",
            f"{end}. Claims become slower the longer it lasts.",
        )
    for pid, who, number in connection.execute(HIDDEN, (OLD_TRANSACTIONS,)).fetchall():
        yield EngineCheck(
            NAME,
            f"a transaction of {who} has been open while {number:,} others began, so vacuum cannot remove what was "
            "delivered",
            f"Look for process {pid} in pg_stat_activity, and end it. For hookctl to see how long it has been open: "
            f"GRANT pg_read_all_stats TO {connection.info.user}",
        )
    for slot, age in connection.execute(SLOTS).fetchall():
        yield EngineCheck(
            NAME,
            f"the replication slot {slot} is not in use and holds back vacuum, by {age:,} transactions",
            f"Start its consumer, or drop it: SELECT pg_drop_replication_slot('{slot}')",
        )


def _tables(connection: Connection) -> Iterator[EngineCheck]:
    expected = ([*INDEXES], [*INDEXES.values()])
    for table, number in connection.execute(MISSING_INDEXES, expected).fetchall():
        yield EngineCheck(
            NAME,
            f"the table {table} lacks {number} of its indexes, or they are not valid",
            "Restore the store's schema from a backup, or copy the store: hookctl store copy FROM TO.",
        )
    if not _row(connection, AUTOVACUUM)[0]:
        yield EngineCheck(NAME, "autovacuum is off, so the store grows and becomes slow", "Turn autovacuum on.")
    for table, dead, live, is_never in connection.execute(BLOAT, (DEAD_ROWS, DEAD_SHARE)).fetchall():
        when = ", and was never vacuumed" if is_never else ""
        yield EngineCheck(
            NAME,
            f"the table {table} has {dead:,} dead rows beside {live:,} live ones{when}",
            f"Look for old transactions and for the settings of autovacuum, then run: VACUUM {table}",
        )


def _room(connection: Connection) -> Iterator[EngineCheck]:
    name, spare = _row(connection, CONNECTIONS)
    if spare < SPARE_CONNECTIONS:
        more = {"the server": "Raise max_connections", "the database": "Raise CONNECTION LIMIT of the database"}
        yield EngineCheck(
            NAME,
            f"{name} has room for {max(0, spare)} more connections",
            f"{more.get(name, 'Raise CONNECTION LIMIT of the user')}. `hookctl explain postgres` says how many each "
            "process opens.",
        )


def _row(connection: Connection, query: str) -> Any:
    return connection.execute(query).fetchone()
