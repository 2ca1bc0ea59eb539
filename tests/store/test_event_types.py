"""The event types that files define are part of the applied state, in every store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hookctl.config.diff import make_plan
from hookctl.errors import StalePlanError
from hookctl.model import AppliedState, DefinedType, DeliveryPlan
from hookctl.store.interface import Store

NEW = DefinedType("deployment", {"description": "Größe", "type": "object", "examples": [{"id": "1"}]})
CHANGED = DefinedType("deployment", {"type": "object", "properties": {"n": {"maximum": 10**30}}})


def test_an_apply_writes_changes_and_removes_them(store: Store, delivery_plan: Callable[..., DeliveryPlan]) -> None:
    def apply(*types: DefinedType) -> AppliedState:
        wanted = {one.name: one for one in types}
        plans = {"A": delivery_plan("A")}
        return store.apply(make_plan(store.read_state(), plans, {}, event_types=wanted))

    assert apply(NEW).event_types == {"deployment": NEW}
    assert store.read_state().event_types["deployment"].digest == NEW.digest
    assert not store.read_state().is_edited
    other = DefinedType("other", {"type": "object"})
    assert apply(CHANGED, other).event_types == {"deployment": CHANGED, "other": other}
    assert not store.read_state().is_edited
    assert apply().event_types == {}
    assert store.read_state().serial == 3


def test_a_plan_that_starts_from_other_event_types_is_stale(store: Store) -> None:
    store.apply(make_plan(store.read_state(), {}, {}, event_types={"deployment": NEW}))
    state: Any = store.read_state()
    other = AppliedState(state.serial, state.plans, event_types={"deployment": CHANGED})
    with pytest.raises(StalePlanError):
        store.apply(make_plan(other, {}, {}, event_types={}))
    assert store.read_state().event_types == {"deployment": NEW}
