"""The queue's own statements through the standard library's sqlite3 and through APSW, by size of commit. Figures: benchmarks/README.md."""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from hookctl.queue import tables
from hookctl.store import connect, migrate
from hookctl.testing.events import generate

Execute = Callable[..., Any]
ATTEMPT = json.dumps({"plan_digest": "d" * 64, "number": 1, "request": {"method": "POST", "body": "x" * 600}, "response": {"status": 200, "body": "ok"}})


def standard(path: Path) -> tuple[Execute, Callable[[], None]]:
    connection = connect(path)
    return connection.execute, connection.close


def apsw(path: Path) -> tuple[Execute, Callable[[], None]]:
    connection = import_module("apsw").Connection(str(path))  # not a dependency: pip install apsw
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection.execute, connection.close


def enqueue(execute: Execute, batch: Sequence[tuple[int, str]]) -> None:
    execute("BEGIN IMMEDIATE")
    for seq, document in batch:
        execute(tables.ADD_EVENT, (f"e{seq}", "anomaly", 1.0, 1.0, document))
        execute(tables.ADD_DELIVERY, (f"d{seq}", seq, "A", "waiting", "", 1.0, 1.0, 1.0, 1.0))
    execute("COMMIT")


def claim(execute: Execute, count: int) -> list[tuple[str, int]]:
    execute("BEGIN IMMEDIATE")
    values = {"owner": "w", "until": 60.0, "ends": 60.0, "monotonic": 1.0, "webhook": "A", "now": 2.0, "count": count}
    taken = [row[0] for row in execute(tables.CLAIM, values).fetchall()]
    claims = [(row[0], row[8]) for row in execute(tables.CLAIMED, (json.dumps(taken),)).fetchall() if json.loads(row[10])]
    execute("COMMIT")
    return claims


def finish(execute: Execute, claims: Sequence[tuple[str, int]]) -> None:
    execute("BEGIN IMMEDIATE")
    for name, lease in claims:
        values = {"id": name, "lease": lease, "owner": "w", "status": "delivered", "reason": "", "attempts": 1, "now": 3.0}
        if not execute(tables.END, values).fetchall():
            raise SystemExit(f"{name} was lost")
        execute(tables.ADD_ATTEMPT, (ATTEMPT, name))
    execute("COMMIT")


def measure(backend: Callable[[Path], tuple[Execute, Callable[[], None]]], size: int, documents: Sequence[str]) -> tuple[float, float]:
    """Events stored a second, and deliveries claimed and finished a second, in commits of ``size``."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "queue.db"
        made = connect(path)
        migrate(made, tables.COMPONENT, tables.SCRIPTS)
        made.close()
        execute, close = backend(path)
        rows = list(enumerate(documents, 1))
        start = time.perf_counter()
        for at in range(0, len(rows), size):
            enqueue(execute, rows[at : at + size])
        stored, start = time.perf_counter() - start, time.perf_counter()
        while claims := claim(execute, size):
            finish(execute, claims)
        worked = time.perf_counter() - start
        close()
        return len(rows) / stored, len(rows) / worked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    backends = {"sqlite3": standard, "apsw": apsw}
    package = import_module("apsw")
    print(f"sqlite3: SQLite {sqlite3.sqlite_version}; apsw {package.apsw_version()}: SQLite {package.sqlite_lib_version()}")
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
