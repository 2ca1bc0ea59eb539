"""What every store promises about its lock: see ``hookctl.store.interface.Locks``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from hookctl.config.diff import make_plan
from hookctl.errors import StateError, StateLockedError
from hookctl.model import AppliedState, DeliveryPlan
from hookctl.store.interface import Store
from hookctl.store.records import Lock

Build = Callable[..., DeliveryPlan]


def test_one_holder_at_a_time(store: Store, open_store: Callable[[], Store]) -> None:
    other = open_store()
    with store.hold_lock(operation="apply", who="ada@loom") as lock:
        assert (lock.who, lock.operation, lock.pid) == ("ada@loom", "apply", os.getpid())
        assert other.read_lock() == lock
        with (
            pytest.raises(StateLockedError, match="the state is locked by ada@loom, hookctl apply since 2") as refused,
            other.hold_lock(operation="apply", who="bob@loom"),
        ):
            pytest.fail("both hold it")
        assert f"hookctl unlock {lock.id}" in refused.value.hint
    assert other.read_lock() is None
    with other.hold_lock(operation="apply", who="bob@loom"):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_it_is_given_back_when_the_block_raises(store: Store, error: type[BaseException]) -> None:
    with pytest.raises(error), store.hold_lock(operation="apply", who="ada@loom"):
        raise error
    assert store.read_lock() is None


def test_waiting_for_it(store: Store, open_store: Callable[[], Store]) -> None:
    seen: list[Lock] = []
    holds, may_go = threading.Event(), threading.Event()
    other = open_store()

    def first() -> None:
        with other.hold_lock(operation="apply", who="ada@loom"):
            holds.set()
            may_go.wait(30)

    def waiting(lock: Lock) -> None:
        seen.append(lock)
        may_go.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert holds.wait(30)
    with store.hold_lock(operation="apply", who="bob@loom", timeout=30, waiting=waiting) as lock:
        assert lock.who == "bob@loom"
    thread.join()
    assert {lock.who for lock in seen} == {"ada@loom"}


def test_it_is_broken_by_its_id_only(store: Store, open_store: Callable[[], Store]) -> None:
    other = open_store()
    with pytest.raises(StateError, match="not locked"):
        other.break_lock("abc")
    with store.hold_lock(operation="apply", who="ada@loom") as lock:
        with pytest.raises(
            StateError, match=f"there is no lock abc; the state is locked by ada@loom, .*lock {lock.id}"
        ):
            other.break_lock("abc")
        assert other.break_lock(lock.id) == lock
        with other.hold_lock(operation="apply", who="bob@loom") as second:
            assert store.read_lock() == second
    assert store.read_lock() is None


def test_who_lost_the_lock_does_not_take_it_from_the_next(store: Store, open_store: Callable[[], Store]) -> None:
    other = open_store()
    with store.hold_lock(operation="apply", who="ada@loom") as lost:
        other.break_lock(lost.id)
        holding = other.hold_lock(operation="apply", who="bob@loom")
        second = holding.__enter__()
    assert store.read_lock() == second
    holding.__exit__(None, None, None)
    assert store.read_lock() is None


def test_apply_asks_for_the_lock(store: Store, open_store: Callable[[], Store], delivery_plan: Build) -> None:
    plan = make_plan(AppliedState(), {"Siem": delivery_plan()}, {})
    other = open_store()
    with store.hold_lock(operation="apply", who="ada@loom") as lock:
        other.check_plan(plan)
        with pytest.raises(StateLockedError, match="the state is locked by ada@loom"):
            other.apply(plan)
        with pytest.raises(StateLockedError, match="the lock abc of this apply was released, and it is now held by"):
            other.apply(plan, lock_id="abc")
        other.break_lock(lock.id)
        with pytest.raises(StateLockedError, match=f"the lock {lock.id} of this apply was released$"):
            store.apply(plan, lock_id=lock.id)
        assert store.read_state().serial == 0
    with store.hold_lock(operation="apply", who="ada@loom") as lock:
        assert store.apply(plan, lock_id=lock.id).serial == 1
