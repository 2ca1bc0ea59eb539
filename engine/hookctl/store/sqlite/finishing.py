"""Recording results in the SQLite queue, inside the caller's transaction.

A batch takes few statements, since most of what a statement costs is to begin it. They are written for the usual case,
leases that still hold. In any other case the batch is undone to its savepoint, and its results are marked one by one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from hookctl.model import DeliveryPlan, DeliveryStatus
from hookctl.store.causes import result_of
from hookctl.store.reasons import held_reason
from hookctl.store.records import Result
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.overview_tables import ATTEMPT_COLUMNS
from hookctl.store.sqlite.reconciling import hold_webhook, newest_serial
from hookctl.store.sqlite.rows import add_rows
from hookctl.store.sqlite.savepoint import savepoint
from hookctl.store.texts import attempt_to_text

Common = tuple[str, str, int, int, str]
"""What deliveries that one statement ends have in common: status, reason, attempts, lease and webhook."""


AttemptRow = tuple[int, str, float, float, str, bool]
"""The values of ``overview_tables.ATTEMPT_COLUMNS``."""


def attempt_row(result: Result) -> AttemptRow:
    """The row of a result's attempt."""
    attempt = result.attempt
    is_delivered = result.outcome.status is DeliveryStatus.DELIVERED
    record = attempt_to_text(attempt)
    return result.claimed.key, record, attempt.started_at, attempt.timing.total, result_of(attempt), is_delivered


def finish(
    connection: sqlite3.Connection,
    results: Sequence[Result],
    rows: Sequence[AttemptRow],
    plans: Mapping[str, DeliveryPlan],
    *,
    now: float,
    owner: str,
) -> set[str]:
    """See :meth:`hookctl.store.interface.Queue.finish`.

    ``rows`` has the :func:`attempt_row` of each result. They are made before the transaction, during which no other
    process can commit. ``plans`` are the delivery plans of the results that are not stored yet, by digest.
    """
    if not results:
        return set()
    connection.executemany(tables.ADD_PLAN, [(digest, plan.canonical().decode()) for digest, plan in plans.items()])
    lost: set[str] = set()
    with savepoint(connection) as undo:
        if not _mark_all(connection, results, now, owner):
            undo()
            lost = {result.claimed.delivery.id for result in results if not _mark(connection, result, now, owner)}
    if lost:
        rows = [row for row, result in zip(rows, results, strict=True) if result.claimed.delivery.id not in lost]
    add_rows(connection, "attempts", ATTEMPT_COLUMNS, rows)
    return lost


def _mark_all(connection: sqlite3.Connection, results: Sequence[Result], now: float, owner: str) -> bool:
    """Mark all results with few statements.

    False when that is not possible: a lease was lost, or a webhook was renamed or must be held.
    """
    if any(result.outcome.hold for result in results):
        return False
    # Most deliveries end in the same way, and one statement for all of them costs little more than for one.
    ended: dict[Common, list[int]] = {}
    retried: list[dict[str, Any]] = []
    last: dict[str, tuple[str, str, float]] = {}
    for result in results:
        webhook, status = result.claimed.delivery.webhook, result.outcome.status
        if status is DeliveryStatus.RETRYING:
            retried.append(_retry_values(result, webhook, now, owner))
        else:
            ended.setdefault(_common(result, webhook), []).append(result.claimed.key)
        last[webhook] = (webhook, status.value, now)
    changed = sum(_end(connection, keys, common, now, owner) for common, keys in ended.items())
    changed += connection.executemany(tables.RETRY, retried).rowcount if retried else 0
    connection.executemany(tables.REMEMBER_RESULT, last.values())
    return changed == len(results)


def _mark(connection: sqlite3.Connection, result: Result, now: float, owner: str) -> bool:
    """Mark one result; False when its lease was lost."""
    row = connection.execute(tables.OWNED, (result.claimed.key, result.claimed.lease, owner)).fetchone()
    if row is None:
        return False
    webhook = row[0]  # its name now: it may have been renamed while the delivery was claimed
    holds = result.outcome.hold and result.serial >= newest_serial(connection)
    if holds:
        hold_webhook(connection, webhook, result, now)
    status = result.outcome.status
    if status is DeliveryStatus.HELD and not holds:
        status = DeliveryStatus.RETRYING
    if status is DeliveryStatus.HELD:
        connection.execute(tables.HOLD_ONE, _retry_values(result, webhook, now, owner) | _held_values(result))
    elif status is DeliveryStatus.RETRYING:
        connection.execute(tables.RETRY, _retry_values(result, webhook, now, owner))
    else:
        _end(connection, [result.claimed.key], _common(result, webhook), now, owner)
    connection.execute(tables.REMEMBER_RESULT, (webhook, status.value, now))
    return True


def _held_values(result: Result) -> dict[str, Any]:
    """What differs for a delivery whose attempt holds the webhook: it uses up at most its first attempt."""
    return {"reason": held_reason(result.outcome.reason), "attempts": max(1, result.attempt.number - 1)}


def _common(result: Result, webhook: str) -> Common:
    return result.outcome.status.value, result.outcome.reason, result.attempt.number, result.claimed.lease, webhook


def _end(connection: sqlite3.Connection, keys: Sequence[int], common: Common, now: float, owner: str) -> int:
    """Mark deliveries that have ended in the same way; give how many of them were still leased."""
    status, reason, attempts, lease, webhook = common
    return connection.execute(
        tables.END, (status, reason, attempts, now, json.dumps(keys), lease, owner, webhook)
    ).rowcount


def _retry_values(result: Result, webhook: str, now: float, owner: str) -> dict[str, Any]:
    claimed, outcome = result.claimed, result.outcome
    return {
        "reason": outcome.reason,
        "due_at": now if outcome.due_at is None else outcome.due_at,
        "attempts": result.attempt.number,
        "now": now,
        "key": claimed.key,
        "lease": claimed.lease,
        "owner": owner,
        "webhook": webhook,
    }
