"""The part of the PostgreSQL store that reads and writes whole tables, for copies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hookctl.store.copying import Part, Position, Row
from hookctl.store.postgres.connection import Connection
from hookctl.store.postgres.generations import BITS, begin
from hookctl.store.postgres.queue import PostgresQueue

READ = {
    ("deliveries", "waits"): "ready_at IS NOT NULL",
    ("tokens", "scopes"): "to_json(scopes)::text",
    ("tokens", "event_types"): "to_json(event_types)::text",
    ("tokens", "secrets"): "to_json(secrets)::text",
}
"""How columns are read that are not as they are in a row."""
TEXTS = "ARRAY(SELECT json_array_elements_text(%s::json))"
WRITE = {
    ("tokens", "scopes"): TEXTS,
    ("tokens", "secrets"): TEXTS,
    ("tokens", "event_types"): f"CASE WHEN %s::text IS NOT NULL THEN {TEXTS} END",
    ("renames", "taken"): "%s::int::boolean",
    ("attempts", "delivered"): "%s::int::boolean",
    ("applies", "state_digest"): "coalesce(%s, '')",
    ("applies", "commit_id"): "coalesce(%s, '')",
}
"""How values are written that a column does not take as they are. The value of an event type is given twice."""
PROGRESS = "CREATE TABLE IF NOT EXISTS copy_progress (source text, part text, key text)"
ADD_DELIVERY = """
    INSERT INTO deliveries (
        seq, id, event, webhook, status, attempts, reason, created_at, due_at, set_at, lease, planned, replayed_at,
        cause, ready_at, ended
    )
    SELECT seq, id, event, webhook, status, attempts, reason, created_at, due_at, set_at, lease, planned, replayed_at,
        cause, CASE WHEN waits::int = 1 THEN due_at END, status IN ('delivered', 'dead', 'cancelled')
    FROM (VALUES (
        %s::bigint, %s, %s::bigint, %s, %s, %s::int, %s, %s::float8, %s::float8, %s::float8, %s::int, %s, %s::float8,
        %s::int, %s::int
    )) AS d (
        seq, id, event, webhook, status, attempts, reason, created_at, due_at, set_at, lease, planned, replayed_at,
        cause, waits
    )
    ON CONFLICT DO NOTHING
"""
SEQUENCES = """
    SELECT setval('attempt_numbers', greatest(1, (SELECT max(seq) FROM attempts))),
        setval(pg_get_serial_sequence('audit', 'seq'), greatest(1, (SELECT max(seq) FROM audit))),
        setval(pg_get_serial_sequence('tokens', 'seq'), greatest(1, (SELECT max(seq) FROM tokens))),
        setval(pg_get_serial_sequence('causes', 'id'), greatest(1, (SELECT max(id) FROM causes)))
"""
HIGHEST = "SELECT greatest((SELECT max(seq) FROM events), (SELECT max(seq) FROM deliveries), 0)"
NEWEST = "SELECT max(number) FROM generations"


class PostgresCopying(PostgresQueue):
    """A part of :class:`hookctl.store.postgres.store.PostgresStore`."""

    def copy_id(self) -> str:
        """See :meth:`hookctl.store.copying.Copying.copy_id`."""
        return self._store

    def read_rows(self, part: Part, after: tuple[Any, ...], limit: int) -> list[Row]:
        """See :meth:`hookctl.store.copying.Copying.read_rows`."""
        columns = ", ".join(READ.get((part.name, name), name) for name in part.columns)
        keys = ", ".join(part.keys)
        where = f"WHERE ({keys}) > ({', '.join(['%s'] * len(part.keys))})" if after else ""
        query = f"SELECT {columns} FROM {part.name} {where} ORDER BY {keys} LIMIT {limit}"  # noqa: S608 - constants
        return self._read(lambda connection: [*connection.execute(query, after).fetchall()])

    def write_rows(self, part: Part, rows: Sequence[Row], position: Position) -> None:
        """See :meth:`hookctl.store.copying.Copying.write_rows`."""
        self._write(_write_rows, part, rows, position)

    def copy_position(self) -> Position | None:
        """See :meth:`hookctl.store.copying.Copying.copy_position`."""
        return self._read(_position)

    def end_copy(self, serial: int, counted: tuple[int, int]) -> None:
        """See :meth:`hookctl.store.copying.Copying.end_copy`."""
        self._write(_end, serial, counted)

    def copy_counters(self) -> tuple[int, tuple[int, int]]:
        """See :meth:`hookctl.store.copying.Copying.copy_counters`."""

        def read(connection: Connection) -> tuple[int, tuple[int, int]]:
            (serial,) = connection.execute("SELECT serial FROM reconciled").fetchone() or (0,)
            attempt, hour = connection.execute("SELECT attempt, hour FROM counted").fetchone() or (0, 0)
            return serial, (attempt, hour)

        return self._read(read)


def _write_rows(connection: Connection, part: Part, rows: Sequence[Row], position: Position) -> None:
    with connection.cursor() as cursor:
        if part.name == "deliveries":
            cursor.executemany(ADD_DELIVERY, [[*row[:-1], int(row[-1])] for row in rows])
        elif rows:
            values = ", ".join(WRITE.get((part.name, name), "%s") for name in part.columns)
            query = f"INSERT INTO {part.name} ({', '.join(part.columns)}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
            cursor.executemany(query, [_values(part, row) for row in rows])
    connection.execute(PROGRESS)
    connection.execute("DELETE FROM copy_progress")
    connection.execute(
        "INSERT INTO copy_progress VALUES (%s, %s, %s)", (position.source, position.part, json.dumps(position.key))
    )


def _values(part: Part, row: Row) -> list[Any]:
    values: list[Any] = []
    for name, value in zip(part.columns, row, strict=True):
        given = int(value) if (part.name, name) in {("renames", "taken"), ("attempts", "delivered")} else value
        values += [given] * WRITE.get((part.name, name), "%s").count("%s")
    return values


def _position(connection: Connection) -> Position | None:
    row = connection.execute("SELECT to_regclass('copy_progress') IS NOT NULL").fetchone()
    if not row or not row[0]:
        return None
    found = connection.execute("SELECT source, part, key FROM copy_progress").fetchone()
    return Position(found[0], found[1], tuple(json.loads(found[2]))) if found else None


def _end(connection: Connection, serial: int, counted: tuple[int, int]) -> None:
    connection.execute("UPDATE reconciled SET serial = %s", (serial,))
    connection.execute("UPDATE counted SET attempt = %s, hour = %s", counted)
    connection.execute(SEQUENCES)
    (highest,) = connection.execute(HIGHEST).fetchone() or (0,)
    (newest,) = connection.execute(NEWEST).fetchone() or (0,)
    if highest >> BITS >= newest:  # new rows must have greater numbers
        begin(connection, (highest >> BITS) + 1)
    connection.execute("DROP TABLE IF EXISTS copy_progress")
