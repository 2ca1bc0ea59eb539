"""The store's writer: commits are made on its thread while the caller goes on. Whatever happens, each is whole."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, get_ident

import pytest

import warm
from hookctl import model
from hookctl.errors import StateLockedError, StoreError
from hookctl.store.records import Batch, NewDelivery, Routed
from hookctl.store.sqlite.connection import connect, transaction
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.store.writer import Writer

TABLES = [
    "CREATE TABLE things (id INTEGER PRIMARY KEY); CREATE TABLE parts (thing INTEGER NOT NULL REFERENCES things (id));"
]
PATIENCE = 20.0


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
def writer() -> Iterator[Writer]:
    writer = Writer()
    yield writer
    writer.close()


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Holds the write lock."""
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


def adding(connection: sqlite3.Connection, *things: int, fails: bool = False) -> Callable[[], int]:
    """Adds things in a transaction, and gives its thread.

    Where it ``fails``, it adds a part of no thing, too, which SQLite refuses only when it is told to commit.
    """

    def add() -> int:
        with transaction(connection):
            connection.executemany("INSERT INTO things VALUES (?)", [(thing,) for thing in things])
            if fails:
                connection.execute("PRAGMA defer_foreign_keys = ON")
                connection.execute("INSERT INTO parts VALUES (99)")
        return get_ident()

    return add


def things(connection: sqlite3.Connection) -> list[int]:
    return [thing for (thing,) in connection.execute("SELECT id FROM things ORDER BY id")]


def test_a_commit_waits_for_another_process_and_its_caller_does_not(
    writer: Writer, connection: sqlite3.Connection, other: sqlite3.Connection
) -> None:
    future = writer.submit(adding(connection, 2))
    assert not future.done()
    other.execute("INSERT INTO things VALUES (1)")
    other.execute("COMMIT")
    assert future.result(PATIENCE) != get_ident()
    assert things(other) == [1, 2]


HOLD = """
import sys
from pathlib import Path
from hookctl.store.sqlite.connection import connect, transaction
connection = connect(Path(sys.argv[1]))
with transaction(connection):
    connection.execute("INSERT INTO things VALUES (1)")
    print("held", flush=True)
    sys.stdin.read(1)
connection.close()
"""


def test_another_process_is_waited_for(path: Path, writer: Writer, connection: sqlite3.Connection) -> None:
    with warm.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        future = writer.submit(adding(connection, 2))
        assert not future.done()
        process.stdin.write(".")
        process.stdin.flush()
        future.result(PATIENCE)
    assert process.returncode == 0
    assert things(connection) == [1, 2]


def test_patience_ends(path: Path, writer: Writer, other: sqlite3.Connection) -> None:
    with closing(connect(path, busy_seconds=0.05)) as impatient:
        assert isinstance(writer.submit(adding(impatient, 1)).exception(PATIENCE), StateLockedError)
        other.execute("COMMIT")
        writer.submit(adding(impatient, 1)).result(PATIENCE)
        assert things(other) == [1]


def test_a_commit_that_fails_is_an_error_of_its_future_and_the_next_one_goes_on(
    writer: Writer, connection: sqlite3.Connection
) -> None:
    failed, made = writer.submit(adding(connection, 1, fails=True)), writer.submit(adding(connection, 2))
    with pytest.raises(StoreError, match="FOREIGN KEY"):
        failed.result(PATIENCE)
    made.result(PATIENCE)
    assert not connection.in_transaction
    assert things(connection) == [2]


def test_whoever_waits_for_the_writer_sees_all_that_was_submitted(
    writer: Writer, connection: sqlite3.Connection
) -> None:
    go_on = Event()
    writer.submit(lambda: go_on.wait(PATIENCE))
    for thing in range(50):
        writer.submit(adding(connection, thing, fails=thing % 2 == 1))
    go_on.set()
    writer.wait()
    assert things(connection) == [*range(0, 50, 2)]


def test_closing_waits_for_what_was_submitted(connection: sqlite3.Connection) -> None:
    writer = Writer()
    futures = [writer.submit(adding(connection, thing)) for thing in range(20)]
    writer.close()
    assert all(future.done() for future in futures)
    assert things(connection) == [*range(20)]
    assert "hookctl-commit" not in {thread.name for thread in threading.enumerate()}


def test_a_machine_without_a_thread_runs_nothing(
    writer: Writer, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        with pytest.raises(StoreError, match="cannot be written"):
            writer.submit(adding(connection, 1))
    writer.submit(adding(connection, 2)).result(PATIENCE)
    assert things(connection) == [2]


def test_every_method_of_a_queue_waits_for_the_commit_in_flight(tmp_path: Path) -> None:
    event = model.Event("e1", "anomaly", 1.0, {"id": "e1"})
    with closing(SqliteQueue(tmp_path / "queue.db")) as queue:
        with closing(connect(tmp_path / "queue.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            future = queue.submit(Batch(now=1.0, events=[Routed(event, (NewDelivery("e1-A", "A"),))]))
            assert not future.done()
            threading.Timer(0.05, other.execute, ["ROLLBACK"]).start()
            assert [one.delivery.id for one in queue.claim(2.0, 10, 60.0, {"A": 1})] == ["e1-A"]
        assert future.done()
