"""How much of each webhook may be on its way at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hookctl.delivery.runner.circuit import MAX_OPEN_SECONDS, OPEN_SECONDS
from hookctl.delivery.runner.limits import AHEAD_SECONDS, MAX_IN_FLIGHT, MAX_IN_FLIGHT_EACH, SHARED, Health, Manners
from hookctl.model import DeliveryPlan, Status
from hookctl.store.interface import Circuit

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
def manners(clock: Clock) -> Manners:
    return Manners(clock)


def start(manners: Manners, plan: DeliveryPlan) -> int:
    """Start as many as may be; gives how many."""
    manners.wanted({plan.name: plan}, {})
    count = max(0, manners.may_start(plan))
    for _ in range(count):
        manners.started(plan)
    return count


def test_a_share_for_each_webhook(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan()
    assert start(manners, plan) == MAX_IN_FLIGHT_EACH
    assert start(manners, plan) == 0
    assert manners.room == SHARED - MAX_IN_FLIGHT_EACH
    manners.ended(plan, None)
    assert start(manners, plan) == 1


def keep_busy(manners: Manners, plan: DeliveryPlan, clock: Clock, health: Health | None = None) -> None:
    """Let a hundred of a webhook end within a moment."""
    for _ in range(100):
        manners.started(plan)
        manners.ended(plan, health)
    clock.now += MOMENT


def test_what_a_target_takes_in_a_moment_is_claimed_ahead(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    keep_busy(manners, plan, clock)
    ahead = round(100 * AHEAD_SECONDS / MOMENT)
    assert manners.wanted({"Siem": plan}, {}) == {"Siem": MAX_IN_FLIGHT_EACH + ahead}
    assert manners.wanted({"Siem": plan}, {"Siem": 100}) == {"Siem": MAX_IN_FLIGHT_EACH + ahead - 100}
    assert manners.may_start(plan) == MAX_IN_FLIGHT_EACH
    assert manners.is_busy
    assert manners.hungers(plan, (MAX_IN_FLIGHT_EACH + ahead) // 2)
    assert not manners.hungers(plan, (MAX_IN_FLIGHT_EACH + ahead) // 2 - 1)
    clock.now += MOMENT
    assert manners.wanted({"Siem": plan}, {}) == {"Siem": MAX_IN_FLIGHT_EACH}
    assert not manners.is_busy


def test_nothing_is_claimed_ahead_where_a_limit_says_how_many_may_come(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    limited = make_plan(rate_limit=50.0)
    keep_busy(manners, limited, clock)
    assert manners.wanted({"Siem": limited}, {}).get("Siem", 0) <= 50
    failing = replace(make_plan(), name="Failing")
    keep_busy(manners, failing, clock, Health(is_well=False, reason="HTTP 500"))
    assert manners.wanted({"Failing": failing}, {}) == {}
    clock.now += OPEN_SECONDS
    assert manners.wanted({"Failing": failing}, {}) == {"Failing": 1}


def test_inactive_webhooks_are_not_wanted(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    assert manners.wanted({"Siem": make_plan(status=Status.INACTIVE)}, {}) == {}


def test_every_webhook_comes_first_once(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    plans = {name: replace(make_plan(), name=name) for name in "ABC"}
    assert {next(iter(manners.wanted(plans, {}))) for _ in range(3)} == set("ABC")


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [(50.0, 0.125, 6), (50.0, 3600.0, 50), (0.5, 1.0, 0), (0.5, 2.0, 1), (0.5, 3600.0, 1)],
)
def test_a_rate_limit_fills_evenly_and_saves_up_one_second(
    make_plan: Callable[..., DeliveryPlan], rate: float, seconds: float, expected: int
) -> None:
    clock, plan = Clock(), make_plan(rate_limit=rate)
    manners = Manners(clock)
    assert start(manners, plan) == 1
    clock.now += seconds
    assert start(manners, plan) == expected


def test_a_rate_holds_over_time(manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan(rate_limit=7.0)
    total = 0
    for _ in range(1000):
        clock.now += 0.01
        started = start(manners, plan)
        total += started
        for _ in range(started):
            manners.ended(plan, None)
    assert 70 <= total <= 71


@pytest.mark.parametrize(("configured", "expected"), [(None, MAX_IN_FLIGHT_EACH), (3, 3), (500, 500)])
def test_a_webhook_may_say_how_many_at_once(
    manners: Manners, make_plan: Callable[..., DeliveryPlan], configured: int | None, expected: int
) -> None:
    assert start(manners, make_plan(max_in_flight=configured)) == expected


@pytest.mark.parametrize("holes", [1, 50, 99])
def test_targets_that_hang_leave_the_others_their_share(
    manners: Manners, make_plan: Callable[..., DeliveryPlan], holes: int
) -> None:
    """However long they are given what they may have, one that does not hang gets an even share at once."""
    plans = {f"{number}": replace(make_plan(max_in_flight=2000), name=f"{number}") for number in range(100)}
    hanging = dict(list(plans.items())[:holes])
    for _ in range(200):
        for name, count in manners.wanted(plans, {}).items():
            for _ in range(count if name in hanging else 0):
                manners.started(plans[name])
    wanted = manners.wanted(plans, {})
    assert manners.room > 0
    for name in plans.keys() - hanging.keys():
        assert wanted.get(name, 0) >= min(MAX_IN_FLIGHT // 100, manners.room)


# -- circuits

BAD, GOOD = Health(is_well=False, reason="HTTP 500"), Health(is_well=True)


def end(manners: Manners, plan: DeliveryPlan, count: int, health: Health) -> None:
    for _ in range(count):
        manners.ended(plan, health)


def test_a_target_that_fails_is_left_alone_probed_and_given_its_load_little_by_little(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan, other = make_plan(), replace(make_plan(), name="Other")
    assert start(manners, plan) == 64
    end(manners, plan, 64, BAD)
    assert (start(manners, plan), start(manners, other)) == (0, 64)
    assert manners.probe_in("Siem") == OPEN_SECONDS
    assert manners.circuits(1000.0) == {"Siem": Circuit("open", "HTTP 500", 1000.0, 1000.0 + OPEN_SECONDS)}
    assert manners.circuits(1000.0) == {}
    clock.now += OPEN_SECONDS
    starts = []
    for _ in range(8):
        starts.append(start(manners, plan))
        end(manners, plan, starts[-1], GOOD)
    assert starts == [1, 2, 4, 8, 16, 32, 64, 64]
    assert manners.circuits(1010.0) == {"Siem": None}
    assert manners.probe_in("Siem") == 0


def test_what_says_nothing_of_the_target_opens_nothing(
    manners: Manners, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    for _ in range(100):
        manners.started(plan)
        manners.ended(plan, None)
    assert start(manners, plan) == MAX_IN_FLIGHT_EACH


def test_the_next_runner_goes_on_where_the_one_before_left_off(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    circuit = Circuit("open", "HTTP 500", 900.0, 1020.0)
    manners.take_over({"Siem": circuit}, 1000.0)
    plan = make_plan()
    assert (start(manners, plan), manners.probe_in("Siem")) == (0, 20.0)
    assert manners.circuits(1000.0) == {"Siem": circuit}
    clock.now += 20
    assert start(manners, plan) == 1


def test_a_circuit_after_the_clock_is_set_back_while_nothing_runs(manners: Manners) -> None:
    """It stays open for no longer than a circuit ever does."""
    manners.take_over({"Siem": Circuit("open", "HTTP 500", 100_000.0, 100_020.0)}, 1000.0)
    assert manners.probe_in("Siem") == MAX_OPEN_SECONDS


def test_a_webhook_that_this_machine_lacks_something_for_waits_longer_each_time(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    waits: list[float] = []
    for _ in range(9):
        count = start(manners, plan)
        assert count == (MAX_IN_FLIGHT_EACH if not waits else 1), "after a pause, one finds out"
        for _ in range(count):
            manners.lacked(plan, "local: no descriptor")
        waits.append(manners.probe_in(plan.name))
        assert manners.wanted({"Siem": plan}, {}) == {}
        assert start(manners, plan) == 0
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert start(manners, plan) == 1
    manners.ended(plan, Health(is_well=False, reason="HTTP 500"))  # it could be made
    assert start(manners, plan) == MAX_IN_FLIGHT_EACH


def test_a_pause_is_told_as_a_state_of_its_own_and_opens_no_circuit(
    manners: Manners, clock: Clock, make_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = make_plan()
    for _ in range(100):
        manners.started(plan)
        manners.lacked(plan, "local: no descriptor")
    assert manners.circuits(1000.0) == {"Siem": Circuit("local", "local: no descriptor", 1000.0, 1001.0)}
    assert manners.circuits(1000.0) == {}
    clock.now += 1.0
    manners.started(plan)
    manners.ended(plan, Health(is_well=True))
    assert manners.circuits(1001.0) == {"Siem": None}
    assert manners.circuits(1001.0) == {}


def test_what_another_process_lacked_is_forgotten(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    manners.take_over({"Siem": Circuit("local", "local: no descriptor", 900.0, 2000.0)}, 1000.0)
    assert start(manners, make_plan()) == MAX_IN_FLIGHT_EACH
    assert manners.circuits(1000.0) == {"Siem": None}


@pytest.mark.parametrize("count", [40, 400, 1500])
def test_any_number_of_webhooks_that_hang_leave_room_at_once(
    clock: Clock, make_plan: Callable[..., DeliveryPlan], count: int
) -> None:
    manners = Manners(clock)
    plans = {name: replace(make_plan(), name=name) for name in [*(f"H{number}" for number in range(count)), "Well"]}
    manners.wanted(plans, {})
    for _ in range(3):  # as long as anything may be started
        for name in plans.keys() - {"Well"}:
            for _ in range(manners.may_start(plans[name])):
                manners.started(plans[name])
    assert manners.may_start(plans["Well"]) >= 1


def test_webhooks_that_failed_slowly_share_half(clock: Clock, make_plan: Callable[..., DeliveryPlan]) -> None:
    """More of them than there are places in all: whoever is not one of them still starts at once."""
    manners = Manners(clock, max_in_flight=100)
    slow = {name: replace(make_plan(), name=name) for name in (f"S{number}" for number in range(200))}
    well = replace(make_plan(), name="Well")
    plans = {**slow, "Well": well}
    for plan in slow.values():
        manners.started(plan)
        manners.ended(plan, None, is_slow=True)
    manners.wanted(plans, {})
    started = 0
    for plan in slow.values():
        for _ in range(max(0, manners.may_start(plan))):
            manners.started(plan)
            started += 1
    assert started == 50
    assert manners.may_start(well) >= 1
    manners.ended(slow["S0"], None)  # it was quick this time
    assert manners.may_start(slow["S0"]) >= 1
    assert manners.may_start(slow["S199"]) == 1  # in its place
    manners.started(slow["S199"])
    assert manners.may_start(slow["S198"]) <= 0
