"""Takes the turns, and prints the table."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from delivery import nginx, report
from delivery.measure import Group, Job, Turn, TurnError, hard_limit, judge
from delivery.ways import alertmanager, celery, end_to_end, loops, node
from delivery.work import Site, Way


def needs(module: str) -> Callable[[], str | None]:
    return lambda: None if find_spec(module) else module


WAYS = (
    Way("hookctl", 1.0, lambda: None, end_to_end.send(1)),
    Way("hookctl-2", 1.0, lambda: None, end_to_end.send(2)),
    Way("pycurl", 3.0, needs("pycurl"), loops.loop("pycurl")),
    Way("post", 0.03, needs("requests"), loops.loop("requests.post")),
    Way("session", 0.1, needs("requests"), loops.loop("requests.Session")),
    Way("celery", 0.05, celery.missing, celery.work(keep=False)),
    Way("celery-session", 0.1, celery.missing, celery.work(keep=True)),
    Way("graphile-worker", 0.7, node.missing("graphile-worker", node.postgres), node.work("graphile")),
    Way("bullmq", 0.5, node.missing("bullmq", node.redis_server), node.work("bullmq")),
    Way("alertmanager", 0.5, alertmanager.missing, alertmanager.notify("https")),
    Way("alertmanager-plain", 0.5, alertmanager.missing, alertmanager.notify("http")),
)
BUDGET = 300.0
"""Seconds after which no further turn begins."""
LIMIT = 40.0
"""Seconds after which a turn is ended, and its way given up."""


def take_turn(site: Site, way: Way, job: Job) -> Turn | str:
    """What it came to, or why it came to nothing."""
    log = site.root / f"{way.name}.log"
    log.unlink(missing_ok=True)
    try:
        with Group(log) as group, hard_limit(LIMIT):
            done = way.turn(site, job, group)
            peak = group.peak()
    except (TurnError, TimeoutError, subprocess.CalledProcessError) as error:
        return str(error)
    return judge(job, done, peak)


def take_turns(site: Site, ways: list[Way], count: int, rounds: int, seconds: float) -> dict[str, report.Row]:
    """Every way in every round: as fast as it goes, then at half that pace."""
    rows = {way.name: report.Row(way.name) for way in ways}
    until = time.monotonic() + BUDGET
    for number in range(rounds):
        for half_load in (False, True):
            for way in ways:
                row = rows[way.name]
                rate = row.rate / 2 if half_load else None
                if row.failed or time.monotonic() > until:
                    continue
                tell(f"{'half load' if half_load else 'full speed'}, round {number + 1}: {way.name}")
                events = max(100, int(rate * seconds if rate else count * way.share))
                row.add(take_turn(site, way, Job(f"{way.name}-{int(half_load)}-{number}-", events, rate)))
    tell("")
    return rows


def tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"{text:<60}", end="\r", file=sys.stderr, flush=True)


def busy_seconds() -> float:
    """How long all cores together have worked, on anything, since the machine started."""
    user, nice, system, _idle, _iowait, interrupts, soft_interrupts = map(
        int, Path("/proc/stat").read_text(encoding="ascii").split()[1:8]
    )
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def terminated(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - as signal calls it
    raise SystemExit(128 + number)  # so that everything that was started is ended


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Deliveries by hookctl beside its peers, against nginx over TLS on loopback."
    )
    parser.add_argument(
        "--count",
        type=int,
        default=20_000,
        help="events a turn of hookctl; the others get as many as they do in about the same time",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn at half load lasts")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(way.name for way in WAYS)}")
    arguments = parser.parse_args()
    if nginx.program() is None:
        raise SystemExit("nginx is not installed; see install.sh")
    names = arguments.only.split(",") if arguments.only else [way.name for way in WAYS]
    if unknown := set(names) - {way.name for way in WAYS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    asked = [way for way in WAYS if way.name in names]
    lacking = {way.name: missing for way in asked if (missing := way.missing())}
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, terminated)
    began, busy, ours = time.monotonic(), busy_seconds(), sum(os.times()[:4])
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        root.chmod(0o755)  # nginx's worker is another user when nginx is started by root
        (root / "nginx").mkdir()
        with nginx.sink(root / "nginx") as sink:
            rows = take_turns(
                Site(sink, root),
                [way for way in asked if way.name not in lacking],
                arguments.count,
                arguments.rounds,
                arguments.seconds,
            )
    print(report.table(rows))
    for name, missing in lacking.items():
        print(f"{name}: skipped, {missing} is not installed")
    for line in report.verdicts(rows):
        print(line)
    others = busy_seconds() - busy - (sum(os.times()[:4]) - ours)
    print(
        f"Other programs took {100 * others / ((time.monotonic() - began) * (os.cpu_count() or 1)):.0f} % "
        f"of the {os.cpu_count()} cores meanwhile."
    )
    if any(row.lost or row.failed for row in rows.values()):
        raise SystemExit("Something was lost, or did not end.")
