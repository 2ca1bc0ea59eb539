"""Circuits that all workers of a store follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.store.test_contract import LEASE, NOW, renamed

from hookctl.delivery.runner.alerts import Alerts
from hookctl.delivery.runner.circuit import MINIMUM, OPEN_SECONDS
from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.coordination import Coordination
from hookctl.delivery.runner.limits import FOLLOW_SECONDS, LOCAL, MAX_IN_FLIGHT_EACH, Health, Limits
from hookctl.delivery.runner.shares import Shares
from hookctl.model import Rename, Status
from hookctl.store.interface import Store
from hookctl.store.records import Batch, Circuit

Clock = Any  # of conftest.py
WELL, ILL = Health(is_well=True), Health(is_well=False, reason="HTTP 500")


class Worker:
    """What a runner has of limits, on a store."""

    def __init__(self, store: Store, clock: Clock, delivery_plan: Callable[..., Any]) -> None:
        self.store, self.plan = store, delivery_plan()
        self._now: Callable[[], float] = lambda: NOW + float(clock())
        shares = Shares(store, clock, LEASE)
        self.limits = Limits(clock, share=shares.share)
        self.commits = Commits(store, Alerts(store, self._now, clock), lambda: None, lambda _: None)
        self._coordination = Coordination(store, shares, self.limits, self.commits, self._now)

    def look(self) -> None:
        self._coordination.follow({self.plan.name: self.plan})
        self.commits.submit(Batch(now=self._now()))
        self.commits.end()

    def attempts(self, count: int, health: Health) -> None:
        for _ in range(count):
            self.limits.started(self.plan)
        for _ in range(count):
            self.limits.ended(self.plan, health)

    @property
    def capacity(self) -> int:
        """How many attempts it would start now."""
        self.limits.wanted({self.plan.name: self.plan}, {})
        return max(0, self.limits.capacity(self.plan))


@pytest.fixture
def workers(open_store: Callable[[], Store], clock: Clock, delivery_plan: Callable[..., Any]) -> list[Worker]:
    """Two that have learned of one another."""
    found = [Worker(open_store(), clock, delivery_plan) for _ in range(2)]
    look(clock, *found, *found)
    return found


def look(clock: Clock, *workers: Worker) -> None:
    """Have each look, one after the other."""
    for worker in workers:
        clock.now += FOLLOW_SECONDS
        worker.look()


@pytest.mark.parametrize("first", [0, 1])
def test_what_one_worker_observes_stops_the_others(workers: list[Worker], clock: Clock, first: int) -> None:
    opener, other = workers[first], workers[1 - first]
    opener.attempts(MINIMUM, ILL)
    assert (opener.capacity, other.capacity) == (0, MAX_IN_FLIGHT_EACH)
    look(clock, opener, other)
    assert (opener.capacity, other.capacity) == (0, 0)
    assert other.limits.probe_in(other.plan.name) > FOLLOW_SECONDS
    assert not other.limits.may_start(other.plan)


@pytest.mark.parametrize("first", [0, 1])
def test_one_worker_probes_and_begins_slowly(workers: list[Worker], clock: Clock, first: int) -> None:
    """Whichever has opened the circuit. The others join in when it is closed."""
    workers[first].attempts(MINIMUM, ILL)
    look(clock, workers[first], *workers)
    clock.now += OPEN_SECONDS
    look(clock, *workers)
    prober, other = sorted(workers, key=lambda one: -one.capacity)
    for successes in range(1, MAX_IN_FLIGHT_EACH):
        assert (prober.capacity, other.capacity) == (successes, 0)
        prober.attempts(1, WELL)
    assert other.capacity == 0
    look(clock, prober, other)
    assert (prober.capacity, other.capacity) == (MAX_IN_FLIGHT_EACH, MAX_IN_FLIGHT_EACH)
    assert other.store.circuits() == {}


def test_a_failed_probe_keeps_all_away(workers: list[Worker], clock: Clock) -> None:
    workers[0].attempts(MINIMUM, ILL)
    look(clock, *workers)
    clock.now += OPEN_SECONDS
    look(clock, *workers)
    (prober,) = [one for one in workers if one.capacity]
    prober.attempts(1, ILL)
    look(clock, *workers, *workers)
    assert [one.capacity for one in workers] == [0, 0]
    clock.now += OPEN_SECONDS
    look(clock, *workers)
    assert sum(one.capacity for one in workers) == 0  # it waits for twice as long
    clock.now += OPEN_SECONDS
    look(clock, *workers)
    assert sum(one.capacity for one in workers) == 1


def test_another_worker_probes_after_the_end_of_the_one_that_would(workers: list[Worker], clock: Clock) -> None:
    workers[0].attempts(MINIMUM, ILL)
    look(clock, *workers)
    clock.now += OPEN_SECONDS
    look(clock, *workers)
    prober, other = sorted(workers, key=lambda one: -one.capacity)
    prober.store.close()
    look(clock, other, other)
    assert other.capacity == 1


def test_a_new_worker_follows_a_circuit(
    workers: list[Worker], clock: Clock, open_store: Callable[[], Store], delivery_plan: Callable[..., Any]
) -> None:
    workers[0].attempts(MINIMUM, ILL)
    look(clock, *workers)
    third = Worker(open_store(), clock, delivery_plan)
    look(clock, third)
    assert third.capacity == 0


def test_a_worker_without_resources_stops_no_other(workers: list[Worker], clock: Clock) -> None:
    first, second = workers
    first.limits.started(first.plan)
    first.limits.local_failure(first.plan, "no file descriptors")
    look(clock, *workers)
    assert first.store.circuits()[first.plan.name].state == LOCAL
    assert (first.capacity, second.capacity) == (1, MAX_IN_FLIGHT_EACH)  # its pause is over, and it tries one


def test_a_renamed_webhook_keeps_its_circuit(store: Store) -> None:
    circuit = Circuit("open", "HTTP 500", NOW, NOW + 10)
    store.set_circuits({"A": circuit})
    store.reconcile(renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))
    assert store.circuits() == {"B": circuit}
