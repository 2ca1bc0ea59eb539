"""Times of this host as times of the server, so that hosts whose clocks differ agree on what is due.

Due times are stored in the server's time. A host whose clock differs by less than :data:`SAME` counts as exact.
"""

from __future__ import annotations

import time

from msgspec.structs import replace

from hookctl.store.clock import since_boot
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Batch, Result

SAME = 1.0
"""Seconds."""
SERVER_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


def read_clocks(connection: Connection) -> tuple[float, float]:
    """The server's clock, and one of this host that nobody sets."""
    (now,) = connection.execute(SERVER_CLOCK).fetchone() or (0.0,)
    return now, since_boot()


def behind(clocks: tuple[float, float]) -> float:
    """Seconds to add to this host's clock for the server's, from what :func:`read_clocks` gave before; often 0."""
    server, boot = clocks
    seconds = server + since_boot() - boot - time.time()
    return seconds if abs(seconds) > SAME else 0.0


def in_server_time(batch: Batch, seconds: float) -> Batch:
    """A batch whose times are later by so much."""
    if not seconds:
        return batch
    return replace(batch, now=batch.now + seconds, results=[_later(result, seconds) for result in batch.results])


def _later(result: Result, seconds: float) -> Result:
    due_at = result.outcome.due_at
    return result if due_at is None else replace(result, outcome=replace(result.outcome, due_at=due_at + seconds))
