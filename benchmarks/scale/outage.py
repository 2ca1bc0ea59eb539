"""Simulates hookctl on several databases while one large target is down; ``--help`` lists the assumptions.

Everything is reckoned in steps of a minute from the costs that costs.py and run.py measure. A webhook's deliveries are
all in one database.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

STEP = 60.0
PROBE_SECONDS = 300.0
"""The longest wait between two probes of a target whose circuit is open."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Rates are per second."""

    rate: float
    """Deliveries of all webhooks on the database of the large target, in normal times."""
    large: float
    """Those of them that are for the large target."""
    worker: float
    """What one worker makes."""
    workers: int
    database: float
    """Deliveries that the database can take, with everything from the event to the outcome."""
    target: float
    """Requests that the large target accepts after its outage."""
    hours: float
    waiting_bytes: float
    ended_bytes: float
    wal_enqueue: float
    wal_work: float

    @property
    def capacity(self) -> float:
        """Deliveries that the workers and the database can make."""
        return min(self.worker * self.workers, self.database)


@dataclass(frozen=True, slots=True)
class Minute:
    at: float
    """Seconds since the target failed."""
    backlog: float
    large: float
    """Deliveries to the large target, per second."""
    wal: float
    """Bytes of write-ahead log per second."""
    utilization: float
    """The part of the capacity that is in use."""


def simulate(given: Assumptions) -> Iterator[Minute]:
    """From the beginning of the outage until nothing waits for the large target any more."""
    at = backlog = 0.0
    others = given.rate - given.large
    while at < given.hours * 3600 or backlog > 0:
        is_down = at < given.hours * 3600
        # Events go on coming, and deliveries to the others go on: the large target only gets what they leave.
        free = max(0.0, given.capacity - others)
        made = 1 / PROBE_SECONDS if is_down else min(given.target, free, given.large + backlog / STEP)
        backlog = max(0.0, backlog + (given.large - made) * STEP)
        at += STEP
        wal = given.rate * given.wal_enqueue + (others + made) * given.wal_work
        yield Minute(at, backlog, made, wal, (others + made) / given.capacity)
        if not is_down and made <= given.large:
            raise SystemExit("The backlog never ends: there is no capacity beyond the rate of new deliveries.")


def table(given: Assumptions, minutes: list[Minute]) -> Iterator[str]:
    yield "| time | waiting | their bytes | to the large target | of the capacity | WAL |"
    yield "| --- | --- | --- | --- | --- | --- |"
    hours = [minute for minute in minutes if minute.at % 3600 == 0]
    for minute in dict.fromkeys([minutes[0], *hours, minutes[-1]]):
        at = f"{int(minute.at // 3600)}:{int(minute.at % 3600 // 60):02} h"
        size = minute.backlog * given.waiting_bytes / 1e9
        yield (
            f"| {at} | {minute.backlog:,.0f} | {size:,.1f} GB | {minute.large:,.0f}/s | {minute.utilization:.0%} | "
            f"{minute.wal / 1e6:,.0f} MB/s |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="One large target is down for some hours.")
    options = {
        "rate": (5_000, "deliveries/s of its database in normal times"),
        "large": (2_000, "deliveries/s for the large target"),
        "worker": (4_000, "deliveries/s that one worker makes"),
        "workers": (2, "workers of the database"),
        "database": (7_500, "deliveries/s that the database can take"),
        "target": (6_000, "requests/s that the large target accepts after the outage"),
        "hours": (6, "hours for which the target is down"),
        "waiting_bytes": (1_780, "bytes of a delivery that waits, with its event"),
        "ended_bytes": (3_100, "bytes of one that has ended, with its event and its attempt"),
        "wal_enqueue": (2_140, "bytes of write-ahead log to store an event with a delivery"),
        "wal_work": (3_050, "bytes of write-ahead log to claim and finish a delivery"),
    }
    for name, (value, text) in options.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=text)
    given = Assumptions(**vars(parser.parse_args()))
    minutes = list(simulate(given))
    print("\n".join(table(given, minutes)))
    most = max(minute.backlog for minute in minutes)
    down = given.hours * 3600
    print(f"At most {most:,.0f} deliveries wait; they take {most * given.waiting_bytes / 1e9:,.0f} GB.")
    print(f"The backlog is gone {(minutes[-1].at - down) / 3600:.1f} hours after the target is back.")
    print(f"intake.max_waiting must be more than {most:,.0f}, or hookctl refuses events of all webhooks.")


if __name__ == "__main__":
    main()
