"""Takes the turns, and prints the tables."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from dataclasses import dataclass
from statistics import median

from delivery.main import busy_seconds, tell
from delivery.measure import Done as Delivered
from delivery.measure import Group, Job, TurnError, cpu_of, hard_limit, judge
from delivery.work import Site

from scale import ways
from scale.server import Server, place
from scale.ways import Stage, Way

WAYS = (
    Way("postgresql, 1 worker", 1.0, ways.postgres_missing, ways.hookctl(1)),
    Way("postgresql, 2 workers", 1.0, ways.postgres_missing, ways.hookctl(2)),
    Way("postgresql, 4 workers", 1.0, ways.postgres_missing, ways.hookctl(4)),
    Way("sqlite, 1 worker", 1.0, lambda: None, ways.hookctl(1), has_database=False),
    Way("sqlite, 2 workers", 1.0, lambda: None, ways.hookctl(2), has_database=False),
    Way("graphile-worker, 1 worker", 1.0, ways.graphile_missing, ways.graphile(1)),
    Way("graphile-worker, 2 workers", 1.0, ways.graphile_missing, ways.graphile(2)),
    Way("pgqueuer, 1 worker", 0.5, ways.python_missing, ways.python("pgqueuer", 1)),
    Way("procrastinate, 1 worker", 0.1, ways.python_missing, ways.python("procrastinate", 1)),
)
WANTED = (
    ("postgresql, 1 worker", "graphile-worker, 1 worker", 1.0),
    ("postgresql, 1 worker", "pgqueuer, 1 worker", 2.0),
    ("postgresql, 1 worker", "procrastinate, 1 worker", 15.0),
    ("postgresql, 2 workers", "postgresql, 1 worker", 1.2),
)
"""One way's deliveries a second as so many times those of another."""
LIMIT = 120.0
"""Seconds after which a turn is ended."""
PARTS = ("workers", "producer", "server", "nginx")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a way."""

    rate: float
    cpu: dict[str, float]
    """Microseconds a delivery, by part."""
    wal: float
    """Bytes of write-ahead log a delivery."""
    memory: int
    lost: int
    duplicates: int

    @property
    def total(self) -> float:
        """Microseconds a delivery, without nginx."""
        return sum(value for part, value in self.cpu.items() if part != "nginx")


def take_turn(site: Site, server: Server, way: Way, count: int, number: int) -> Turn | str:
    """What it came to, or why it came to nothing."""
    log = site.root / "turn.log"
    log.unlink(missing_ok=True)
    marks: list[tuple[float, int, float]] = []
    job = Job(f"{number}-", max(200, int(count * way.share)))
    try:
        with Group(log) as group, hard_limit(LIMIT):
            stage = Stage(
                site,
                job,
                group,
                server.new_database(number) if way.has_database else "",
                lambda: marks.append((*server.used(), cpu_of(site.sink.process))),
            )
            done = way.turn(stage)
    except (TurnError, TimeoutError, subprocess.CalledProcessError) as error:
        return str(error)
    finally:
        if way.has_database:
            server.drop(number)
    spent = done.workers + done.producer
    judged = judge(job, Delivered(0.0, done.expected, done.receipts, spent), done.memory)
    (server_before, wal_before, nginx_before), (server_after, wal_after, nginx_after) = marks
    seconds = {
        "workers": done.workers,
        "producer": done.producer,
        "server": server_after - server_before if way.has_database else 0.0,
        "nginx": nginx_after - nginx_before,
    }
    delivered = max(1, job.count - judged.lost)
    return Turn(
        judged.rate,
        {part: 1e6 * value / delivered for part, value in seconds.items()},
        (wal_after - wal_before) / delivered,
        done.memory,
        judged.lost,
        judged.duplicates,
    )


def table(turns: dict[str, list[Turn]]) -> str:
    """Markdown: one line a way, medians of its turns."""
    lines = [f"| way | deliveries/s | CPU us | {' us | '.join(PARTS)} us | WAL bytes | MB | lost | twice |"]
    lines.append("| --- |" + " --- |" * (len(PARTS) + 6))
    for name, made in turns.items():
        if not made:
            continue
        cells = [
            f"{median(turn.rate for turn in made):,.0f}",
            f"{median(turn.total for turn in made):,.0f}",
            *(f"{median(turn.cpu[part] for turn in made):,.0f}" for part in PARTS),
            f"{median(turn.wal for turn in made):,.0f}" if made[0].cpu["server"] else "",
            f"{median(turn.memory for turn in made) / 1e6:,.0f}",
            str(sum(turn.lost for turn in made)),
            str(sum(turn.duplicates for turn in made)),
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ratios(turns: dict[str, list[Turn]]) -> list[str]:
    """What is wanted, and what is so: the median of the ratios of the rounds."""
    found = []
    for name, other, wanted in WANTED:
        pairs = list(zip(turns.get(name, []), turns.get(other, []), strict=False))
        if not pairs:
            continue
        is_so = median(one.rate / two.rate for one, two in pairs)
        cpu = median(one.total / two.total for one, two in pairs)
        reached = "yes" if is_so >= wanted else "NO"
        found.append(
            f"{name} is {is_so:.2f} times {other}, wanted {wanted:g}: {reached}; CPU a delivery {cpu:.2f} times"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Workers on PostgreSQL and SQLite beside other queues, against nginx.")
    parser.add_argument("--count", type=int, default=30_000, help="jobs a turn of hookctl; slower ways get fewer")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="parts of names, separated by semicolons")
    arguments = parser.parse_args()
    parts = arguments.only.split(";") if arguments.only else [""]
    asked = [way for way in WAYS if any(part in way.name for part in parts)]
    lacking = {way.name: lack for way in asked if (lack := way.missing())}
    turns: dict[str, list[Turn]] = {way.name: [] for way in asked}
    failed = False
    began, busy = time.monotonic(), busy_seconds()
    with place() as (site, server, group):
        number = 0
        for round_number in range(arguments.rounds):
            for way in asked:
                if way.name in lacking:
                    continue
                tell(f"round {round_number + 1}: {way.name}")
                number += 1
                turn = take_turn(site, server, way, arguments.count, number)
                if isinstance(turn, str):
                    print(f"{way.name}: {turn}")
                    failed = True
                else:
                    turns[way.name].append(turn)
        tell("")
        ours = sum(os.times()[:4]) + group.cpu() + cpu_of(site.sink.process)
    print(table(turns))
    for name, lack in lacking.items():
        print(f"{name}: skipped, {lack} is not installed")
    for line in ratios(turns):
        print(line)
    others = busy_seconds() - busy - ours
    print(
        f"Other programs used {100 * others / ((time.monotonic() - began) * (os.cpu_count() or 1)):.0f} % of the cores."
    )
    if failed or any(turn.lost for made in turns.values() for turn in made):
        raise SystemExit("Something was lost, or did not end.")
