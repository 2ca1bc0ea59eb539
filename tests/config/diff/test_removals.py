"""How much a plan may take out of service at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hookctl.config.diff import RemovalLimit, make_plan, stopped_by
from hookctl.model import AppliedState, DeliveryPlan, Plan, Status

Build = Callable[..., DeliveryPlan]


def planned(build: Build, applied: int, removed: int = 0, deactivated: int = 0) -> Plan:
    before = {f"W{number}": build(f"W{number}", timeout_seconds=number + 1) for number in range(applied)}
    after = dict(list(before.items())[removed:])
    for name in list(after)[:deactivated]:
        after[name] = build(name, timeout_seconds=99, status=Status.INACTIVE)
    return make_plan(AppliedState(1, before), after, {})


@pytest.mark.parametrize(
    ("applied", "removed", "deactivated", "exceeded"),
    [
        (10, 3, 0, False),
        (10, 4, 0, True),
        (10, 2, 2, True),
        (10, 0, 4, True),
        (9, 9, 0, False),
        (100, 30, 0, False),
        (100, 31, 0, True),
        (0, 0, 0, False),
    ],
)
def test_more_than_a_third_or_so_of_many(
    delivery_plan: Build, applied: int, removed: int, deactivated: int, exceeded: bool
) -> None:
    assert RemovalLimit().is_exceeded_by(planned(delivery_plan, applied, removed, deactivated)) is exceeded


def test_the_limit_can_be_another(delivery_plan: Build) -> None:
    one_of_three = planned(delivery_plan, 3, 1)
    assert RemovalLimit(percent=33, minimum=3).is_exceeded_by(one_of_three)
    assert not RemovalLimit(percent=34, minimum=3).is_exceeded_by(one_of_three)
    assert not RemovalLimit(percent=0, minimum=4).is_exceeded_by(one_of_three)
    assert not RemovalLimit(percent=100, minimum=1).is_exceeded_by(planned(delivery_plan, 3, 3))


def test_what_counts(delivery_plan: Build) -> None:
    inactive = Status.INACTIVE
    before = [
        delivery_plan("Gone"),
        delivery_plan("Gone that slept", status=inactive, url="a"),
        delivery_plan("Falls asleep"),
        delivery_plan("Sleeps", status=inactive),
        delivery_plan("Old", url="b"),
        delivery_plan("case", url="c"),
    ]
    after = [
        delivery_plan("Falls asleep", status=inactive),
        delivery_plan("Sleeps", status=inactive, url="d"),
        delivery_plan("New", url="b"),
        delivery_plan("CASE", url="c", status=inactive),
        delivery_plan("Created asleep", status=inactive, url="e"),
    ]
    plan = make_plan(AppliedState(1, {one.name: one for one in before}), {one.name: one for one in after}, {})
    assert [change.name for change in stopped_by(plan)] == ["CASE", "Falls asleep", "Gone", "Gone that slept"]
