"""The SQLite tables of the queue, and the statements on them."""

from __future__ import annotations

from hookctl.model import DeliveryStatus
from hookctl.store.sqlite.overview_tables import QUEUE_SCRIPT
from hookctl.store.texts import MAX_NUMBER

COMPONENT = "queue"

SCRIPTS = (
    """
    -- Each event once, however many webhooks want it.
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        event_type TEXT NOT NULL,
        event_time REAL NOT NULL,
        received_at REAL NOT NULL,
        document TEXT NOT NULL
    );
    CREATE TABLE deliveries (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        event INTEGER NOT NULL REFERENCES events (seq),
        webhook TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        reason TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        due_at REAL NOT NULL,
        ready_at REAL,               -- when it can be claimed: due_at, or the end of its lease; NULL: never
        lease INTEGER NOT NULL DEFAULT 0, -- how often it was claimed
        owner TEXT,                  -- the worker that has claimed it
        lease_until REAL
    );
    CREATE INDEX deliveries_ready ON deliveries (webhook, ready_at) WHERE ready_at IS NOT NULL;
    CREATE INDEX deliveries_owned ON deliveries (owner) WHERE owner IS NOT NULL;
    CREATE INDEX deliveries_held ON deliveries (webhook) WHERE status = 'held';
    CREATE INDEX deliveries_dead ON deliveries (webhook, created_at) WHERE status = 'dead';
    CREATE TABLE attempts (
        seq INTEGER PRIMARY KEY,
        delivery INTEGER NOT NULL REFERENCES deliveries (seq),
        record TEXT NOT NULL
    );
    CREATE INDEX attempts_of_delivery ON attempts (delivery);
    CREATE TABLE suspensions (
        webhook TEXT PRIMARY KEY,
        serial INTEGER NOT NULL,     -- of the applied state that it was suspended under
        reason TEXT NOT NULL
    );
    CREATE TABLE last_results (
        webhook TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        at REAL NOT NULL
    );
    CREATE TABLE reconciled (
        serial INTEGER NOT NULL      -- of the newest applied state that the deliveries were fitted to
    );
    INSERT INTO reconciled VALUES (0);
    """,
    """
    -- When its due time was set, or when it ended.
    ALTER TABLE deliveries ADD COLUMN set_at REAL NOT NULL DEFAULT 0;
    -- lease_until, on the clock that nobody sets.
    ALTER TABLE deliveries ADD COLUMN lease_ends REAL;
    -- Digest of the plan that it is replayed by; NULL: the applied one.
    ALTER TABLE deliveries ADD COLUMN planned TEXT;
    UPDATE deliveries SET set_at = created_at;
    CREATE INDEX deliveries_of_event ON deliveries (event);
    -- Each delivery plan that an attempt has used.
    CREATE TABLE plans (digest TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
    -- What workers know about targets that fail: for people, and for the next worker.
    CREATE TABLE circuits (
        webhook TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        since REAL NOT NULL,
        until REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    -- The ids of events are in two tables of their own. Publishers' ids are random, so nearly every event changes
    -- another page of an index over all of them. New ids therefore go into a small table, and a few thousand at a time
    -- go from there into the large one, in order.
    CREATE TABLE known_ids (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE new_ids (id TEXT PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO known_ids SELECT id FROM events ORDER BY id;
    CREATE TABLE events_without_index (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        event_time REAL NOT NULL,
        received_at REAL NOT NULL,
        document TEXT NOT NULL
    );
    INSERT INTO events_without_index
        SELECT seq, id, event_type, event_time, received_at, document FROM events ORDER BY seq;
    DROP TABLE events;
    ALTER TABLE events_without_index RENAME TO events;
    """,
    """
    -- Webhooks that nothing is sent to. Until this version, they were called suspended, and any apply ended it.
    CREATE TABLE IF NOT EXISTS holds (
        webhook TEXT PRIMARY KEY,
        serial INTEGER NOT NULL,     -- of the applied state that it was held under
        reason TEXT NOT NULL,
        since REAL NOT NULL,
        plan TEXT NOT NULL DEFAULT '',    -- digest of the delivery plan that is held
        secrets TEXT NOT NULL DEFAULT ''  -- keyed digest of the secrets in use
    ) WITHOUT ROWID;
    INSERT INTO holds (webhook, serial, reason, since)
        SELECT webhook, serial, replace(reason, 'suspended until the next apply: ', ''),
            CAST(strftime('%s', 'now') AS INTEGER) FROM suspensions;
    DROP TABLE suspensions;
    UPDATE deliveries SET reason = replace(reason, 'suspended until the next apply: ', 'the webhook is held: ')
        WHERE status = 'held';
    """,
    """
    -- The row number of each id's event: events are found by id without a second index over all ids.
    ALTER TABLE known_ids ADD COLUMN event INTEGER;
    ALTER TABLE new_ids ADD COLUMN event INTEGER;
    INSERT OR REPLACE INTO known_ids (id, event) SELECT id, seq FROM events WHERE typeof(id) = 'text' ORDER BY id;
    -- For lists by time. New rows come at the end of both, where an index costs little.
    CREATE INDEX IF NOT EXISTS events_received ON events (received_at, seq, event_type);
    CREATE INDEX IF NOT EXISTS deliveries_created ON deliveries (created_at);
    """,
    """
    -- Counts what is retried without reading the deliveries. A delivery that succeeds at once never enters it.
    CREATE INDEX IF NOT EXISTS deliveries_retrying ON deliveries (webhook) WHERE status = 'retrying';
    """,
    """
    -- The traceparent and tracestate that came with an event.
    ALTER TABLE events ADD COLUMN trace TEXT;
    -- When it was last replayed. Each replay has a span of its own.
    ALTER TABLE deliveries ADD COLUMN replayed_at REAL;
    """,
    QUEUE_SCRIPT,
)

MERGE_IDS = 4096
"""New ids of events that are moved to the known ones at a time."""
KNOWN_IDS = "SELECT id FROM known_ids WHERE id IN (SELECT value FROM json_each(?))"
ADD_IDS = """
    INSERT INTO new_ids (id, event) SELECT value, ? + key FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING
"""
MERGE = (
    "INSERT OR IGNORE INTO known_ids (id, event) SELECT id, event FROM new_ids ORDER BY id",
    "DELETE FROM new_ids",
)

EVENT_COLUMNS = ("seq", "id", "event_type", "event_time", "received_at", "document", "trace")
NEXT_EVENT = "SELECT coalesce(max(seq), 0) + 1 FROM events WHERE seq < 1 << 62"
LAST_DELIVERY = "SELECT coalesce(max(seq), 0) FROM deliveries WHERE seq < 1 << 62"
"""A greater row number is damage: SQLite has no next one after the greatest."""
STORED = "SELECT id FROM deliveries WHERE id IN (SELECT value FROM json_each(?))"

DELIVERY = "d.id, e.id, d.webhook, d.status, d.attempts, d.due_at, d.reason, d.created_at"
"""The columns of a ``Delivery``, of deliveries ``d`` joined with events ``e``."""

READABLE = f"""
    typeof(d.id) = 'text' AND typeof(e.id) = 'text' AND typeof(d.webhook) = 'text' AND typeof(d.reason) = 'text'
    AND d.status IN ({", ".join(f"'{status}'" for status in DeliveryStatus)})
    AND typeof(d.attempts) = 'integer' AND d.attempts BETWEEN 0 AND {MAX_NUMBER}
    AND d.due_at BETWEEN -1e12 AND 1e12 AND d.created_at BETWEEN -1e12 AND 1e12
"""
"""Rows that make a ``Delivery``. The others are damaged, and ``doctor`` lists them."""

IS_DUE = "SELECT 1 FROM deliveries WHERE webhook = ? AND ready_at <= ? AND (owner IS NULL OR lease_ends <= ?) LIMIT 1"
CLAIM = """
    UPDATE deliveries SET lease = lease + 1, owner = ?, lease_until = ?, lease_ends = ?, ready_at = ?
    WHERE seq IN (
        SELECT seq FROM deliveries
        WHERE webhook = ? AND ready_at <= ? AND (owner IS NULL OR lease_ends <= ?)
        ORDER BY ready_at, seq LIMIT ?
    )
    RETURNING seq, id, event, webhook, status, due_at, attempts, reason, created_at, lease, planned, replayed_at
"""
"""A lease ends on both clocks: the wall clock may have been set while it was held."""
EVENTS = "SELECT seq, id, document, trace FROM events WHERE seq IN (SELECT value FROM json_each(?))"
SET_ASIDE = """
    UPDATE deliveries SET status = 'dead', reason = ?, set_at = ?, ready_at = NULL, owner = NULL, lease_until = NULL
    WHERE seq = ?
"""
READY = """
    WITH RECURSIVE waiting (webhook) AS (
        SELECT min(webhook) FROM deliveries WHERE ready_at IS NOT NULL
        UNION ALL
        SELECT (SELECT min(webhook) FROM deliveries WHERE webhook > waiting.webhook AND ready_at IS NOT NULL)
        FROM waiting WHERE webhook IS NOT NULL
    )
    SELECT
        webhook,
        (SELECT min(ready_at) FROM deliveries d WHERE d.webhook = waiting.webhook AND ready_at IS NOT NULL)
    FROM waiting WHERE webhook IS NOT NULL
"""
"""When the next delivery of each webhook can be claimed.

Takes two steps in an index for each webhook that has any, however many wait.
"""
COUNT_RANGES = """
    SELECT d.webhook, d.status, count(*) FROM json_each(?) part
    JOIN deliveries d ON d.seq >= json_extract(part.value, '$[0]') AND d.seq < json_extract(part.value, '$[1]')
    GROUP BY d.webhook, d.status
"""
FOLLOW_RANGES = """
    SELECT
        d.webhook, d.status, count(*), sum(d.attempts), count(d.owner),
        min(CASE WHEN d.ready_at IS NOT NULL THEN d.due_at END)
    FROM json_each(?) part
    JOIN deliveries d ON d.seq >= json_extract(part.value, '$[0]') AND d.seq < json_extract(part.value, '$[1]')
    GROUP BY d.webhook, d.status
"""
COUNT_WAITING = "SELECT count(*) FROM deliveries WHERE ready_at IS NOT NULL"
"""Reads an index only: some 14 ms for a million."""
AT_MOST_KEPT = "SELECT coalesce((SELECT max(seq) FROM deliveries) - (SELECT min(seq) FROM deliveries) + 1, 0)"
"""At least as many as there are deliveries; takes no longer when there are many."""
OWNED = "SELECT webhook FROM deliveries WHERE seq = ? AND lease = ? AND owner = ?"
"""Gives the webhook's name now: it may have been renamed while the delivery was claimed."""
END = """
    UPDATE deliveries SET
        status = ?, reason = ?, attempts = ?, ready_at = NULL, owner = NULL, lease_until = NULL, set_at = ?
    WHERE seq IN (SELECT value FROM json_each(?)) AND lease = ? AND owner = ? AND webhook = ?
"""
RETRY = """
    UPDATE deliveries SET
        status = CASE WHEN ready_at IS NULL THEN status ELSE 'retrying' END,
        reason = CASE WHEN ready_at IS NULL THEN reason ELSE :reason END,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE :due_at END,
        due_at = :due_at, attempts = :attempts, owner = NULL, lease_until = NULL, set_at = :now
    WHERE seq = :key AND lease = :lease AND owner = :owner AND webhook = :webhook
"""
"""A claimed delivery with no ``ready_at`` was held or cancelled during the attempt, and stays so."""

RENEW = """
    UPDATE deliveries SET
        lease_until = :until, lease_ends = :ends, ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE :until END
    WHERE seq = :key AND lease = :lease AND owner = :owner
"""
FREE = "owner = NULL, lease_until = NULL, ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE due_at END"
RELEASE = f"UPDATE deliveries SET {FREE} WHERE seq = :key AND lease = :lease AND owner = :owner"  # noqa: S608
OWNERS = "SELECT owner FROM deliveries WHERE owner IS NOT NULL UNION SELECT name FROM members"
COUNT_OTHERS = "SELECT count(*) FROM deliveries WHERE owner IS NOT NULL AND owner <> ?"
FREE_OWNER = f"UPDATE deliveries SET {FREE} WHERE owner = ?"  # noqa: S608

WAITING_WEBHOOKS = """
    SELECT webhook FROM deliveries WHERE ready_at IS NOT NULL GROUP BY webhook
    UNION SELECT webhook FROM deliveries WHERE status = 'held' GROUP BY webhook
"""
STOP = """
    UPDATE deliveries SET status = :status, reason = :reason, ready_at = NULL
    WHERE webhook = :webhook AND ready_at IS NOT NULL
"""
STOP_HELD = """
    UPDATE deliveries SET status = :status, reason = :reason
    WHERE webhook = :webhook AND status = 'held' AND (reason <> :reason OR :status <> 'held')
"""
UNHOLD = """
    UPDATE deliveries SET
        status = CASE WHEN attempts = 0 THEN 'waiting' ELSE 'retrying' END,
        reason = '',
        ready_at = CASE WHEN owner IS NULL THEN due_at ELSE max(due_at, lease_until) END
    WHERE webhook = ? AND status = 'held'
"""
HELD = """
    SELECT held.webhook, held.number, d.reason FROM (
        SELECT webhook, count(*) AS number, min(seq) AS oldest FROM deliveries WHERE status = 'held' GROUP BY webhook
    ) held JOIN deliveries d ON d.seq = held.oldest
"""
"""How many deliveries of each webhook are held, and why the oldest is. Reads an index, and one row for each webhook."""
RENAME = "UPDATE deliveries SET webhook = ? WHERE webhook = ?"
RENAME_LATE = tuple(f"{RENAME} AND {which}" for which in ("ready_at IS NOT NULL", "status = 'held'", "status = 'dead'"))
"""Renames what may have been added since, each by an index, since looking at every delivery would take long."""
RENAME_KNOWN = (
    "UPDATE OR REPLACE last_results SET webhook = ? WHERE webhook = ?",
    "UPDATE OR REPLACE circuits SET webhook = ? WHERE webhook = ?",
    "UPDATE OR REPLACE rates SET webhook = ? WHERE webhook = ?",
)
REPLAY = """
    UPDATE deliveries SET
        status = 'waiting', reason = '', attempts = 0, due_at = :now, ready_at = :now, set_at = :now,
        replayed_at = :now, planned = :planned, lease = lease + 1, owner = NULL, lease_until = NULL
    WHERE id = :id AND (owner IS NULL OR lease_until <= :now AND lease_ends <= :monotonic)
        AND status IN (SELECT value FROM json_each(:statuses))
"""
LAST_PLAN = """
    SELECT p.digest FROM deliveries d JOIN attempts a ON a.delivery = d.seq
    LEFT JOIN plans p ON p.digest = CASE
        WHEN json_valid(CAST(a.record AS TEXT)) THEN json_extract(CAST(a.record AS TEXT), '$.plan_digest')
    END
    WHERE d.id = ? ORDER BY a.seq DESC LIMIT 1
"""
"""The plan of the last attempt, if it is kept."""
ADD_PLAN = "INSERT INTO plans (digest, document) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING"
CANCEL = """
    UPDATE deliveries SET status = 'cancelled', reason = :reason, ready_at = NULL, set_at = :now
    WHERE id = :id AND status IN ('waiting', 'retrying', 'held')
        AND status IN (SELECT value FROM json_each(:statuses))
"""

SET_CIRCUIT = "INSERT OR REPLACE INTO circuits (webhook, state, reason, since, until) VALUES (?, ?, ?, ?, ?)"

FIRST_AFTER = "SELECT seq FROM events WHERE +received_at BETWEEN ? AND 1e12 ORDER BY seq LIMIT 1"
"""Without the index of times, through which it would read and sort every later event."""
PRUNABLE = """
    SELECT seq FROM events e WHERE seq < :end AND NOT EXISTS (
        SELECT 1 FROM deliveries d
        WHERE d.event = e.seq
            AND (d.status IN ('waiting', 'retrying', 'held') OR d.owner IS NOT NULL OR d.set_at >= :before)
    )
    ORDER BY seq LIMIT :count
"""
"""Events whose deliveries have all ended."""
PRUNE = (
    """
    DELETE FROM attempts
    WHERE delivery IN (SELECT seq FROM deliveries WHERE event IN (SELECT value FROM json_each(?)))
    """,
    "DELETE FROM deliveries WHERE event IN (SELECT value FROM json_each(?))",
    "DELETE FROM known_ids WHERE id IN (SELECT id FROM events WHERE seq IN (SELECT value FROM json_each(?)))",
    "DELETE FROM new_ids WHERE id IN (SELECT id FROM events WHERE seq IN (SELECT value FROM json_each(?)))",
    "DELETE FROM events WHERE seq IN (SELECT value FROM json_each(?))",
)
REMEMBER_RESULT = """
    INSERT INTO last_results (webhook, status, at) VALUES (?, ?, ?)
    ON CONFLICT (webhook) DO UPDATE SET status = excluded.status, at = excluded.at
"""
HOLD_ONE = """
    UPDATE deliveries SET
        status = CASE WHEN status = 'cancelled' THEN status ELSE 'held' END,
        reason = CASE WHEN status = 'cancelled' THEN reason ELSE :reason END,
        due_at = :now, ready_at = NULL, attempts = :attempts, owner = NULL, lease_until = NULL, set_at = :now
    WHERE seq = :key AND lease = :lease AND owner = :owner
"""
"""Holds a delivery after its attempt. One that was cancelled during the attempt stays so."""
