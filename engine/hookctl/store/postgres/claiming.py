"""Claiming deliveries in PostgreSQL, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hookctl.errors import StoreError
from hookctl.model import Delivery, DeliveryPlan
from hookctl.model.trace import trace_from_text
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Claimed
from hookctl.store.texts import STATUS, document_or_none, plan_from_text

CLOCK = "coalesce(%(clock)s::float8, extract(epoch FROM statement_timestamp())::float8)"
"""Now, by the server's clock, or by the clock of a test."""
ENDED = "('delivered', 'dead', 'cancelled')"
IS_FREE = f"(owner IS NULL OR lease_ends <= {CLOCK})"
"""A lease is over when it has ended on both clocks: hosts' clocks differ, and may be set."""
CLAIM = f"""
    WITH wanted AS (
        SELECT webhook, most, place
        FROM unnest(%(webhooks)s::text[], %(most)s::int[]) WITH ORDINALITY AS w (webhook, most, place)
    ), picked AS MATERIALIZED (
        SELECT d.seq FROM wanted w CROSS JOIN LATERAL (
            SELECT seq FROM live
            WHERE webhook = w.webhook AND ready_at <= %(now)s::float8 AND {IS_FREE}
            ORDER BY ready_at, seq LIMIT w.most FOR UPDATE SKIP LOCKED
        ) d LIMIT %(limit)s::int
    ), claimed AS (
        UPDATE live d SET
            lease = lease + 1, owner = %(owner)s, lease_until = %(until)s::float8, ready_at = %(until)s::float8,
            lease_ends = {CLOCK} + %(seconds)s::float8
        WHERE d.seq = ANY(ARRAY(SELECT seq FROM picked))
        RETURNING d.seq, d.id, d.event, d.webhook, d.status, d.due_at, d.attempts, d.reason, d.created_at, d.lease,
            d.planned, d.replayed_at
    )
    SELECT c.seq, c.id, c.webhook, c.status, c.due_at, c.attempts, c.reason, c.created_at, c.lease, c.planned,
        c.replayed_at, e.id, e.document, e.trace, p.document
    FROM claimed c LEFT JOIN events e ON e.seq = c.event LEFT JOIN plans p ON p.digest = c.planned
"""  # noqa: S608 - constants
SET_ASIDE = """
    UPDATE deliveries SET
        status = 'dead', reason = %s, set_at = %s, ready_at = NULL, owner = NULL, lease_until = NULL, ended = true
    WHERE NOT ended AND seq = %s
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a claim is marked with."""

    owner: str
    until: float
    """Its end in epoch seconds, by this host's clock."""
    seconds: float
    """How long it lasts by the server's clock."""
    clock: float | None
    """Now, by the clock of a test; None: the server's."""

    @property
    def values(self) -> dict[str, Any]:
        """For the statements that claim."""
        return {"owner": self.owner, "until": self.until, "seconds": self.seconds, "clock": self.clock}


def claim(connection: Connection, now: float, limit: int, lease: Lease, wanted: Mapping[str, int]) -> list[Claimed]:
    """See :meth:`hookctl.store.interface.Work.claim`.

    A delivery whose event or plan is damaged becomes a dead letter instead of a claim.
    """
    chosen = {webhook: most for webhook, most in wanted.items() if most > 0}
    values = lease.values | {"webhooks": [*chosen], "most": [*chosen.values()], "limit": limit, "now": now}
    rows = connection.execute(CLAIM, values).fetchall()
    rows.sort(key=_order)
    claims: list[Claimed] = []
    aside: dict[int, str] = {}
    for row in rows:
        found = _claimed(row)
        if isinstance(found, str):
            aside[row[0]] = found
        else:
            claims.append(found)
    if aside:
        _set_aside(connection, aside, now)
    return claims


def _order(row: Sequence[Any]) -> tuple[float, int]:
    return row[4], row[0]


def _claimed(row: Sequence[Any]) -> Claimed | str:
    """The claim, or why it cannot be tried."""
    seq, name, webhook, status, due_at, attempts, reason, created_at, lease, planned, replayed_at, *rest = row
    event, text, trace, plan_text = rest
    document = None if text is None else document_or_none(text)
    if document is None:
        return "its event cannot be read"
    plan = _plan(planned, plan_text) if planned else None
    if planned and plan is None:
        return "the delivery plan that it is replayed by cannot be read"
    delivery = Delivery(name, event, webhook, STATUS[status], attempts, due_at, reason, created_at)
    return Claimed(delivery, document, lease, plan, seq, trace and trace_from_text(trace), replayed_at)


def _plan(digest: str, text: str | None) -> DeliveryPlan | None:
    """The delivery plan with that digest; None when there is none, or when it is damaged."""
    with suppress(StoreError):
        plan = plan_from_text(text) if text else None
        return plan if plan and plan.digest == digest else None
    return None


def _set_aside(connection: Connection, reasons: Mapping[int, str], now: float) -> None:
    """Make dead letters of deliveries that cannot be tried, so that they hold up no others."""
    import logging  # slow to import, and hardly ever needed

    for key, why in reasons.items():
        logging.getLogger(__name__).warning("delivery number %s is set aside: %s; see `hookctl doctor`", key, why)
        connection.execute(SET_ASIDE, (f"set aside: {why}; see `hookctl doctor`", now, key))
