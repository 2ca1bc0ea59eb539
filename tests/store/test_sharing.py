"""Limits that hold for all workers of a store together: the members that share them, and tokens of rate limits."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.test_contract import LEASE, NOW, claim, renamed, routed

from hookctl.delivery.runner.shares import Shares, divide
from hookctl.model import Rename, Status
from hookctl.store.interface import Queue, Store
from hookctl.store.records import Batch, Claimed, Part

Clock = Any  # of conftest.py
Open = Callable[[], Store]
JOIN_AND_HANG = """
import sys, time
from hookctl.store.opening import open_store
from hookctl.store.records import Part
store = open_store(sys.argv[1])
print(store.take_part(Part(), 3600.0), flush=True)
time.sleep(60)
"""
LIMITS = {"A": 1, "B": 3, "C": 5}


# -- members


def test_members_come_and_go(open_store: Open) -> None:
    first, second = open_store(), open_store()
    alone = first.take_part(Part(), LEASE)
    assert (alone.index, alone.count, alone.is_settled, alone.is_new) == (0, 1, True, True)
    joined = second.take_part(Part(), LEASE)
    assert (joined.index, joined.count, joined.is_settled, joined.is_new) == (1, 2, False, True)
    assert joined.version > alone.version
    seen = first.take_part(Part(alone.version), LEASE)
    assert (seen.version, seen.index, seen.count, seen.is_settled, seen.is_new) == (joined.version, 0, 2, False, False)
    assert first.take_part(Part(joined.version, ("A",)), LEASE).is_settled
    assert second.take_part(Part(joined.version), LEASE).over == {"A"}
    first.close()
    left = second.take_part(Part(joined.version), LEASE)
    assert (left.index, left.count, left.over) == (0, 1, frozenset())
    assert left.version > joined.version


def test_a_lease_that_ends_makes_its_worker_a_new_one(open_store: Open, clock: Clock) -> None:
    first, second = open_store(), open_store()
    version = first.take_part(Part(), LEASE).version
    clock.now += LEASE / 2
    assert second.take_part(Part(), LEASE).count == 2
    clock.now += LEASE / 2
    assert second.take_part(Part(version), LEASE).count == 1
    back = first.take_part(Part(version), LEASE)
    assert (back.index, back.count, back.is_new) == (1, 2, True)
    assert not back.is_settled  # it has not looked yet whether it has too many in flight


def test_taking_part_in_time_keeps_the_lease(open_store: Open, clock: Clock) -> None:
    first, second = open_store(), open_store()
    version = first.take_part(Part(), LEASE).version
    for _ in range(20):
        clock.now += LEASE / 4
        assert first.take_part(Part(version), LEASE).version == version
    assert second.take_part(Part(), LEASE).count == 2


def test_a_process_that_was_killed_is_no_member(open_store: Open, store_url: str) -> None:
    """On the machine that it ran on, long before its lease ends."""
    store = open_store()
    with subprocess.Popen([sys.executable, "-c", JOIN_AND_HANG, store_url], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline()
        assert store.take_part(Part(), LEASE).count == 2
        other.kill()
    store.next_due(["A"])  # which looks for dead workers
    assert store.take_part(Part(), LEASE).count == 1


@given(limit=st.integers(0, 50), workers=st.integers(1, 9), webhook=st.text(max_size=5))
def test_shares_add_up_to_the_limit(limit: int, workers: int, webhook: str) -> None:
    shares = [divide(webhook, limit, (index, workers)) for index in range(workers)]
    assert sum(shares) == limit
    assert max(shares) - min(shares) <= 1


class Worker:
    """A worker that has what it may in flight. Its requests end when they are told to."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.shares = store, Shares(store, clock, LEASE)
        self.in_flight: Counter[str] = Counter()

    def refresh(self) -> None:
        self.shares.refresh(lambda: [name for name, much in self.in_flight.items() if much > self.share(name)])

    def share(self, webhook: str) -> int:
        return self.shares.share(webhook, LIMITS[webhook])

    def start(self) -> None:
        for name in LIMITS:
            self.in_flight[name] = max(self.in_flight[name], self.share(name))

    def end(self, webhook: str, many: int) -> None:
        self.in_flight[webhook] = max(0, self.in_flight[webhook] - many)


def wait(workers: list[Worker], clock: Clock, seconds: float) -> None:
    """Let time go by. The requests of a worker whose lease ends have ended by then."""
    clock.now += seconds
    for worker in workers:
        if worker.shares.age >= LEASE:
            worker.in_flight.clear()


def act(workers: list[Worker], action: str, index: int, *arguments: Any) -> None:
    """Have one worker leave, or do what has a method."""
    worker = workers[index]
    if action == "leave":
        workers.remove(worker)
        worker.store.close()
    else:
        getattr(worker, action)(*arguments)


STEPS = st.one_of(
    st.tuples(st.just("join")),
    st.tuples(st.sampled_from(["leave", "refresh", "start", "start", "refresh"]), st.integers(0, 3)),
    st.tuples(st.just("end"), st.integers(0, 3), st.sampled_from([*LIMITS]), st.integers(1, 5)),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 20.0, LEASE])),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_never_more_in_flight_than_the_limit(open_store: Open, clock: Clock, steps: list[tuple[Any, ...]]) -> None:
    """However workers come, go, look and start; one whose lease has ended starts nothing, and its requests end then."""
    workers: list[Worker] = []
    try:
        for action, *arguments in steps:
            if action == "join":
                workers.append(Worker(open_store(), clock))
                workers[-1].refresh()
            elif action == "wait":
                wait(workers, clock, arguments[0])
            elif arguments[0] < len(workers):
                act(workers, action, *arguments)
            total = sum((worker.in_flight for worker in workers), Counter[str]())
            assert all(total[name] <= limit for name, limit in LIMITS.items())
        for worker in [*workers, *workers, *workers]:  # once all have looked, every limit is used up again
            worker.in_flight.clear()
            worker.refresh()
        assert not workers or all(sum(one.share(name) for one in workers) == limit for name, limit in LIMITS.items())
    finally:
        for worker in workers:
            worker.store.close()


# -- rates


def limited(queue: Queue, rates: Mapping[str, float], limit: int = 100, **batch: Any) -> tuple[list[Claimed], Any]:
    """Claim what is due and what the rates allow; gives the claims and the tokens that are left."""
    wanted = {"A": 100, "B": 100}
    whole = Batch(now=NOW, wanted=wanted, limit=limit, lease_seconds=LEASE, rates=rates, **batch)
    done = queue.submit(whole).result()
    return [*done.claims], done.tokens


def test_a_claim_takes_tokens_that_other_workers_then_lack(open_store: Open, clock: Clock) -> None:
    first, second = open_store(), open_store()
    first.enqueue([routed(f"e{number}", "A", "B") for number in range(9)], NOW)
    claims, left = limited(first, {"A": 2.0})
    assert Counter(one.delivery.webhook for one in claims) == {"A": 1, "B": 9}
    assert left == {"A": 0.0}
    assert limited(second, {"A": 2.0}) == ([], {"A": 0.0})
    clock.now += 0.5
    assert len(limited(second, {"A": 2.0})[0]) == 1
    clock.now += 60  # the bucket has one second's worth
    assert [len(limited(one, {"A": 2.0})[0]) for one in (first, second)] == [2, 0]


def test_slow_rates_outlive_a_worker(open_store: Open, clock: Clock) -> None:
    first = open_store()
    first.enqueue([routed("e1"), routed("e2")], NOW)
    assert len(limited(first, {"A": 1 / 60})[0]) == 1
    first.close()
    clock.now += 59
    assert limited(open_store(), {"A": 1 / 60})[0] == []
    clock.now += 1.5
    assert len(limited(open_store(), {"A": 1 / 60})[0]) == 1


def test_new_deliveries_take_tokens_too(open_store: Open) -> None:
    first, second = open_store(), open_store()
    events = [routed(f"e{number}") for number in range(5)]
    claims, left = limited(first, {"A": 1.0}, limit=0, events=events)
    assert (len(claims), left) == (1, {"A": 0.0})
    assert limited(second, {"A": 1.0}, limit=0, events=[routed("e9")])[0] == []
    assert len(claim(second)) == 5  # without a rate limit, all are claimed


def test_a_batch_that_adds_and_claims_takes_each_token_once(queue: Queue, clock: Clock) -> None:
    limited(queue, {"A": 3.0}, events=[routed("e0")])
    clock.now += 1
    queue.enqueue([routed("old", "B")], NOW)
    claims, left = limited(queue, {"A": 3.0}, events=[routed(f"e{number}") for number in range(1, 6)])
    assert Counter(one.delivery.webhook for one in claims) == {"A": 3, "B": 1}
    assert left == {"A": 0.0}


def test_a_changed_rate_holds_at_once(queue: Queue, clock: Clock) -> None:
    queue.enqueue([routed(f"e{number}") for number in range(30)], NOW)
    limited(queue, {"A": 10.0})
    clock.now += 1
    assert len(limited(queue, {"A": 2.0})[0]) == 2
    clock.now += 1
    assert len(limited(queue, {"A": 10.0})[0]) == 10


def test_a_renamed_webhook_has_the_tokens_of_its_old_name(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    assert len(limited(queue, {"A": 0.001})[0]) == 1
    queue.reconcile(renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))
    assert limited(queue, {"B": 0.001}) == ([], {"B": pytest.approx(0.0)})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.sampled_from([0.2, 1.0, 3.5, 10.0]),
    turns=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 1.0, 3.0, 7.0]), st.integers(1, 20))),
    name=st.just(count()),
)
def test_never_more_than_the_rate_over_any_time_plus_the_burst(
    open_store: Open, clock: Clock, rate: float, turns: list[tuple[int, float, int]], name: Any
) -> None:
    stores = [open_store(), open_store()]
    webhook = f"W{next(name)}"
    made: deque[tuple[float, int]] = deque()
    try:
        stores[0].enqueue([routed(f"{webhook}-{number}", webhook) for number in range(100)], NOW)
        for index, pause, most in turns:
            clock.now += pause
            batch = Batch(now=NOW, wanted={webhook: most}, limit=most, lease_seconds=LEASE * 99, rates={webhook: rate})
            made.append((clock.now, len(stores[index].submit(batch).result().claims)))
            for since, _ in made:
                total = sum(many for at, many in made if at >= since)
                assert total <= max(1.0, rate) + (clock.now - since) * rate + 1e-6
    finally:
        for store in stores:
            store.close()
