"""What every store reports to monitoring: see ``hookctl.store.monitoring``."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookctl.model import Attempt, DeliveryStatus, Event, Timing
from hookctl.store.interface import Store
from hookctl.store.records import Backlog, NewDelivery, Outcome, Result, Routed

NOW = 1_800_000_000.0
OUTCOMES = {
    "waiting": None,
    "retrying": Outcome(DeliveryStatus.RETRYING, "HTTP 503", due_at=NOW + 1e6),
    "dead": Outcome(DeliveryStatus.DEAD, "HTTP 404"),
    "delivered": Outcome(DeliveryStatus.DELIVERED),
    "held": Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True),
}


def add(store: Store, name: str, webhook: str, now: float = NOW, *, dead_because: str = "") -> None:
    event = Event(name, "anomaly", NOW, {"id": name, "event_type": "anomaly", "event_time": NOW, "data": {}})
    assert store.enqueue([Routed(event, (NewDelivery(f"d-{name}", webhook, dead_because),))], now) == [True]


def finish(store: Store, webhook: str, outcome: Outcome, now: float = NOW) -> None:
    """Claim what is due of a webhook, and end it so."""
    claims = store.claim(now, 1000, 60.0, {webhook: 1000})
    attempt = Attempt(
        plan_digest="d", number=1, started_at=now, request=None, response=None, failure=None, timing=Timing()
    )
    assert store.finish([Result(claim, attempt, outcome, 1) for claim in claims], now) == set()


def test_nothing_is_behind(store: Store) -> None:
    assert (store.backlogs(), store.dead_reasons("A", 10), store.live_workers()) == ({}, [], 0)


@given(made=st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from([*OUTCOMES])), max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_counts_what_a_look_at_every_delivery_finds(
    open_store: Callable[[], Store], made: list[tuple[str, str]]
) -> None:
    """The examples share a store, so its content grows. What was waiting is part of the next result of its webhook."""
    store = open_store()
    before = len(store.deliveries())
    for number, (webhook, status) in enumerate(made, before):
        add(store, f"e{number}", webhook, NOW + number)
        outcome = OUTCOMES[status]
        if outcome:
            finish(store, webhook, outcome, NOW + number)
    backlogs = store.backlogs()
    found = {
        (webhook, status): getattr(backlog, status)
        for webhook, backlog in backlogs.items()
        for status in ("waiting", "retrying", "held", "dead")
        if getattr(backlog, status)
    }
    assert found == {
        (webhook, status.value): count
        for webhook, counts in store.counts().items()
        for status, count in counts.items()
        if status is not DeliveryStatus.DELIVERED
    }
    unfinished = [one for one in store.deliveries() if one.status in {"waiting", "retrying", "held"}]
    assert {webhook: backlog.oldest_at for webhook, backlog in backlogs.items() if backlog.oldest_at is not None} == {
        webhook: min(one.created_at for one in unfinished if one.webhook == webhook)
        for webhook in {one.webhook for one in unfinished}
    }
    store.close()


def test_when_the_first_one_can_be_claimed(store: Store) -> None:
    add(store, "e1", "A")
    assert store.backlogs() == {"A": Backlog(waiting=1, oldest_at=NOW, due_at=NOW)}
    store.claim(NOW + 1.0, 1, 60.0, {"A": 1})
    assert store.backlogs()["A"].due_at == NOW + 61.0
    add(store, "e2", "A", NOW + 5.0)
    assert store.backlogs() == {"A": Backlog(waiting=2, oldest_at=NOW, due_at=NOW + 5.0)}


def test_what_has_ended_is_not_behind(store: Store) -> None:
    add(store, "e1", "A")
    add(store, "e2", "B")
    finish(store, "A", OUTCOMES["delivered"] or Outcome(DeliveryStatus.DELIVERED))
    store.cancel(["d-e2"], NOW, "by a test")
    assert store.backlogs() == {}


def test_the_oldest_may_be_held_or_due(store: Store) -> None:
    for number in range(3):
        add(store, f"e{number}", "A", NOW + number)
    finish(store, "A", Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True), NOW + 5.0)
    store.replay(["d-e1"], NOW + 9.0)
    assert store.backlogs() == {"A": Backlog(waiting=1, held=2, oldest_at=NOW, due_at=NOW + 9.0)}
    store.replay(["d-e0"], NOW + 9.0)
    store.cancel(["d-e1"], NOW + 9.0, "by a test")
    assert store.backlogs() == {"A": Backlog(waiting=1, held=1, oldest_at=NOW, due_at=NOW + 9.0)}


def test_the_reasons_of_the_newest_dead_letters(store: Store) -> None:
    for number in range(3):
        add(store, f"e{number}", "A", NOW + number, dead_because=f"reason {number}")
    add(store, "other", "B", dead_because="another")
    assert store.dead_reasons("A", 10) == ["reason 2", "reason 1", "reason 0"]
    assert store.dead_reasons("A", 2) == ["reason 2", "reason 1"]


def test_a_process_that_has_claimed_something_is_alive_until_it_closes_the_store(
    open_store: Callable[[], Store],
) -> None:
    store, worker, idle = open_store(), open_store(), open_store()
    add(store, "e1", "A")
    idle.claim(NOW - 100.0, 1, 60.0, {"A": 1})
    assert store.live_workers() == 0
    worker.claim(NOW, 1, 60.0, {"A": 1})
    assert (store.live_workers(), worker.live_workers()) == (1, 1)
    worker.close()
    assert store.live_workers() == 0
