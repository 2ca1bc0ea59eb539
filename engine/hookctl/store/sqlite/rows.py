"""Adding many rows with few statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

CHUNKS = (128, 32, 8)
"""Rows that one statement adds. There are few sizes, so each statement is compiled once and kept."""


def add_rows(connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert ``rows``, each of which has a value for each of ``columns``.

    Python lets other threads run whenever it enters SQLite, and must wait for its turn afterwards. On the writer's
    thread, while the runner is busy, that costs more than a row does, so one statement adds many rows.
    """
    start = 0
    for size in CHUNKS:
        statement = insert_statement(table, tuple(columns), size)
        while len(rows) - start >= size:
            connection.execute(statement, [*chain.from_iterable(rows[start : start + size])])
            start += size
    connection.executemany(insert_statement(table, tuple(columns)), rows[start:])


@lru_cache
def insert_statement(table: str, columns: tuple[str, ...], size: int = 1) -> str:
    """The statement that adds ``size`` rows with these columns."""
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([row] * size)}"  # noqa: S608  # constants
