"""Fits the waiting deliveries to the webhooks that are applied; inside the caller's transaction."""

from __future__ import annotations

import sqlite3

from hookctl.model import AppliedState, DeliveryStatus, Rename, Status
from hookctl.store.records import Stopped
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite import reading

REMOVED = "the webhook was removed"
INACTIVE = "the webhook is inactive"
MAX_BEHIND = 1_000_000
"""How many applies another process may have seen before this one.

A serial that is further ahead is damage: if it were believed, no apply would take effect.
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
    connection.execute("DELETE FROM suspensions WHERE serial < ? OR typeof(serial) <> 'integer'", (applied.serial,))
    suspended = reading.suspended(connection)
    for (webhook,) in connection.execute(tables.WAITING_WEBHOOKS).fetchall():
        if webhook in applied.unreadable:  # it may be active or not, so its deliveries wait for the next apply
            continue
        plan = applied.plans.get(webhook)
        if plan is None:
            _stop(connection, webhook, DeliveryStatus.CANCELLED, REMOVED)
        elif plan.status is Status.INACTIVE:
            _stop(connection, webhook, DeliveryStatus.HELD, INACTIVE)
        elif webhook in suspended:
            _stop(connection, webhook, DeliveryStatus.HELD, suspended[webhook])
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


def suspend(connection: sqlite3.Connection, webhook: str, serial: int, cause: str) -> None:
    """Hold everything that waits for a webhook, until an apply raises the serial or someone resumes the webhook."""
    reason = f"suspended until the next apply: {cause}"
    connection.execute(tables.SUSPEND, (webhook, serial, reason))
    _stop(connection, webhook, DeliveryStatus.HELD, reason)


def stopped(connection: sqlite3.Connection, applied: AppliedState) -> list[Stopped]:
    """See :meth:`hookctl.store.interface.Queue.stopped`."""
    suspended = reading.suspended(connection, applied.serial)
    held = {
        webhook: (count, str(reason))
        for webhook, count, reason in connection.execute(tables.HELD)
        if isinstance(webhook, str)
    }
    reconciled = _reconciled(connection, applied)
    found = [
        Stopped(webhook, reason, held.get(webhook, (0, ""))[0], is_suspended=True)
        for webhook, reason in suspended.items()
    ]
    if reconciled == applied.serial:  # before it is reconciled, deliveries may be held because of an older state
        by_hand = held.keys() - suspended.keys()
        found += [
            Stopped(name, held[name][1], held[name][0], is_suspended=False)
            for name in by_hand
            if _is_active(applied, name)
        ]
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
