"""Recording results in PostgreSQL, inside the caller's transaction.

One statement marks all deliveries of a batch and stores their attempts. It leaves out those that need a closer look:
the lease was lost, or the webhook was renamed or is to be held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from psycopg import Cursor

from hookctl.model import DeliveryPlan, DeliveryStatus
from hookctl.store.causes import result_of
from hookctl.store.postgres.arrays import long_texts, numbers, texts
from hookctl.store.postgres.claiming import ENDED
from hookctl.store.postgres.connection import WITH_HASHES, WITH_LOOPS, Connection
from hookctl.store.postgres.enqueuing import printable
from hookctl.store.postgres.reconciling import hold_webhook, newest_serial
from hookctl.store.reasons import held_reason
from hookctl.store.records import Claimed, Result
from hookctl.store.texts import attempt_to_text

ANNOUNCE = """
    SELECT pg_advisory_xact_lock_shared(('meta'::regclass::oid::bigint << 32) | (last_value & 4294967295))
    FROM attempt_numbers
"""
"""Until the commit, others can see that attempts with numbers from here on may be missing: see ``counting.py``."""
FINISH = f"""
    WITH given AS (
        SELECT * FROM unnest(
            %(key)s::bigint[], %(lease)s::int[], %(webhook)s::text[], %(status)s::text[], %(reason)s::text[],
            %(attempts)s::int[], %(due_at)s::float8[],
            %(started_at)s::float8[], %(seconds)s::float8[], %(delivered)s::bool[], %(result)s::text[],
            %(record)s::text[]
        ) AS g (
            key, lease, webhook, status, reason, attempts, due_at, started_at, seconds, delivered, result, record
        )
    ), done AS (
        UPDATE deliveries d SET
            status = CASE WHEN g.due_at IS NULL OR d.ready_at IS NOT NULL THEN g.status ELSE d.status END,
            reason = CASE WHEN g.due_at IS NULL OR d.ready_at IS NOT NULL THEN g.reason ELSE d.reason END,
            ready_at = CASE WHEN d.ready_at IS NOT NULL THEN g.due_at END,
            due_at = coalesce(g.due_at, d.due_at),
            attempts = g.attempts, owner = NULL, lease_until = NULL, set_at = %(now)s::float8,
            ended = g.due_at IS NULL OR (d.ready_at IS NULL AND d.status IN {ENDED})
        FROM given g
        WHERE NOT d.ended AND d.seq = ANY(%(key)s::bigint[])
            AND d.seq = g.key AND d.lease = g.lease AND d.webhook = g.webhook
            AND d.owner IS NOT DISTINCT FROM %(owner)s
        RETURNING d.seq, g.started_at, g.seconds, g.delivered, g.result, g.record
    )
    INSERT INTO attempts (delivery, started_at, seconds, delivered, result, record)
    SELECT seq, started_at, seconds, delivered, result, record FROM done
    RETURNING delivery
"""  # noqa: S608 - constants
"""A claimed delivery with no ``ready_at`` was held or cancelled during the attempt, and stays so if it is to be tried
again; ``due_at`` is given only for those. The owner is compared without the use of its index, which has all that a
worker has claimed."""
REMEMBER_RESULTS = """
    WITH given AS (
        SELECT * FROM unnest(%(webhook)s::text[], %(status)s::text[]) AS g (webhook, status)
    ), free AS MATERIALIZED (
        SELECT r.webhook FROM given g JOIN last_results r ON r.webhook = g.webhook FOR UPDATE OF r SKIP LOCKED
    ), changed AS (
        UPDATE last_results r SET status = g.status, at = %(now)s
        FROM given g JOIN free f ON f.webhook = g.webhook WHERE r.webhook = g.webhook
    )
    INSERT INTO last_results (webhook, status, at)
    SELECT webhook, status, %(now)s FROM given g
    WHERE NOT EXISTS (SELECT 1 FROM last_results r WHERE r.webhook = g.webhook)
    ON CONFLICT DO NOTHING
"""
"""Leaves out webhooks that another worker is recording a result of: it should not have to wait for that commit."""
ADD_PLAN = "INSERT INTO plans (digest, document) VALUES (%s, %s) ON CONFLICT DO NOTHING"
OWNED = "SELECT webhook FROM live WHERE seq = %s AND lease = %s AND owner IS NOT DISTINCT FROM %s FOR UPDATE"
"""Gives the webhook's name now: it may have been renamed while the delivery was claimed."""
HOLD_ONE = f"""
    UPDATE deliveries SET
        status = CASE WHEN status = 'cancelled' THEN status ELSE 'held' END,
        reason = CASE WHEN status = 'cancelled' THEN reason ELSE %(reason)s END,
        due_at = %(now)s, ready_at = NULL, attempts = %(attempts)s, owner = NULL, lease_until = NULL, set_at = %(now)s,
        ended = status IN {ENDED}
    WHERE NOT ended AND seq = %(key)s
"""  # noqa: S608
"""Holds a delivery after its attempt. One that was cancelled during the attempt stays so."""
ADD_ATTEMPT = """
    INSERT INTO attempts (delivery, started_at, seconds, delivered, result, record) VALUES (%s, %s, %s, %s, %s, %s)
"""
RELEASE = f"""
    UPDATE deliveries d SET
        owner = NULL, lease_until = NULL, ready_at = CASE WHEN d.ready_at IS NOT NULL THEN d.due_at END,
        ended = d.status IN {ENDED}
    FROM unnest(%(key)s::bigint[], %(lease)s::int[]) AS g (key, lease)
    WHERE NOT d.ended AND d.seq = ANY(%(key)s::bigint[]) AND d.seq = g.key AND d.lease = g.lease
        AND d.owner IS NOT DISTINCT FROM %(owner)s
"""  # noqa: S608
RENEW = """
    UPDATE live d SET
        lease_until = %(until)s, ready_at = CASE WHEN d.ready_at IS NOT NULL THEN %(until)s::float8 END,
        lease_ends = coalesce(%(clock)s::float8, extract(epoch FROM statement_timestamp())::float8) + %(seconds)s
    FROM unnest(%(key)s::bigint[], %(lease)s::int[]) AS g (key, lease)
    WHERE d.seq = ANY(%(key)s::bigint[]) AND d.seq = g.key AND d.lease = g.lease
        AND d.owner IS NOT DISTINCT FROM %(owner)s
    RETURNING d.seq
"""
COLUMNS = (
    *("key", "lease", "webhook", "status", "reason", "attempts", "due_at"),
    *("started_at", "seconds", "delivered", "result", "record"),
)
FORMATS: dict[str, Callable[[Sequence[Any]], str | bytes]] = {
    **dict.fromkeys(("webhook", "status", "reason", "result"), texts),
    "record": long_texts,
}
"""How columns are written that are not numbers."""
Row = tuple[Any, ...]
"""The values of :data:`COLUMNS`."""


def row_of(result: Result, now: float) -> Row:
    """What is stored of a result if its lease holds."""
    claimed, attempt, outcome = result.claimed, result.attempt, result.outcome
    is_retried = outcome.status is DeliveryStatus.RETRYING
    return (
        claimed.key,
        claimed.lease,
        claimed.delivery.webhook,
        outcome.status.value,
        printable(outcome.reason),
        attempt.number,
        (now if outcome.due_at is None else outcome.due_at) if is_retried else None,
        attempt.started_at,
        attempt.timing.total,
        outcome.status is DeliveryStatus.DELIVERED,
        result_of(attempt),
        attempt_to_text(attempt),
    )


def finish(
    connection: Connection,
    results: Sequence[Result],
    rows: Sequence[Row],
    plans: Mapping[str, DeliveryPlan],
    *,
    now: float,
    owner: str,
) -> set[str]:
    """See :meth:`hookctl.store.interface.Work.finish`.

    ``rows`` has the :func:`row_of` of each result, and ``plans`` their delivery plans that are not stored yet.
    """
    if not results:
        return set()
    connection.execute(ANNOUNCE)
    for digest in sorted(plans):  # in order, so that two workers do not wait for each other
        connection.execute(ADD_PLAN, (digest, plans[digest].canonical().decode()))
    plain = [row for row, result in zip(rows, results, strict=True) if not result.outcome.hold]
    done = _finish_rows(connection, plain, now, owner)
    lost: set[str] = set()
    last: dict[str, str] = {}
    for result, row in zip(results, rows, strict=True):
        webhook, status = result.claimed.delivery.webhook, result.outcome.status.value
        if result.claimed.key not in done:
            marked = _mark(connection, result, row, now, owner)
            if marked is None:
                lost.add(result.claimed.delivery.id)
                continue
            webhook, status = marked
        last[webhook] = status
    if last:
        values = {"webhook": sorted(last), "status": [last[webhook] for webhook in sorted(last)], "now": now}
        connection.execute(REMEMBER_RESULTS, values)
    return lost


def _finish_rows(connection: Connection, rows: Sequence[Row], now: float, owner: str) -> set[int]:
    """Mark deliveries and store their attempts; gives the numbers of those whose lease and webhook are as given."""
    if not rows:
        return set()
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    given = {name: FORMATS.get(name, numbers)(column) for name, column in columns}
    values: dict[str, Any] = given | {"now": now, "owner": owner}
    return {key for (key,) in _execute(connection, FINISH, values).fetchall()}


def _mark(connection: Connection, result: Result, row: Row, now: float, owner: str) -> tuple[str, str] | None:
    """Mark one result, and give its webhook and status; None when its lease was lost."""
    claimed, outcome = result.claimed, result.outcome
    found = connection.execute(OWNED, (claimed.key, claimed.lease, owner)).fetchone()
    if found is None:
        return None
    webhook: str = found[0]
    holds = outcome.hold and result.serial >= newest_serial(connection)
    if holds:
        hold_webhook(connection, webhook, result, now)
    status = outcome.status
    if status is DeliveryStatus.HELD and holds:
        values = {"key": claimed.key, "now": now, "reason": held_reason(printable(outcome.reason))}
        # It uses up at most the first attempt.
        connection.execute(HOLD_ONE, values | {"attempts": max(1, result.attempt.number - 1)})
        connection.execute(ADD_ATTEMPT, (claimed.key, *row[7:]))
        return webhook, status.value
    if status is DeliveryStatus.HELD:
        status = DeliveryStatus.RETRYING
    due_at = row[6]
    if status is DeliveryStatus.RETRYING:
        due_at = now if outcome.due_at is None else outcome.due_at
    changed = (*row[:2], webhook, status.value, *row[4:6], due_at, *row[7:])
    _finish_rows(connection, [changed], now, owner)
    return webhook, status.value


def release(connection: Connection, claims: Iterable[Claimed], owner: str) -> None:
    """See :meth:`hookctl.store.interface.Work.release`."""
    held = [(one.key, one.lease) for one in claims]
    if held:
        keys, leases = numbers([key for key, _ in held]), numbers([lease for _, lease in held])
        _execute(connection, RELEASE, {"key": keys, "lease": leases, "owner": owner})


def renew(connection: Connection, claims: Sequence[Claimed], lease: Mapping[str, Any]) -> set[str]:
    """See :meth:`hookctl.store.interface.Work.renew`; ``lease`` has the values of a lease."""
    values = {"key": numbers([one.key for one in claims]), "lease": numbers([one.lease for one in claims])}
    renewed = {key for (key,) in _execute(connection, RENEW, values | dict(lease)).fetchall()}
    return {one.delivery.id for one in claims if one.key not in renewed}


def _execute(connection: Connection, statement: str, values: Mapping[str, Any]) -> Cursor[tuple[Any, ...]]:
    """Execute a statement with a value for each of many rows."""
    connection.execute(WITH_HASHES)
    cursor = connection.execute(statement, values)
    connection.execute(WITH_LOOPS)
    return cursor
