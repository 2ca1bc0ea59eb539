"""Fits the waiting deliveries to the webhooks that are applied; inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Rename, Status
from hookctl.store.reasons import INACTIVE, REMOVED, held_reason
from hookctl.store.records import Result, Stopped
from hookctl.store.sqlite import counting, reading
from hookctl.store.sqlite import queue_tables as tables

MAX_BEHIND = 1_000_000
"""How many applies another process may have seen before this one.

A serial that is further ahead is damage: if it were believed, no apply would take effect.
"""
HOLD = """
    INSERT INTO holds (webhook, serial, reason, since, plan, secrets) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (webhook) DO UPDATE SET
        serial = excluded.serial, reason = excluded.reason, plan = excluded.plan,
        secrets = CASE WHEN secrets = '' AND plan = excluded.plan THEN '' ELSE excluded.secrets END
"""
"""The time stays that of the first result. A change of secrets does not end a hold by hand, which has none."""
HOLD_BY_HAND = """
    INSERT INTO holds (webhook, serial, reason, since, plan) VALUES (?, ?, ?, ?, ?) ON CONFLICT (webhook) DO NOTHING
"""


def reconcile(connection: sqlite3.Connection, applied: AppliedState) -> None:
    """See :meth:`hookctl.store.interface.Queue.reconcile`."""
    before = _reconciled(connection, applied)
    if before > applied.serial:
        return  # another process has seen a newer state already
    for rename in applied.renames:
        if rename.serial > before:
            _rename(connection, rename, tables.RENAME)
        elif not rename.is_taken:  # a process that still uses the state before may have added to the old name since
            _rename(connection, rename, *tables.RENAME_LATE)
    connection.execute("UPDATE reconciled SET serial = ?", (applied.serial,))
    _end_holds(connection, applied)
    holds = reading.holds(connection)
    for (webhook,) in connection.execute(tables.WAITING_WEBHOOKS).fetchall():
        if webhook in applied.unreadable:  # it may be active or not, so its deliveries wait for the next apply
            continue
        plan = applied.plans.get(webhook)
        if plan is None:
            _stop(connection, webhook, DeliveryStatus.CANCELLED, REMOVED)
        elif plan.status is Status.INACTIVE:
            _stop(connection, webhook, DeliveryStatus.HELD, INACTIVE)
        elif webhook in holds:
            _stop(connection, webhook, DeliveryStatus.HELD, held_reason(holds[webhook].reason))
        else:
            unhold(connection, webhook)


def _reconciled(connection: sqlite3.Connection, applied: AppliedState) -> int:
    """The serial of the newest state that was reconciled; the serial of ``applied`` if the row is damaged."""
    row = connection.execute("SELECT serial FROM reconciled").fetchone()
    is_likely = row is not None and isinstance(row[0], int) and 0 <= row[0] <= applied.serial + MAX_BEHIND
    return row[0] if is_likely else applied.serial


def _rename(connection: sqlite3.Connection, rename: Rename, *statements: str) -> None:
    for statement in (*statements, *tables.RENAME_KNOWN):
        connection.execute(statement, (rename.new, rename.old))
    counting.rename(connection, rename.old, rename.new)


def newest_serial(connection: sqlite3.Connection) -> int:
    """The serial of the newest state that was reconciled; -1 if it cannot be read."""
    row = connection.execute("SELECT serial FROM reconciled").fetchone()
    return row[0] if row and isinstance(row[0], int) else -1


def hold_webhook(connection: sqlite3.Connection, webhook: str, result: Result, now: float) -> None:
    """Hold a webhook because of a result, with everything that waits for it."""
    reason, plan = result.outcome.reason, result.plan.digest if result.plan else ""
    connection.execute(HOLD, (webhook, result.serial, reason, now, plan, result.secrets))
    _stop(connection, webhook, DeliveryStatus.HELD, held_reason(reason))


def hold_by_hand(connection: sqlite3.Connection, plan: DeliveryPlan, reason: str, now: float) -> int | None:
    """Hold a webhook because someone asks; returns how many deliveries are held now, None if it was held already."""
    values = (plan.name, newest_serial(connection), reason, now, plan.digest)
    if not connection.execute(HOLD_BY_HAND, values).rowcount:
        return None
    _stop(connection, plan.name, DeliveryStatus.HELD, held_reason(reason))
    query = "SELECT count(*) FROM deliveries WHERE webhook = ? AND status = 'held'"
    return int(connection.execute(query, (plan.name,)).fetchone()[0])


def _end_holds(connection: sqlite3.Connection, applied: AppliedState) -> None:
    """Delete the holds of webhooks that were removed, or changed since."""
    rows = connection.execute("SELECT webhook, serial, plan FROM holds").fetchall()
    ended = [(webhook,) for webhook, serial, plan in rows if not _is_still_held(applied, webhook, serial, plan)]
    connection.executemany("DELETE FROM holds WHERE webhook IS ?", ended)


def _is_still_held(applied: AppliedState, webhook: object, serial: object, plan: object) -> bool:
    """Whether a row of the table ``holds`` holds a webhook of this state."""
    if webhook in applied.unreadable:
        return True
    current = applied.plans.get(webhook) if isinstance(webhook, str) else None
    if current is None or not isinstance(serial, int):
        return False
    return plan == current.digest if plan else serial >= applied.serial


def stopped(connection: sqlite3.Connection, applied: AppliedState) -> list[Stopped]:
    """See :meth:`hookctl.store.interface.Queue.stopped`."""
    rows = connection.execute("SELECT webhook, serial, plan FROM holds").fetchall()
    is_held = {webhook for webhook, serial, plan in rows if _is_still_held(applied, webhook, serial, plan)}
    holds = {webhook: hold for webhook, hold in reading.holds(connection).items() if webhook in is_held}
    held = {
        webhook: (count, str(reason))
        for webhook, count, reason in connection.execute(tables.HELD)
        if isinstance(webhook, str)
    }
    reconciled = _reconciled(connection, applied)
    found = [Stopped(webhook, hold.reason, held.get(webhook, (0, ""))[0], hold) for webhook, hold in holds.items()]
    if reconciled == applied.serial:  # before it is reconciled, deliveries may be held because of an older state
        by_hand = held.keys() - holds.keys()
        found += [Stopped(name, held[name][1], held[name][0]) for name in by_hand if _is_active(applied, name)]
    return sorted(found, key=lambda one: (one.webhook.casefold(), one.webhook))


def _is_active(applied: AppliedState, webhook: str) -> bool:
    return webhook in applied.plans and applied.plans[webhook].status is Status.ACTIVE


def unhold(connection: sqlite3.Connection, webhook: str) -> int:
    """Make a webhook's held deliveries due again; returns how many."""
    return connection.execute(tables.UNHOLD, (webhook,)).rowcount


def _stop(connection: sqlite3.Connection, webhook: str, status: DeliveryStatus, reason: str) -> None:
    values = {"webhook": webhook, "status": status, "reason": reason}
    connection.execute(tables.STOP_HELD, values)
    connection.execute(tables.STOP, values)
