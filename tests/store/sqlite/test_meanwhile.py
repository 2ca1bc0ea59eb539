"""What a transaction does meanwhile: while it waits for another's, and while its commit is written. Whatever that does, the transaction is whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, get_ident

import pytest

from hookctl.errors import StateLockedError, StoreError
from hookctl.store.sqlite.connection import Meanwhile, connect, transaction
from hookctl.store.sqlite.migrations import migrate

TABLES = [
    "CREATE TABLE things (id INTEGER PRIMARY KEY); CREATE TABLE parts (thing INTEGER NOT NULL REFERENCES things (id));"
]
PATIENCE = 20.0
both_answers = pytest.mark.parametrize("has_more", [True, False], ids=["more to do", "nothing to do"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "hookctl.db"
    connection = connect(path)
    migrate(connection, "things", TABLES)
    connection.close()
    return path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(path)
    yield connection
    connection.close()


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Holds the write lock."""
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def add(connection: sqlite3.Connection, *things: int) -> None:
    connection.executemany("INSERT INTO things VALUES (?)", [(thing,) for thing in things])


def things(connection: sqlite3.Connection) -> list[int]:
    return [thing for (thing,) in connection.execute("SELECT id FROM things ORDER BY id")]


def write(connection: sqlite3.Connection, meanwhile: Meanwhile, *, fails: bool) -> None:
    """Add two things, and where it ``fails``, a part of no thing, which SQLite refuses only when it is told to commit."""
    with transaction(connection, meanwhile):
        add(connection, 1, 2)
        if fails:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute("INSERT INTO parts VALUES (99)")


class Commit:
    """Has the COMMIT of a connection, once SQLite has begun it, wait until meanwhile was called: most are too fast for that to be sure."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.begun, self.seen, self.thread = Event(), Event(), 0
        connection.set_trace_callback(self._trace)

    def _trace(self, statement: str) -> None:
        if statement == "COMMIT" and not self.begun.is_set():
            self.thread = get_ident()
            self.begun.set()
            self.seen.wait(PATIENCE)


@both_answers
def test_something_else_is_done_while_another_holds_the_lock(
    connection: sqlite3.Connection, other: sqlite3.Connection, has_more: bool
) -> None:
    held: list[bool] = []

    def meanwhile() -> bool:
        held.append(other.in_transaction)
        if len(held) == 3:
            other.execute("COMMIT")
        return has_more

    add(other, 1)
    with transaction(connection, meanwhile):
        assert held == [True] * 3
        assert things(connection) == [1]
        add(connection, 2)
    assert things(other) == [1, 2]


HOLD = """
import sys
from pathlib import Path
from hookctl.store.sqlite.connection import Meanwhile, connect, transaction
connection = connect(Path(sys.argv[1]))
with transaction(connection):
    connection.execute("INSERT INTO things VALUES (1)")
    print("held", flush=True)
    sys.stdin.read(1)
connection.close()
"""


@both_answers
def test_another_process_is_waited_for(path: Path, connection: sqlite3.Connection, has_more: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        stdin = process.stdin
        asked: list[bool] = []

        def meanwhile() -> bool:
            if not asked:
                stdin.write(".")
                stdin.flush()
            asked.append(True)
            return has_more

        with transaction(connection, meanwhile):
            assert asked
            assert things(connection) == [1]
            add(connection, 2)
    assert process.returncode == 0
    assert things(connection) == [1, 2]


@both_answers
def test_patience_ends_whatever_is_done_meanwhile(path: Path, other: sqlite3.Connection, has_more: bool) -> None:
    impatient = connect(path, busy_seconds=0.05)
    with pytest.raises(StateLockedError, match="busy"), transaction(impatient, lambda: has_more):
        pass
    other.execute("COMMIT")
    with transaction(impatient, lambda: has_more):
        add(impatient, 1)
    assert things(other) == [1]
    impatient.close()


def test_an_error_of_something_else_while_another_holds_the_lock_begins_nothing(
    connection: sqlite3.Connection, other: sqlite3.Connection
) -> None:
    entered: list[bool] = []

    def meanwhile() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction(connection, meanwhile):
        entered.append(True)
    assert not entered
    assert not connection.in_transaction
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)
    other.execute("COMMIT")
    with transaction(connection):
        add(connection, 1)
    assert things(other) == [1]


@both_answers
def test_something_else_is_done_while_a_commit_is_under_way(connection: sqlite3.Connection, has_more: bool) -> None:
    commit = Commit(connection)
    threads: set[int] = set()

    def meanwhile() -> bool:
        threads.add(get_ident())
        assert commit.begun.wait(PATIENCE)
        commit.seen.set()
        return has_more

    with transaction(connection, meanwhile):
        add(connection, 1, 2)
        assert not threads
    assert threads == {get_ident()}
    assert commit.thread not in threads
    assert not connection.in_transaction
    assert things(connection) == [1, 2]


@both_answers
def test_a_commit_that_fails_is_an_error_where_the_transaction_is(
    connection: sqlite3.Connection, has_more: bool
) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        write(connection, lambda: has_more, fails=True)
    assert not connection.in_transaction
    assert things(connection) == []
    with transaction(connection, lambda: has_more):
        add(connection, 1)
    assert things(connection) == [1]


@pytest.mark.parametrize("fails", [False, True], ids=["commit succeeds", "commit fails"])
def test_an_error_of_something_else_during_a_commit_leaves_it_whole(
    path: Path, connection: sqlite3.Connection, fails: bool
) -> None:
    commit = Commit(connection)

    def meanwhile() -> bool:
        assert commit.begun.wait(PATIENCE)
        commit.seen.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(connection, meanwhile, fails=fails)
    assert not connection.in_transaction
    kept = [] if fails else [1, 2]
    reader = connect(path)
    assert things(reader) == kept
    with transaction(connection, lambda: True):
        add(connection, 3)
    assert things(reader) == [*kept, 3]
    reader.close()
