"""Finds deliveries that a plan may repair, and replays those that it repairs."""

from __future__ import annotations

import sqlite3
from functools import cache

from hookctl.errors import StoreError
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, Plan
from hookctl.store.healing import RUNNERS_KNOW_SECONDS, Repairable
from hookctl.store.history import AuditEntry
from hookctl.store.sqlite import audit as audit_log
from hookctl.store.texts import attempt_from_text, document_or_none, plan_from_text

INDEXES = {
    DeliveryStatus.DEAD: ("deliveries_dead", "d.created_at DESC, d.seq DESC"),
    DeliveryStatus.HELD: ("deliveries_held", "d.seq DESC"),
    DeliveryStatus.RETRYING: ("deliveries_retrying", "d.seq DESC"),
}
"""The index of each status, and the order, newest first, in which it has the deliveries of a webhook."""
HEAL = """
    UPDATE deliveries SET
        status = 'waiting', reason = '', attempts = 0, due_at = :due_at, ready_at = :due_at, set_at = :now,
        replayed_at = :now,
        planned = NULL, lease = lease + 1, owner = NULL, lease_until = NULL
    WHERE id = :id AND webhook IN (:webhook, :before) AND status = :status AND lease = :version AND owner IS NULL
"""


def query_of(status: DeliveryStatus) -> str:
    """The query for repairable deliveries with this status; its values are the webhook and the limit."""
    index, order = INDEXES[status]
    return f"""
        SELECT d.id, d.reason, d.lease, d.attempts, e.document,
            (SELECT CAST(a.record AS TEXT) FROM attempts a WHERE a.delivery = d.seq ORDER BY a.seq DESC LIMIT 1)
        FROM deliveries d INDEXED BY {index} JOIN events e ON e.seq = d.event
        WHERE d.webhook = ? AND d.status = '{status.value}' AND d.owner IS NULL
            AND typeof(d.id) = 'text' AND typeof(d.reason) = 'text' AND typeof(d.lease) = 'integer'
            AND typeof(d.attempts) = 'integer'
        ORDER BY {order} LIMIT ?
    """  # noqa: S608 - fixed texts; values are bound


def repairable(connection: sqlite3.Connection, webhook: str, status: DeliveryStatus, limit: int) -> list[Repairable]:
    """See :meth:`hookctl.store.healing.Healing.repairable`."""

    @cache
    def plan_of(digest: str) -> DeliveryPlan | None:
        row = connection.execute("SELECT document FROM plans WHERE digest = ?", (digest,)).fetchone()
        try:
            return plan_from_text(row[0]) if row else None
        except StoreError:
            return None  # of another version; what depends on it counts as unchanged

    found = []
    rows = connection.execute(query_of(status), (webhook, limit)).fetchall()
    for name, reason, version, attempts, text, record in rows:
        document, attempt = document_or_none(text), _attempt(record)
        if document is not None:
            plan = plan_of(attempt.plan_digest) if attempt else None
            found.append(Repairable(name, status, reason, version, attempts, document, attempt, plan))
    return found


def heal(connection: sqlite3.Connection, plan: Plan, audit: AuditEntry) -> int:
    """Replay what the plan heals, inside the caller's transaction; see ``Healing.apply_and_heal``. Returns how many."""
    before = {change.name: change.before.name for change in plan.changes if change.before}
    times = {"now": audit.at, "due_at": audit.at + RUNNERS_KNOW_SECONDS}
    healed = 0
    for one in plan.heal:
        which = {"id": one.id, "status": one.status.value, "version": one.version}
        names = {"webhook": one.webhook, "before": before.get(one.webhook, one.webhook)}
        healed += connection.execute(HEAL, times | which | names).rowcount
    audit_log.record(connection, audit, healed)
    return healed


def _attempt(record: object) -> Attempt | None:
    try:
        return attempt_from_text(record) if isinstance(record, str) else None
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        return None  # damaged: doctor reports it
