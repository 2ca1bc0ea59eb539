"""Fits the waiting deliveries to the webhooks that are applied; inside the caller's transaction."""

from __future__ import annotations

from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Rename, Status
from hookctl.store.postgres import counting, reading
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.locks import LOCK_ALL, RECONCILING
from hookctl.store.reasons import INACTIVE, REMOVED, held_reason
from hookctl.store.records import Hold, Result, Stopped

HOLD = """
    INSERT INTO holds (webhook, serial, reason, since, plan, secrets) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (webhook) DO UPDATE SET
        serial = excluded.serial, reason = excluded.reason, plan = excluded.plan,
        secrets = CASE WHEN holds.secrets = '' AND holds.plan = excluded.plan THEN '' ELSE excluded.secrets END
"""
"""The time stays that of the first result. A change of secrets does not end a hold by hand, which has none."""
HOLD_BY_HAND = """
    INSERT INTO holds (webhook, serial, reason, since, plan) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (webhook) DO NOTHING
"""
WAITING_WEBHOOKS = """
    WITH RECURSIVE names (webhook) AS (
        (SELECT webhook FROM live ORDER BY webhook LIMIT 1)
        UNION ALL
        SELECT n.webhook FROM names w CROSS JOIN LATERAL (
            SELECT webhook FROM live WHERE webhook > w.webhook ORDER BY webhook LIMIT 1
        ) n
    )
    SELECT webhook FROM names
"""
STOP = """
    UPDATE deliveries SET
        status = %(status)s, reason = %(reason)s, ready_at = NULL, ended = %(status)s <> 'held' AND owner IS NULL
    WHERE NOT ended AND webhook = %(webhook)s AND (
        ready_at IS NOT NULL OR (status = 'held' AND (reason <> %(reason)s OR %(status)s <> 'held'))
    )
"""
UNHOLD = """
    UPDATE live SET
        status = CASE WHEN attempts = 0 THEN 'waiting' ELSE 'retrying' END,
        reason = '',
        ready_at = CASE WHEN owner IS NULL THEN due_at ELSE greatest(due_at, lease_until) END
    WHERE webhook = %s AND status = 'held'
"""
HELD = """
    SELECT held.webhook, held.number, d.reason FROM (
        SELECT webhook, count(*) AS number, min(seq) AS oldest FROM live WHERE status = 'held' GROUP BY webhook
    ) held JOIN live d ON d.seq = held.oldest
"""
"""How many deliveries of each webhook are held, and why the oldest is."""
NO_TIMEOUT = "SET LOCAL statement_timeout = 0"
"""Before statements that may change every delivery of a webhook: one that is cancelled each time is never over."""
RENAME = "UPDATE deliveries SET webhook = %s WHERE webhook = %s"
RENAME_LATE = (
    "UPDATE live SET webhook = %s WHERE webhook = %s AND (ready_at IS NOT NULL OR status = 'held')",
    "UPDATE ended SET webhook = %s WHERE webhook = %s AND status = 'dead'",
)
"""Renames what may have been added since, each by an index, since looking at every delivery would take long."""
RENAME_KNOWN = (
    """
    WITH old AS (DELETE FROM last_results WHERE webhook = %(old)s RETURNING status, at)
    INSERT INTO last_results (webhook, status, at) SELECT %(new)s, status, at FROM old
    ON CONFLICT (webhook) DO UPDATE SET status = excluded.status, at = excluded.at
    """,
    """
    WITH old AS (DELETE FROM circuits WHERE webhook = %(old)s RETURNING state, reason, since, until)
    INSERT INTO circuits (webhook, state, reason, since, until) SELECT %(new)s, state, reason, since, until FROM old
    ON CONFLICT (webhook) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, since = excluded.since, until = excluded.until
    """,
    """
    WITH old AS (DELETE FROM rates WHERE webhook = %(old)s RETURNING tokens, at)
    INSERT INTO rates (webhook, tokens, at) SELECT %(new)s, tokens, at FROM old
    ON CONFLICT (webhook) DO UPDATE SET tokens = excluded.tokens, at = excluded.at
    """,
)


def reconcile(connection: Connection, applied: AppliedState) -> None:
    """See :meth:`hookctl.store.interface.Standing.reconcile`."""
    connection.execute(LOCK_ALL, (RECONCILING,))
    connection.execute(NO_TIMEOUT)
    before = newest_serial(connection)
    if before > applied.serial:
        return  # another process has seen a newer state already
    for rename in applied.renames:
        if rename.serial > before:
            _rename(connection, rename, RENAME)
        elif not rename.is_taken:  # a process that still uses the state before may have added to the old name since
            _rename(connection, rename, *RENAME_LATE)
    if before < applied.serial:
        connection.execute("UPDATE reconciled SET serial = %s", (applied.serial,))
    _end_holds(connection, applied)
    holds = reading.holds(connection)
    for (webhook,) in connection.execute(WAITING_WEBHOOKS).fetchall():
        if webhook not in applied.unreadable:  # it may be active or not, so its deliveries wait for the next apply
            _fit(connection, webhook, applied.plans.get(webhook), holds.get(webhook))


def _fit(connection: Connection, webhook: str, plan: DeliveryPlan | None, hold: Hold | None) -> None:
    """Fit what waits for one webhook to how it is applied now."""
    if plan is None:
        _stop(connection, webhook, DeliveryStatus.CANCELLED, REMOVED)
    elif plan.status is Status.INACTIVE:
        _stop(connection, webhook, DeliveryStatus.HELD, INACTIVE)
    elif hold is not None:
        _stop(connection, webhook, DeliveryStatus.HELD, held_reason(hold.reason))
    else:
        connection.execute(UNHOLD, (webhook,))


def _rename(connection: Connection, rename: Rename, *statements: str) -> None:
    for statement in statements:
        connection.execute(statement, (rename.new, rename.old))
    for statement in RENAME_KNOWN:
        connection.execute(statement, {"new": rename.new, "old": rename.old})
    counting.rename(connection, rename.old, rename.new)


def newest_serial(connection: Connection) -> int:
    """The serial of the newest state that was reconciled."""
    row = connection.execute("SELECT serial FROM reconciled").fetchone()
    return int(row[0]) if row else -1


def hold_webhook(connection: Connection, webhook: str, result: Result, now: float) -> None:
    """Hold a webhook because of a result, with everything that waits for it."""
    reason, plan = result.outcome.reason.replace("\0", ""), result.plan.digest if result.plan else ""
    connection.execute(NO_TIMEOUT)
    connection.execute(HOLD, (webhook, result.serial, reason, now, plan, result.secrets))
    _stop(connection, webhook, DeliveryStatus.HELD, held_reason(reason))


def hold_by_hand(connection: Connection, plan: DeliveryPlan, reason: str, now: float) -> int | None:
    """Hold a webhook because someone asks; returns how many deliveries are held now, None if it was held already."""
    values = (plan.name, newest_serial(connection), reason, now, plan.digest)
    connection.execute(NO_TIMEOUT)
    if not connection.execute(HOLD_BY_HAND, values).rowcount:
        return None
    _stop(connection, plan.name, DeliveryStatus.HELD, held_reason(reason))
    query = "SELECT count(*) FROM live WHERE webhook = %s AND status = 'held'"
    row = connection.execute(query, (plan.name,)).fetchone()
    return int(row[0]) if row else 0


def _end_holds(connection: Connection, applied: AppliedState) -> None:
    """Delete the holds of webhooks that were removed, or changed since."""
    rows = connection.execute("SELECT webhook, serial, plan FROM holds").fetchall()
    ended = [webhook for webhook, serial, plan in rows if not _is_still_held(applied, webhook, serial, plan)]
    if ended:
        connection.execute("DELETE FROM holds WHERE webhook = ANY(%s)", (ended,))


def _is_still_held(applied: AppliedState, webhook: str, serial: int, plan: str) -> bool:
    """Whether a row of the table ``holds`` holds a webhook of this state."""
    if webhook in applied.unreadable:
        return True
    current = applied.plans.get(webhook)
    if current is None:
        return False
    return plan == current.digest if plan else serial >= applied.serial


def stopped(connection: Connection, applied: AppliedState) -> list[Stopped]:
    """See :meth:`hookctl.store.interface.Standing.stopped`."""
    rows = connection.execute("SELECT webhook, serial, plan FROM holds").fetchall()
    is_held = {webhook for webhook, serial, plan in rows if _is_still_held(applied, webhook, serial, plan)}
    holds = {webhook: hold for webhook, hold in reading.holds(connection).items() if webhook in is_held}
    held = {webhook: (count, reason) for webhook, count, reason in connection.execute(HELD)}
    found = [Stopped(webhook, hold.reason, held.get(webhook, (0, ""))[0], hold) for webhook, hold in holds.items()]
    if newest_serial(connection) == applied.serial:  # else deliveries may be held because of an older state
        by_hand = held.keys() - holds.keys()
        found += [Stopped(name, held[name][1], held[name][0]) for name in by_hand if _is_active(applied, name)]
    return sorted(found, key=lambda one: (one.webhook.casefold(), one.webhook))


def _is_active(applied: AppliedState, webhook: str) -> bool:
    return webhook in applied.plans and applied.plans[webhook].status is Status.ACTIVE


def unhold(connection: Connection, webhook: str) -> int:
    """Make a webhook's held deliveries due again; returns how many."""
    connection.execute(NO_TIMEOUT)
    return connection.execute(UNHOLD, (webhook,)).rowcount


def _stop(connection: Connection, webhook: str, status: DeliveryStatus, reason: str) -> None:
    connection.execute(STOP, {"webhook": webhook, "status": status.value, "reason": reason})
