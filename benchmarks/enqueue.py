"""What it costs to enqueue, beside plain SQLite inserts of the same bytes; and how soon a runner picks an event up.

Figures: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import hookctl
from hookctl.delivery.event_queue import EventQueue
from hookctl.model import Json
from hookctl.testing.events import generate
from hookctl.testing.receiver import Receiver

HOOKCTL = str(Path(sys.executable).parent / "hookctl")
BATCHES = (1, 10, 100, 500)
WEBHOOK = """\
name: Bench
event: anomaly
url: https://siem.example.com/ingest
body_template: '{"id": "{{ id }}"}'
"""
IDLE_SECONDS = 10.0
TICKS = os.sysconf("SC_CLK_TCK")


class Plain:
    """One table, and one commit for each batch, with nothing checked, routed or recognized."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, document TEXT NOT NULL)")

    def enqueue(self, events: Sequence[Mapping[str, Json]]) -> None:
        rows = [(json.dumps(event, ensure_ascii=False, separators=(",", ":")),) for event in events]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO events (document) VALUES (?)", rows)
        self._connection.execute("COMMIT")


def measure_cost(queue: EventQueue, plain: Plain, size: int, rounds: int, first: int) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU and of wall-clock time for one event: the medians of batches that take turns."""
    events = [dict(event) for event in generate(size)]
    found: dict[str, list[tuple[float, float]]] = {"hookctl": [], "SQLite": []}
    for number in range(rounds):
        batch = [{**event, "id": f"b{size}-{first + number}-{index}"} for index, event in enumerate(events)]
        for name, enqueue in (("hookctl", queue.enqueue), ("SQLite", plain.enqueue)):
            cpu, wall = time.process_time(), time.perf_counter()
            enqueue(batch)
            found[name].append(((time.process_time() - cpu) / size * 1e6, (time.perf_counter() - wall) / size * 1e6))
    return {
        name: (statistics.median(cpu for cpu, _ in times), statistics.median(wall for _, wall in times))
        for name, times in found.items()
    }


@contextmanager
def runner(root: Path, receiver: Receiver) -> Iterator[subprocess.Popen[bytes]]:
    options = ["--connect-to", f"siem.example.com:443:{receiver.address}:{receiver.port}", "--cacert", receiver.ca_file]
    process = subprocess.Popen([HOOKCTL, "run", *options], cwd=root, stdout=subprocess.DEVNULL)
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait()


def measure_pick_up(queue: EventQueue, receiver: Receiver, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the call and from the return of ``enqueue`` until the receiver has the request, sorted."""
    found, after = [], []
    for event in generate(count):
        time.sleep(0.123)  # in no rhythm with the runner's own looks
        before, start = receiver.count, time.perf_counter()
        queue.enqueue([{**event, "id": f"pick-up-{time.time_ns()}"}])
        stored = time.perf_counter()
        while receiver.count == before:
            time.sleep(0.0002)
        found.append((time.perf_counter() - start) * 1e3)
        after.append((time.perf_counter() - stored) * 1e3)
    return sorted(found), sorted(after)


def idle_cost(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Percent of one CPU, and wake-ups per second, of a runner with nothing to do."""

    def read() -> tuple[float, int]:
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
        switches = next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))
        return (int(fields[11]) + int(fields[12])) / TICKS, switches

    (cpu, switches), start = read(), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    (cpu_after, switches_after), seconds = read(), time.perf_counter() - start
    return (cpu_after - cpu) / seconds * 100, (switches_after - switches) / seconds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=200, help="batches of each size")
    arguments.add_argument("--count", type=int, default=100, help="events whose pick-up is timed")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory, Receiver() as receiver:
        root = Path(directory)
        (root / "webhooks.d").mkdir()
        (root / "webhooks.d/bench.yaml").write_text(WEBHOOK, encoding="utf-8")
        subprocess.run([HOOKCTL, "apply", "--auto-approve"], cwd=root, stdout=subprocess.DEVNULL, check=True)
        plain = Plain(root / "plain.db")
        with hookctl.open_queue(f"sqlite:///{root}/.hookctl/hookctl.db") as queue:
            print("| events in a batch | CPU us for one event | plain SQLite | ratio | wall us | plain SQLite |")
            for size in BATCHES:
                measure_cost(queue, plain, size, 5, 0)  # unmeasured: caches
                costs = measure_cost(queue, plain, size, given.rounds, 5)
                (cpu, wall), (plain_cpu, plain_wall) = costs["hookctl"], costs["SQLite"]
                print(
                    f"| {size} | {cpu:.0f} | {plain_cpu:.0f} | {cpu / plain_cpu:.1f} | {wall:.0f} | {plain_wall:.0f} |"
                )
        (root / ".hookctl/hookctl.db").unlink()
        for end in ("-wal", "-shm"):
            (root / f".hookctl/hookctl.db{end}").unlink(missing_ok=True)
        subprocess.run([HOOKCTL, "apply", "--auto-approve"], cwd=root, stdout=subprocess.DEVNULL, check=True)
        with (
            runner(root, receiver) as process,
            hookctl.open_queue(f"sqlite:///{root}/.hookctl/hookctl.db") as queue,
        ):
            time.sleep(2)
            measure_pick_up(queue, receiver, 3)  # unmeasured: imports, the first connection
            for since, times in zip(("call", "return"), measure_pick_up(queue, receiver, given.count), strict=True):
                middle, most = times[len(times) // 2], times[int(len(times) * 0.99)]
                print(f"pick-up since the {since} of enqueue, in ms: p50 {middle:.1f}, p99 {most:.1f}")
            cpu, switches = idle_cost(process)
            print(f"idle runner: {cpu:.1f} % of a CPU, {switches:.0f} wake-ups per second")


if __name__ == "__main__":
    main()
