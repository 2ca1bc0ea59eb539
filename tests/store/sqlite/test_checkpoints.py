"""The write-ahead log is copied into the file by the store itself."""

from __future__ import annotations

from pathlib import Path

from hookctl.store.sqlite.connection import CHECKPOINT_CHANGES, connect, transaction


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = connect(path)
    with transaction(connection):
        connection.execute("PRAGMA application_id = 1752395627")
        connection.execute("CREATE TABLE t (x)")
    sizes = []
    for _ in range(6):
        with transaction(connection):
            connection.executemany("INSERT INTO t VALUES (?)", [("x" * 200,)] * CHECKPOINT_CHANGES)
        sizes.append(path.with_name("store.db-wal").stat().st_size)
    assert max(sizes) <= 2 * sizes[0]
    assert path.stat().st_size > 5 * CHECKPOINT_CHANGES * 200
    connection.close()


def test_sqlite_makes_none_by_itself(tmp_path: Path) -> None:
    connection = connect(tmp_path / "store.db")
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    connection.close()
