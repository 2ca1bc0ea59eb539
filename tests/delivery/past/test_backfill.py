"""Which deliveries a backfill makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hookctl.config.diff import make_plan as make_change
from hookctl.delivery.past import backfill, batches
from hookctl.delivery.past.where import where_of
from hookctl.delivery.runner.route import Router, delivery_id
from hookctl.errors import IntakeRefusedError, StalePlanError
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Event, Rename, Status
from hookctl.store.history import AuditEntry
from hookctl.store.records import Routed
from hookctl.store.sqlite.store import SqliteStore

Build = Callable[..., DeliveryPlan]
AUDIT = AuditEntry(id="one", at=1.0, who="ada@loom", action="backfill", what="Siem")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "hookctl.db")
    yield opened
    opened.close()


def event(number: int, event_type: str = "anomaly") -> Event:
    document: dict[str, Any] = {"id": f"e{number}", "event_type": event_type, "data": {"n": number}}
    return Event(f"e{number}", event_type, 1.0, document)


def find(store: SqliteStore, plan: DeliveryPlan, **given: Any) -> backfill.Missed:
    defaults = {"since": 0.0, "until": None, "where": None, "limit": 1000, "sample": 5}
    return backfill.find_missed(store, plan, **{**defaults, **given})


def apply(store: SqliteStore, *plans: DeliveryPlan) -> AppliedState:
    """Make these the applied webhooks."""
    return store.apply(make_change(store.read_state(), {plan.name: plan for plan in plans}, {}))


def make(store: SqliteStore, missed: backfill.Missed, max_waiting: float = 1e6) -> list[int]:
    return list(making(store, store.read_state().plans["Siem"], missed, max_waiting))


def making(store: SqliteStore, plan: DeliveryPlan, missed: backfill.Missed, max_waiting: float = 1e6) -> Iterator[int]:
    return backfill.make(store, plan, missed, clock=lambda: 99.0, max_waiting=max_waiting, audit=AUDIT)


def test_it_makes_what_routing_would_have_made(
    store: SqliteStore, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "COMMIT", 7)
    monkeypatch.setattr(backfill, "LOOK_AT", 10)
    plan = delivery_plan("Siem", when="data.n > `3`")
    apply(store, plan)
    router = Router(AppliedState(1, {"Siem": plan}))
    for number in range(40):
        one = event(number, "other" if number % 5 == 0 else "anomaly")
        store.enqueue([router.route(one) if number % 2 else Routed(one, ())], float(number))
    expected = [f"e{number}" for number in range(39, 3, -1) if number % 5 and number % 2 == 0]
    missed = find(store, plan, since=1.0, until=40.0)
    assert missed.ids == [(name, delivery_id(name, 1.0, "Siem")) for name in expected]
    assert ([one.id for one in missed.newest], missed.looked_at, missed.has_more) == (expected[:5], 32, False)
    assert make(store, missed) == [7, 7, len(expected) - 14]
    assert make(store, missed) == [0, 0, 0]
    assert find(store, plan).ids == []
    (entry,) = (entry for entry in store.log(10) if entry.action == "backfill")
    assert (entry.deliveries, entry.what) == (len(expected), "Siem")
    claims = store.claim(100.0, 100, 60.0, {"Siem": 100})
    backfilled = [claimed.delivery.event_id for claimed in claims if claimed.delivery.created_at == 99.0]
    assert backfilled == expected[::-1]


def test_limits_and_conditions(store: SqliteStore, delivery_plan: Build) -> None:
    store.enqueue([Routed(event(number), ()) for number in range(10)], 5.0)
    missed = find(store, delivery_plan("Siem"), limit=4, sample=2)
    assert ([name for name, _ in missed.ids], len(missed.newest)) == (["e9", "e8", "e7", "e6"], 2)
    assert missed.has_more
    assert not find(store, delivery_plan("Siem"), limit=10).has_more
    assert [name for name, _ in find(store, delivery_plan("Siem"), where=where_of("data.n == `3`")).ids] == ["e3"]
    assert find(store, delivery_plan("Siem"), since=6.0).ids == find(store, delivery_plan("Siem"), until=5.0).ids == []
    assert find(store, delivery_plan("Siem"), where=where_of("contains(data.x, 'y')")).ids == []
    assert find(store, delivery_plan("Siem", when="contains(data.x, 'y')")).ids == []


def test_a_full_store_keeps_what_was_made(
    store: SqliteStore, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "COMMIT", 4)
    apply(store, delivery_plan("Siem"))
    store.enqueue([Routed(event(number), ()) for number in range(10)], 5.0)
    missed = find(store, delivery_plan("Siem"))
    with pytest.raises(IntakeRefusedError):
        make(store, missed, max_waiting=6)
    assert len(find(store, delivery_plan("Siem")).ids) == 6
    assert sum(make(store, find(store, delivery_plan("Siem")))) == 6


@pytest.mark.parametrize(
    "now",
    [{"when": "data.n > `3`"}, {"status": Status.INACTIVE}, {"name": "Renamed"}],
    ids=["when", "inactive", "gone"],
)
def test_an_apply_in_the_meantime_ends_it(
    store: SqliteStore, delivery_plan: Build, now: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "COMMIT", 4)
    plan = delivery_plan("Siem")
    apply(store, plan)
    store.enqueue([Routed(event(number), ()) for number in range(10)], 5.0)
    made = making(store, plan, find(store, plan))
    assert next(made) == 4
    apply(store, delivery_plan(**{"name": "Siem", **now}))
    with pytest.raises(StalePlanError, match="an apply has changed, renamed or removed Siem"):
        next(made)
    assert len(store.deliveries()) == 4


def test_an_apply_of_another_webhook_does_not_end_it(
    store: SqliteStore, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "COMMIT", 4)
    plan = delivery_plan("Siem")
    apply(store, plan)
    store.enqueue([Routed(event(number), ()) for number in range(10)], 5.0)
    made = making(store, plan, find(store, plan))
    assert next(made) == 4
    apply(store, plan, delivery_plan("Other", events=("other",)))
    assert [*made] == [4, 2]


def test_an_apply_at_the_moment_of_a_commit(
    store: SqliteStore, delivery_plan: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deliveries of a webhook that was removed are cancelled, as if they had been made before."""
    plan = delivery_plan("Siem")
    apply(store, plan)
    store.enqueue([Routed(event(1), ())], 5.0)
    backfill_in_store = store.backfill

    def late(*given: Any, **rest: Any) -> int:
        apply(store)
        store.reconcile(store.read_state())  # as a runner does that notices the apply
        return backfill_in_store(*given, **rest)

    monkeypatch.setattr(store, "backfill", late)
    assert [*making(store, plan, find(store, plan))] == [1]
    assert [one.status for one in store.deliveries()] == [DeliveryStatus.CANCELLED]


def test_a_new_webhook_gets_what_an_earlier_one_of_its_name_has_received(
    store: SqliteStore, delivery_plan: Build
) -> None:
    """A renamed webhook takes its deliveries along, whose ids are those that the new one's deliveries would have."""
    old = delivery_plan("Siem")
    apply(store, old)
    store.enqueue([Router(AppliedState(1, {"Siem": old})).route(event(number)) for number in range(3)], 5.0)
    first = {one.id for one in store.deliveries()}
    for names in (("Siem", "Old"), ("Siem", "Old", "Older")):
        applied = apply(store, *(delivery_plan(name) for name in names))
        renames = (Rename(applied.serial, "Siem", names[-1], is_taken=True),)
        store.reconcile(AppliedState(applied.serial, applied.plans, renames=renames))
        assert make(store, find(store, applied.plans["Siem"])) == [3]
        assert make(store, find(store, applied.plans["Siem"])) == []
    ids = [one.id for one in store.deliveries()]
    assert (len(set(ids)), first <= set(ids)) == (9, True)
