"""Advisory locks, which the server releases when the transaction or the connection ends.

Their class is the number of the table ``meta``, so that the locks of several stores in one database differ. Workers and
runners hold a lock as long as they are connected, by which others see that they are alive.
"""

from __future__ import annotations

import secrets

CLASS = "'meta'::regclass::oid::int"
"""The class of all locks but those of attempts that are being stored."""
APPLYING, ENQUEUING, NUMBERING, BACKFILLING, PRUNING, RECONCILING = range(1, 7)
"""What the locks of transactions are for."""
WORKER, RUNNER = 1, 2
"""What the locks of connections are for. The number of such a lock has this in its upper bits."""
SHIFT = 24

LOCK_ALL = f"SELECT pg_advisory_xact_lock({CLASS}, %s)"
"""Wait until no other transaction holds the lock in any way, and keep it until the transaction ends."""
LOCK_SHARED = f"SELECT pg_advisory_xact_lock_shared({CLASS}, %s)"
TRY_LOCK_ALL = f"SELECT pg_try_advisory_xact_lock({CLASS}, %s)"
HOLD = f"SELECT pg_advisory_lock_shared({CLASS}, %s)"
"""Shared, since the server may not have noticed yet that the last connection of the same worker was lost: it would keep
the worker waiting for itself, for hours if a network swallows packets."""
COUNT_ALIVE = f"""
    SELECT count(DISTINCT objid) FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND objsubid = 2 AND classid = 'meta'::regclass::oid AND objid::bigint >> {SHIFT} = %s AND granted
"""  # noqa: S608


def new_number(kind: int) -> int:
    """A number for the lock of a worker or of a runner."""
    return (kind << SHIFT) | secrets.randbits(SHIFT)
