"""The store's file: safe to open, whole after any error, and nobody else's."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import warm
from hookctl.errors import StateLockedError, StoreError
from hookctl.store.sqlite.connection import connect, transaction
from hookctl.store.sqlite.migrations import migrate, table_version

FIRST = (
    "CREATE TABLE things (name TEXT PRIMARY KEY); -- a comment; with semicolons;\nINSERT INTO things VALUES ('a;b');"
)
SECOND = "ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 0;"
needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "hookctl.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_alone(path: Path) -> None:
    connection = connect(path)
    migrate(connection, "things", [FIRST])
    assert {file.name: mode(file) for file in path.parent.iterdir()} == {
        "hookctl.db": 0o600,
        "hookctl.db-wal": 0o600,
        "hookctl.db-shm": 0o600,
    }
    assert mode(path.parent) == 0o700
    connection.close()


def test_commits_are_durable_and_waited_for(path: Path) -> None:
    connection = connect(path, busy_seconds=2.5)
    pragmas = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 2500, "foreign_keys": 1}
    connection.close()


@pytest.mark.parametrize("name", ["a b.db", "a%20b?.db", "ü#.db"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    connect(tmp_path / name).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def interrupted(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("INSERT INTO things VALUES ('b')")
        raise KeyboardInterrupt


def test_a_transaction_is_all_or_nothing(path: Path) -> None:
    connection = connect(path)
    migrate(connection, "things", [FIRST])
    with pytest.raises(KeyboardInterrupt):
        interrupted(connection)
    with pytest.raises(StoreError, match="UNIQUE"), transaction(connection):
        connection.executemany("INSERT INTO things VALUES (?)", [("b",), ("b",)])
    with transaction(connection):
        connection.execute("INSERT INTO things VALUES ('c')")
    assert connection.execute("SELECT name FROM things ORDER BY name").fetchall() == [("a;b",), ("c",)]
    connection.close()


def test_a_second_writer_waits_and_then_says_that_the_store_is_busy(path: Path) -> None:
    first, second = connect(path), connect(path, busy_seconds=0.05)
    with transaction(first), pytest.raises(StateLockedError, match="busy"), transaction(second):
        pass
    with transaction(second):
        pass
    first.close()
    second.close()


def test_tables_are_made_once_and_brought_up_to_date(path: Path) -> None:
    connection = connect(path)
    assert table_version(connection, "things") == 0
    migrate(connection, "things", [FIRST])
    migrate(connection, "things", [FIRST])
    assert table_version(connection, "things") == 1
    migrate(connection, "things", [FIRST, SECOND])
    migrate(connection, "others", ["CREATE TABLE others (id INTEGER);"])
    assert (table_version(connection, "things"), table_version(connection, "others")) == (2, 1)
    assert connection.execute("SELECT * FROM things").fetchall() == [("a;b", 0)]
    connection.close()


def test_a_script_that_fails_leaves_nothing(path: Path) -> None:
    connection = connect(path)
    with pytest.raises(StoreError):
        migrate(connection, "things", [FIRST, "CREATE TABLE things (again);"])
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()


def test_tables_of_a_newer_hookctl_are_left_alone(path: Path) -> None:
    connection = connect(path)
    migrate(connection, "things", [FIRST, SECOND])
    with pytest.raises(StoreError, match="things tables have version 2, this hookctl knows 1") as caught:
        migrate(connection, "things", [FIRST])
    assert "Upgrade" in caught.value.hint
    connection.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and long enough to be taken for a header " * 20)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="damaged or is not a database") as caught:
        connect(path)
    assert "--store" in caught.value.hint
    assert path.read_bytes() == before


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE users (name)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        connect(path)
    assert path.read_bytes() == before


def test_a_damaged_database(path: Path) -> None:
    connection = connect(path)
    migrate(connection, "things", ["CREATE TABLE things (name TEXT);"])
    with transaction(connection):
        connection.executemany("INSERT INTO things VALUES (?)", [("x" * 1000,)] * 50)
    connection.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 40_000)
    with pytest.raises(StoreError, match="damaged"):
        migrate(connect(path), "things", ["SELECT 1;", "SELECT count(name) FROM things;"])


def test_a_directory_in_the_files_place(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        connect(tmp_path)


def test_a_file_in_the_directorys_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        connect(tmp_path / "file" / "hookctl.db")


@needs_permissions
def test_what_may_not_be_opened(path: Path) -> None:
    connect(path).close()
    path.chmod(0)
    with pytest.raises(StoreError) as caught:
        connect(path)
    assert "permissions" in caught.value.hint
    path.parent.chmod(0o500)
    with pytest.raises(StoreError):
        connect(path.parent / "other.db")
    path.parent.chmod(0o700)


MAKE = """
import sys
from pathlib import Path
from hookctl.store.sqlite.connection import connect; from hookctl.store.sqlite.migrations import migrate
sys.stdin.read(1)
connection = connect(Path(sys.argv[1]))
migrate(connection, "things", [sys.argv[2]])
connection.close()
"""


def test_processes_that_make_the_file_at_the_same_moment(path: Path) -> None:
    command = [sys.executable, "-c", MAKE, str(path), FIRST]
    processes = [warm.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(".")
        process.stdin.flush()
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 6
    connection = connect(path)
    assert connection.execute("SELECT name FROM things").fetchall() == [("a;b",)]
    connection.close()
