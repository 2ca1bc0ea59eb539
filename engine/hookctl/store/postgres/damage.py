"""The rows that cannot be read, for ``doctor`` to name. What reads the tables passes over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hookctl.errors import StoreError
from hookctl.store.postgres.connection import Connection
from hookctl.store.records import Damaged
from hookctl.store.texts import attempt_from_text, document_from_text, plan_from_text

CHUNK = 1_000
TEXTS: tuple[tuple[str, str, str, Callable[[str], object]], ...] = (
    ("events", "seq", "document", document_from_text),
    ("attempts", "seq", "record", attempt_from_text),
    ("plans", "digest", "document", plan_from_text),
)
"""Tables with texts that hookctl parses: the key, the column, and what reads it. Types are the server's business."""
LOST = """
    SELECT d.id FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = d.event) ORDER BY d.seq
"""


def damaged(connection: Connection) -> list[Damaged]:
    """See :meth:`hookctl.store.interface.Upkeep.damaged`."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        lost = connection.execute(LOST).fetchall()
    found = [Damaged("deliveries", name, "its event is missing") for (name,) in lost]
    for table, key, column, read in TEXTS:
        found += _unreadable(connection, table, key, column, read)
    return found


def _unreadable(
    connection: Connection, table: str, key: str, column: str, read: Callable[[str], object]
) -> Iterator[Damaged]:
    for row, text in _rows(connection, table, key, column):
        try:
            read(text)
        except (KeyError, TypeError, ValueError, RecursionError, AttributeError, StoreError) as error:
            yield Damaged(table, str(row), f"{column} cannot be read: {type(error).__name__}")


def _rows(connection: Connection, table: str, key: str, column: str) -> Iterator[tuple[Any, str]]:
    """Every row of a table, in chunks, so that they need not all be in memory."""
    last: Any = None
    while True:
        condition = f"WHERE {key} > %s" if last is not None else ""
        values = () if last is None else (last,)
        query = f"SELECT {key}, {column} FROM {table} {condition} ORDER BY {key} LIMIT {CHUNK}"  # noqa: S608 - constants
        rows = connection.execute(query, values).fetchall()
        yield from rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]
