"""How late scheduled retries are while 100,000 deliveries wait; ``--help`` lists the options."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from hookctl.model import DeliveryStatus
from hookctl.store.opening import open_store
from hookctl.store.records import Claimed, Outcome, Result, Routed

if TYPE_CHECKING:
    from hookctl.store.interface import Store

BATCH = 1000
LATER = 3600.0
"""Seconds until those are due that only wait."""
LEAD = 6.0
"""Seconds until the first is due: the workers have started by then."""


def plan_retries(store: Store, routed: Sequence[Routed], waiting: int, rate: float) -> dict[str, float]:
    """Let all fail once; ``waiting`` are due much later, and the others at this rate. When each of those is due."""
    from scale.costs import attempt

    failed = attempt("{}")
    due: dict[str, float] = {}
    held: list[Claimed] = []
    for first in range(0, len(routed), BATCH):
        store.enqueue(routed[first : first + BATCH], time.time())
        held += store.claim(time.time(), BATCH, 600.0, {"Bench": BATCH})
    for first in range(0, waiting, BATCH):
        part, at = held[first : min(waiting, first + BATCH)], time.time() + LATER
        store.finish([_retry(one, failed, at) for one in part], time.time())
    start = time.time() + LEAD
    results = []
    for number, one in enumerate(held[waiting:]):
        due[one.delivery.id] = start + number / rate
        results.append(_retry(one, failed, due[one.delivery.id]))
    store.finish(results, time.time())
    return due


def _retry(claimed: Claimed, failed: object, at: float) -> Result:
    return Result(claimed, failed, Outcome(DeliveryStatus.RETRYING, "503", due_at=at), 1, None)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description="How late scheduled retries are made while many wait.")
    parser.add_argument("--waiting", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=500.0, help="retries that are due per second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    from delivery.ways import end_to_end
    from delivery.ways.end_to_end import HOOKCTL, event_id

    from scale.costs import routed_events
    from scale.server import place

    with place() as (site, server, group):
        url = server.new_database(1)
        project = end_to_end.new_project(site, url)
        store = open_store(url, create=False)
        assert store is not None
        count = int(arguments.waiting + arguments.rate * arguments.seconds)
        routed = routed_events(site, [event_id(str(number)) for number in range(count)])
        due = plan_retries(store, routed, arguments.waiting, arguments.rate)
        for number in range(arguments.workers):
            with (project / f"{number}.log").open("wb") as log:
                group.start(HOOKCTL, "run", cwd=project, env=end_to_end.environment(), stdout=log)
        receipts = site.sink.receipts(list(due), LEAD + 20)
        late = sorted(at - due[name] for name, at in receipts if name in due)
        store.close()
    if len(late) < len(due):
        raise SystemExit(f"{len(due) - len(late)} of {len(due)} retries were not made")
    p50, p99 = (1000 * late[int(share * len(late))] for share in (0.5, 0.99))
    print(f"{len(late):,} retries at {arguments.rate:g}/s, {arguments.waiting:,} others waiting, to 1 webhook:")
    print(f"p50 {p50:.0f} ms late, p99 {p99:.0f} ms, the last one {1000 * late[-1]:.0f} ms")
    print(f"wanted less than 200 ms at p99: {'yes' if p99 < 200 else 'NO'}")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    import_module("scale.lateness").main()
