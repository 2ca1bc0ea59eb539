"""Fixtures: effects of a change, worked out with the built-in plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest

from hookctl.config.diff import make_plan
from hookctl.config.effects import Effects, Recent
from hookctl.config.review import plan_effects
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus
from hookctl.plugin.calls import Plugins
from hookctl.plugin.host import load_plugins


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture(scope="session")
def effects_of(plugins: Plugins) -> Callable[..., Effects]:
    """``effects_of([before, ...], [after, ...], recent=[event, ...])`` for the change from the first to the second."""

    def find(
        before: Iterable[DeliveryPlan],
        after: Iterable[DeliveryPlan],
        *,
        samples: Sequence[Mapping[str, Any]] = (),
        recent: Sequence[Mapping[str, Any]] | None = None,
        waiting: Mapping[str, Mapping[DeliveryStatus, int]] | None = None,
    ) -> Effects:
        plan = make_plan(AppliedState(1, {one.name: one for one in before}), {one.name: one for one in after}, {})
        return plan_effects(
            plan, plugins, samples=samples, recent=None if recent is None else Recent("here", recent), waiting=waiting
        )

    return find


@pytest.fixture(scope="session")
def event(plugins: Plugins) -> Callable[..., dict[str, Any]]:
    """``event("e1", severity="Low")``: the mock event with another id and other fields in its data."""

    def build(event_id: str, **data: Any) -> dict[str, Any]:
        mock: Any = plugins.event_types["anomaly"].mock
        return {**mock, "id": event_id, "data": {**mock["data"], **data}}

    return build
