"""Why a webhook has no delivery of an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hookctl.delivery.past.why import Unmatched, Why, unmatched
from hookctl.model import AppliedState, DeliveryPlan, Rename
from hookctl.store.history import Route, Routes, StoredEvent

Build = Callable[..., DeliveryPlan]
EVENT = StoredEvent("e1", "anomaly", 1.0, 10.0, {"id": "e1", "data": {"severity": "Low"}}, {}, (10.0, 1))
WHEN = "data.severity == 'High'"


def route(event: str = "anomaly", *, is_active: bool = True, when: str | None = None) -> Route:
    return Route((event,), is_active=is_active, when=when)


def reasons(build: Build, then: dict[str, Route], *names: str, **state: Any) -> list[Unmatched]:
    applied = AppliedState(9, {name: build(name) for name in names}, **state)
    return list(unmatched(EVENT, {"Delivered"}, applied, Routes(5, then)))


def test_each_reason(delivery_plan: Build) -> None:
    then = {
        "type": route("other", is_active=False),
        "inactive": route(is_active=False, when=WHEN),
        "when": route(when=WHEN),
        "Match": route(),
        "fails": route(when="contains(data.missing, 'x')"),
        "removed since": route(),
        "Delivered": route(),
    }
    names = ("Delivered", "Match", "fails", "inactive", "new", "type", "when")
    found = {one.webhook: (one.why, one.detail) for one in reasons(delivery_plan, then, *names)}
    assert list(found) == ["fails", "inactive", "Match", "new", "type", "when"]
    assert found["inactive"] == (Why.INACTIVE, "")
    assert found["new"] == (Why.NOT_APPLIED, "")
    assert found["type"] == (Why.OTHER_TYPE, "other")
    assert found["when"] == (Why.WHEN_FALSE, """data.severity == 'High' (data.severity is "Low")""")
    assert found["Match"] == (Why.UNKNOWN, "")
    assert found["fails"][0] is Why.UNKNOWN
    assert "cannot be applied to the event" in found["fails"][1]


def test_a_webhook_that_was_renamed_since(delivery_plan: Build) -> None:
    renames = (Rename(4, "Gone", "First"), Rename(6, "First", "Second"), Rename(7, "Second", "Third"))
    then = {"First": route(is_active=False), "Third": route("other")}
    assert reasons(delivery_plan, then, "Third", renames=renames) == [Unmatched("Third", Why.INACTIVE)]
