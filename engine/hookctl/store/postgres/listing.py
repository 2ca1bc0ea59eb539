"""Lists deliveries a page at a time, newest first.

Keys are read from indexes, a chunk at a time. The deliveries of a chunk are then read, and the rest of the filter
decides on them. A partitioned table has its keys in order, too: PostgreSQL merges the indexes of the partitions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hookctl.model import DeliveryStatus
from hookctl.store import causes
from hookctl.store.overviews import DeliveryPage, DeliveryRow, Position
from hookctl.store.postgres import filters
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.reading import DELIVERY, delivery
from hookctl.store.records import EVERYTHING, MAX_TIME, Filter
from hookctl.store.texts import document_or_none

CHUNK = 1_000
"""The most deliveries that one statement looks at. The first one looks at a page, which may be enough."""
NEWEST: Position = (2 * MAX_TIME, (1 << 63) - 1)
"""A position after every delivery's."""
S = DeliveryStatus
BY_TIME = """
    SELECT d.created_at, d.seq FROM {table} d
    WHERE {conditions} AND d.created_at >= %s AND (d.created_at, d.seq) < (%s, %s)
    ORDER BY d.created_at DESC, d.seq DESC LIMIT %s
"""
BY_NUMBER = """
    SELECT 0.0::float8, d.seq FROM {table} d WHERE {conditions} AND d.seq < %s ORDER BY d.seq DESC LIMIT %s
"""
"""For an index without times. Row numbers grow with time."""
ROWS = """
    SELECT {delivery}, d.seq, e.event_type, d.owner IS NOT NULL, {document}, a.started_at, a.result, a.record
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS k (seq, place)
    JOIN deliveries d ON d.seq = k.seq JOIN events e ON e.seq = d.event
    LEFT JOIN LATERAL (
        SELECT started_at, result, record FROM attempts WHERE delivery = d.seq ORDER BY seq DESC LIMIT 1
    ) a ON true
    WHERE {conditions} ORDER BY k.place
"""
TALLY = "SELECT d.webhook, count(*) FROM {table} d WHERE {conditions} GROUP BY d.webhook"
NEXT_TRIES = "SELECT seq FROM live WHERE webhook = %s AND ready_at IS NOT NULL ORDER BY ready_at, seq LIMIT %s"
AROUND = 1_000
BEFORE = f"""
    SELECT coalesce(max(seq) + 1, 0) FROM (
        SELECT seq FROM deliveries WHERE created_at < %s ORDER BY created_at DESC, seq DESC LIMIT {AROUND}
    ) found
"""  # noqa: S608 - constants
"""The row number before which deliveries of a time are. Several are looked at, since a clock may have been set."""


class Keys(NamedTuple):
    """A table with an index that has the deliveries of a filter, perhaps among others."""

    table: str
    conditions: str
    values: Sequence[Any] = ()
    has_times: bool = True
    """False if the order is that of row numbers."""

    @property
    def query(self) -> str:
        """The query for keys; its values are :attr:`values`, the time and the position, and a limit."""
        query = BY_TIME if self.has_times else BY_NUMBER
        return query.format(table=self.table, conditions=self.conditions)


def delivery_page(
    connection: Connection, which: Filter, limit: int, before: Position | None, look_at: int
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


def tally(connection: Connection, which: Filter, limit: int) -> Mapping[str, int]:
    """See :meth:`hookctl.store.pages_interface.Overviews.tally`."""
    sources = keys_of(which)
    reads_rows = which.where or which.cause or which.plan_digest or which.event_type or which.event_id or which.ids
    if reads_rows or any(source.table == "deliveries" and not which.group for source in sources):
        return Counter(one.webhook for one in filters.deliveries(connection, which, limit))
    conditions, values = filters.conditions_of(which)
    found: Counter[str] = Counter()
    for source in sources:
        query = TALLY.format(table=source.table, conditions=" AND ".join([source.conditions, *conditions]))
        found.update(dict(connection.execute(query, [*source.values, *values]).fetchall()))
    return found


def next_tries(connection: Connection, webhook: str, limit: int) -> list[DeliveryRow]:
    """See :meth:`hookctl.store.pages_interface.Overviews.next_tries`."""
    keys = connection.execute(NEXT_TRIES, (webhook, limit)).fetchall()
    return [*_read(connection, [seq for (seq,) in keys], EVERYTHING)]


def keys_of(which: Filter) -> list[Keys]:
    """The tables to read: those with the fewest deliveries that do not pass the filter."""
    if which.ids is not None:
        return [Keys("deliveries", "d.id = ANY(%s)", [[*which.ids]])]
    if which.event_id is not None:
        return [Keys("deliveries", filters.EVENT, [which.event_id])]
    if which.group:
        condition, *values = filters.in_group(which.group)
        return [Keys("deliveries", condition, values, has_times=False)]
    statuses = frozenset(which.statuses or S)
    if which.due_before is not None:
        statuses = statuses & filters.DUE or filters.DUE
    only = ("", []) if which.webhook is None else (" AND d.webhook = %s", [which.webhook])
    found = [
        Keys("ended", f"d.status = '{status.value}'{only[0]}", only[1])
        for status in sorted(statuses & {S.DEAD, S.CANCELLED})
    ]
    if statuses & (filters.UNENDED | {S.CANCELLED}):
        found.append(Keys("live", f"d.status = ANY(%s){only[0]}", [[*statuses], *only[1]]))
    if S.DELIVERED not in statuses:
        return found
    if which.webhook is None:
        return [Keys("deliveries", "true")]
    return [Keys("deliveries", "d.webhook = %s", only[1], has_times=False)]


def _start(connection: Connection, which: Filter, *, has_times: bool) -> Position:
    """The position after the first delivery of a list."""
    if which.until is None:
        return NEWEST
    if has_times:
        return which.until, 0
    (number,) = connection.execute(BEFORE, (which.until,)).fetchone() or (0,)
    return MAX_TIME, number


def _next_keys(
    connection: Connection, sources: Sequence[Keys], which: Filter, before: Position, limit: int
) -> list[tuple[float, int]]:
    """The next keys of all sources together."""
    since = -MAX_TIME if which.since is None else which.since
    keys: list[tuple[float, int]] = []
    for source in sources:
        bounds = (since, *before) if source.has_times else before[1:]
        keys += connection.execute(source.query, (*source.values, *bounds, limit)).fetchall()
    return sorted(keys, reverse=True)[:limit]


def _read(connection: Connection, seqs: Sequence[int], which: Filter) -> Iterator[DeliveryRow]:
    """The deliveries with these row numbers that pass the filter, in this order."""
    conditions, values = filters.conditions_of(which)
    query = ROWS.format(
        delivery=DELIVERY,
        document="e.document" if which.where else "NULL",
        conditions=" AND ".join(conditions),
    )
    for row in connection.execute(query, [list(seqs), *values]):
        *columns, seq, event_type, is_claimed, text, started_at, result, record = row
        if which.cause is not None and not (result is not None and causes.has_cause(result, which.cause)):
            continue
        last = causes.read(record.encode()) if record is not None else None
        digest = last.plan_digest if last else ""
        if not digest.startswith(which.plan_digest):
            continue
        if which.where:
            document = document_or_none(text)
            if document is None or not which.where(document):
                continue
        one = delivery(columns)
        shown = causes.shown(result) if result is not None else ""
        position = (one.created_at, seq)
        yield DeliveryRow(one, event_type, shown, started_at, digest, is_claimed, position)
