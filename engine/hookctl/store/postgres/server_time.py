"""Times of this host as times of the server, so that hosts whose clocks differ agree on what is due.

Due times are stored in the server's time. A host whose clock differs by less than :data:`SAME` counts as exact.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace as change
from typing import TypeVar

from msgspec.structs import replace

from hookctl.store.clock import since_boot
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Batch, Circuit, Result

C = TypeVar("C", Circuit, Circuit | None)
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
    results = [_later(result, seconds) for result in batch.results]
    return replace(batch, now=batch.now + seconds, results=results, circuits=moved(batch.circuits, seconds))


def moved(circuits: Mapping[str, C], seconds: float) -> dict[str, C]:
    """Circuits whose times are later by so much; None stays None."""
    return {
        name: one and change(one, since=one.since + seconds, until=one.until + seconds)
        for name, one in circuits.items()
    }


def _later(result: Result, seconds: float) -> Result:
    due_at = result.outcome.due_at
    return result if due_at is None else replace(result, outcome=replace(result.outcome, due_at=due_at + seconds))
