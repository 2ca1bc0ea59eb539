"""What only the SQLite queue promises: about files, dead processes and damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import warm
from hookctl.errors import StoreError
from hookctl.model import Event
from hookctl.store.records import NewDelivery, Routed
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.queue import SqliteQueue

CLAIM_AND_HANG = """
import sys, time
from pathlib import Path
from hookctl.store.sqlite.queue import SqliteQueue
import warm
claims = SqliteQueue(Path(sys.argv[1])).claim(2.0, 10, 3600.0, {"A": 10})
print(len(claims), flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_had_claimed_is_free_at_once(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    queue = SqliteQueue(path)
    queue.enqueue([Routed(Event("e1", "anomaly", 1.0, {"id": "e1"}), (NewDelivery("e1-A", "A"),))], 1.0)
    with warm.Popen([sys.executable, "-c", CLAIM_AND_HANG, str(path)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        assert queue.claim(2.0, 10, 60.0, {"A": 10}) == []
        assert list(tmp_path.glob("queue.db-worker-*"))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    queue.close()
    queue = SqliteQueue(path)
    assert [claimed.delivery.id for claimed in queue.claim(2.0, 10, 60.0, {"A": 10})] == ["e1-A"]
    assert queue.claimed_elsewhere() == 0
    queue.close()
    assert [file.name for file in tmp_path.iterdir()] == ["queue.db"]


def test_files_are_for_their_owner_alone_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "store" / "queue.db"
    queue = SqliteQueue(path)
    queue.enqueue([Routed(Event("e1", "anomaly", 1.0, {"id": "e1"}), (NewDelivery("e1-A", "A"),))], 1.0)
    queue.claim(2.0, 10, 60.0, {"A": 10})
    assert {os.stat(file).st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}  # noqa: PTH116 - stat of each file that there is
    queue.close()
    assert [file.name for file in path.parent.iterdir()] == ["queue.db"]


def test_the_claim_reads_an_index_and_no_more(tmp_path: Path) -> None:
    SqliteQueue(tmp_path / "queue.db").close()
    values = ("w", 1.0, 1.0, 1.0, "A", 1.0, 1.0, 1)
    with sqlite3.connect(tmp_path / "queue.db") as connection:
        claim = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {tables.CLAIM}", values)]
        ready = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {tables.READY}")]
    connection.close()
    assert "SEARCH deliveries USING INDEX deliveries_ready (webhook=? AND ready_at<?)" in claim
    assert [step for step in claim + ready if step.startswith("SCAN deliveries")] == []


def test_a_store_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    connection = connect(tmp_path / "queue.db")
    migrate(connection, tables.COMPONENT, tables.SCRIPTS[:1])
    connection.execute("INSERT INTO events VALUES (1, 'e1', 'anomaly', 1.0, 1.0, '{}')")
    connection.execute(
        "INSERT INTO deliveries (id, event, webhook, status, created_at, due_at, ready_at) "
        "VALUES ('e1-A', 1, 'A', 'waiting', 1.0, 1.0, 1.0)"
    )
    connection.close()
    queue = SqliteQueue(tmp_path / "queue.db")
    assert [claimed.delivery.id for claimed in queue.claim(2.0, 10, 60.0, {"A": 10})] == ["e1-A"]
    assert queue.enqueue([Routed(Event(name, "anomaly", 1.0, {"id": name}), ()) for name in ("e1", "e2")], 1.0) == [
        False,
        True,
    ]
    queue.close()
    with closing(sqlite3.connect(tmp_path / "queue.db")) as found:
        assert found.execute("PRAGMA foreign_key_check").fetchall() == []
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("merged", [1, 3, 1000])
def test_an_id_is_known_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged: int) -> None:
    monkeypatch.setattr(tables, "MERGE_IDS", merged)
    queue = SqliteQueue(tmp_path / "queue.db")

    def enqueue(*names: str) -> list[bool]:
        return queue.enqueue([Routed(Event(name, "anomaly", 1.0, {"id": name}), ()) for name in names], 1.0)

    names = [f"e{number}" for number in range(10)]
    for at in range(0, 10, 2):
        assert enqueue(*names[at : at + 2], names[at // 2]) == [True, True, False]
    assert enqueue(*names) == [False] * 10
    assert queue.prune(2.0, 4) == 4
    assert enqueue(*names, names[0]) == [True] * 4 + [False] * 7
    queue.close()


def test_a_damaged_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    SqliteQueue(path).close()
    damaged = b"\xff" * 100 + path.read_bytes()[100:]
    path.write_bytes(damaged)
    with pytest.raises(StoreError):
        SqliteQueue(path)
    assert path.read_bytes() == damaged


def test_errors_of_the_store_are_store_errors(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    queue.close()
    with pytest.raises(StoreError):
        queue.counts()
    with pytest.raises(StoreError):
        queue.enqueue([], 1.0)


def test_an_attempt_that_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    queue.enqueue([Routed(Event("e1", "anomaly", 1.0, {"id": "e1"}), (NewDelivery("e1-A", "A"),))], 1.0)
    queue._connection.execute("INSERT INTO attempts (delivery, record) VALUES (1, '{}')")
    assert queue.attempts("e1-A") == []
    assert [(one.table, one.row) for one in queue.damaged()] == [("attempts", "1")]
    queue.close()
