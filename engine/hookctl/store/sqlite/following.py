"""Reads how far certain deliveries of the SQLite queue are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from hookctl.model import DeliveryStatus
from hookctl.store.records import Followed
from hookctl.store.sqlite.queue_tables import FOLLOW_RANGES
from hookctl.store.texts import STATUS


def followed(connection: sqlite3.Connection, made: Sequence[range]) -> Followed:
    """How far the deliveries with these numbers are; see :meth:`hookctl.store.interface.Runners.followed`."""
    counts: dict[str, dict[DeliveryStatus, int]] = {}
    due: dict[str, float] = {}
    attempts = claimed = 0
    rows = connection.execute(FOLLOW_RANGES, (json.dumps([[part.start, part.stop] for part in made]),))
    for webhook, status, count, tried, owned, due_at in rows:
        if not isinstance(webhook, str) or status not in STATUS:
            continue  # a damaged row, which `hookctl doctor` lists
        counts.setdefault(webhook, {})[STATUS[status]] = count
        attempts += int(tried)
        claimed += owned
        if due_at is not None:
            due[webhook] = min(due_at, due.get(webhook, due_at))
    return Followed(counts, due, attempts, claimed)
