"""Groups what is not delivered by status and cause, by counting in indexes."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from heapq import nlargest
from operator import itemgetter
from typing import Any

from hookctl.model import DeliveryStatus
from hookctl.store import causes
from hookctl.store.overviews import Group
from hookctl.store.records import MAX_TIME
from hookctl.store.sqlite import monitoring, past
from hookctl.store.sqlite.filters import in_group
from hookctl.store.sqlite.overview_tables import HAS_CAUSE

SAMPLES = 5
MAX_WEBHOOKS = 20
"""Webhooks that a group names; those with the most deliveries."""

BY_CAUSE = f"""
    SELECT status, cause, count(*), min(seq) FROM deliveries INDEXED BY deliveries_by_cause
    WHERE {HAS_CAUSE} {{only}} GROUP BY status, cause
"""  # noqa: S608
WEBHOOKS = """
    SELECT d.webhook, count(*), count(*) OVER () FROM deliveries d INDEXED BY deliveries_by_cause
    WHERE {condition} {only} GROUP BY d.webhook ORDER BY count(*) DESC, d.webhook LIMIT ?
"""
"""The webhooks of a group with the most of its deliveries, and how many webhooks there are."""
HELD = """
    SELECT h.webhook, h.number, h.oldest, d.reason FROM (
        SELECT webhook, count(*) AS number, min(seq) AS oldest FROM deliveries INDEXED BY deliveries_held
        WHERE status = 'held' {only} GROUP BY webhook
    ) h JOIN deliveries d ON d.seq = h.oldest
"""
CAUSES = "SELECT id, result, head FROM causes WHERE id IN (SELECT value FROM json_each(?))"
CIRCUITS = "SELECT webhook, reason FROM circuits"
CREATED = "SELECT created_at FROM deliveries WHERE seq = ?"
SAMPLE = """
    SELECT d.seq, d.id FROM deliveries d INDEXED BY {index} WHERE {condition} AND d.webhook = ? ORDER BY {order} LIMIT ?
"""
INDEXES = {
    "dead": ("deliveries_by_cause", "d.seq DESC"),
    "retrying": ("deliveries_by_cause", "d.seq DESC"),
    "held": ("deliveries_held", "d.seq DESC"),
    "waiting": ("deliveries_ready", "d.ready_at DESC"),
}
"""Where samples of each kind of group come from, in the order of the index."""


@dataclass
class _Found:
    """What is known of a group so far."""

    count: int = 0
    oldest: int = 1 << 62
    webhooks: Counter[str] = field(default_factory=Counter)
    webhook_count: int = 0


def _of_webhooks(rows: Sequence[tuple[str, int, int]]) -> _Found:
    """A group of the webhooks with these names, numbers of deliveries and oldest deliveries."""
    most = nlargest(MAX_WEBHOOKS, rows, key=itemgetter(1))
    return _Found(
        sum(count for _, count, _ in rows),
        min(oldest for *_, oldest in rows),
        Counter({name: count for name, count, _ in most}),
        len(rows),
    )


def groups(connection: sqlite3.Connection, webhook: str | None, limit: int) -> list[Group]:
    """See :meth:`hookctl.store.pages_interface.Overviews.groups`."""
    found = {**_by_cause(connection, webhook), **_held(connection, webhook), **_waiting(connection, webhook)}
    largest = sorted(found, key=lambda key: (-found[key].count, key))[:limit]
    named = _names(connection, found.keys())
    return [
        _group(connection, key, _with_webhooks(connection, key, found[key], webhook), *named[key]) for key in largest
    ]


def group(connection: sqlite3.Connection, key: str, webhook: str | None) -> Group | None:
    """See :meth:`hookctl.store.pages_interface.Overviews.group`."""
    kinds = {"held": _held, "waiting": _waiting}
    found = kinds.get(key.partition("-")[0], _by_cause)(connection, webhook)
    if key not in found:
        return None
    named = _names(connection, found.keys())
    return _group(connection, key, _with_webhooks(connection, key, found[key], webhook), *named[key])


def _by_cause(connection: sqlite3.Connection, webhook: str | None) -> dict[str, _Found]:
    return {
        f"{status}-{cause or 0}": _Found(count, oldest)
        for status, cause, count, oldest in _execute(connection, BY_CAUSE, webhook)
        if cause is None or isinstance(cause, int)
    }


def _with_webhooks(connection: sqlite3.Connection, key: str, found: _Found, webhook: str | None) -> _Found:
    if not found.webhooks:
        condition, *values = in_group(key)
        only, names = ("", []) if webhook is None else ("AND d.webhook = ?", [webhook])
        query = WEBHOOKS.format(condition=condition, only=only)
        rows = connection.execute(query, (*values, *names, MAX_WEBHOOKS)).fetchall()
        found.webhooks.update({str(name): count for name, count, _ in rows})
        found.webhook_count = rows[0][2] if rows else 0
    return found


def _held(connection: sqlite3.Connection, webhook: str | None) -> dict[str, _Found]:
    """By the reason of the oldest of each webhook: what holds a webhook holds all its deliveries."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for name, count, oldest, reason in _execute(connection, HELD, webhook):
        if isinstance(reason, str) and isinstance(name, str):
            found.setdefault(f"held-{reason}", []).append((name, count, oldest))
    return {key: _of_webhooks(rows) for key, rows in found.items()}


def _waiting(connection: sqlite3.Connection, webhook: str | None) -> dict[str, _Found]:
    """By the reason of the webhook's circuit, if it is not closed."""
    circuits = dict(connection.execute(CIRCUITS).fetchall())
    found: dict[str, list[tuple[str, int, int]]] = {}
    for row in monitoring.waiting(connection, webhook):
        found.setdefault(f"waiting-{circuits.get(row[0], '')}", []).append(row)
    return {key: _of_webhooks(rows) for key, rows in found.items()}


def _execute(connection: sqlite3.Connection, query: str, webhook: str | None) -> list[Any]:
    if webhook is None:
        return connection.execute(query.format(only="")).fetchall()
    return connection.execute(query.format(only="AND webhook = ?"), (webhook,)).fetchall()


def _names(connection: sqlite3.Connection, keys: AbstractSet[str]) -> Mapping[str, tuple[str, str]]:
    """The cause and the line of each group."""
    numbers = {key: int(key.partition("-")[2]) for key in keys if key.startswith(("dead-", "retrying-"))}
    rows = connection.execute(CAUSES, (json.dumps([*set(numbers.values())]),))
    heads = {number: (result, head) for number, result, head in rows if isinstance(head, str)}
    lines = dict(zip(heads, causes.lines_by_result([*heads.values()]), strict=True))
    named = {key: (heads.get(number, ("", ""))[0], lines.get(number, "")) for key, number in numbers.items()}
    for key in keys - named.keys():
        status, _, reason = key.partition("-")
        named[key] = (causes.cause_in(reason) if status == "held" else "", reason)
    return named


def _group(connection: sqlite3.Connection, key: str, found: _Found, cause: str, line: str) -> Group:
    row = connection.execute(CREATED, (found.oldest,)).fetchone()
    since = row[0] if row and isinstance(row[0], float) and abs(row[0]) <= MAX_TIME else 0.0
    webhooks = dict(found.webhooks.most_common(MAX_WEBHOOKS))
    return Group(
        key=key,
        status=DeliveryStatus(key.partition("-")[0]),
        cause=cause,
        line=line,
        count=found.count,
        webhooks=webhooks,
        webhook_count=found.webhook_count,
        since=since,
        serial=past.serial_at(connection, since),
        ids=_sample(connection, key, [*webhooks][:SAMPLES]),
    )


def _sample(connection: sqlite3.Connection, key: str, webhooks: Sequence[str]) -> list[str]:
    """The newest deliveries of these webhooks in a group."""
    index, order = INDEXES[key.partition("-")[0]]
    condition, *values = in_group(key)
    query = SAMPLE.format(index=index, condition=condition, order=order)
    rows = [row for webhook in webhooks for row in connection.execute(query, (*values, webhook, SAMPLES))]
    return [str(name) for _, name in sorted(rows, reverse=True)[:SAMPLES]]
