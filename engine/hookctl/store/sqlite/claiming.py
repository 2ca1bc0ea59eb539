"""Claiming deliveries of the SQLite queue, inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

from hookctl.errors import StoreError
from hookctl.model import Delivery, DeliveryPlan, Json, TraceContext
from hookctl.model.trace import trace_from_text
from hookctl.store.records import MAX_TIME, Claimed
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.texts import MAX_NUMBER, STATUS, document_or_none, plan_from_text


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim is marked with.

    A lease is over when it has ended on both clocks, since the wall clock may have been set while it was held.
    """

    owner: str
    until: float
    """Its end in epoch seconds."""
    ends: float
    """Its end on the clock that nobody sets."""
    monotonic: float
    """Now, on the clock that nobody sets."""


def claim(
    connection: sqlite3.Connection, now: float, limit: int, lease: Lease, wanted: Mapping[str, int]
) -> list[Claimed]:
    """See :meth:`hookctl.store.interface.Queue.claim`.

    A delivery whose row, event or plan is damaged becomes a dead letter instead of a claim.
    """
    taken: list[Any] = []
    for webhook, most in wanted.items():
        count = min(most, limit - len(taken))
        if count > 0:
            values = (lease.owner, lease.until, lease.ends, lease.until, webhook, now, lease.monotonic, count)
            taken += connection.execute(tables.CLAIM, values).fetchall()
    sound = [row for row in taken if _is_sound(row)]
    sound.sort(key=lambda row: (row[5], row[0]))
    documents = _documents(connection, {row[2] for row in sound})
    aside = (
        {row[0]: "its row in the store is damaged" for row in taken if not _is_sound(row)}
        if len(sound) < len(taken)
        else {}
    )
    claims = []
    for key, name, event, webhook, status, due_at, attempts, reason, created_at, number, planned, replayed_at in sound:
        event_id, document, trace = documents.get(event, ("", None, None))
        plan = _plan(connection, planned) if planned else None
        if document is None or (planned and plan is None):
            aside[key] = (
                "its event cannot be read"
                if document is None
                else "the delivery plan that it is replayed by cannot be read"
            )
            continue
        delivery = Delivery(name, event_id, webhook, STATUS[status], attempts, due_at, reason, created_at)
        claims.append(Claimed(delivery, document, number, plan, key, trace, replayed_at))
    if aside:
        _set_aside(connection, aside, now)
    return claims


NUMBER = (int, float)
SOUND = {
    (int, str, int, str, str, due_at, int, str, created_at, int, planned, replayed_at)
    for due_at, created_at, planned, replayed_at in product(NUMBER, NUMBER, (str, type(None)), (*NUMBER, type(None)))
}
"""The types that the columns of ``tables.CLAIM`` may have.

SQLite gives an integer for a time that is a whole number.
"""


def _is_sound(row: Sequence[Any]) -> bool:
    """Whether a claimed row can be what hookctl has written."""
    if tuple(map(type, row)) not in SOUND:
        return False
    return row[4] in STATUS and 0 <= row[6] <= MAX_NUMBER and abs(row[5]) <= MAX_TIME and abs(row[8]) <= MAX_TIME


def _documents(
    connection: sqlite3.Connection, events: Collection[int]
) -> dict[int, tuple[str, Mapping[str, Json], TraceContext | None]]:
    """The id, the document and the trace of each event that can be read. A damaged trace counts as none."""
    found: dict[int, tuple[str, Mapping[str, Json], TraceContext | None]] = {}
    for event, name, text, trace in connection.execute(tables.EVENTS, (json.dumps([*events]),)):
        document = document_or_none(text)
        if document is not None and isinstance(name, str):
            found[event] = (name, document, None if trace is None else trace_from_text(trace))
    return found


def _set_aside(connection: sqlite3.Connection, reasons: Mapping[int, str], now: float) -> None:
    """Make dead letters of deliveries that cannot be tried, so that they hold up no others.

    ``reasons`` says why, by row number.
    """
    import logging  # slow to import, and hardly ever needed

    for key, why in reasons.items():
        logging.getLogger(__name__).warning("delivery number %s is set aside: %s; see `hookctl doctor`", key, why)
    connection.executemany(
        tables.SET_ASIDE, [(f"set aside: {why}; see `hookctl doctor`", now, key) for key, why in reasons.items()]
    )


def _plan(connection: sqlite3.Connection, digest: str) -> DeliveryPlan | None:
    """The stored delivery plan with that digest; None when there is none, or when it is damaged."""
    row = connection.execute("SELECT document FROM plans WHERE digest = ?", (digest,)).fetchone()
    with suppress(StoreError):
        plan = plan_from_text(row[0]) if row else None
        return plan if plan and plan.digest == digest else None
    return None
