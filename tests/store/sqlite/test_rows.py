"""Adding many rows with few statements: all of them, in their order, or none that breaks a rule unnoticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from hookctl.store.sqlite.rows import CHUNKS, add_rows

COUNTS = sorted({0, 1, *(size + more for size in CHUNKS for more in (-1, 0, 1)), 2 * sum(CHUNKS) + 5})


@pytest.mark.parametrize("count", COUNTS)
def test_every_row_comes_in(count: int) -> None:
    rows = [(number, f"r{number}", None if number % 3 else b"x") for number in range(count)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        add_rows(connection, "things", ("id", "name", "data"), rows)
        assert connection.execute("SELECT id, name, data FROM things ORDER BY rowid").fetchall() == rows


def test_a_row_that_breaks_a_rule_is_an_error() -> None:
    rows = [(number % 200,) for number in range(201)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        with pytest.raises(sqlite3.IntegrityError):
            add_rows(connection, "things", ("id",), rows)
