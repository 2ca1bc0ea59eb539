"""What the store takes for each delivery, without the network; ``--help`` lists the options.

These figures are what outage.py and docs/scale.md reckon with.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hookctl.delivery.outcomes import DELIVERED
from hookctl.model import Attempt, Event, Request, Response, Timing
from hookctl.store.opening import open_store
from hookctl.store.records import Batch, Claimed, NewDelivery, Result, Routed

if TYPE_CHECKING:
    from delivery.work import Site

    from hookctl.store.interface import Store
    from scale.server import Server

WAITING, ENDED = "^(live|events_[0-9]+)$", "^(ended_[0-9]+|attempts_[0-9]+|events_[0-9]+)$"


class Mark(NamedTuple):
    server: float
    wal: int
    client: float


def mark(server: Server) -> Mark:
    return Mark(*server.used(), time.process_time())


def row(name: str, before: Mark, after: Mark, count: int) -> str:
    server, client = (1e6 * (getattr(after, part) - getattr(before, part)) / count for part in ("server", "client"))
    return f"| {name} | {server:.1f} | {client:.1f} | {(after.wal - before.wal) / count:,.0f} |"


def attempt(body: str) -> Attempt:
    request = Request("POST", "https://siem.example.com/ingest", (("Content-Type", "application/json"),), body.encode())
    response = Response(200, "OK", (("Server", "nginx"),), b'{"status":"accepted"}')
    return Attempt(
        plan_digest="0" * 64,
        number=1,
        started_at=time.time(),
        request=request,
        response=response,
        failure=None,
        timing=Timing(0.0, 0.0, 0.0, 0.01, 0.01),
    )


def routed_events(site: Site, ids: Sequence[str]) -> list[Routed]:
    """An event with these ids each, and its delivery."""
    routed = []
    for name, line in zip(ids, site.lines(ids), strict=True):
        document = json.loads(line)
        event = Event(name, document["event_type"], document["event_time"], document, line.decode().strip())
        routed.append(Routed(event, (NewDelivery(f"msg_{name[-32:]}", "Bench"),)))
    return routed


def results(claims: Sequence[Claimed], made: Attempt) -> list[Result]:
    return [Result(claimed, made, DELIVERED, 1, None) for claimed in claims]


def measure(store: Store, server: Server, routed: list[Routed], made: Attempt, batch: int) -> None:
    """Enqueue, claim and finish, one after the other, and print what each takes."""
    count, name = len(routed), "Bench"
    parts = [routed[first : first + batch] for first in range(0, count, batch)]
    start = mark(server)
    for part in parts:
        store.enqueue(part, time.time())
    enqueued = mark(server)
    waiting = server.size(WAITING)
    claims: list[list[Claimed]] = [store.claim(time.time(), batch, 60.0, {name: batch}) for _ in parts]
    claimed = mark(server)
    for one in claims:
        store.finish(results(one, made), time.time())
    finished = mark(server)
    print("| step | server us | client us | WAL bytes |\n| --- | --- | --- | --- |")
    print(row("enqueue", start, enqueued, count))
    print(row("claim", enqueued, claimed, count))
    print(row("finish", claimed, finished, count))
    print(f"Bytes of a delivery that waits, with its event: {waiting / count:,.0f}")
    print(f"Bytes of one that has ended, with its event and its attempt: {server.size(ENDED) / count:,.0f}")


def together(store: Store, server: Server, routed: list[Routed], made: Attempt, batch: int) -> None:
    """As `hookctl send` and `hookctl serve` do: events are stored as claimed, in one commit with results."""
    pending: Sequence[Claimed] = ()
    start = mark(server)
    for first in range(0, len(routed), batch):
        part = routed[first : first + batch]
        whole = Batch(
            now=time.time(),
            events=part,
            wanted={"Bench": batch},
            lease_seconds=60.0,
            results=results(pending, made),
        )
        pending = store.submit(whole).result().claims
    store.finish(results(pending, made), time.time())
    print(row("all in one commit", start, mark(server), len(routed)))


def main() -> None:
    parser = argparse.ArgumentParser(description="What the PostgreSQL store takes for each delivery.")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=300)
    arguments = parser.parse_args()
    from delivery.ways.end_to_end import event_id

    from scale.server import place

    with place() as (site, server, _):
        url = server.new_database(1)
        store = open_store(url, create=True)
        assert store is not None

        routed = routed_events(site, [event_id(str(number)) for number in range(2 * arguments.count)])
        made = attempt(site.body.read_text(encoding="utf-8"))
        measure(store, server, routed[: arguments.count], made, arguments.batch)
        together(store, server, routed[arguments.count :], made, arguments.batch)
        store.close()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    import_module("scale.costs").main()
