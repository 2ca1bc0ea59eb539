"""How much of each webhook may be on its way at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hookctl.model import DeliveryPlan, Status
from hookctl.run.manners import MAX_IN_FLIGHT, MAX_IN_FLIGHT_EACH, Manners


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
    count = manners.wanted({plan.name: plan}).get(plan.name, 0)
    for _ in range(count):
        manners.started(plan)
    return count


def test_a_share_for_each_webhook(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    plan = make_plan()
    assert start(manners, plan) == MAX_IN_FLIGHT_EACH
    assert start(manners, plan) == 0
    assert manners.room == MAX_IN_FLIGHT - MAX_IN_FLIGHT_EACH
    manners.ended(plan.name)
    assert start(manners, plan) == 1


def test_inactive_webhooks_are_not_wanted(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    assert manners.wanted({"Siem": make_plan(status=Status.INACTIVE)}) == {}


def test_every_webhook_comes_first_once(manners: Manners, make_plan: Callable[..., DeliveryPlan]) -> None:
    plans = {name: replace(make_plan(), name=name) for name in "ABC"}
    assert {next(iter(manners.wanted(plans))) for _ in range(3)} == set("ABC")


@pytest.mark.parametrize(("rate", "seconds", "expected"), [(50.0, 0.125, 6), (50.0, 3600.0, 50), (0.5, 1.0, 0), (0.5, 2.0, 1), (0.5, 3600.0, 1)])
def test_a_rate_limit_fills_evenly_and_saves_up_one_second(make_plan: Callable[..., DeliveryPlan], rate: float, seconds: float, expected: int) -> None:
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
            manners.ended(plan.name)
    assert 70 <= total <= 71
