"""The SQLite tables behind pages: attempts counted by webhook and hour, and why deliveries failed.

They cover the last 24 hours. ``recent`` is the sum of ``hours`` over that time, so that a list of all webhooks reads
one row for each. Durations are counted in buckets: column ``le_3`` counts the attempts that took at most ``BOUNDS[3]``.
"""

from __future__ import annotations

from hookctl.store.overview_bounds import BOUNDS, COUNTS

COMPONENT = "overviews"

_COLUMNS = ", ".join(f"{name} INTEGER NOT NULL" for name in COUNTS)

SCRIPTS = (
    f"""
    CREATE TABLE IF NOT EXISTS counted (
        attempt INTEGER NOT NULL,    -- the number of the last attempt that is counted
        hour INTEGER NOT NULL        -- the first hour that recent covers, in hours since the epoch
    );
    INSERT INTO counted SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM counted);
    CREATE TABLE IF NOT EXISTS hours (
        hour INTEGER NOT NULL, webhook TEXT NOT NULL, {_COLUMNS}, PRIMARY KEY (hour, webhook)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS recent (webhook TEXT PRIMARY KEY, {_COLUMNS}) WITHOUT ROWID;
    -- Every way in which attempts have failed. A number is never given to another one.
    CREATE TABLE IF NOT EXISTS causes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        result TEXT NOT NULL,        -- a status, a kind of failure, mismatch; empty: never tried
        head TEXT NOT NULL,          -- the beginning of the response's body, or the message; empty: any other
        UNIQUE (result, head)
    );
    CREATE TABLE IF NOT EXISTS hour_causes (
        hour INTEGER NOT NULL,
        webhook TEXT NOT NULL,
        cause INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        last_at REAL NOT NULL,
        delivery TEXT NOT NULL,      -- the id of one that failed so
        PRIMARY KEY (hour, webhook, cause)
    ) WITHOUT ROWID;
    """,  # noqa: S608
)

HAS_STATUS = "status IN ('retrying', 'held', 'dead', 'cancelled')"
HAS_CAUSE = "status IN ('retrying', 'dead')"
"""The conditions of two indexes. SQLite uses such an index only for a query that has the same condition."""
BLOCK = 10
"""The index of all deliveries of a webhook has blocks of 2**BLOCK deliveries, and in each block they are by webhook.

New deliveries all come into the last block: some three pages, which are in memory. In an index by webhook alone, each
would change another page when there are thousands of webhooks. A list reads one block after another.
"""
QUEUE_SCRIPT = f"""
    -- What lists and counts need of an attempt, beside its record. NULL if an older hookctl stored it.
    ALTER TABLE attempts ADD COLUMN started_at REAL;
    ALTER TABLE attempts ADD COLUMN seconds REAL;
    ALTER TABLE attempts ADD COLUMN result TEXT;        -- a status, a kind of failure, or mismatch and the status
    ALTER TABLE attempts ADD COLUMN delivered INTEGER;
    -- Why its last attempt failed: a row of causes, or NULL while that is not known.
    ALTER TABLE deliveries ADD COLUMN cause INTEGER;
    -- For lists, newest first. A delivery that succeeds at once is only in the first.
    CREATE INDEX IF NOT EXISTS deliveries_of_webhook ON deliveries (seq >> {BLOCK}, webhook);
    CREATE INDEX IF NOT EXISTS deliveries_by_status ON deliveries (status, created_at)
        WHERE {HAS_STATUS};
    CREATE INDEX IF NOT EXISTS deliveries_by_cause ON deliveries (status, cause, webhook)
        WHERE {HAS_CAUSE};
"""
"""The last script of the queue's own tables."""

ATTEMPT_COLUMNS = ("delivery", "record", "started_at", "seconds", "result", "delivered")

_ADD = ", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)
_NAMES = ", ".join(COUNTS)
_SUMS = ", ".join(f"sum({name})" for name in COUNTS)

# A batch is counted into a table in memory, by SQLite alone: Python would hold its lock, which the runner needs.
BATCH = (
    f"CREATE TEMP TABLE IF NOT EXISTS batch (hour INTEGER, webhook TEXT, {_COLUMNS})",
    """
    CREATE TEMP TABLE IF NOT EXISTS old_attempts (
        seq INTEGER PRIMARY KEY, started_at REAL, seconds REAL, result TEXT, delivered INTEGER
    )
    """,
    "DELETE FROM temp.batch",
    "DELETE FROM temp.old_attempts",
)
LAST = "SELECT coalesce(max(seq), 0) FROM attempts WHERE seq < 1 << 62"
END = (
    "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM attempts WHERE seq > ? AND seq < 1 << 62 ORDER BY seq LIMIT ?)"
)
OLD = """
    SELECT a.seq, CAST(a.record AS BLOB), d.status = 'delivered' AND a.seq = (
        SELECT max(seq) FROM attempts WHERE delivery = a.delivery
    )
    FROM attempts a JOIN deliveries d ON d.seq = a.delivery WHERE a.seq > ? AND a.seq <= ? AND a.result IS NULL
"""
ADD_OLD = "INSERT INTO temp.old_attempts VALUES (?, ?, ?, ?, ?)"
_NEW_ONES = """
    SELECT seq, delivery, started_at, seconds, result, delivered FROM attempts
    WHERE seq > :after AND seq <= :end AND result IS NOT NULL
"""
_ALL = f"""
    {_NEW_ONES} UNION ALL
    SELECT a.seq, a.delivery, o.started_at, o.seconds, o.result, o.delivered
    FROM temp.old_attempts o JOIN attempts a ON a.seq = o.seq
"""  # noqa: S608
_COUNT = """
    INSERT INTO temp.batch
    SELECT hour, webhook, sum(delivered), sum(NOT delivered), {sums} FROM (
        SELECT CAST(a.started_at / 3600 AS INTEGER) AS hour, d.webhook, a.delivered, a.seconds
        FROM ({attempts}) a JOIN deliveries d ON d.seq = a.delivery
        WHERE a.started_at >= :first * 3600.0 AND a.started_at < (:last + 1) * 3600.0 AND typeof(d.webhook) = 'text'
    ) GROUP BY hour, webhook
"""
_LE_SUMS = ", ".join(f"coalesce(sum(seconds <= {bound}), 0)" for bound in BOUNDS)
COUNT_NEW = _COUNT.format(sums=_LE_SUMS, attempts=_NEW_ONES)
COUNT_ALL = _COUNT.format(sums=_LE_SUMS, attempts=_ALL)
ADD_HOURS = f"""
    INSERT INTO hours SELECT * FROM temp.batch WHERE true ON CONFLICT (hour, webhook) DO UPDATE SET {_ADD}
"""  # noqa: S608
ADD_RECENT = f"""
    INSERT INTO recent SELECT webhook, {_SUMS} FROM temp.batch GROUP BY webhook
    ON CONFLICT (webhook) DO UPDATE SET {_ADD}
"""  # noqa: S608
FAILED = """
    SELECT d.seq, d.id, d.webhook, a.started_at, a.result, CAST(r.record AS BLOB)
    FROM ({attempts}) a JOIN deliveries d ON d.seq = a.delivery JOIN attempts r ON r.seq = a.seq
    WHERE NOT a.delivered AND typeof(d.webhook) = 'text' AND typeof(d.id) = 'text' AND typeof(a.result) = 'text'
        AND typeof(a.started_at) IN ('real', 'integer')
    ORDER BY a.seq
"""
FAILED_NEW = FAILED.format(attempts=_NEW_ONES)
FAILED_ALL = FAILED.format(attempts=_ALL)
FIND_CAUSE = "SELECT id FROM causes WHERE result = ? AND head = ?"
COUNT_CAUSES = "SELECT count(*) FROM causes WHERE result = ?"
ADD_CAUSE = "INSERT INTO causes (result, head) VALUES (?, ?)"
ADD_HOUR_CAUSES = """
    INSERT INTO hour_causes (hour, webhook, cause, attempts, last_at, delivery) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (hour, webhook, cause) DO UPDATE SET
        attempts = attempts + excluded.attempts,
        delivery = CASE WHEN excluded.last_at >= last_at THEN excluded.delivery ELSE delivery END,
        last_at = max(last_at, excluded.last_at)
"""
SET_CAUSE = "UPDATE deliveries SET cause = ? WHERE seq = ?"
NEVER_TRIED = f"""
    SELECT seq, reason FROM deliveries INDEXED BY deliveries_by_cause
    WHERE {HAS_CAUSE} AND status = 'dead' AND cause IS NULL AND attempts = 0 LIMIT ?
"""  # noqa: S608
"""Dead letters from the start."""
SET_COUNTED = "UPDATE counted SET attempt = ?, hour = ?"
RESTART_COUNTED = "UPDATE counted SET attempt = min(attempt, (SELECT coalesce(max(seq), 0) FROM attempts))"
"""After attempts were deleted: SQLite gives the numbers above the greatest one again."""
_TAKE = ", ".join(f"{name} = recent.{name} - gone.{name}" for name in COUNTS)
_OUTSIDE = "hour NOT BETWEEN :first AND :last"
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
    f"""
    DELETE FROM causes WHERE id NOT IN (SELECT cause FROM hour_causes) AND NOT EXISTS (
        SELECT 1 FROM deliveries INDEXED BY deliveries_by_cause WHERE {HAS_CAUSE} AND cause = causes.id
    )
    """,  # noqa: S608
)
RENAME = (
    f"""
    INSERT INTO hours (hour, webhook, {_NAMES}) SELECT hour, :new, {_NAMES} FROM hours WHERE webhook = :old
    ON CONFLICT (hour, webhook) DO UPDATE SET {_ADD}
    """,  # noqa: S608
    f"""
    INSERT INTO recent (webhook, {_NAMES}) SELECT :new, {_NAMES} FROM recent WHERE webhook = :old
    ON CONFLICT (webhook) DO UPDATE SET {_ADD}
    """,  # noqa: S608
    """
    INSERT INTO hour_causes (hour, webhook, cause, attempts, last_at, delivery)
    SELECT hour, :new, cause, attempts, last_at, delivery FROM hour_causes WHERE webhook = :old
    ON CONFLICT (hour, webhook, cause) DO UPDATE SET
        attempts = attempts + excluded.attempts, last_at = max(last_at, excluded.last_at)
    """,
    *(f"DELETE FROM {table} WHERE webhook = :old" for table in ("hours", "recent", "hour_causes")),  # noqa: S608
)
"""Moves what is counted for a webhook to its new name."""
