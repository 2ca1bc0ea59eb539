"""Takes the rounds, and prints the table."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import cast

from delivery.main import tell, terminated
from delivery.measure import Group, Job, TurnError, hard_limit, with_children
from delivery.nginx import Sink
from delivery.work import Site

from kills.programs import PROGRAMS, Entry
from kills.target import PAUSE, Target, target

START_SECONDS = 60.0
"""The longest that a third of the deliveries may take."""
HEADINGS = ("name", "in flight", "came again", "after s", "last s", "missing", "lost", "twice")


@dataclass
class Row:
    """What all rounds of one program came to."""

    entry: Entry
    rounds: int = 0
    given: int = 0
    """Events that were acknowledged."""
    in_flight: int = 0
    """Those of them whose requests had arrived at the kill, and could not be answered."""
    waits: list[float] = field(default_factory=list)
    """Seconds from the restart to the answer of those in flight that came by themselves."""
    last: float = 0.0
    """Seconds from a restart to the last answer within the patience, of all that were acknowledged."""
    missing: int = 0
    """Those that were not answered within the patience after the restart."""
    lost: int = 0
    """Those that were not answered at all."""
    twice: int = 0
    """Answers beyond the first."""

    def cells(self) -> tuple[str, ...]:
        wait = f"{median(self.waits):.1f}" if self.waits else ""
        missing = f"{self.missing} of {self.given}"
        numbers = (self.in_flight, len(self.waits), wait, f"{self.last:.1f}", missing, self.lost, self.twice)
        return (self.entry.name, *map(str, numbers))


def take_round(site: Site, sink: Target, job: Job, patience: float, row: Row) -> None:
    """Kill and restart a program once. Raises TurnError if it does not deliver at all."""
    sink.forget()
    with Group(site.root / f"{job.prefix}.log") as group:
        program = row.entry.make(site, group)
        program.give(job)
        process = program.start()
        until = time.monotonic() + START_SECONDS
        while len(sink.answered) < job.count / 3:
            if time.monotonic() > until:
                raise TurnError(f"only {len(sink.answered)} of {job.count} deliveries were made: {group.last_words()}")
            time.sleep(0.01)
        time.sleep(PAUSE * (row.rounds * 0.37 % 1))  # and not always just after an answer
        row.rounds += 1
        kill(process)
        time.sleep(5 * PAUSE)  # the target finds out which requests it cannot answer any more
        given = program.given()
        in_flight = {name for name, _ in sink.received if name in set(given)} - {name for name, _ in sink.answered}
        restart = time.time()
        process = program.start()
        row.missing += len(unanswered(sink, given, patience))
        answers = first_answers(sink)
        row.waits += [at - restart for name, at in answers.items() if name in in_flight]
        row.last = max(row.last, max(answers.values()) - restart)
        if row.entry.later:
            if program.later():
                kill(process)
                program.start()
            unanswered(sink, given, patience)
        time.sleep(10 * PAUSE)  # what comes twice may come now
        row.given += len(given)
        row.in_flight += len(in_flight)
        row.lost += len(set(given) - set(first_answers(sink)))
        row.twice += len(sink.answered) - len(first_answers(sink))


def kill(process: subprocess.Popen[bytes]) -> None:
    """Send SIGKILL to a program and to all processes that it has started, as when its machine or container dies."""
    pids = with_children([process.pid])
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def first_answers(sink: Target) -> dict[str, float]:
    """When each event was answered first."""
    return dict(reversed(sink.answered))


def unanswered(sink: Target, ids: Collection[str], seconds: float) -> set[str]:
    """The events that are not answered after so many seconds. Returns as soon as there are none."""
    until = time.monotonic() + seconds
    while missing := set(ids) - {name for name, _ in sink.answered}:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return missing


def main() -> None:
    parser = argparse.ArgumentParser(description="What becomes of deliveries when a program is killed and restarted.")
    parser.add_argument("--count", type=int, default=600, help="events in a round; a third is delivered at the kill")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=120.0, help="seconds in which deliveries come by themselves")
    parser.add_argument("--only", help=f"comma-separated: {', '.join(entry.name for entry in PROGRAMS)}")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else [entry.name for entry in PROGRAMS]
    if unknown := set(names) - {entry.name for entry in PROGRAMS}:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, terminated)
    lines, notes = [HEADINGS, tuple("---" for _ in HEADINGS)], []
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        root.chmod(0o755)  # PostgreSQL is another user when it is started by root
        with target(root) as sink:
            site = Site(cast("Sink", sink), root)  # the ways use its URL, port and CA file only
            for entry in (entry for entry in PROGRAMS if entry.name in names):
                if missing := entry.missing():
                    notes.append(f"{entry.name}: skipped, {missing} is not installed")
                    continue
                row = Row(entry)
                for number in range(arguments.rounds):
                    tell(f"round {number + 1}: {entry.name}")
                    job = Job(f"{entry.name}-{number}-", arguments.count)
                    try:
                        with hard_limit(START_SECONDS + 3 * arguments.patience):
                            take_round(site, sink, job, arguments.patience, row)
                    except (TurnError, TimeoutError, subprocess.CalledProcessError) as error:
                        notes.append(f"{entry.name}: {error}")
                        break
                if row.given:
                    lines.append(row.cells())
                if row.missing and entry.later:
                    notes.append(f"{entry.name}: what is lost is not there {entry.later} either")
    tell("")
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    print("\n".join(notes))
