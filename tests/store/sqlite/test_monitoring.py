"""What the SQLite store reports is read from indexes, in stores of an earlier version too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from hookctl.store.sqlite import monitoring, queue_tables
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.store import SqliteStore
from hookctl.store.sqlite.workers import Worker

QUERIES = {
    "to try": (monitoring.TO_TRY.format(""), ()),
    "retrying": (monitoring.RETRYING.format(""), ()),
    "held": (monitoring.HELD.format(""), ()),
    "dead": (monitoring.DEAD.format(""), ()),
    "created": (monitoring.CREATED, ("[1]",)),
    "reasons": (monitoring.DEAD_REASONS, ("A", 10)),
    "why held": (queue_tables.HELD, ()),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_every_delivery_or_sorts_them(tmp_path: Path, name: str) -> None:
    SqliteStore(tmp_path / "hookctl.db").close()
    query, values = QUERIES[name]
    with sqlite3.connect(tmp_path / "hookctl.db") as connection:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert steps
    assert [step for step in steps if "TEMP B-TREE" in step] == []
    reads = [step for step in steps if "deliveries" in step or step.startswith("SEARCH d ")]
    assert reads
    assert [step for step in reads if "USING" not in step] == []


def test_a_store_of_an_earlier_version_gets_the_index(tmp_path: Path) -> None:
    path = tmp_path / "hookctl.db"
    index = "deliveries_retrying"
    added = next(number for number, script in enumerate(queue_tables.SCRIPTS) if index in script)
    earlier = connect(path)
    migrate(earlier, queue_tables.COMPONENT, queue_tables.SCRIPTS[:added])
    earlier.execute("INSERT INTO events VALUES (1, 'e', 'anomaly', 1.0, 1.0, '{}')")
    earlier.execute(
        "INSERT INTO deliveries (seq, id, event, webhook, status, attempts, created_at, due_at, ready_at)"
        " VALUES (1, 'd', 1, 'A', 'retrying', 1, 5.0, 9.0, 9.0)"
    )
    earlier.close()
    store = SqliteStore(path)
    assert store.backlogs()["A"].retrying == 1
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (index,)).fetchone()


def test_a_store_under_another_name_has_the_same_workers(tmp_path: Path) -> None:
    path = tmp_path / "hookctl.db"
    store = SqliteStore(path)
    worker, other = Worker(path), Worker(tmp_path / "hookctl.db-2")
    worker.start()
    other.start()
    assert store.live_workers() == 1
    worker.close()
    other.close()
    store.close()


def test_what_a_killed_worker_leaves_is_not_alive(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    (tmp_path / "hookctl.db-worker-0123456789abcdef").touch()
    (tmp_path / "hookctl.db-worker-of another program").touch()
    assert store.live_workers() == 0
    store.close()


def test_a_damaged_row_spoils_no_count(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    with sqlite3.connect(tmp_path / "hookctl.db") as connection:
        connection.execute("INSERT INTO events VALUES (1, 'e', 'anomaly', 1.0, 1.0, '{}', NULL)")
        rows: list[tuple[object, ...]] = [
            ("a", "A", "waiting", 5.0, 7.0),
            ("b", b"\xff", "waiting", 5.0, 7.0),
            ("c", "C", "held", "then", None),
        ]
        rows += [("d", "D", "waiting", 5.0, "soon"), ("e", "E", "unheard-of", 5.0, None)]
        connection.executemany(
            "INSERT INTO deliveries (id, event, webhook, status, created_at, ready_at, due_at)"
            " VALUES (?, 1, ?, ?, ?, ?, 1.0)",
            rows,
        )
    found = store.backlogs()
    assert found.keys() == {"A", "C", "D"}
    assert (found["A"].oldest_at, found["A"].due_at) == (5.0, 7.0)
    assert (found["C"].held, found["C"].oldest_at) == (1, None)
    assert (found["D"].waiting, found["D"].due_at) == (1, None)
    store.close()
