"""Lists deliveries a page at a time, newest first.

Keys are read from an index, a chunk at a time. The deliveries of a chunk are then read, and the rest of the filter
decides on them.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hookctl.model import DeliveryStatus
from hookctl.store import causes
from hookctl.store.overviews import DeliveryPage, DeliveryRow, Position
from hookctl.store.records import EVERYTHING, MAX_TIME, Filter
from hookctl.store.sqlite import filters
from hookctl.store.sqlite.overview_tables import BLOCK, HAS_STATUS
from hookctl.store.sqlite.queue_tables import DELIVERY, READABLE
from hookctl.store.sqlite.reading import delivery
from hookctl.store.texts import document_or_none

CHUNK = 1_000
"""The most deliveries that one statement looks at. The first one looks at a page, which may be enough."""
NEWEST: Position = (2 * MAX_TIME, 1 << 62)
"""A position after every delivery's."""
S = DeliveryStatus
LISTED = frozenset({S.RETRYING, S.HELD, S.DEAD, S.CANCELLED})
"""The statuses that ``deliveries_by_status`` has."""
OF_WEBHOOK = {
    frozenset({S.HELD}): ("deliveries_held", "d.status = 'held'"),
    frozenset({S.RETRYING}): ("deliveries_retrying", "d.status = 'retrying'"),
    frozenset({S.WAITING}): ("deliveries_ready", "d.ready_at IS NOT NULL"),
    frozenset({S.WAITING, S.RETRYING}): ("deliveries_ready", "d.ready_at IS NOT NULL"),
}
"""The index of a webhook's deliveries of some statuses, which does not have them in order of time."""

BY_TIME = """
    SELECT d.created_at, d.seq FROM deliveries d {index}
    WHERE {conditions} AND d.created_at >= ? AND (d.created_at, d.seq) < (?, ?)
    ORDER BY d.created_at DESC, d.seq DESC LIMIT ?
"""
BY_NUMBER = "SELECT 0.0, d.seq FROM deliveries d {index} WHERE {conditions} AND d.seq < ? ORDER BY d.seq DESC LIMIT ?"
"""For an index without times. Row numbers grow with time."""
ROWS = """
    SELECT {delivery}, d.seq, e.event_type, d.owner IS NOT NULL, {document}, a.started_at, a.result,
        CAST(a.record AS BLOB)
    FROM json_each(?) k CROSS JOIN deliveries d ON d.seq = k.value JOIN events e ON e.seq = d.event
    LEFT JOIN attempts a ON a.seq = (SELECT max(seq) FROM attempts WHERE delivery = d.seq)
    WHERE {conditions} ORDER BY k.key
"""
TALLY = "SELECT d.webhook, count(*) FROM deliveries d INDEXED BY {index} WHERE {conditions} GROUP BY d.webhook"
SMALL = frozenset(f"deliveries_{name}" for name in ("ready", "retrying", "held", "dead", "by_cause", "by_status"))
"""The indexes that have nothing that was delivered."""
NEXT_TRIES = """
    SELECT seq FROM deliveries INDEXED BY deliveries_ready
    WHERE webhook = ? AND ready_at IS NOT NULL ORDER BY ready_at, seq LIMIT ?
"""


BLOCKS = f"""
    WITH RECURSIVE blocks (number) AS (
        SELECT max(seq >> {BLOCK}) FROM deliveries INDEXED BY deliveries_of_webhook WHERE seq >> {BLOCK} <= ?
        UNION ALL
        SELECT (
            SELECT max(seq >> {BLOCK}) FROM deliveries INDEXED BY deliveries_of_webhook
            WHERE seq >> {BLOCK} < blocks.number
        ) FROM blocks WHERE number > ?
    )
    SELECT number FROM blocks WHERE number IS NOT NULL
"""  # noqa: S608
"""The blocks that have deliveries, from one down to another."""
IN_BLOCK = f"""
    SELECT 0.0, seq FROM deliveries INDEXED BY deliveries_of_webhook
    WHERE seq >> {BLOCK} = ? AND webhook = ? AND seq < ? ORDER BY seq DESC LIMIT ?
"""  # noqa: S608
AROUND = 1_000
BEFORE = f"""
    SELECT coalesce(max(seq) + 1, 0) FROM (
        SELECT seq FROM deliveries WHERE created_at < ? ORDER BY created_at DESC, seq DESC LIMIT {AROUND}
    )
"""  # noqa: S608
SINCE = f"""
    SELECT coalesce(min(seq), 1 << 62) FROM (
        SELECT seq FROM deliveries WHERE created_at >= ? ORDER BY created_at, seq LIMIT {AROUND}
    )
"""  # noqa: S608
"""The row numbers between which deliveries of a time are. Several are looked at, since a clock may have been set."""


class Keys(NamedTuple):
    """An index that has the deliveries of a filter, perhaps among others."""

    name: str
    conditions: str
    values: Sequence[Any] = ()
    has_times: bool = True
    """False if the order is that of row numbers."""

    @property
    def query(self) -> str:
        """The query for keys; its values are :attr:`values`, the time and the position, and a limit."""
        query = BY_TIME if self.has_times else BY_NUMBER
        return query.format(index=self.name and f"INDEXED BY {self.name}", conditions=self.conditions)


def delivery_page(
    connection: sqlite3.Connection, which: Filter, limit: int, before: Position | None, look_at: int
) -> DeliveryPage:
    """See :meth:`hookctl.store.pages_interface.Overviews.delivery_page`."""
    found: list[DeliveryRow] = []
    sources = keys_of(which)
    looked_at, chunk = 0, limit + 1
    position = before or _start(connection, which, has_times=sources[0].has_times)
    while looked_at < look_at:
        keys = _next_keys(connection, sources, which, position, min(chunk, look_at - looked_at))
        if not keys:
            return DeliveryPage(found, looked_at, None)
        for row in _read(connection, [seq for _, seq in keys], which):
            if len(found) == limit:
                return DeliveryPage(found, looked_at, found[-1].position)
            found.append(row)
        looked_at += len(keys)
        position, chunk = keys[-1], min(4 * chunk, CHUNK)
    return DeliveryPage(found, looked_at, position)


def tally(connection: sqlite3.Connection, which: Filter, limit: int) -> Mapping[str, int]:
    """See :meth:`hookctl.store.pages_interface.Overviews.tally`."""
    sources = keys_of(which)
    reads_rows = which.where or which.cause or which.plan_digest or which.event_type or which.event_id or which.ids
    if reads_rows or not all(source.name in SMALL for source in sources):
        return Counter(one.webhook for one in filters.deliveries(connection, which, limit))
    conditions, values = filters.conditions_of(which)
    found: Counter[str] = Counter()
    for source in sources:
        query = TALLY.format(index=source.name, conditions=" AND ".join([source.conditions, *conditions]))
        rows = connection.execute(query, (*source.values, *values)).fetchall()
        found.update({name: number for name, number in rows if isinstance(name, str)})
    return found


def next_tries(connection: sqlite3.Connection, webhook: str, limit: int) -> list[DeliveryRow]:
    """See :meth:`hookctl.store.pages_interface.Overviews.next_tries`."""
    keys = connection.execute(NEXT_TRIES, (webhook, limit)).fetchall()
    return [*_read(connection, [seq for (seq,) in keys], EVERYTHING)]


def keys_of(which: Filter) -> list[Keys]:
    """The indexes to read: those with the fewest deliveries that do not pass the filter."""
    if which.ids is not None:
        return [Keys("", "d.id IN (SELECT value FROM json_each(?))", [json.dumps(list(which.ids))])]
    if which.event_id is not None:
        return [Keys("deliveries_of_event", filters.EVENT, [which.event_id, which.event_id])]
    if which.group.startswith(("dead-", "retrying-")):
        condition, *values = filters.in_group(which.group)
        if which.webhook is not None:
            condition, values = f"{condition} AND d.webhook = ?", [*values, which.webhook]
        return [Keys("deliveries_by_cause", condition, values, has_times=False)]
    statuses = frozenset(which.statuses or ())
    if which.due_before is not None:
        statuses = statuses & filters.DUE or filters.DUE
    return _of_statuses(statuses) if which.webhook is None else [_of_webhook(which.webhook, statuses)]


def _of_statuses(statuses: frozenset[DeliveryStatus]) -> list[Keys]:
    if statuses and statuses <= LISTED:
        return [
            Keys("deliveries_by_status", f"d.{HAS_STATUS} AND d.status = '{status.value}'")
            for status in sorted(statuses)
        ]
    if statuses and statuses <= filters.DUE:
        return [Keys("deliveries_ready", "d.ready_at IS NOT NULL", has_times=False)]
    return [Keys("deliveries_created", "true")]


def _of_webhook(webhook: str, statuses: frozenset[DeliveryStatus]) -> Keys:
    if statuses == {DeliveryStatus.DEAD}:
        return Keys("deliveries_dead", "d.status = 'dead' AND d.webhook = ?", [webhook])
    if statuses in OF_WEBHOOK:
        index, condition = OF_WEBHOOK[statuses]
        return Keys(index, f"{condition} AND d.webhook = ?", [webhook], has_times=False)
    return Keys("deliveries_of_webhook", "", [webhook], has_times=False)


def _start(connection: sqlite3.Connection, which: Filter, *, has_times: bool) -> Position:
    """The position after the first delivery of a list."""
    if which.until is None:
        return NEWEST
    return (which.until, 0) if has_times else (MAX_TIME, connection.execute(BEFORE, (which.until,)).fetchone()[0])


def _next_keys(
    connection: sqlite3.Connection, sources: Sequence[Keys], which: Filter, before: Position, limit: int
) -> list[tuple[float, int]]:
    """The next keys of all sources together."""
    since = -MAX_TIME if which.since is None else which.since
    keys: list[tuple[float, int]] = []
    for source in sources:
        if source.name == "deliveries_of_webhook":
            first = 0 if which.since is None else connection.execute(SINCE, (which.since,)).fetchone()[0]
            keys += _in_blocks(connection, source.values[0], first, before[1], limit)
        else:
            bounds = (since, *before) if source.has_times else before[1:]
            keys += connection.execute(source.query, (*source.values, *bounds, limit))
    return sorted(keys, reverse=True)[:limit]


def _in_blocks(
    connection: sqlite3.Connection, webhook: str, first: int, before: int, limit: int
) -> list[tuple[float, int]]:
    """The next keys of a webhook, from number ``first`` on."""
    keys: list[tuple[float, int]] = []
    for (block,) in connection.execute(BLOCKS, (before >> BLOCK, first >> BLOCK)):
        keys += connection.execute(IN_BLOCK, (block, webhook, before, limit - len(keys)))
        if len(keys) == limit:
            break
    return keys


def _read(connection: sqlite3.Connection, seqs: Sequence[int], which: Filter) -> Iterator[DeliveryRow]:
    """The deliveries with these row numbers that pass the filter, in this order. Damaged rows are skipped."""
    conditions, values = filters.conditions_of(which)
    if which.cause is not None:
        conditions.append("(a.result IS NULL OR a.result GLOB ? OR a.result GLOB ?)")
        pattern = causes.pattern_of(which.cause)
        values += [pattern, f"{causes.MISMATCH} {pattern}"]
    query = ROWS.format(
        delivery=DELIVERY,
        document="e.document" if which.where else "NULL",
        conditions=" AND ".join([*conditions, READABLE]),
    )
    for row in connection.execute(query, [json.dumps(seqs), *values]):
        *columns, seq, event_type, is_claimed, text, started_at, result, record = row
        last = causes.read(record) if record is not None else None
        if last is not None and not isinstance(result, str):
            started_at, result = last.started_at, causes.result_of(last)
        digest = last.plan_digest if last else ""
        if which.cause is not None and not (isinstance(result, str) and causes.has_cause(result, which.cause)):
            continue
        if not digest.startswith(which.plan_digest):
            continue
        if which.where:
            document = document_or_none(text)
            if document is None or not which.where(document):
                continue
        one = delivery(columns)
        yield DeliveryRow(
            one,
            str(event_type),
            causes.shown(result) if isinstance(result, str) else "",
            started_at if isinstance(started_at, float) else None,
            digest,
            bool(is_claimed),
            (one.created_at, seq),
        )
