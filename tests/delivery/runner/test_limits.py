"""How much of each webhook may be on its way at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hookctl.delivery.runner.circuit import MAX_OPEN_SECONDS, OPEN_SECONDS
from hookctl.delivery.runner.limits import (
    AHEAD_COMMITS,
    AHEAD_SECONDS,
    MAX_AHEAD_SECONDS,
    MAX_IN_FLIGHT,
    MAX_IN_FLIGHT_EACH,
    SHARED,
    Health,
    Limits,
)
from hookctl.model import DeliveryPlan, Status
from hookctl.store.records import Circuit

MOMENT = 2**-4
"""Seconds, exactly; no less than the runner's."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits(clock)


def start(limits: Limits, plan: DeliveryPlan) -> int:
    """Start as many as may be; gives how many."""
    limits.wanted({plan.name: plan}, {})
    count = max(0, limits.capacity(plan))
    for _ in range(count):
        limits.started(plan)
    return count


def test_a_share_for_each_webhook(limits: Limits, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan()
    assert start(limits, plan) == MAX_IN_FLIGHT_EACH
    assert start(limits, plan) == 0
    assert limits.total_capacity == SHARED - MAX_IN_FLIGHT_EACH
    limits.ended(plan, None)
    assert start(limits, plan) == 1


def keep_busy(limits: Limits, plan: DeliveryPlan, clock: Clock, health: Health | None = None) -> None:
    """Let a hundred of a webhook end within a moment."""
    for _ in range(100):
        limits.started(plan)
        limits.ended(plan, health)
    clock.now += MOMENT


def test_what_a_target_takes_in_a_moment_is_claimed_ahead(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    keep_busy(limits, plan, clock)
    ahead = round(100 * AHEAD_SECONDS / MOMENT)
    assert limits.wanted({"Siem": plan}, {}) == {"Siem": MAX_IN_FLIGHT_EACH + ahead}
    assert limits.wanted({"Siem": plan}, {"Siem": 100}) == {"Siem": MAX_IN_FLIGHT_EACH + ahead - 100}
    assert limits.capacity(plan) == MAX_IN_FLIGHT_EACH
    assert limits.is_busy
    assert limits.is_worth_a_commit(plan, (MAX_IN_FLIGHT_EACH + ahead) // 2)
    assert not limits.is_worth_a_commit(plan, (MAX_IN_FLIGHT_EACH + ahead) // 2 - 1)
    clock.now += MOMENT
    assert limits.wanted({"Siem": plan}, {}) == {"Siem": MAX_IN_FLIGHT_EACH}
    assert not limits.is_busy


def test_more_is_claimed_ahead_where_commits_take_long(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    keep_busy(limits, plan, clock)
    for seconds, times in ((0.001, 1), (0.2, 2 * AHEAD_COMMITS), (100.0, MAX_AHEAD_SECONDS / AHEAD_SECONDS)):
        limits.commit_took(seconds)
        ahead = round(100 * AHEAD_SECONDS / MOMENT * times)
        assert limits.wanted({"Siem": plan}, {}) == {"Siem": MAX_IN_FLIGHT_EACH + ahead}


def test_nothing_is_claimed_ahead_where_a_limit_says_how_many_may_come(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    limited = make_plan(rate_limit=50.0)
    keep_busy(limits, limited, clock)
    assert limits.wanted({"Siem": limited}, {}).get("Siem", 0) <= 50
    failing = replace(make_plan(), name="Failing")
    keep_busy(limits, failing, clock, Health(is_well=False, reason="HTTP 500"))
    assert limits.wanted({"Failing": failing}, {}) == {}
    clock.now += OPEN_SECONDS
    assert limits.wanted({"Failing": failing}, {}) == {"Failing": 1}


def test_inactive_webhooks_are_not_wanted(limits: Limits, make_plan: Callable[..., DeliveryPlan]) -> None:
    assert limits.wanted({"Siem": make_plan(status=Status.INACTIVE)}, {}) == {}


def test_every_webhook_comes_first_once(limits: Limits, make_plan: Callable[..., DeliveryPlan]) -> None:
    plans = {name: replace(make_plan(), name=name) for name in "ABC"}
    assert {next(iter(limits.wanted(plans, {}))) for _ in range(3)} == set("ABC")


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [(50.0, 0.125, 6), (50.0, 3600.0, 50), (0.5, 1.0, 0), (0.5, 2.0, 1), (0.5, 3600.0, 1)],
)
def test_a_rate_limit_fills_evenly_and_saves_up_one_second(
    make_plan: Callable[..., DeliveryPlan], rate: float, seconds: float, expected: int
) -> None:
    clock, plan = Clock(), make_plan(rate_limit=rate)
    limits = Limits(clock)
    assert start(limits, plan) == 1
    clock.now += seconds
    assert start(limits, plan) == expected


def test_a_rate_holds_over_time(limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan(rate_limit=7.0)
    total = 0
    for _ in range(1000):
        clock.now += 0.01
        started = start(limits, plan)
        total += started
        for _ in range(started):
            limits.ended(plan, None)
    assert 70 <= total <= 71


@pytest.mark.parametrize(("configured", "expected"), [(None, MAX_IN_FLIGHT_EACH), (3, 3), (500, 500)])
def test_a_webhook_may_say_how_many_at_once(
    limits: Limits, make_plan: Callable[..., DeliveryPlan], configured: int | None, expected: int
) -> None:
    assert start(limits, make_plan(max_in_flight=configured)) == expected


@pytest.mark.parametrize("holes", [1, 50, 99])
def test_targets_that_hang_leave_the_others_their_share(
    limits: Limits, make_plan: Callable[..., DeliveryPlan], holes: int
) -> None:
    """However long they are given what they may have, one that does not hang gets an even share at once."""
    plans = {f"{number}": replace(make_plan(max_in_flight=2000), name=f"{number}") for number in range(100)}
    hanging = dict(list(plans.items())[:holes])
    for _ in range(200):
        for name, count in limits.wanted(plans, {}).items():
            for _ in range(count if name in hanging else 0):
                limits.started(plans[name])
    wanted = limits.wanted(plans, {})
    assert limits.total_capacity > 0
    for name in plans.keys() - hanging.keys():
        assert wanted.get(name, 0) >= min(MAX_IN_FLIGHT // 100, limits.total_capacity)


# -- circuits

BAD, GOOD = Health(is_well=False, reason="HTTP 500"), Health(is_well=True)


def end(limits: Limits, plan: DeliveryPlan, count: int, health: Health) -> None:
    for _ in range(count):
        limits.ended(plan, health)


def test_a_target_that_fails_is_left_alone_probed_and_given_its_load_little_by_little(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan, other = make_plan(), replace(make_plan(), name="Other")
    assert start(limits, plan) == 64
    end(limits, plan, 64, BAD)
    assert (start(limits, plan), start(limits, other)) == (0, 64)
    assert limits.probe_in("Siem") == OPEN_SECONDS
    assert limits.circuits(1000.0) == {"Siem": Circuit("open", "HTTP 500", 1000.0, 1000.0 + OPEN_SECONDS)}
    assert limits.circuits(1000.0) == {}
    clock.now += OPEN_SECONDS
    starts = []
    for _ in range(8):
        starts.append(start(limits, plan))
        end(limits, plan, starts[-1], GOOD)
    assert starts == [1, 2, 4, 8, 16, 32, 64, 64]
    assert limits.circuits(1010.0) == {"Siem": None}
    assert limits.probe_in("Siem") == 0


def test_what_says_nothing_of_the_target_opens_nothing(limits: Limits, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan()
    for _ in range(100):
        limits.started(plan)
        limits.ended(plan, None)
    assert start(limits, plan) == MAX_IN_FLIGHT_EACH


def test_the_next_runner_goes_on_where_the_one_before_left_off(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    circuit = Circuit("open", "HTTP 500", 900.0, 1020.0)
    limits.take_over({"Siem": circuit}, 1000.0)
    plan = make_plan()
    assert (start(limits, plan), limits.probe_in("Siem")) == (0, 20.0)
    assert limits.circuits(1000.0) == {"Siem": circuit}
    clock.now += 20
    assert start(limits, plan) == 1


def test_a_circuit_after_the_clock_is_set_back_while_nothing_runs(limits: Limits) -> None:
    """It stays open for no longer than a circuit ever does."""
    limits.take_over({"Siem": Circuit("open", "HTTP 500", 100_000.0, 100_020.0)}, 1000.0)
    assert limits.probe_in("Siem") == MAX_OPEN_SECONDS


def test_a_webhook_that_this_machine_lacks_something_for_waits_longer_each_time(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    waits: list[float] = []
    for _ in range(9):
        count = start(limits, plan)
        assert count == (MAX_IN_FLIGHT_EACH if not waits else 1), "after a pause, one finds out"
        for _ in range(count):
            limits.local_failure(plan, "local: no descriptor")
        waits.append(limits.probe_in(plan.name))
        assert limits.wanted({"Siem": plan}, {}) == {}
        assert start(limits, plan) == 0
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert start(limits, plan) == 1
    limits.ended(plan, Health(is_well=False, reason="HTTP 500"))  # it could be made
    assert start(limits, plan) == MAX_IN_FLIGHT_EACH


def test_a_pause_is_told_as_a_state_of_its_own_and_opens_no_circuit(
    limits: Limits, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    for _ in range(100):
        limits.started(plan)
        limits.local_failure(plan, "local: no descriptor")
    assert limits.circuits(1000.0) == {"Siem": Circuit("local", "local: no descriptor", 1000.0, 1001.0)}
    assert limits.circuits(1000.0) == {}
    clock.now += 1.0
    limits.started(plan)
    limits.ended(plan, Health(is_well=True))
    assert limits.circuits(1001.0) == {"Siem": None}
    assert limits.circuits(1001.0) == {}


def test_what_another_process_lacked_is_forgotten(limits: Limits, make_plan: Callable[..., DeliveryPlan]) -> None:
    limits.take_over({"Siem": Circuit("local", "local: no descriptor", 900.0, 2000.0)}, 1000.0)
    assert start(limits, make_plan()) == MAX_IN_FLIGHT_EACH
    assert limits.circuits(1000.0) == {"Siem": None}


@pytest.mark.parametrize("count", [40, 400, 1500])
def test_any_number_of_webhooks_that_hang_leave_room_at_once(
    clock: Clock, make_plan: Callable[..., DeliveryPlan], count: int
) -> None:
    limits = Limits(clock)
    plans = {name: replace(make_plan(), name=name) for name in [*(f"H{number}" for number in range(count)), "Well"]}
    limits.wanted(plans, {})
    for _ in range(3):  # as long as anything may be started
        for name in plans.keys() - {"Well"}:
            for _ in range(limits.capacity(plans[name])):
                limits.started(plans[name])
    assert limits.capacity(plans["Well"]) >= 1


def test_webhooks_that_failed_slowly_share_half(clock: Clock, make_plan: Callable[..., DeliveryPlan]) -> None:
    """More of them than there are places in all: whoever is not one of them still starts at once."""
    limits = Limits(clock, max_in_flight=100)
    slow = {name: replace(make_plan(), name=name) for name in (f"S{number}" for number in range(200))}
    well = replace(make_plan(), name="Well")
    plans = {**slow, "Well": well}
    for plan in slow.values():
        limits.started(plan)
        limits.ended(plan, None, is_slow=True)
    limits.wanted(plans, {})
    started = 0
    for plan in slow.values():
        for _ in range(max(0, limits.capacity(plan))):
            limits.started(plan)
            started += 1
    assert started == 50
    assert limits.capacity(well) >= 1
    limits.ended(slow["S0"], None)  # it was quick this time
    assert limits.capacity(slow["S0"]) >= 1
    assert limits.capacity(slow["S199"]) == 1  # in its place
    limits.started(slow["S199"])
    assert limits.capacity(slow["S198"]) <= 0
