"""The part of the SQLite store that reads and writes whole tables, for copies."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from hookctl.store import causes
from hookctl.store.copying import Part, Position, Row
from hookctl.store.sqlite import applied
from hookctl.store.sqlite.migrations import migrate

COMPONENT = "copying"
SCRIPTS = (
    """
    -- How far a copy into this store is; no row if there is none.
    CREATE TABLE IF NOT EXISTS copy_progress (source TEXT NOT NULL, part TEXT NOT NULL, key TEXT NOT NULL);
    """,
)
READ = {
    ("deliveries", "waits"): "ready_at IS NOT NULL",
    ("applies", "commit_id"): "coalesce((SELECT commit_id FROM commits WHERE commits.serial = applies.serial), '')",
}
"""How columns are read that are not as they are in a row."""
FIRST = """
    SELECT (SELECT min(applied_at) FROM applies), (SELECT id || received_at FROM events ORDER BY seq LIMIT 1),
        (SELECT max(seq) FROM events), (SELECT max(serial) FROM applies)
"""

HAS_DELIVERY = "SELECT 1 FROM deliveries WHERE seq = ?"


class SqliteCopying:
    """A part of :class:`hookctl.store.sqlite.store.SqliteStore`, whose queue has the connection."""

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def copy_id(self) -> str:
        """See :meth:`hookctl.store.copying.Copying.copy_id`."""
        with self._prepared() as connection:
            return hashlib.sha256(repr(connection.execute(FIRST).fetchone()).encode()).hexdigest()

    def read_rows(self, part: Part, after: tuple[Any, ...], limit: int) -> list[Row]:
        """See :meth:`hookctl.store.copying.Copying.read_rows`."""
        columns = ", ".join(READ.get((part.name, name), name) for name in part.columns)
        keys = ", ".join(part.keys)
        where = f"WHERE ({keys}) > ({', '.join('?' * len(part.keys))})" if after else ""
        query = f"SELECT {columns} FROM {part.name} {where} ORDER BY {keys} LIMIT {limit}"  # noqa: S608 - constants
        with self._prepared() as connection:
            rows = connection.execute(query, after).fetchall()
        return [_complete(row) for row in rows] if part.name == "attempts" else rows

    def write_rows(self, part: Part, rows: Sequence[Row], position: Position) -> None:
        """See :meth:`hookctl.store.copying.Copying.write_rows`."""
        with self._prepared(), self._writing() as connection:
            columns, values = part.columns, [list(row) for row in rows]
            if part.name == "applies":
                connection.executemany(
                    "INSERT OR IGNORE INTO commits (serial, commit_id) VALUES (?, ?)",
                    [(row[0], row[-1]) for row in values if row[-1]],
                )
                columns, values = columns[:-1], [[*row[:-2], row[-2] or None] for row in values]
            elif part.name == "attempts":
                values = [row for row in values if connection.execute(HAS_DELIVERY, (row[1],)).fetchone()]
            elif part.name == "deliveries":
                columns = (*columns[:-1], "ready_at")
                due = columns.index("due_at")
                values = [[*row[:-1], row[due] if row[-1] else None] for row in values]
            # A server may have two deliveries with an id, of an event that came again after long. The newest counts.
            verb = "REPLACE" if part.name == "deliveries" else "IGNORE"
            places = ", ".join("?" * len(columns))
            query = f"INSERT OR {verb} INTO {part.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
            connection.executemany(query, values)
            if part.name == "events":
                ids = [(row[1], row[0]) for row in values]
                connection.executemany("INSERT OR REPLACE INTO known_ids (id, event) VALUES (?, ?)", sorted(ids))
            connection.execute("DELETE FROM copy_progress")
            progress = (position.source, position.part, json.dumps(position.key))
            connection.execute("INSERT INTO copy_progress VALUES (?, ?, ?)", progress)

    def copy_position(self) -> Position | None:
        """See :meth:`hookctl.store.copying.Copying.copy_position`."""
        with self._prepared() as connection:
            row = connection.execute("SELECT source, part, key FROM copy_progress").fetchone()
        return Position(row[0], row[1], tuple(json.loads(row[2]))) if row else None

    def end_copy(self, serial: int, counted: tuple[int, int]) -> None:
        """See :meth:`hookctl.store.copying.Copying.end_copy`."""
        with self._prepared(), self._writing() as connection:
            connection.execute("UPDATE reconciled SET serial = ?", (serial,))
            connection.execute("UPDATE counted SET attempt = ?, hour = ?", counted)
            connection.execute("DELETE FROM copy_progress")

    def copy_counters(self) -> tuple[int, tuple[int, int]]:
        """See :meth:`hookctl.store.copying.Copying.copy_counters`."""
        with self._prepared() as connection:
            (serial,) = connection.execute("SELECT serial FROM reconciled").fetchone()
            attempt, hour = connection.execute("SELECT attempt, hour FROM counted").fetchone()
            return serial, (attempt, hour)

    def _prepared(self) -> AbstractContextManager[sqlite3.Connection]:
        """The connection, with every table that is copied: those of the applied state are made by the first apply."""
        with self._reading() as connection:
            migrate(connection, applied.COMPONENT, applied.SCRIPTS)
            migrate(connection, COMPONENT, SCRIPTS)
        return self._reading()


def _complete(row: Row) -> Row:
    """An attempt with what an older hookctl did not store beside its record."""
    seq, delivery, record, started_at, seconds, result, delivered = row
    if result is not None:
        return row
    last = causes.read(str(record).encode())
    if last is None:
        return seq, delivery, record, started_at or 0.0, seconds or 0.0, "", bool(delivered)
    found = causes.result_of(last)
    is_delivered = bool(delivered) or (len(found) == 3 and found.startswith("2"))
    return seq, delivery, record, last.started_at, last.timing.total if last.timing else 0.0, found, is_delivered
