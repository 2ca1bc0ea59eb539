"""Finds the rows that cannot be read: a cell contains what hookctl never writes there, after a disk error or an edit.

Code that reads a table skips such a row, so that it affects nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from hookctl.store.records import Damaged

TEXT = "typeof({0}) = 'text'"
WHOLE = "typeof({0}) = 'integer'"
TIME = "{0} BETWEEN -1e12 AND 1e12"
"""Epoch seconds that can be shown as a date. In SQLite, text and blobs are greater than every number."""
OBJECT = "CASE WHEN typeof({0}) = 'text' AND json_valid({0}) THEN json_type({0}) = 'object' ELSE 0 END"
"""A JSON object. ``json_type`` by itself would raise an error for text that is not JSON."""


def optional(condition: str) -> str:
    """The condition, or NULL."""
    return f"({{0}} IS NULL OR {condition})"


def one_of(values: type) -> str:
    """One of the texts of an enumeration."""
    return f"{{0}} IN ({', '.join(repr(str(value)) for value in values)})"  # type: ignore[attr-defined]


def find_damaged(connection: sqlite3.Connection, table: str, key: str, columns: Mapping[str, str]) -> Iterator[Damaged]:
    """The damaged rows of one table, in order of its key, each with the first column that is wrong.

    Reads the whole table.

    Args:
        connection: to the store.
        table: the table's name.
        key: SQL for the value that identifies a row.
        columns: for each column, the condition that its values meet: SQL with ``{0}`` for the column.
    """
    whens = " ".join(
        f"WHEN ({condition.format(column)}) IS NOT TRUE THEN '{column}'" for column, condition in columns.items()
    )
    checked = f"SELECT {key} AS key, CASE {whens} END AS wrong FROM {table}"  # noqa: S608  # fixed texts
    query = f"SELECT key, wrong FROM ({checked}) WHERE wrong IS NOT NULL"  # noqa: S608  # fixed texts
    for row, wrong in connection.execute(query):
        yield Damaged(table, _shown(row), f"{wrong} contains a value that hookctl never writes there")


def _shown(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)
