"""The queue's own statements through the standard library's sqlite3 and through APSW, by size of commit.

Figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.connection import CACHE_KIB, connect
from hookctl.store.sqlite.enqueuing import NewRow
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.rows import insert_statement
from hookctl.store.texts import document_from_text
from hookctl.testing.events import generate


@dataclass(frozen=True, slots=True)
class Backend:
    """A connection to a store, by one of the packages."""

    execute: Callable[..., Any]
    executemany: Callable[..., Any]
    close: Callable[[], None]


ATTEMPT = json.dumps(
    {
        "plan_digest": "d" * 64,
        "number": 1,
        "request": {"method": "POST", "body": "x" * 600},
        "response": {"status": 200, "body": "ok"},
    }
)


def standard(path: Path) -> Backend:
    connection = connect(path)
    return Backend(connection.execute, connection.executemany, connection.close)


def apsw(path: Path) -> Backend:
    connection = import_module("apsw").Connection(str(path))  # not a dependency: pip install apsw
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{CACHE_KIB}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return Backend(connection.execute, connection.executemany, connection.close)


def enqueue(backend: Backend, batch: Sequence[tuple[int, str]]) -> None:
    backend.execute("BEGIN IMMEDIATE")
    events = [(seq, f"e{seq}", "anomaly", 1.0, 1.0, document) for seq, document in batch]
    backend.executemany(insert_statement("events", tables.EVENT_COLUMNS), events)
    rows = [NewRow(seq, f"d{seq}", seq, "A", 1.0, 1.0, 1.0, ready_at=1.0) for seq, _ in batch]
    backend.executemany(insert_statement("deliveries", NewRow._fields), rows)
    backend.execute("COMMIT")


def claim(backend: Backend, count: int) -> list[tuple[int, int]]:
    backend.execute("BEGIN IMMEDIATE")
    taken = list(backend.execute(tables.CLAIM, ("w", 60.0, 60.0, 60.0, "A", 2.0, 1.0, count)))
    events = json.dumps([row[2] for row in taken])
    if any(not document_from_text(text) for _, _, text in backend.execute(tables.EVENTS, (events,))):
        raise SystemExit("an event is empty")
    backend.execute("COMMIT")
    return [(row[0], row[9]) for row in taken]


def finish(backend: Backend, claims: Sequence[tuple[int, int]]) -> None:
    backend.execute("BEGIN IMMEDIATE")
    for lease in {lease for _, lease in claims}:
        keys = json.dumps([key for key, of_it in claims if of_it == lease])
        backend.execute(tables.END, ("delivered", "", 1, 3.0, keys, lease, "w", "A"))
    backend.executemany(insert_statement("attempts", ("delivery", "record")), [(key, ATTEMPT) for key, _ in claims])
    backend.execute("COMMIT")


def measure(open_backend: Callable[[Path], Backend], size: int, documents: Sequence[str]) -> tuple[float, float]:
    """Events stored a second, and deliveries claimed and finished a second, in commits of ``size``."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "queue.db"
        made = connect(path)
        migrate(made, tables.COMPONENT, tables.SCRIPTS)
        made.close()
        backend = open_backend(path)
        rows = list(enumerate(documents, 1))
        start = time.perf_counter()
        for at in range(0, len(rows), size):
            enqueue(backend, rows[at : at + size])
        stored, start = time.perf_counter() - start, time.perf_counter()
        while claims := claim(backend, size):
            finish(backend, claims)
        worked = time.perf_counter() - start
        (delivered,) = next(iter(backend.execute("SELECT count(*) FROM deliveries WHERE status = 'delivered'")))
        backend.close()
        if delivered != len(rows):
            raise SystemExit(f"{delivered} of {len(rows)} were delivered")
        return len(rows) / stored, len(rows) / worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    backends = {"sqlite3": standard, "apsw": apsw}
    package = import_module("apsw")
    print(
        f"sqlite3: SQLite {sqlite3.sqlite_version}; "
        f"apsw {package.apsw_version()}: SQLite {package.sqlite_lib_version()}"
    )
    print(f"{'commit of':>10} {'backend':>8} {'stored/s':>10} {'claimed and finished/s':>24}")
    for size in (1, 10, 100, 1000):
        documents = [json.dumps(event) for event in generate(min(20_000, 1000 * size))]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in backends}
        for _ in range(rounds):
            for name, backend in backends.items():  # in turns, so that a slow moment of the machine strikes both alike
                found[name].append(measure(backend, size, documents))
        for name, rates in found.items():
            stored, worked = (statistics.median(values) for values in zip(*rates, strict=True))
            print(f"{size:>10,} {name:>8} {stored:>10,.0f} {worked:>24,.0f}")


if __name__ == "__main__":
    main()
