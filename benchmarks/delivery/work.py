"""What every way delivers, the body of about 600 bytes that a webhook makes of an event, and at what pace."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from delivery.measure import Done, Group, Job
from delivery.nginx import Sink
from hookctl.plugin.host import load_plugins
from hookctl.template import compile_body
from hookctl.testing.events import generate

TICK = 0.005
"""Seconds between two gifts of events at a steady pace."""
TEMPLATE = """\
{
  "event": "{{ id }}",
  "event_type": "{{ event_type }}",
  "time": {{ event_time }},
  "severity": "{{ data.severity }}",
  "title": "{{ data.title }}",
  "text": "{{ data.description }}",
  "request": {{ data.request }},
  "requester": "{{ data.requester.email }}",
  "integration": {{ data.integration }}
}
"""
POOL = 997
"""So many events differ; beyond that only their ids and times do."""


@dataclass(frozen=True)
class Site:
    """Where a turn takes place."""

    sink: Sink
    root: Path

    @cached_property
    def body(self) -> Path:
        """A file with the body that hookctl makes of the first event, for those that make none."""
        path = self.root / "body.json"
        path.write_bytes(compile_body(TEMPLATE, load_plugins().filters).render(next(generate(1))))
        return path

    @cached_property
    def _pool(self) -> list[tuple[str, str, str]]:
        """Events as lines of JSON, cut where their id and their time belong."""
        lines = (json.dumps({**event, "id": "<id>", "event_time": "<time>"}) + "\n" for event in generate(POOL))
        return [
            (before, between, after) for before, between, after in (re.split(r'<id>|"<time>"', line) for line in lines)
        ]

    def lines(self, ids: Sequence[str]) -> list[bytes]:
        """An event for each id, as a line of JSON; a millisecond lies between two."""
        pool, now = self._pool, time.time()
        found = []
        for number, name in enumerate(ids):
            before, between, after = pool[number % POOL]
            found.append(f"{before}{name}{between}{now + number / 1000:.3f}{after}".encode())
        return found


@dataclass(frozen=True, slots=True)
class Way:
    """One way to deliver."""

    name: str
    share: float
    """How many events it gets a turn, as a share of hookctl's, so that all turns take about as long."""
    missing: Callable[[], str | None]
    """What it needs and is not installed."""
    turn: Callable[[Site, Job, Group], Done]


def at_pace(job: Job, give: Callable[[int, int], object]) -> float:
    """Give all events, from the first up to the last of each gift, at the job's pace or all at once.

    Returns when it began, in epoch seconds.
    """
    start = time.time()
    for first, last in _gifts(job, start):
        give(first, last)
    return start


def _gifts(job: Job, start: float) -> Iterator[tuple[int, int]]:
    given = 0
    while given < job.count:
        due = job.count if job.rate is None else min(job.count, 1 + int((time.time() - start) * job.rate))
        if due > given:
            yield given, due
            given = due
        else:
            time.sleep(TICK)
