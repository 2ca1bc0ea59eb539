"""The SQLite tables of the queue, and the statements on them."""

from __future__ import annotations

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
        ready_at REAL,               -- when it can be claimed: due_at, or while it is leased the lease's end; NULL: never
        lease INTEGER NOT NULL DEFAULT 0, -- how often it was claimed
        owner TEXT,                  -- the worker that has it in hand
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
)

ADD_EVENT = "INSERT INTO events (id, event_type, event_time, received_at, document) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
ADD_DELIVERY = "INSERT INTO deliveries (id, event, webhook, status, reason, created_at, due_at, ready_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

DELIVERY = "d.id, e.id, d.webhook, d.status, d.attempts, d.due_at, d.reason, d.created_at"
"""The columns of a ``Delivery``, of deliveries ``d`` joined with events ``e``."""

CLAIM = """
    UPDATE deliveries SET lease = lease + 1, owner = :owner, lease_until = :until, ready_at = :until
    WHERE seq IN (SELECT seq FROM deliveries WHERE webhook = :webhook AND ready_at <= :now ORDER BY ready_at, seq LIMIT :count)
    RETURNING seq
"""
CLAIMED = f"""
    SELECT {DELIVERY}, d.lease, e.seq, e.document FROM deliveries d JOIN events e ON e.seq = d.event
    WHERE d.seq IN (SELECT value FROM json_each(?)) ORDER BY d.due_at, d.seq
"""  # noqa: S608 - the text put in is the constant above

END = """
    UPDATE deliveries SET status = :status, reason = :reason, attempts = :attempts, ready_at = NULL, owner = NULL, lease_until = NULL
    WHERE id = :id AND lease = :lease AND owner = :owner
    RETURNING webhook
"""
RETRY = """
    UPDATE deliveries SET
        status = CASE WHEN ready_at IS NULL THEN status ELSE 'retrying' END,
        reason = CASE WHEN ready_at IS NULL THEN reason ELSE :reason END,
        ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE :due_at END,
        due_at = :due_at, attempts = :attempts, owner = NULL, lease_until = NULL
    WHERE id = :id AND lease = :lease AND owner = :owner
    RETURNING webhook
"""
"""A delivery that is not ready while it is in hand was held or cancelled meanwhile, and stays so.

Both give the webhook as it is called now: it may have been renamed while the delivery was in hand.
"""

ADD_ATTEMPT = "INSERT INTO attempts (delivery, record) SELECT seq, ? FROM deliveries WHERE id = ?"

FREE = "owner = NULL, lease_until = NULL, ready_at = CASE WHEN ready_at IS NULL THEN NULL ELSE due_at END"
RELEASE = f"UPDATE deliveries SET {FREE} WHERE id = :id AND lease = :lease AND owner = :owner"  # noqa: S608 - as above
FREE_OWNER = f"UPDATE deliveries SET {FREE} WHERE owner = ?"  # noqa: S608 - as above

WAITING_WEBHOOKS = """
    SELECT webhook FROM deliveries WHERE ready_at IS NOT NULL GROUP BY webhook
    UNION SELECT webhook FROM deliveries WHERE status = 'held' GROUP BY webhook
"""
STOP = "UPDATE deliveries SET status = :status, reason = :reason, ready_at = NULL WHERE webhook = :webhook AND ready_at IS NOT NULL"
STOP_HELD = "UPDATE deliveries SET status = :status, reason = :reason WHERE webhook = :webhook AND status = 'held' AND (reason <> :reason OR :status <> 'held')"
UNHOLD = """
    UPDATE deliveries SET
        status = CASE WHEN attempts = 0 THEN 'waiting' ELSE 'retrying' END,
        reason = '',
        ready_at = CASE WHEN owner IS NULL THEN due_at ELSE max(due_at, lease_until) END
    WHERE webhook = ? AND status = 'held'
"""
HELD = "SELECT webhook, count(*), min(reason) FROM deliveries WHERE status = 'held' GROUP BY webhook"
RENAME = "UPDATE deliveries SET webhook = ? WHERE webhook = ?"
RENAME_LATE = tuple(f"{RENAME} AND {which}" for which in ("ready_at IS NOT NULL", "status = 'held'", "status = 'dead'"))
"""What may have been added since, each by its index: to look at every delivery would take long."""
RENAME_RESULT = "UPDATE OR REPLACE last_results SET webhook = ? WHERE webhook = ?"
REPLAY = """
    UPDATE deliveries SET status = 'waiting', reason = '', attempts = 0, due_at = :now, ready_at = :now, lease = lease + 1, owner = NULL, lease_until = NULL
    WHERE id = :id AND (owner IS NULL OR lease_until <= :now)
"""
REMEMBER_RESULT = """
    INSERT INTO last_results (webhook, status, at) VALUES (?, ?, ?)
    ON CONFLICT (webhook) DO UPDATE SET status = excluded.status, at = excluded.at
"""
SUSPEND = """
    INSERT INTO suspensions (webhook, serial, reason) VALUES (?, ?, ?)
    ON CONFLICT (webhook) DO UPDATE SET serial = max(serial, excluded.serial), reason = excluded.reason
"""
