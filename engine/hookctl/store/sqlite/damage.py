"""Rows that cannot be read: a cell holds what hookctl never writes there, because of a bad disk or of someone's hand.

Whoever reads a table passes over such a row, so that it holds up nothing else. Here they are found and named.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from hookctl.store.records import Damaged

TEXT = "typeof({0}) = 'text'"
WHOLE = "typeof({0}) = 'integer'"
TIME = "{0} BETWEEN -1e12 AND 1e12"
"""Seconds that a calendar has a name for. In SQLite, text and blobs are greater than every number."""
OBJECT = "CASE WHEN typeof({0}) = 'text' AND json_valid({0}) THEN json_type({0}) = 'object' ELSE 0 END"
"""A JSON object. ``json_type`` alone would raise an error for what is not JSON."""


def optional(condition: str) -> str:
    """The condition, or NULL."""
    return f"({{0}} IS NULL OR {condition})"


def one_of(values: type) -> str:
    """One of the texts of an enumeration."""
    return f"{{0}} IN ({', '.join(repr(str(value)) for value in values)})"  # type: ignore[attr-defined]


def find_damaged(connection: sqlite3.Connection, table: str, key: str, columns: Mapping[str, str]) -> Iterator[Damaged]:
    """The damaged rows of one table, in order of ``key``, each with the first column that is wrong. Reads the whole table.

    ``columns`` gives for each column the condition that its values meet: SQL with ``{0}`` for the column.
    """
    whens = " ".join(
        f"WHEN ({condition.format(column)}) IS NOT TRUE THEN '{column}'" for column, condition in columns.items()
    )
    query = (
        f"SELECT key, wrong FROM (SELECT {key} AS key, CASE {whens} END AS wrong FROM {table}) WHERE wrong IS NOT NULL"  # noqa: S608 - fixed texts
    )
    for row, wrong in connection.execute(query):
        yield Damaged(table, _shown(row), f"{wrong} holds what hookctl never writes there")


def _shown(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)
