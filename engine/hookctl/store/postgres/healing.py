"""Finds deliveries that a plan may repair, and replays those that it repairs."""

from __future__ import annotations

from functools import cache

from hookctl.errors import StoreError
from hookctl.model import Attempt, DeliveryPlan, DeliveryStatus, Plan
from hookctl.store.healing import RUNNERS_KNOW_SECONDS, Repairable
from hookctl.store.history import AuditEntry
from hookctl.store.postgres import audit as audit_log
from hookctl.store.postgres.connection import Connection
from hookctl.store.texts import attempt_from_text, document_or_none, plan_from_text

REPAIRABLE = """
    SELECT d.id, d.reason, d.lease, d.attempts, e.document,
        (SELECT a.record FROM attempts a WHERE a.delivery = d.seq ORDER BY a.seq DESC LIMIT 1)
    FROM {table} d JOIN events e ON e.seq = d.event
    WHERE d.webhook = %s AND d.status = '{status}' AND d.owner IS NULL
    ORDER BY {order} LIMIT %s
"""
HEAL = """
    UPDATE deliveries d SET
        status = 'waiting', reason = '', attempts = 0, due_at = %(due_at)s, ready_at = %(due_at)s, set_at = %(now)s,
        replayed_at = %(now)s, planned = NULL, lease = lease + 1, owner = NULL, lease_until = NULL, ended = false
    WHERE id = %(id)s AND webhook IN (%(webhook)s, %(before)s) AND status = %(status)s AND lease = %(version)s
        AND owner IS NULL AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.id = d.id AND n.seq > d.seq)
"""


def repairable(connection: Connection, webhook: str, status: DeliveryStatus, limit: int) -> list[Repairable]:
    """See :meth:`hookctl.store.healing.Healing.repairable`."""

    @cache
    def plan_of(digest: str) -> DeliveryPlan | None:
        row = connection.execute("SELECT document FROM plans WHERE digest = %s", (digest,)).fetchone()
        try:
            return plan_from_text(row[0]) if row else None
        except StoreError:
            return None  # of another version; what depends on it counts as unchanged

    is_dead = status is DeliveryStatus.DEAD
    order = "d.created_at DESC, d.seq DESC" if is_dead else "d.seq DESC"
    query = REPAIRABLE.format(table="ended" if is_dead else "live", status=status.value, order=order)
    found = []
    for name, reason, version, attempts, text, record in connection.execute(query, (webhook, limit)).fetchall():
        document, attempt = document_or_none(text), _attempt(record)
        if document is not None:
            plan = plan_of(attempt.plan_digest) if attempt else None
            found.append(Repairable(name, status, reason, version, attempts, document, attempt, plan))
    return found


def heal(connection: Connection, plan: Plan, audit: AuditEntry, behind: float) -> int:
    """Replay what the plan heals, inside the caller's transaction; see ``Healing.apply_and_heal``.

    ``behind``: seconds to add to this host's clock for the server's. Returns how many.
    """
    before = {change.name: change.before.name for change in plan.changes if change.before}
    now = audit.at + behind
    times = {"now": now, "due_at": now + RUNNERS_KNOW_SECONDS}
    healed = 0
    for one in plan.heal:
        which = {"id": one.id, "status": one.status.value, "version": one.version}
        names = {"webhook": one.webhook, "before": before.get(one.webhook, one.webhook)}
        healed += connection.execute(HEAL, times | which | names).rowcount
    audit_log.record(connection, audit, healed)
    return healed


def _attempt(record: str | None) -> Attempt | None:
    try:
        return attempt_from_text(record) if record is not None else None
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        return None  # damaged: doctor reports it
