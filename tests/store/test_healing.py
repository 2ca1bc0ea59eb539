"""Deliveries that an apply may repair: how they are found, and replayed with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hookctl.config.diff import make_plan
from hookctl.errors import StalePlanError
from hookctl.model import (
    AppliedState,
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Json,
    Plan,
    Repair,
    Response,
    Timing,
)
from hookctl.store.history import AuditEntry
from hookctl.store.interface import Store
from hookctl.store.records import NewDelivery, Outcome, Result, Routed

Build = Callable[..., DeliveryPlan]
NOW = 1_800_000_000.0
DEAD, RETRYING, HELD = DeliveryStatus.DEAD, DeliveryStatus.RETRYING, DeliveryStatus.HELD
AUDIT = AuditEntry(id="a1", at=NOW + 10, who="ada@loom", action="heal", what="plan")


def enqueue(store: Store, *names: str, webhook: str = "A") -> None:
    for at, name in enumerate(names):
        document: dict[str, Json] = {"id": name, "event_type": "anomaly", "event_time": NOW, "data": {}}
        event = Event(name, "anomaly", NOW, document)
        store.enqueue([Routed(event, (NewDelivery(f"{name}-{webhook}", webhook),))], NOW + at)


def finish(store: Store, plan: DeliveryPlan, status: DeliveryStatus, limit: int = 100, now: float = NOW + 5) -> None:
    """Claim what is due to A and end it so."""
    outcome = Outcome(status, "HTTP 404", due_at=NOW + 100 if status is RETRYING else None)
    response = Response(404, "Not Found", (), b"")
    results = []
    for claimed in store.claim(now, limit, 60.0, {"A": limit}):
        attempt = Attempt(
            plan_digest=plan.digest,
            number=claimed.delivery.attempts + 1,
            started_at=now,
            request=None,
            response=response,
            failure=None,
            timing=Timing(),
        )
        results.append(Result(claimed, attempt, outcome, 1, plan))
    store.finish(results, now)


def planned(store: Store, *after: DeliveryPlan) -> Plan:
    return make_plan(store.read_state(), {plan.name: plan for plan in after}, {"hookctl": "0"})


def healing(plan: Plan, store: Store, *statuses: DeliveryStatus) -> Plan:
    found = [one for status in statuses for one in store.repairable("A", status, 100)]
    return replace(plan, heal=tuple(Repair("A", one.id, one.status, one.version) for one in found))


def statuses(store: Store) -> dict[str, str]:
    return {one.id: one.status.value for one in store.deliveries()}


def test_the_newest_come_with_their_event_last_attempt_and_plan(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    enqueue(store, "e1", "e2", "e3")
    enqueue(store, "other", webhook="B")
    finish(store, plan, DEAD)
    found = store.repairable("A", DEAD, 2)
    assert [one.id for one in found] == ["e3-A", "e2-A"]
    assert (found[0].document["id"], found[0].plan, found[0].attempts) == ("e3", plan, 1)
    assert found[0].attempt
    assert found[0].attempt.response
    assert found[0].attempt.response.status == 404
    assert store.repairable("A", RETRYING, 9) == store.repairable("A", HELD, 9) == []


def test_what_a_worker_has_claimed_is_left_out(store: Store, delivery_plan: Build) -> None:
    enqueue(store, "e1")
    finish(store, delivery_plan("A"), RETRYING)
    assert [one.id for one in store.repairable("A", RETRYING, 9)] == ["e1-A"]
    store.claim(NOW + 200, 1, 60.0, {"A": 1})
    assert store.repairable("A", RETRYING, 9) == []


def test_an_apply_replays_what_its_plan_heals_and_nothing_else(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    store.apply(planned(store, plan))
    enqueue(store, "e1", "e2")
    finish(store, plan, DEAD)
    enqueue(store, "e3")
    finish(store, plan, RETRYING)
    made = healing(planned(store, delivery_plan("A", url="https://b.example.com/")), store, DEAD, RETRYING)
    made = replace(made, heal=tuple(one for one in made.heal if one.id != "e1-A"))
    state, healed = store.apply_and_heal(made, AUDIT, applied_by="ada@loom")
    assert (state.serial, healed) == (2, 2)
    assert statuses(store) == {"e1-A": "dead", "e2-A": "waiting", "e3-A": "waiting"}
    assert {one.attempts for one in store.deliveries() if one.status is DeliveryStatus.WAITING} == {0}
    assert store.claim(NOW + 10.5, 9, 60.0, {"A": 9}) == []  # not before every runner knows the new plan
    claims = store.claim(NOW + 11.5, 9, 60.0, {"A": 9})
    assert len(claims) == 2
    assert None not in {one.replayed_at for one in claims}
    (entry,) = [entry for entry in store.log(10) if entry.action == "heal"]
    assert (entry.deliveries, entry.who, entry.what) == (2, "ada@loom", "plan")


def test_what_has_changed_since_the_plan_is_left_alone(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    store.apply(planned(store, plan))
    enqueue(store, "same", "replayed", "again", "gone")
    finish(store, plan, DEAD)
    enqueue(store, "cancelled", "tried")
    finish(store, plan, RETRYING)
    made = healing(planned(store, delivery_plan("A", timeout_seconds=9)), store, DEAD, RETRYING)
    assert len(made.heal) == 6
    store.replay(["again-A"], NOW + 6)
    finish(store, plan, DEAD, now=NOW + 6)  # dead again, for the same reason and after as many attempts
    store.replay(["replayed-A"], NOW + 7)
    store.cancel(["cancelled-A"], NOW + 7, "not wanted")
    finish(store, plan, RETRYING, now=NOW + 150)
    heal = tuple(replace(one, id="missing") if one.id == "gone-A" else one for one in made.heal)
    _, healed = store.apply_and_heal(replace(made, heal=heal), AUDIT)
    assert healed == 1
    assert statuses(store) == {
        "same-A": "waiting",
        "replayed-A": "retrying",
        "again-A": "dead",
        "gone-A": "dead",
        "cancelled-A": "cancelled",
        "tried-A": "retrying",
    }


def test_a_delivery_of_another_webhook_is_left_alone(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    store.apply(planned(store, plan, delivery_plan("B")))
    enqueue(store, "e1")
    finish(store, plan, DEAD)
    made = planned(store, plan, delivery_plan("B", timeout_seconds=9))
    (dead,) = store.repairable("A", DEAD, 9)
    forged = replace(made, heal=(Repair("B", dead.id, DEAD, dead.version),))
    assert store.apply_and_heal(forged, AUDIT)[1] == 0
    assert statuses(store) == {"e1-A": "dead"}


def test_deliveries_of_a_renamed_webhook_are_found_under_both_names(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    store.apply(planned(store, plan))
    enqueue(store, "e1")
    finish(store, plan, DEAD)
    made = planned(store, delivery_plan("a", timeout_seconds=9))
    (dead,) = store.repairable("A", DEAD, 9)
    state, healed = store.apply_and_heal(replace(made, heal=(Repair("a", dead.id, DEAD, dead.version),)), AUDIT)
    store.reconcile(state)
    assert healed == 1
    assert [(one.webhook, one.status.value) for one in store.deliveries()] == [("a", "waiting")]


def test_a_stale_plan_heals_nothing(store: Store, delivery_plan: Build) -> None:
    plan = delivery_plan("A")
    store.apply(planned(store, plan))
    enqueue(store, "e1")
    finish(store, plan, DEAD)
    made = healing(planned(store, delivery_plan("A", timeout_seconds=9)), store, DEAD)
    store.apply(planned(store, delivery_plan("A", timeout_seconds=8)))
    with pytest.raises(StalePlanError):
        store.apply_and_heal(made, AUDIT)
    assert statuses(store) == {"e1-A": "dead"}
    assert [entry.action for entry in store.log(10)] == ["apply", "apply"]


def test_the_digest_covers_what_is_healed(delivery_plan: Build) -> None:
    plan = make_plan(AppliedState(), {"A": delivery_plan("A")}, {"hookctl": "0"})
    digests = {
        replace(plan, heal=heal).digest
        for heal in (
            (),
            (Repair("A", "m1", DEAD, 1),),
            (Repair("A", "m1", RETRYING, 1),),
            (Repair("A", "m1", DEAD, 2),),
            (Repair("A", "m2", DEAD, 1),),
            (Repair("B", "m1", DEAD, 1),),
        )
    }
    assert len(digests) == 6
