"""The queue's rows that cannot be read, for ``doctor`` to name. What reads the tables passes over them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hookctl.model import DeliveryStatus
from hookctl.store.records import Damaged
from hookctl.store.sqlite.damage import OBJECT, TEXT, TIME, WHOLE, find_damaged, one_of, optional
from hookctl.store.texts import MAX_NUMBER, attempt_from_text

STATUS = one_of(DeliveryStatus)
EVENT_EXISTS = "EXISTS (SELECT 1 FROM events WHERE events.seq = {0})"
PLAN_EXISTS = "EXISTS (SELECT 1 FROM plans WHERE plans.digest = {0})"
DELIVERY_EXISTS = "EXISTS (SELECT 1 FROM deliveries WHERE deliveries.seq = {0})"
COUNT = f"(typeof({{0}}) = 'integer' AND {{0}} BETWEEN 0 AND {MAX_NUMBER})"

DIGEST = "(typeof({0}) = 'text' AND ({0} = '' OR {0} GLOB '[0-9a-f]*:[0-9a-f]*'))"

COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "events": (
        "seq",
        {
            "id": TEXT,
            "event_type": TEXT,
            "event_time": TIME,
            "received_at": TIME,
            "document": OBJECT,
            "trace": optional(TEXT),
        },
    ),
    "deliveries": (
        "coalesce(id, seq)",
        {
            "id": TEXT,
            "event": EVENT_EXISTS,
            "webhook": TEXT,
            "status": STATUS,
            "attempts": COUNT,
            "reason": TEXT,
            "created_at": TIME,
            "due_at": TIME,
            "ready_at": optional(TIME),
            "lease": WHOLE,
            "owner": optional(TEXT),
            "lease_until": optional(TIME),
            "set_at": TIME,
            "lease_ends": optional(TIME),
            "planned": optional(PLAN_EXISTS),
            "replayed_at": optional(TIME),
            "cause": optional(WHOLE),
        },
    ),
    "attempts": (
        "seq",
        {
            "delivery": DELIVERY_EXISTS,
            "started_at": optional(TIME),
            "seconds": optional(TIME),
            "result": optional(TEXT),
            "delivered": "({0} IS NULL OR {0} IN (0, 1))",
        },
    ),
    "holds": (
        "webhook",
        {"webhook": TEXT, "serial": WHOLE, "reason": TEXT, "since": TIME, "plan": TEXT, "secrets": DIGEST},
    ),
    "last_results": ("webhook", {"webhook": TEXT, "status": STATUS, "at": TIME}),
    "circuits": (
        "webhook",
        {
            "webhook": TEXT,
            "state": "{0} IN ('open', 'half-open', 'local')",
            "reason": TEXT,
            "since": TIME,
            "until": TIME,
        },
    ),
    "rates": ("webhook", {"webhook": TEXT, "tokens": TIME, "at": TIME}),
    "members": ("name", {"name": TEXT, "joined": WHOLE, "adopted": WHOLE, "over": TEXT, "ends": TIME}),
    "membership": ("version", {"version": WHOLE}),
    "reconciled": ("serial", {"serial": WHOLE}),
    "plans": ("digest", {"digest": TEXT, "document": OBJECT}),
    "request_keys": ("key", {"key": TEXT, "content": TEXT, "at": TIME}),
    "known_ids": ("id", {"id": TEXT, "event": optional(WHOLE)}),
    "new_ids": ("id", {"id": TEXT, "event": optional(WHOLE)}),
    "audit": (
        "seq",
        {"id": TEXT, "at": TIME, "who": TEXT, "action": TEXT, "what": TEXT, "reason": TEXT, "deliveries": WHOLE},
    ),
}
"""For each table its key, and what its columns hold."""


def damaged(connection: sqlite3.Connection) -> Iterator[Damaged]:
    """See :meth:`hookctl.store.sqlite.queue.SqliteQueue.damaged`."""
    for table, (key, columns) in COLUMNS.items():
        yield from find_damaged(connection, table, key, columns)
    for seq, record in connection.execute("SELECT seq, record FROM attempts"):
        try:
            attempt_from_text(record)
        except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
            yield Damaged("attempts", str(seq), f"record cannot be read: {type(error).__name__}")
