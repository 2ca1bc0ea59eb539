"""Measures each page of `hookctl serve` on a large store over HTTP, and with --queries also each query behind them.

    python benchmarks/pages/run.py [--store PATH] [--rounds 50] [--only TEXT] [--queries]

It first makes a store of 10,000 webhooks and a million attempts, at PATH if nothing is there. Figures: README.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pages.big_store import make
from pages.server import report

from hookctl.model import DeliveryStatus
from hookctl.store.interface import Store
from hookctl.store.records import Filter
from hookctl.store.sqlite.store import SqliteStore

S = DeliveryStatus
DAY = 86_400.0


def count_all(store: Store, now: float) -> None:
    """Count everything, and print what it took."""
    passes: list[float] = []
    wall, cpu, first = time.perf_counter(), time.process_time(), store.progress()
    while (progress := store.progress()).counted < progress.last:
        started = time.perf_counter()
        store.count_attempts(now)
        passes.append(time.perf_counter() - started)
    if passes:
        attempts = progress.counted - first.counted
        print(
            f"counted {attempts:,} attempts in {len(passes):,} commits and {time.perf_counter() - wall:.0f} s: "
            f"{(time.process_time() - cpu) / attempts * 1e6:.1f} us of CPU each; "
            f"a commit took {statistics.median(passes) * 1e3:.1f} ms at the median, {max(passes) * 1e3:.0f} ms at most"
        )


def queries(store: Store, now: float) -> Iterator[tuple[str, Callable[[], object]]]:
    """What each page asks for."""
    ranking = store.ranking("attempts")
    busy, rare = max(ranking, key=ranking.__getitem__), min(ranking, key=ranking.__getitem__)
    page = sorted(ranking)[:50]
    yield "webhooks: sorted by dead", lambda: store.ranking("dead")
    yield "webhooks: sorted by p95", lambda: store.ranking("p95")
    yield "webhooks: 50 of them in numbers", lambda: store.summaries(page)
    yield "webhooks: 50 sparklines", lambda: store.hours(page, now)
    yield "webhooks: 50 applies", lambda: store.applied(page)
    yield "webhooks: all in numbers", store.summaries
    yield "webhook: reasons", lambda: store.reasons(busy, now)
    yield "webhook: next tries", lambda: store.next_tries(busy, 20)
    yield "webhook: previous plan", lambda: store.previous_plan(busy)
    filters: dict[str, Filter] = {
        "all": Filter(),
        "of a busy webhook": Filter(webhook=busy),
        "of a rare webhook": Filter(webhook=rare),
        "of no webhook": Filter(webhook="none"),
        "of a webhook, one day": Filter(webhook=busy, since=now - 9 * DAY, until=now - 8 * DAY),
        "dead": Filter(statuses={S.DEAD}),
        "not delivered": Filter(statuses=set(S) - {S.DELIVERED}),
        "waiting": Filter(statuses={S.WAITING}),
        "one day": Filter(since=now - 9 * DAY, until=now - 8 * DAY),
        "status code 404": Filter(cause="404"),
        "status code 418, which none has": Filter(cause="418"),
        "event type": Filter(event_type="audit"),
        "event type that none has": Filter(event_type="none"),
        "plan digest that none has": Filter(plan_digest="none"),
        "JMESPath that none passes": Filter(where=lambda _: False),
    }
    for name, which in filters.items():
        yield f"deliveries: {name}", lambda which=which: store.delivery_page(which)  # type: ignore[misc]
    yield "never delivered: groups", store.groups
    yield "never delivered: of one webhook", lambda: store.groups(busy)
    largest = store.groups()[0]
    yield "never delivered: a page of the largest", lambda: store.delivery_page(largest.filter())
    yield "history: 50 entries", lambda: store.history(50)
    yield "history: 100 changes of an apply", lambda: store.changes(1)
    yield "metrics: backlogs", store.backlogs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--only", default="", help="only pages whose name has this text")
    parser.add_argument("--queries", action="store_true")
    parser.add_argument("--webhooks", type=int, default=10_000)
    parser.add_argument("--attempts", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hookctl-pages-") as directory:
        path, now = arguments.store or Path(directory) / "hookctl.db", time.time()
        if not path.exists():
            started = time.perf_counter()
            make(path, arguments.webhooks, arguments.attempts, now)
            print(f"made {path.stat().st_size / 1e9:.1f} GB in {time.perf_counter() - started:.0f} s")
        store = SqliteStore(path)
        count_all(store, now)
        if arguments.queries:
            print("\n| query | median, ms | 99th percentile, ms | CPU at the median, ms |\n| --- | --- | --- | --- |")
            for name, query in queries(store, now):
                print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in measured(query, arguments.rounds)) + " |")
        store.close()
        report(path, Path(directory), arguments.rounds, arguments.only)


def measured(query: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Milliseconds: the median, the 99th percentile, and the median of CPU time, which other programs disturb less."""
    wall, cpu = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), time.thread_time()
        query()
        wall.append((time.perf_counter() - started) * 1e3)
        cpu.append((time.thread_time() - used) * 1e3)
    return statistics.median(wall), sorted(wall)[int(rounds * 0.99)], statistics.median(cpu)


if __name__ == "__main__":
    main()
