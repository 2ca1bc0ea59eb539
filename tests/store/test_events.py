"""What every store promises about kept events, backfills and the log: see ``hookctl.store.events_interface``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookctl.config.diff import make_plan
from hookctl.errors import IntakeRefusedError
from hookctl.model import (
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Mismatch,
    Response,
    Status,
    Timing,
    Verdict,
)
from hookctl.store.history import AuditEntry, EventFilter, Route
from hookctl.store.interface import Queue, Store
from hookctl.store.records import Filter, NewDelivery, Outcome, Result, Routed

Build = Callable[..., DeliveryPlan]
NOW = 1_800_000_000.0
AUDIT = AuditEntry(id="one", at=NOW, who="ada@loom", action="replay", what="--status dead", reason="key rotated")


def put(queue: Queue, name: str, *webhooks: str, event_type: str = "anomaly", at: float = NOW, **data: Any) -> None:
    """Store one event, with a delivery to each webhook."""
    document: dict[str, Any] = {"id": name, "event_type": event_type, "event_time": 1.0, "data": data}
    deliveries = tuple(NewDelivery(f"{name}-{webhook}", webhook) for webhook in webhooks)
    assert queue.enqueue([Routed(Event(name, event_type, 1.0, document), deliveries)], at) == [True]


def ids(queue: Queue, limit: int = 100, **which: Any) -> list[str]:
    return [event.id for event in queue.events(EventFilter(**which), limit).events]


def test_an_event_that_matched_nothing_is_kept(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    put(queue, "e1", severity="High")
    put(queue, "e2", "A", "B", at=NOW + 1)
    queue.cancel(["e2-A"], NOW, "")
    for one in (queue, open_queue()):
        newest, oldest = one.events().events
        assert (newest.id, newest.deliveries) == ("e2", {DeliveryStatus.CANCELLED: 1, DeliveryStatus.WAITING: 1})
        assert (oldest.id, oldest.event_type, oldest.event_time, oldest.received_at) == ("e1", "anomaly", 1.0, NOW)
        assert (oldest.document["data"], oldest.deliveries) == ({"severity": "High"}, {})
        assert one.event("e1") == oldest
        assert one.event("e3") is None
    assert queue.prune(NOW + 0.5, 100) == 1
    assert (queue.event("e1"), ids(queue)) == (None, ["e2"])


def test_filters_of_events(queue: Queue) -> None:
    put(queue, "e1", "A", at=NOW + 1)
    put(queue, "e2", "B", event_type="other", at=NOW + 2)
    put(queue, "e3", at=NOW + 3, n=3)
    put(queue, "e4", "A", "B", at=NOW + 4, n=4)
    assert ids(queue) == ["e4", "e3", "e2", "e1"]
    assert ids(queue, limit=2) == ["e4", "e3"]
    assert ids(queue, event_type="other") == ["e2"]
    assert ids(queue, since=NOW + 2) == ["e4", "e3", "e2"]
    assert ids(queue, since=NOW + 2, until=NOW + 4) == ["e3", "e2"]
    assert ids(queue, matched=True) == ["e4", "e2", "e1"]
    assert ids(queue, matched=False) == ["e3"]
    assert ids(queue, unmade_for="B") == ["e3", "e1"]
    assert ids(queue, where=lambda document: document["data"] == {"n": 4}) == ["e4"]
    assert ids(queue, id="e3") == ["e3"]
    assert ids(queue, id="e3", matched=True) == ids(queue, id="e3", until=NOW) == ids(queue, id="e9") == []
    assert queue.events_with_delivery("B", ["e1", "e2", "e4", "e9"]) == {"e2", "e4"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(times=st.lists(st.integers(0, 5), min_size=1, max_size=30), limit=st.integers(1, 7), look_at=st.integers(1, 40))
def test_pages_give_every_event_once(
    open_store: Callable[[], Store], times: Sequence[int], limit: int, look_at: int
) -> None:
    """In order of time, also where the clock was set back, and of events of one moment."""
    queue = open_store()
    queue.prune(2e9, 10_000)
    for number, at in enumerate(times):
        put(queue, f"e{number}", at=NOW + at, n=number)
    expected = [f"e{number}" for _, number in sorted(((at, number) for number, at in enumerate(times)), reverse=True)]
    for which in (EventFilter(), EventFilter(where=lambda document: document["data"]["n"] % 3 == 0)):  # type: ignore[call-overload, index, operator]
        found: list[str] = []
        page = queue.events(which, limit, look_at=look_at)
        while True:
            found += [event.id for event in page.events]
            if page.next is None or page.next_id is None:
                break
            place = queue.event(page.next_id)
            assert place is not None
            assert place.position == page.next
            page = queue.events(which, limit, before=page.next, look_at=look_at)
        assert found == [name for name in expected if which.where is None or int(name[1:]) % 3 == 0]
    queue.close()


def test_a_page_ends_where_enough_events_were_looked_at(queue: Queue) -> None:
    for number in range(1200):
        put(queue, f"e{number}", n=number)
    page = queue.events(EventFilter(where=lambda document: document["data"]["n"] == 3), 5, look_at=500)  # type: ignore[call-overload, index]
    assert ([*page.events], page.looked_at, page.next_id) == ([], 500, "e700")
    rest = queue.events(EventFilter(where=lambda document: document["data"]["n"] == 3), 5, before=page.next)  # type: ignore[call-overload, index]
    assert ([event.id for event in rest.events], rest.looked_at, rest.next) == (["e3"], 700, None)


def test_an_event_is_found_by_its_id_after_repeats(queue: Queue) -> None:
    """The number that is kept with an id is that of its event, also where a batch contains known ids."""
    document: dict[str, Any] = {"event_type": "anomaly", "event_time": 1.0}

    def batch(*names: str) -> list[Routed]:
        return [Routed(Event(name, "anomaly", 1.0, {"id": name, **document}), ()) for name in names]

    queue.enqueue(batch("a", "b"), NOW)
    assert queue.enqueue(batch("c", "a", "d", "d", "e"), NOW) == [True, False, True, False, True]
    for name in "abcde":
        found = queue.event(name)
        assert found is not None
        assert found.document["id"] == name


def test_a_backfill_makes_each_delivery_once(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    for name in ("e1", "e2", "e3"):
        put(queue, name)
    put(queue, "e4", "A")
    queue.cancel(["e4-A"], NOW, "not wanted")
    missed = [(name, f"{name}-A") for name in ("e1", "e2", "e4", "gone")]
    assert queue.backfill("A", missed, NOW + 5, audit=AUDIT) == 2
    assert open_queue().backfill("A", [*missed, ("e3", "e3-A")], NOW + 6) == 1
    assert {one.id: (one.status, one.created_at) for one in queue.deliveries(Filter(webhook="A"))} == {
        "e1-A": ("waiting", NOW + 5),
        "e2-A": ("waiting", NOW + 5),
        "e3-A": ("waiting", NOW + 6),
        "e4-A": ("cancelled", NOW),
    }
    claims = queue.claim(NOW + 7, 10, 60.0, {"A": 10})
    assert [claimed.delivery.id for claimed in claims] == ["e1-A", "e2-A", "e3-A"]
    assert claims[0].document["id"] == "e1"


def test_a_delivery_that_was_renamed_is_not_made_again(queue: Queue) -> None:
    put(queue, "e1", "Old")
    assert queue.backfill("Old", [("e1", "another-id")], NOW) == 0


def test_a_backfill_of_a_held_webhook_is_held(queue: Queue) -> None:
    put(queue, "e1", "A")
    put(queue, "e2")
    (claimed,) = queue.claim(NOW, 1, 60.0, {"A": 1})
    queue.finish([Result(claimed, attempt(), Outcome(DeliveryStatus.DEAD, "410", hold=True), 1)], NOW)
    assert queue.backfill("A", [("e2", "e2-A")], NOW, max_waiting=0) == 1
    (held,) = queue.deliveries(Filter(event_id="e2"))
    assert (held.status, held.reason) == ("held", "the webhook is held: 410")
    assert queue.resume("A", replace(AUDIT, action="resume"))
    assert [one.delivery.id for one in queue.claim(NOW, 9, 60.0, {"A": 9})] == ["e2-A"]


def test_a_backfill_does_not_fill_the_store(queue: Queue) -> None:
    for name in ("e1", "e2", "e3"):
        put(queue, name)
    missed = [(name, f"{name}-A") for name in ("e1", "e2", "e3")]
    with pytest.raises(IntakeRefusedError, match="0 deliveries are waiting; the limit is 2"):
        queue.backfill("A", missed, NOW, max_waiting=2, audit=AUDIT)
    assert queue.deliveries() == []
    assert queue.backfill("A", missed[:2], NOW, max_waiting=2) == 2


# -- filters of deliveries -------------------------------------------------------------------------------------------


def attempt(
    status: int | None = 200, failure: FailureKind | None = None, digest: str = "d" * 64, *, mismatch: bool = False
) -> Attempt:
    return Attempt(
        plan_digest=digest,
        number=1,
        started_at=NOW,
        request=None,
        response=Response(status, "", (), b"") if status else None,
        failure=Failure(failure, "no answer") if failure else None,
        timing=Timing(),
        verdicts=(Verdict("jmespath", (Mismatch("jmespath", "no", got=float("inf")),) if mismatch else ()),),
    )


def test_deliveries_by_what_their_last_attempt_led_to(queue: Queue) -> None:
    ends = {
        "unauthorized": attempt(401),
        "slow": attempt(None, FailureKind.TIMEOUT),
        "wrong": attempt(200, mismatch=True),
        "fine": attempt(201, digest="e" * 64),
    }
    for name in (*ends, "new"):
        put(queue, name, "A", event_type="other" if name == "slow" else "anomaly", which=name)
    claims = {claimed.delivery.event_id: claimed for claimed in queue.claim(NOW, 4, 60.0, {"A": 4})}
    retry = Outcome(DeliveryStatus.RETRYING, "HTTP 500", NOW)
    queue.finish([Result(claims["fine"], attempt(500), retry, 1)], NOW)
    (claims["fine"],) = (one for one in queue.claim(NOW, 1, 60.0, {"A": 1}) if one.delivery.event_id == "fine")
    dead = Outcome(DeliveryStatus.DEAD, "no")
    queue.finish([Result(claims[name], end, dead, 1) for name, end in ends.items()], NOW)

    def found(**which: Any) -> list[str]:
        return sorted(one.event_id for one in queue.deliveries(Filter(**which)))

    assert found(cause="401") == found(cause="4xx") == ["unauthorized"]
    assert found(cause="timeout") == ["slow"]
    assert found(cause="mismatch") == ["wrong"]
    assert found(cause="2xx") == ["fine", "wrong"]
    assert found(cause="500") == []  # the last attempt counts
    assert found(plan_digest="eee") == found(plan_digest="e" * 64) == ["fine"]
    assert found(plan_digest="de") == []
    assert found(event_type="other") == found(event_id="slow") == ["slow"]
    assert found(event_id="none") == []
    assert found(where=lambda document: document["data"] == {"which": "new"}) == ["new"]
    assert len(queue.deliveries(Filter(cause="2xx"), 1)) == 1
    assert found(statuses=[DeliveryStatus.DEAD], webhook="A") == sorted(ends)
    assert found(statuses=[DeliveryStatus.WAITING, DeliveryStatus.RETRYING]) == ["new"]
    assert found(statuses=[]) == found(statuses=[DeliveryStatus.HELD]) == []
    assert found(until=NOW) == found(since=NOW + 1) == []
    assert len(found(since=NOW, until=NOW + 1)) == 5


# -- the log ---------------------------------------------------------------------------------------------------------


def test_the_log_has_applies_and_what_was_done(store: Store, delivery_plan: Build) -> None:
    put(store, "e1", "A")
    put(store, "e2", "A")
    assert store.log(10) == []
    started = time.time()
    plan = make_plan(store.read_state(), {"A": delivery_plan("A")}, {})
    store.apply(plan, applied_by="eve@loom")
    for name in ("e1", "e2"):
        assert store.replay([f"{name}-A", "nothing"], NOW, audit=AUDIT) == [f"{name}-A"]
    later = replace(AUDIT, id="two", at=NOW + 1, action="cancel", reason="")
    assert store.cancel(["e1-A"], NOW, "no", later) == ["e1-A"]
    cancel, replay, apply = store.log(10)
    assert (cancel.at, cancel.action, cancel.deliveries, cancel.reason) == (NOW + 1, "cancel", 1, "")
    assert (replay.who, replay.action, replay.what, replay.deliveries) == ("ada@loom", "replay", "--status dead", 2)
    assert (replay.reason, replay.serial) == ("key rotated", None)
    assert (apply.who, apply.action, apply.serial, apply.deliveries) == ("eve@loom", "apply", 1, None)
    assert apply.what == f"serial 1, plan {plan.digest[:12]}"
    assert started <= apply.at <= time.time()
    assert store.log(1) == [cancel]
    assert store.log(10, NOW + 1) == [cancel]


def test_routes_of_earlier_times(store: Store, delivery_plan: Build) -> None:
    def apply(*plans: DeliveryPlan) -> float:
        """Gives a time after this apply and before the next."""
        store.apply(make_plan(store.read_state(), {plan.name: plan for plan in plans}, {}))
        time.sleep(0.002)
        at = time.time()
        time.sleep(0.002)
        return at

    before = time.time() - 1
    created = apply(delivery_plan("A", when="data.n"), delivery_plan("B"))
    inactive = apply(delivery_plan("A", when="data.n", status=Status.INACTIVE), delivery_plan("B"))
    renamed = apply(delivery_plan("New", when="data.n", status=Status.INACTIVE))
    assert (store.routes_at(before).serial, store.routes_at(before).webhooks) == (0, {})
    assert store.routes_at(created).webhooks == {
        "A": Route("anomaly", is_active=True, when="data.n"),
        "B": Route("anomaly", is_active=True, when=None),
    }
    assert store.routes_at(inactive).webhooks["A"] == Route("anomaly", is_active=False, when="data.n")
    assert store.routes_at(renamed).serial == store.serial_at(renamed) == 3
    assert (store.serial_at(before), store.serial_at(created)) == (0, 1)
    assert store.routes_at(renamed).webhooks == {"New": Route("anomaly", is_active=False, when="data.n")}
