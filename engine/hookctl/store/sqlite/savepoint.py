"""Undoing a part of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[Callable[[], object]]:
    """Give a function that undoes what the transaction has done since the block began."""
    connection.execute("SAVEPOINT batch")
    yield lambda: connection.execute("ROLLBACK TO batch")
    connection.execute("RELEASE batch")
