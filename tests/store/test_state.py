"""What every store promises about the applied state: see ``hookctl.store.interface.State``."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hookctl.config.diff import make_plan
from hookctl.errors import StalePlanError, StateError
from hookctl.model import AppliedState, DeliveryPlan, Plan, Rename
from hookctl.store.interface import Store

Build = Callable[..., DeliveryPlan]


def planned(store: Store, *desired: DeliveryPlan) -> Plan:
    return make_plan(store.read_state(), {plan.name: plan for plan in desired}, {"hookctl": "1"})


def test_nothing_is_applied_at_first(store: Store) -> None:
    assert store.read_state() == AppliedState(0, {})


def test_what_is_applied_is_read_back_by_every_process(
    store: Store, open_store: Callable[[], Store], delivery_plan: Build
) -> None:
    plans = delivery_plan("A"), delivery_plan("B", labels={"\u00fc": "\u2028"})
    assert store.apply(planned(store, *plans)) == AppliedState(1, {plan.name: plan for plan in plans})
    changed = delivery_plan("B", timeout_seconds=2.5), delivery_plan("C")
    second = store.apply(planned(store, *changed))
    assert second.serial == 2
    assert second.plans["B"] == changed[0]
    assert second == store.read_state() == open_store().read_state()
    assert not planned(store, *second.plans.values()).has_changes


def test_a_plan_that_starts_from_an_older_state_is_refused(store: Store, delivery_plan: Build) -> None:
    plan = planned(store, delivery_plan())
    store.check_plan(plan)
    store.apply(plan, applied_by="ada@loom")
    for refuse in (store.check_plan, store.apply):
        with pytest.raises(
            StalePlanError, match="serial 0, and the applied state is now at serial 1, applied by ada@loom"
        ):
            refuse(plan)
    assert store.read_state().serial == 1


def test_a_plan_is_stale_after_a_change_and_its_way_back(store: Store, delivery_plan: Build) -> None:
    store.apply(planned(store, delivery_plan()))
    plan = planned(store, delivery_plan(timeout_seconds=3))
    for seconds in (9, 15):
        store.apply(planned(store, delivery_plan(timeout_seconds=seconds)))
    for refuse in (store.check_plan, store.apply):
        with pytest.raises(StalePlanError, match="starts from serial 1, and the applied state is now at serial 3"):
            refuse(plan)


def test_a_protected_webhook_is_not_removed(store: Store, delivery_plan: Build) -> None:
    store.apply(planned(store, delivery_plan("Vital", protected=True)))
    removal = planned(store)
    for refuse in (store.check_plan, store.apply):
        with pytest.raises(StateError, match="protected webhook Vital"):
            refuse(removal)
    store.apply(planned(store, delivery_plan("Vital", protected=False)))
    assert store.apply(planned(store)).plans == {}


def test_renames_are_remembered_by_serial(store: Store, delivery_plan: Build) -> None:
    store.apply(planned(store, delivery_plan("A")))
    state = store.apply(planned(store, delivery_plan("B")))
    assert state.renames == (Rename(2, "A", "B"),)
    state = store.apply(planned(store, delivery_plan("B"), delivery_plan("A", timeout_seconds=9)))
    assert state.renames == (Rename(2, "A", "B", is_taken=True),)
    assert store.read_state() == state


def test_of_many_applies_at_once_exactly_one_wins(
    store: Store, open_store: Callable[[], Store], delivery_plan: Build
) -> None:
    plans = [planned(store, delivery_plan(f"Mine{number}")) for number in range(4)]
    stores = [open_store() for _ in plans]
    gate = threading.Barrier(len(plans))
    results: list[AppliedState | StateError] = []

    def run(one: Store, plan: Plan) -> None:
        gate.wait()
        try:
            results.append(one.apply(plan))
        except StateError as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=pair) for pair in zip(stores, plans, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [result for result in results if isinstance(result, AppliedState)]
    assert all(isinstance(result, StalePlanError) for result in results if result is not winner)
    assert store.read_state() == winner


def test_the_state_is_read_while_a_commit_is_in_flight(store: Store, delivery_plan: Build) -> None:
    """The methods of State and Locks do not wait for the writer, whose commit may wait for another process."""
    from hookctl.store.records import Batch

    state = store.apply(planned(store, delivery_plan()))
    commit = store.submit(Batch(now=0.0))
    assert store.read_state() == state
    assert store.read_lock() is None
    commit.result()


def test_nothing_is_damaged(store: Store, delivery_plan: Build) -> None:
    store.apply(planned(store, delivery_plan()))
    with store.hold_lock(operation="apply", who="ada@loom"):
        assert store.damaged() == []
