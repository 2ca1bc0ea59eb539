"""What every queue promises: see ``hookctl.store.interface``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from hookctl.errors import IntakeRefusedError
from hookctl.model import (
    AppliedState,
    Attempt,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Failure,
    FailureKind,
    Mismatch,
    Rename,
    Request,
    Response,
    Status,
    Timing,
    TraceContext,
    Verdict,
)
from hookctl.store.interface import Queue, Store
from hookctl.store.records import (
    UNDELIVERED,
    Batch,
    Circuit,
    Claimed,
    Filter,
    Hold,
    NewDelivery,
    Outcome,
    Result,
    Routed,
    Stopped,
)

Clock = Any  # of conftest.py
NOW = 1_800_000_000.0
LEASE = 60.0
BOTH = {"A": 100, "B": 100}


def event(name: str) -> Event:
    return Event(
        name,
        "anomaly",
        NOW,
        {"id": name, "event_type": "anomaly", "event_time": NOW, "data": {"title": "Größe \u2028 \x00"}},
    )


def routed(name: str, *webhooks: str) -> Routed:
    return Routed(event(name), tuple(NewDelivery(f"{name}-{webhook}", webhook) for webhook in webhooks or ("A",)))


def enqueue_and_claim(
    queue: Queue,
    batch: list[Routed],
    now: float,
    lease_seconds: float,
    wanted: Mapping[str, int],
    *,
    max_waiting: float = float("inf"),
) -> tuple[list[bool], list[Claimed]]:
    """Store events and claim their deliveries in one commit; gives what is new, and the claims."""
    committed = queue.submit(
        Batch(now=now, events=batch, max_waiting=max_waiting, wanted=wanted, lease_seconds=lease_seconds)
    ).result()
    return [*committed.is_new], [*committed.claims]


def attempt(number: int = 1) -> Attempt:
    return Attempt(
        plan_digest="d" * 64,
        number=number,
        started_at=NOW,
        request=Request("POST", "https://siem.example.com/", (("A", "1"), ("A", "2")), b'{"a": 1}'),
        response=Response(200, "OK", (("B", "x"),), b"\xff\x00", truncated=True),
        failure=None,
        timing=Timing(total=0.5, connected=0.1),
        verdicts=(Verdict("json_path $.a", (Mismatch("json_path $.a", "no", "$.a", [1, None], {"x": 2.5}),)),),
    )


DELIVERED = Outcome(DeliveryStatus.DELIVERED)


def result(claimed: Claimed, outcome: Outcome = DELIVERED, serial: int = 1) -> Result:
    return Result(claimed, attempt(claimed.delivery.attempts + 1), outcome, serial)


def plan(name: str, status: Status = Status.ACTIVE) -> DeliveryPlan:
    return DeliveryPlan(
        name=name,
        event="anomaly",
        status=status,
        method="POST",
        url="https://siem.example.com/",
        headers={},
        auth=(),
        transport=None,
        when=None,
        body_template=None,
        timeout_seconds=1.0,
        response_validators=(),
        custom_validation_error_message=None,
        retry_schedule=(1.0,),
        rate_limit=None,
        description=None,
        labels={},
        protected=False,
    )


def applied(serial: int, **webhooks: Status) -> AppliedState:
    return AppliedState(serial, {name: plan(name, status) for name, status in webhooks.items()})


def claim(queue: Queue, now: float = NOW, limit: int = 100, wanted: Mapping[str, int] = BOTH) -> list[Claimed]:
    return queue.claim(now, limit, LEASE, wanted)


def claimed_ids(queue: Queue, now: float = NOW, limit: int = 100, wanted: Mapping[str, int] = BOTH) -> list[str]:
    return [claimed.delivery.id for claimed in claim(queue, now, limit, wanted)]


def standing(queue: Queue) -> dict[str, tuple[str, str]]:
    return {delivery.id: (delivery.status.value, delivery.reason) for delivery in queue.deliveries()}


def holds(queue: Queue, state: AppliedState) -> dict[str, str]:
    return {one.webhook: one.reason for one in queue.stopped(state) if one.hold}


# -- intake


def test_an_event_is_taken_once(queue: Queue) -> None:
    assert queue.enqueue([routed("e1", "A", "B"), routed("e2"), routed("e1", "A")], NOW) == [True, True, False]
    assert queue.enqueue([routed("e2", "B"), routed("e3")], NOW) == [False, True]
    assert sorted(standing(queue)) == ["e1-A", "e1-B", "e2-A", "e3-A"]


def test_a_batch_that_cannot_be_stored_leaves_nothing(queue: Queue) -> None:
    with pytest.raises(TypeError):
        queue.enqueue([routed("e1"), Routed(structs.replace(event("e2"), document={"x": object()}), ())], NOW)
    assert queue.deliveries() == []
    assert queue.enqueue([routed("e1")], NOW) == [True]


def test_what_was_enqueued_is_there_for_another_process(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    queue.enqueue([routed("e1")], NOW)
    assert claimed_ids(open_queue()) == ["e1-A"]


def test_what_is_taken_in_may_be_claimed_at_once(queue: Queue, open_queue: Callable[[], Queue], clock: Clock) -> None:
    flags, claims = enqueue_and_claim(
        queue, [routed("e1", "A", "B"), routed("e1"), routed("e2", "A", "B")], NOW, LEASE, {"A": 5, "B": 1}
    )
    assert flags == [True, False, True]
    assert sorted(claimed.delivery.id for claimed in claims) == ["e1-A", "e1-B", "e2-A"]
    assert all(claimed.document == event(claimed.delivery.event_id).document for claimed in claims)
    other = open_queue()
    assert claimed_ids(other) == ["e2-B"]
    assert queue.finish([result(claimed) for claimed in claims], NOW) == set()
    assert {name for name, (status, _) in standing(other).items() if status == "delivered"} == {"e1-A", "e1-B", "e2-A"}
    (claimed,) = enqueue_and_claim(queue, [routed("e3")], NOW, LEASE, {"A": 1})[1]
    clock.now += LEASE
    assert sorted(claimed_ids(other, NOW + LEASE)) == ["e2-B", "e3-A"]
    assert queue.finish([result(claimed)], NOW) == {"e3-A"}


def test_what_is_older_is_claimed_before_what_is_taken_in(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A")], NOW)
    assert [
        claimed.delivery.id for claimed in enqueue_and_claim(queue, [routed("e2", "A", "B")], NOW, LEASE, BOTH)[1]
    ] == ["e2-B"]
    assert claimed_ids(queue) == ["e1-A", "e2-A"]
    assert [claimed.delivery.id for claimed in enqueue_and_claim(queue, [routed("e3", "A")], NOW, LEASE, BOTH)[1]] == [
        "e3-A"
    ]


def test_nothing_is_claimed_at_once_of_what_is_not_to_be_tried(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.finish([result(claimed, Outcome(DeliveryStatus.DEAD, "gone", hold=True))], NOW)
    dead = Routed(event("e2"), (NewDelivery("e2-A", "A"), NewDelivery("e2-B", "B", "its when cannot be evaluated")))
    assert enqueue_and_claim(queue, [dead], NOW, LEASE, BOTH) == ([True], [])
    assert {name: status for name, (status, _) in standing(queue).items()} == {
        "e1-A": "dead",
        "e2-A": "held",
        "e2-B": "dead",
    }


@given(waiting=st.integers(0, 6), sizes=st.lists(st.integers(0, 3), max_size=6), limit=st.integers(1, 12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_no_more_wait_than_may(queue: Queue, waiting: int, sizes: list[int], limit: int) -> None:
    """A batch that fits exactly is stored; any other is refused whole, and as many of its events as reported fit."""
    names = (uuid4().hex for _ in count())
    queue.cancel([one.id for one in queue.deliveries(Filter(statuses=[DeliveryStatus.WAITING]))], NOW, "done with")
    queue.enqueue([routed(next(names), "A") for _ in range(waiting)], NOW)
    batch = [
        routed(next(names), *(f"W{number}" for number in range(size))) if size else dead_from_the_start(next(names))
        for size in sizes
    ]
    refused = None
    try:
        enqueue_and_claim(queue, batch, NOW, LEASE, {}, max_waiting=limit)
    except IntakeRefusedError as error:
        refused = error
    if refused:
        assert queue.fullness().waiting == waiting
        assert waiting + sum(sizes) > limit
        assert f"{waiting} deliveries are waiting; the limit is {limit}" in refused.message
        enqueue_and_claim(queue, batch[: refused.fits], NOW, LEASE, {}, max_waiting=limit)
        with pytest.raises(IntakeRefusedError):
            enqueue_and_claim(queue, batch[refused.fits : refused.fits + 1], NOW, LEASE, {}, max_waiting=limit)
        sizes = sizes[: refused.fits]
    assert queue.fullness().waiting == waiting + sum(sizes)
    assert sum(sizes) == 0 or waiting + sum(sizes) <= limit


def dead_from_the_start(name: str) -> Routed:
    return Routed(event(name), (NewDelivery(f"{name}-A", "A", "its when cannot be evaluated"),))


def test_what_was_seen_before_needs_no_room(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A")], NOW)
    assert enqueue_and_claim(queue, [routed("e1", "A"), routed("e1", "A")], NOW, LEASE, {}, max_waiting=1)[0] == [
        False,
        False,
    ]
    with pytest.raises(IntakeRefusedError):
        enqueue_and_claim(queue, [routed("e2", "A")], NOW, LEASE, {}, max_waiting=1)


def test_one_lost_lease_among_many_loses_the_others_nothing(
    queue: Queue, open_queue: Callable[[], Queue], clock: Clock
) -> None:
    queue.enqueue([routed("e1"), routed("e2"), routed("e3")], NOW)
    claims = claim(queue)
    clock.now += LEASE
    assert claimed_ids(open_queue(), NOW + LEASE, limit=1) == ["e1-A"]
    retrying = Outcome(DeliveryStatus.RETRYING, "later", due_at=NOW + 900)
    results = [result(claims[0]), result(claims[1]), result(claims[2], retrying)]
    assert queue.finish(results, NOW) == {"e1-A"}
    assert standing(queue) == {"e1-A": ("waiting", ""), "e2-A": ("delivered", ""), "e3-A": ("retrying", "later")}
    assert [len(queue.attempts(name)) for name in ("e1-A", "e2-A", "e3-A")] == [0, 1, 1]


def test_a_delivery_may_be_dead_from_the_start(queue: Queue) -> None:
    queue.enqueue([Routed(event("e1"), (NewDelivery("e1-A", "A", dead_because="its when fails"),))], NOW)
    assert standing(queue) == {"e1-A": ("dead", "its when fails")}
    assert claim(queue) == []


# -- claims


def test_a_claim_carries_the_whole_event(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    assert claimed.document == event("e1").document
    assert (claimed.delivery.event_id, claimed.delivery.webhook, claimed.delivery.attempts) == ("e1", "A", 0)


def test_a_delivery_is_claimed_by_one_worker_at_a_time(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    other = open_queue()
    queue.enqueue([routed(f"e{number}") for number in range(10)], NOW)
    first, second = claimed_ids(queue, limit=6), claimed_ids(other)
    assert len(first) == 6
    assert sorted(first + second) == sorted(f"e{number}-A" for number in range(10))
    assert (queue.claimed_elsewhere(), other.claimed_elsewhere()) == (4, 6)


def test_each_webhook_gives_no_more_than_is_wanted_of_it(queue: Queue) -> None:
    queue.enqueue([routed(f"e{number}", "A", "B", "C") for number in range(5)], NOW)
    assert sorted(claimed_ids(queue, wanted={"A": 2, "B": 0, "C": 1})) == ["e0-A", "e0-C", "e1-A"]


def test_the_limit_is_used_in_the_order_of_wanted(queue: Queue) -> None:
    queue.enqueue([routed(f"e{number}", "A", "B") for number in range(3)], NOW)
    assert sorted(claimed_ids(queue, limit=4, wanted={"B": 10, "A": 10})) == ["e0-A", "e0-B", "e1-B", "e2-B"]


def test_the_longest_due_come_first(queue: Queue) -> None:
    for number in (2, 0, 1):
        queue.enqueue([routed(f"e{number}")], NOW + number)
    assert claimed_ids(queue, NOW + 5, limit=2) == ["e0-A", "e1-A"]


def test_what_is_not_due_yet_is_not_claimed(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.finish([result(claim(queue)[0], Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW + 30))], NOW)
    assert claim(queue, NOW + 29.9) == []
    assert queue.next_due(["A", "B"]) == NOW + 30
    assert claimed_ids(queue, NOW + 30) == ["e1-A"]


def test_next_due_is_for_the_webhooks_asked_for(queue: Queue) -> None:
    assert queue.next_due(["A"]) is None
    queue.enqueue([routed("e1", "B")], NOW)
    assert (queue.next_due(["A"]), queue.next_due(["A", "B"])) == (None, NOW)
    claim(queue)
    assert queue.next_due(["B"]) == NOW + LEASE


def test_a_worker_that_stalls_past_its_lease_can_no_longer_mark(
    queue: Queue, open_queue: Callable[[], Queue], clock: Clock
) -> None:
    other = open_queue()
    queue.enqueue([routed("e1")], NOW)
    (stalled,) = claim(queue)
    clock.now += LEASE
    assert claim(other, NOW + LEASE - 0.1) == []
    (taken,) = claim(other, NOW + LEASE)
    assert queue.finish([result(stalled)], NOW + LEASE) == {"e1-A"}
    queue.release([stalled])
    assert (standing(queue)["e1-A"][0], queue.attempts("e1-A"), queue.last_results()) == ("waiting", [], {})
    assert other.finish([result(taken)], NOW + LEASE) == set()
    assert standing(queue)["e1-A"] == ("delivered", "")


def test_a_lease_that_ended_but_that_nobody_took_still_marks(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    assert queue.finish([result(claimed)], NOW + 10 * LEASE) == set()


@pytest.mark.parametrize("set_to", [NOW + 86_400, NOW - 86_400])
def test_a_clock_that_is_set_ends_no_lease(
    queue: Queue, open_queue: Callable[[], Queue], clock: Clock, set_to: float
) -> None:
    other = open_queue()
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    for worker in (queue, other):
        worker.clock_set(NOW, set_to)
        assert claim(worker, set_to) == []
    clock.now += LEASE
    assert claimed_ids(other, set_to + LEASE) == ["e1-A"]
    assert queue.finish([result(claimed)], set_to) == {"e1-A"}


@pytest.mark.parametrize("set_to", [NOW + 86_400, NOW - 86_400, NOW + 30])
def test_what_is_to_be_tried_in_an_hour_is_tried_in_an_hour_however_the_clock_is_set(
    queue: Queue, open_queue: Callable[[], Queue], set_to: float
) -> None:
    other = open_queue()
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    later, _ = claim(queue)
    queue.finish([result(later, Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW + 3600))], NOW)
    queue.release([_])
    for worker in (queue, other):  # each of them notices
        worker.clock_set(NOW, set_to)
    hour = (
        3600 if abs(set_to - NOW) > 60 else 3600 - (set_to - NOW)
    )  # what nobody takes for a clock that was set is not made up for
    assert claimed_ids(other, set_to + hour - 0.1) == ["e2-A"]
    assert claimed_ids(other, set_to + hour) == ["e1-A"]


def test_a_clock_that_was_set_back_while_nobody_looked(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW + 86_400)
    queue.clock_set(NOW, NOW)
    assert claimed_ids(queue, NOW) == ["e1-A"]


def test_a_lease_can_be_renewed_as_long_as_it_is_held(
    queue: Queue, open_queue: Callable[[], Queue], clock: Clock
) -> None:
    other = open_queue()
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    clock.now += LEASE - 1
    assert queue.renew([claimed], NOW + LEASE - 1, LEASE) == set()
    clock.now += LEASE - 1
    assert (claim(other, NOW + 2 * LEASE - 2), queue.next_due(["A"])) == ([], NOW + 2 * LEASE - 1)
    clock.now += 1
    assert claimed_ids(other, NOW + 2 * LEASE - 1) == ["e1-A"]
    assert queue.renew([claimed], NOW + 2 * LEASE, LEASE) == {"e1-A"}


def test_a_renewal_leaves_cancelled_what_was_cancelled(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.reconcile(applied(1))
    assert queue.renew([claimed], NOW, LEASE) == set()
    assert queue.next_due(["A"]) is None


def test_claiming_again_replaces_the_lease(queue: Queue, clock: Clock) -> None:
    queue.enqueue([routed("e1")], NOW)
    (first,) = claim(queue)
    clock.now += LEASE
    (second,) = claim(queue, NOW + LEASE)
    assert queue.finish([result(first)], NOW + LEASE) == {"e1-A"}
    assert queue.finish([result(second)], NOW + LEASE) == set()


def test_what_is_released_is_due_as_before(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.release(claim(queue))
    (claimed,) = claim(open_queue())
    assert (claimed.delivery.attempts, claimed.delivery.due_at) == (0, NOW)


def test_what_a_closed_worker_had_claimed_is_free_at_once(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    other = open_queue()
    queue.enqueue([routed("e1")], NOW)
    assert claimed_ids(queue) == ["e1-A"]
    queue.close()
    assert claimed_ids(other) == ["e1-A"]


# -- results


def test_attempts_are_kept_as_they_were(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.finish([result(claim(queue)[0], Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW))], NOW)
    failed = structs.replace(
        attempt(2), request=None, response=None, failure=Failure(FailureKind.TLS, "expired"), verdicts=()
    )
    queue.finish([Result(claim(queue)[0], failed, Outcome(DeliveryStatus.DEAD, "tls"), 1)], NOW)
    assert queue.attempts("e1-A") == [attempt(1), failed]
    (delivery,) = queue.deliveries()
    assert (delivery.status, delivery.attempts, delivery.reason) == (DeliveryStatus.DEAD, 2, "tls")


def test_the_last_result_of_each_webhook(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A", "B")], NOW)
    for claimed in claim(queue):
        queue.finish(
            [result(claimed, Outcome(DeliveryStatus.DEAD, "no") if claimed.delivery.webhook == "A" else DELIVERED)],
            NOW + 1,
        )
    assert queue.last_results() == {"A": (DeliveryStatus.DEAD, NOW + 1), "B": (DeliveryStatus.DELIVERED, NOW + 1)}


def test_counts_are_by_webhook_and_status_and_of_what_came_in_here_alone(
    queue: Queue, open_queue: Callable[[], Queue]
) -> None:
    other = open_queue()
    assert queue.counts(own=True) == {}
    queue.enqueue([routed("e1", "A", "B")], NOW)
    queue.finish([result(claim(queue, wanted={"A": 1})[0])], NOW)
    other.enqueue([routed("e2", "A")], NOW)
    queue.enqueue([routed("e1", "A"), routed("e3", "B")], NOW)
    other.enqueue([routed("e4", "A", "B")], NOW)
    enqueue_and_claim(queue, [routed("e5", "A"), routed("e6", "A")], NOW, LEASE, {"A": 1})
    waiting, delivered = DeliveryStatus.WAITING, DeliveryStatus.DELIVERED
    assert queue.counts() == {"A": {delivered: 1, waiting: 4}, "B": {waiting: 3}}
    assert queue.counts(own=True) == {"A": {delivered: 1, waiting: 2}, "B": {waiting: 2}}
    assert other.counts(own=True) == {"A": {waiting: 2}, "B": {waiting: 1}}


def test_a_batch_is_one_commit(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    queue.enqueue([routed("e1"), routed("e2"), routed("e3", "B")], NOW)
    first, second, other = claim(queue)
    queue.enqueue([routed("e4", "B")], NOW)
    batch = Batch(
        now=NOW,
        results=[result(first)],
        released=[second],
        circuits={"A": Circuit("open", "HTTP 500", NOW, NOW + 10)},
        events=[routed("e5"), routed("e5"), routed("e6", "C")],
        wanted={"B": 1, "C": 1},
        limit=1,
        lease_seconds=LEASE,
    )
    broken = Routed(structs.replace(event("e7"), document={"x": object()}), ())
    with pytest.raises(TypeError):
        queue.submit(structs.replace(batch, events=[*batch.events, broken])).result()
    before = {f"e{number}-{name}": ("waiting", "") for number, name in ((1, "A"), (2, "A"), (3, "B"), (4, "B"))}
    assert standing(open_queue()) == before
    assert open_queue().circuits() == {}
    committed = queue.submit(batch).result()
    assert (committed.lost, committed.is_new) == (set(), [True, False, True])
    assert sorted(one.delivery.id for one in committed.claims) == ["e4-B", "e6-C"]
    after = before | {"e1-A": ("delivered", ""), "e5-A": ("waiting", ""), "e6-C": ("waiting", "")}
    assert standing(open_queue()) == after
    assert open_queue().circuits() == batch.circuits
    assert queue.renew([other], NOW, LEASE) == set()
    assert queue.renew([second], NOW, LEASE) == {"e2-A"}


def test_commits_are_made_in_the_order_in_which_they_are_submitted(queue: Queue) -> None:
    futures = [queue.submit(Batch(now=NOW, events=[routed("e1"), routed(f"e{number}")])) for number in (2, 3, 4)]
    assert queue.counts() == {"A": {DeliveryStatus.WAITING: 4}}  # which waits for all of them
    assert all(future.done() for future in futures)
    assert [future.result().is_new for future in futures] == [[True, True], [False, True], [False, True]]


# -- applied state


def test_an_inactive_webhook_has_its_deliveries_held_until_it_is_active(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A", "B")], NOW)
    queue.reconcile(applied(1, A=Status.INACTIVE, B=Status.ACTIVE))
    assert standing(queue) == {"e1-A": ("held", "the webhook is inactive"), "e1-B": ("waiting", "")}
    assert claimed_ids(queue) == ["e1-B"]
    queue.reconcile(applied(2, A=Status.ACTIVE, B=Status.ACTIVE))
    assert standing(queue)["e1-A"] == ("waiting", "")
    assert claimed_ids(queue) == ["e1-A"]


def test_a_held_delivery_that_was_tried_is_retrying_afterwards(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.finish([result(claim(queue)[0], Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW + 5))], NOW)
    queue.reconcile(applied(1, A=Status.INACTIVE))
    queue.reconcile(applied(2, A=Status.ACTIVE))
    assert standing(queue)["e1-A"][0] == "retrying"
    assert queue.next_due(["A"]) == NOW + 5


def test_a_removed_webhook_has_its_deliveries_cancelled(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A"), routed("e2", "B")], NOW)
    queue.reconcile(applied(1, A=Status.INACTIVE, B=Status.ACTIVE))
    queue.reconcile(applied(2))
    assert standing(queue) == {
        "e1-A": ("cancelled", "the webhook was removed"),
        "e2-B": ("cancelled", "the webhook was removed"),
    }
    queue.reconcile(applied(3, A=Status.ACTIVE, B=Status.ACTIVE))
    assert claim(queue) == []


def test_an_older_applied_state_changes_nothing(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.reconcile(applied(2, A=Status.ACTIVE))
    queue.reconcile(applied(1))
    assert claimed_ids(queue) == ["e1-A"]


@pytest.mark.parametrize(
    ("outcome", "status"), [(DELIVERED, "delivered"), (Outcome(DeliveryStatus.DEAD, "no"), "dead")]
)
def test_the_end_of_an_attempt_counts_though_its_webhook_was_removed_meanwhile(
    queue: Queue, outcome: Outcome, status: str
) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.reconcile(applied(1))
    assert queue.finish([result(claimed, outcome)], NOW) == set()
    assert standing(queue)["e1-A"][0] == status


def test_a_failed_attempt_leaves_cancelled_what_was_cancelled_meanwhile(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.reconcile(applied(1))
    queue.finish([result(claimed, Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW))], NOW)
    assert standing(queue)["e1-A"] == ("cancelled", "the webhook was removed")
    assert len(queue.attempts("e1-A")) == 1
    assert claim(queue, NOW + LEASE) == []


def test_what_is_claimed_is_not_given_out_twice_by_a_hold_and_its_end(
    queue: Queue, open_queue: Callable[[], Queue]
) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.reconcile(applied(1, A=Status.INACTIVE))
    queue.reconcile(applied(2, A=Status.ACTIVE))
    assert claim(open_queue()) == []
    assert queue.finish([result(claimed)], NOW) == set()


def test_gone_holds_the_webhook_until_an_apply_of_an_older_hookctl(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2"), routed("e3", "B")], NOW)
    queue.reconcile(applied(4, A=Status.ACTIVE, B=Status.ACTIVE))
    first, second = claim(queue, wanted={"A": 2})
    queue.finish([result(first, Outcome(DeliveryStatus.DEAD, "HTTP 410 Gone", hold=True), serial=4)], NOW)
    queue.finish([result(second, Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW), serial=4)], NOW)
    queue.enqueue([routed("e4")], NOW)
    reason = "the webhook is held: HTTP 410 Gone"
    assert standing(queue) == {
        "e1-A": ("dead", "HTTP 410 Gone"),
        "e2-A": ("held", reason),
        "e3-B": ("waiting", ""),
        "e4-A": ("held", reason),
    }
    assert holds(queue, applied(4, A=Status.ACTIVE, B=Status.ACTIVE)) == {"A": "HTTP 410 Gone"}
    queue.reconcile(applied(4, A=Status.ACTIVE, B=Status.ACTIVE))
    assert claimed_ids(queue) == ["e3-B"]
    queue.reconcile(applied(5, A=Status.ACTIVE, B=Status.ACTIVE))
    assert holds(queue, applied(5, A=Status.ACTIVE, B=Status.ACTIVE)) == {}
    assert claimed_ids(queue) == ["e2-A", "e4-A"]


def test_a_refusal_holds_the_webhook_and_all_that_are_in_flight(queue: Queue) -> None:
    """Nothing dies, and no delivery loses more than its first attempt, until the webhook changes."""
    queue.reconcile(applied(4, A=Status.ACTIVE))
    queue.enqueue([routed("e1"), routed("e2"), routed("e3")], NOW)
    refused = Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True)
    for one in claim(queue, limit=2):
        queue.finish([result(one, refused, serial=4)], NOW)
    queue.enqueue([routed("e4")], NOW)
    assert set(standing(queue).values()) == {("held", "the webhook is held: HTTP 401")}
    assert {name: hold.reason for name, hold in queue.holds().items()} == {"A": "HTTP 401"}
    assert [one.attempts for one in queue.deliveries()] == [0, 0, 1, 1]
    assert queue.resume("A")
    assert queue.holds() == {}
    assert claimed_ids(queue) == ["e1-A", "e2-A", "e3-A", "e4-A"]


def test_a_refusal_of_an_older_state_holds_nothing(queue: Queue) -> None:
    queue.reconcile(applied(4, A=Status.ACTIVE))
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    queue.reconcile(applied(5, A=Status.ACTIVE))
    queue.finish([result(claimed, Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True), serial=4)], NOW)
    assert queue.holds() == {}
    assert standing(queue) == {"e1-A": ("retrying", "HTTP 401")}
    assert claimed_ids(queue) == ["e1-A"]


def test_resume_ends_a_hold(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    queue.finish([result(claim(queue, limit=1)[0], Outcome(DeliveryStatus.DEAD, "HTTP 410 Gone", hold=True))], NOW)
    assert claim(queue) == []
    assert (queue.resume("A"), queue.resume("A")) == (True, False)
    assert claimed_ids(queue) == ["e2-A"]


def test_a_webhook_is_held_by_hand(queue: Queue, delivery_plan: Callable[..., DeliveryPlan]) -> None:
    plan = delivery_plan("A")
    queue.reconcile(AppliedState(serial=1, plans={"A": plan}))
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    (claimed,) = claim(queue, limit=1)
    assert queue.hold(plan, "their release", NOW)
    assert not queue.hold(plan, "again", NOW)
    queue.enqueue([routed("e3")], NOW)
    assert queue.holds() == {"A": Hold("their release", NOW, plan.digest)}
    queue.finish([result(claimed)], NOW)
    assert standing(queue) == {
        "e1-A": ("delivered", ""),
        "e2-A": ("held", "the webhook is held: their release"),
        "e3-A": ("held", "the webhook is held: their release"),
    }
    queue.reconcile(AppliedState(serial=2, plans={"A": plan}))
    assert claim(queue) == []
    assert queue.resume("A")
    assert claimed_ids(queue) == ["e2-A", "e3-A"]


def test_a_refusal_in_flight_does_not_make_a_hold_by_hand_end_with_a_change_of_secrets(
    queue: Queue, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = delivery_plan("A")
    queue.reconcile(AppliedState(serial=1, plans={"A": plan}))
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    assert queue.hold(plan, "their release", NOW)
    refused = result(claimed, Outcome(DeliveryStatus.HELD, "HTTP 401", hold=True), serial=1)
    queue.finish([structs.replace(refused, plan=plan, secrets="a:b")], NOW)
    assert queue.holds()["A"].secrets == ""


def test_an_apply_that_changes_the_webhook_ends_a_hold_by_hand(
    queue: Queue, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    queue.reconcile(AppliedState(serial=1, plans={"A": delivery_plan("A")}))
    queue.enqueue([routed("e1")], NOW)
    assert queue.hold(delivery_plan("A"), "their release", NOW)
    queue.reconcile(AppliedState(serial=2, plans={"A": delivery_plan("A", timeout_seconds=5)}))
    assert claimed_ids(queue) == ["e1-A"]


# -- looking and repeating


def test_filters(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A", "B")], NOW)
    queue.enqueue([routed("e2", "A")], NOW + 10)
    queue.finish([result(claim(queue, limit=1)[0])], NOW)

    def found(which: Filter, limit: int | None = None) -> list[str]:
        return [delivery.id for delivery in queue.deliveries(which, limit)]

    assert found(Filter()) == ["e2-A", "e1-B", "e1-A"]
    assert found(Filter(), 2) == ["e2-A", "e1-B"]
    assert found(Filter(statuses=[DeliveryStatus.DELIVERED])) == ["e1-A"]
    assert found(Filter(webhook="A", since=NOW + 10)) == ["e2-A"]
    assert found(Filter(ids=["e1-B", "nothing"])) == ["e1-B"]
    assert found(Filter(ids=[])) == []
    assert found(Filter(id_part="1")) == ["e1-B", "e1-A"]
    assert found(Filter(id_part="%")) == []
    assert found(Filter(attempts=1)) == ["e1-A"]
    assert found(Filter(due_before=NOW + 10)) == ["e1-B"]
    assert found(Filter(due_before=NOW + 11)) == ["e2-A", "e1-B"]
    assert found(Filter(due_before=NOW + 11, statuses=[DeliveryStatus.DELIVERED])) == []


def test_the_event_of_a_delivery(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    assert queue.document("e1-A") == event("e1").document
    assert queue.document("nothing") is None
    assert queue.attempts("nothing") == []


@pytest.mark.parametrize(
    "outcome",
    [DELIVERED, Outcome(DeliveryStatus.DEAD, "no"), Outcome(DeliveryStatus.RETRYING, "later", due_at=NOW + 1000)],
)
def test_replay_starts_afresh_and_keeps_history(queue: Queue, outcome: Outcome) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.finish([result(claim(queue)[0], outcome)], NOW)
    assert queue.replay(["e1-A", "nothing"], NOW + 5) == ["e1-A"]
    (claimed,) = claim(queue, NOW + 5)
    assert (claimed.delivery.status, claimed.delivery.attempts, claimed.delivery.reason) == (
        DeliveryStatus.WAITING,
        0,
        "",
    )
    queue.finish([result(claimed)], NOW + 5)
    assert [one.number for one in queue.attempts("e1-A")] == [1, 1]


def test_only_what_still_has_one_of_the_statuses_is_replayed_or_cancelled(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A"), routed("e2", "A")], NOW)
    queue.cancel(["e1-A"], NOW, "no need")
    both = ["e1-A", "e2-A"]
    assert queue.replay(both, NOW, statuses=[DeliveryStatus.DEAD]) == []
    assert queue.cancel(both, NOW, "no need", statuses=[DeliveryStatus.HELD]) == []
    assert queue.replay(both, NOW, statuses=[DeliveryStatus.DEAD, DeliveryStatus.CANCELLED]) == ["e1-A"]
    assert queue.cancel(both, NOW, "no need", statuses=[DeliveryStatus.WAITING, DeliveryStatus.DELIVERED]) == both


def test_replay_leaves_alone_what_is_being_tried(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    assert open_queue().replay(["e1-A"], NOW) == []
    assert queue.finish([result(claimed)], NOW) == set()


# -- renames


def renamed(serial: int, *renames: Rename, **webhooks: Status) -> AppliedState:
    return replace(applied(serial, **webhooks), renames=renames)


def webhooks_of(queue: Queue) -> dict[str, tuple[str, str]]:
    return {delivery.id: (delivery.webhook, delivery.status.value) for delivery in queue.deliveries()}


def test_what_waits_and_what_was_follow_a_rename(queue: Queue) -> None:
    queue.reconcile(applied(1, A=Status.ACTIVE))
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    queue.finish([result(claim(queue, limit=1)[0])], NOW)
    circuit = Circuit("open", "it fails", NOW, NOW + 60)
    queue.set_circuits({"A": circuit})
    queue.reconcile(renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))
    assert queue.circuits() == {"B": circuit}
    assert webhooks_of(queue) == {"e1-A": ("B", "delivered"), "e2-A": ("B", "waiting")}
    assert queue.last_results() == {"B": (DeliveryStatus.DELIVERED, NOW)}
    assert claimed_ids(queue, wanted={"B": 9}) == ["e2-A"]


def test_a_rename_is_carried_out_once(queue: Queue) -> None:
    queue.reconcile(applied(1, A=Status.ACTIVE))
    queue.reconcile(renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))
    again = renamed(3, Rename(2, "A", "B", is_taken=True), A=Status.ACTIVE, B=Status.ACTIVE)
    queue.reconcile(again)
    queue.enqueue([routed("e1")], NOW)
    queue.reconcile(again)
    assert webhooks_of(queue) == {"e1-A": ("A", "waiting")}
    queue.reconcile(
        renamed(4, Rename(2, "A", "B", is_taken=True), B=Status.ACTIVE)
    )  # what waits for the new A does not go to B when A is removed
    assert webhooks_of(queue) == {"e1-A": ("A", "cancelled")}


def test_renames_in_a_row_are_carried_out_in_a_row(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2", "B")], NOW)
    queue.reconcile(
        renamed(
            5,
            Rename(2, "A", "C"),
            Rename(3, "B", "A"),
            Rename(4, "C", "D"),
            Rename(5, "D", "E"),
            A=Status.ACTIVE,
            E=Status.INACTIVE,
        )
    )
    assert webhooks_of(queue) == {"e1-A": ("E", "held"), "e2-B": ("A", "waiting")}


def test_what_was_added_under_the_old_name_after_the_rename_follows_late(queue: Queue) -> None:
    after = renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE)
    queue.reconcile(after)
    queue.enqueue([routed("e1"), Routed(event("e2"), (NewDelivery("e2-A", "A", dead_because="its when fails"),))], NOW)
    queue.reconcile(after)
    assert webhooks_of(queue) == {"e1-A": ("B", "waiting"), "e2-A": ("B", "dead")}


def test_what_is_claimed_during_a_rename_ends_under_the_new_name(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    first, second = claim(queue)
    queue.reconcile(renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))
    assert queue.finish([result(first)], NOW) == set()
    assert queue.last_results() == {"B": (DeliveryStatus.DELIVERED, NOW)}
    gone = Outcome(DeliveryStatus.DEAD, "HTTP 410 Gone", hold=True)
    assert queue.finish([result(second, gone, serial=2)], NOW) == set()
    assert set(holds(queue, renamed(2, Rename(2, "A", "B"), B=Status.ACTIVE))) == {"B"}
    assert webhooks_of(queue) == {"e1-A": ("B", "delivered"), "e2-A": ("B", "dead")}


# -- cancelled, replayed as planned, forgotten


def test_cancelled_is_what_waits_or_is_held(queue: Queue) -> None:
    queue.enqueue([routed("e1", "A", "B"), routed("e2"), routed("e3")], NOW)
    queue.reconcile(applied(1, A=Status.ACTIVE, B=Status.INACTIVE))
    delivered, dead, _ = claim(queue)
    queue.finish([result(delivered), result(dead, Outcome(DeliveryStatus.DEAD, "HTTP 400"))], NOW)
    everything = ["e1-A", "e1-B", "e2-A", "e3-A", "no-such"]
    assert queue.cancel(everything, NOW, "not wanted") == ["e1-B", "e3-A"]
    assert standing(queue) == {
        "e1-A": ("delivered", ""),
        "e1-B": ("cancelled", "not wanted"),
        "e2-A": ("dead", "HTTP 400"),
        "e3-A": ("cancelled", "not wanted"),
    }
    queue.reconcile(applied(2, A=Status.ACTIVE, B=Status.ACTIVE))
    assert claim(queue) == []
    assert queue.replay(["e3-A"], NOW) == []  # it is still in the hands of whoever tries it
    assert queue.replay(["e1-B"], NOW) == ["e1-B"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [(DELIVERED, "delivered"), (Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW), "cancelled")],
)
def test_what_is_cancelled_while_it_is_tried_may_still_be_delivered(
    queue: Queue, outcome: Outcome, status: str
) -> None:
    queue.enqueue([routed("e1")], NOW)
    (claimed,) = claim(queue)
    assert queue.cancel(["e1-A"], NOW, "not wanted") == ["e1-A"]
    assert queue.finish([result(claimed, outcome)], NOW) == set()
    assert (standing(queue)["e1-A"][0], claim(queue)) == (status, [])


def test_a_replay_as_planned_is_by_the_plan_of_the_last_attempt_until_the_next_replay(
    queue: Queue, open_queue: Callable[[], Queue]
) -> None:
    old, new = plan("A"), replace(plan("A"), url="https://new.example.com/")
    queue.enqueue([routed("e1"), routed("e2")], NOW)
    for used in (new, old):
        claims = claim(queue, wanted={"A": 1})
        made = [structs.replace(attempt(one.delivery.attempts + 1), plan_digest=used.digest) for one in claims]
        again = Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW - 1)
        queue.finish([Result(one, tried, again, 1, used) for one, tried in zip(claims, made, strict=True)], NOW)
    other = open_queue()
    assert other.replay(["e1-A", "e2-A"], NOW, as_planned=True) == ["e1-A"]  # the other was never tried
    (replayed,) = claim(other, wanted={"A": 1})
    assert (replayed.delivery.id, replayed.plan, replayed.delivery.attempts) == ("e1-A", old, 0)
    other.finish(
        [
            Result(
                replayed,
                structs.replace(attempt(), plan_digest=old.digest),
                Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW - 1),
                1,
                old,
            )
        ],
        NOW,
    )
    (retried,) = claim(other, wanted={"A": 1})
    assert retried.plan == old
    other.release([retried])
    assert other.replay(["e1-A"], NOW - 1) == ["e1-A"]
    assert claim(other, wanted={"A": 1})[0].plan is None


def test_forgotten_is_what_is_over(queue: Queue) -> None:
    queue.enqueue([routed("over"), routed("waits", "A", "B"), routed("fresh"), Routed(event("for-nobody"), ())], NOW)
    claims = {one.delivery.id: one for one in claim(queue, wanted={"A": 100})}
    queue.finish([result(claims["over-A"]), result(claims["waits-A"])], NOW)
    queue.finish([result(claims["fresh-A"])], NOW + 10)
    queue.enqueue([routed("later")], NOW + 5)
    assert queue.prune(NOW, 100) == 0
    assert queue.prune(NOW + 1, 1) == 1
    assert queue.prune(NOW + 1, 100) == 1
    assert sorted(standing(queue)) == ["fresh-A", "later-A", "waits-A", "waits-B"]
    assert queue.attempts("over-A") == []
    assert queue.enqueue([routed("over"), routed("waits")], NOW + 20) == [True, False]


def test_what_is_held_is_not_forgotten(queue: Queue) -> None:
    queue.enqueue([routed("e1")], NOW)
    queue.reconcile(applied(1, A=Status.INACTIVE))
    assert queue.prune(NOW + 1e9, 100) == 0


def test_how_full_it_is(queue: Queue) -> None:
    before = queue.fullness()
    queue.enqueue([routed(f"e{number}", "A", "B") for number in range(500)], NOW)
    queue.reconcile(applied(1, A=Status.ACTIVE, B=Status.INACTIVE))
    after = queue.fullness()
    assert (before.waiting, after.waiting) == (0, 500)
    assert after.used_bytes > before.used_bytes + 100_000
    assert after.free_bytes is None or after.free_bytes > 0  # a server does not report its disk


def test_circuits_are_what_was_said_last(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    opened, probing = Circuit("open", "HTTP 500", NOW, NOW + 30), Circuit("half-open", "HTTP 500", NOW + 30, NOW + 30)
    queue.set_circuits({"A": opened, "B": opened})
    queue.set_circuits({"A": None, "B": probing})
    assert open_queue().circuits() == {"B": probing}


def test_undelivered(queue: Queue) -> None:
    queue.enqueue([routed("e1"), routed("e2", "A", "B")], NOW)
    queue.finish([result(claim(queue)[0])], NOW)
    assert [one.id for one in queue.deliveries(Filter(statuses=UNDELIVERED))] == ["e2-B", "e2-A"]


# -- what is held otherwise than by an apply


def test_holds_and_what_was_held_by_hand_are_told(queue: Queue) -> None:
    state = applied(1, A=Status.ACTIVE, B=Status.INACTIVE)
    queue.reconcile(state)
    queue.enqueue([routed("e1", "A", "B"), routed("e2")], NOW)
    queue.reconcile(state)
    assert queue.stopped(state) == []
    queue.finish(
        [result(claim(queue, limit=1, wanted={"A": 1})[0], Outcome(DeliveryStatus.DEAD, "HTTP 410 Gone", hold=True))],
        NOW,
    )
    assert queue.stopped(state) == [Stopped("A", "HTTP 410 Gone", 1, Hold("HTTP 410 Gone", NOW))]
    assert (
        queue.stopped(replace(state, serial=2)) == []
    )  # that apply ends it, whether it is carried out here yet or not
    queue.resume("A")
    assert queue.stopped(state) == []


def test_what_an_apply_will_free_is_not_taken_for_held_by_hand(queue: Queue) -> None:
    queue.reconcile(applied(1, A=Status.ACTIVE))
    queue.enqueue([routed("e1")], NOW)
    queue.reconcile(applied(2, A=Status.INACTIVE))
    assert queue.stopped(applied(3, A=Status.ACTIVE)) == []


# -- traces


TRACE = TraceContext("4b" * 16, "0f" * 8, is_sampled=True, state="vendor=1")


def traced(name: str) -> Routed:
    return structs.replace(routed(name), event=structs.replace(event(name), trace=TRACE))


def test_the_trace_of_an_event_comes_with_every_claim(queue: Queue, open_queue: Callable[[], Queue]) -> None:
    _, fresh = enqueue_and_claim(queue, [traced("e1"), routed("e2")], NOW, LEASE, {"A": 1})
    assert [one.trace for one in fresh] == [TRACE]
    queue.enqueue([traced("e3")], NOW + 1)
    other = open_queue()
    assert {one.delivery.id: one.trace for one in claim(other, NOW + 1)} == {"e2-A": None, "e3-A": TRACE}


def test_a_replay_is_dated_until_the_next_one(queue: Queue) -> None:
    queue.enqueue([traced("e1")], NOW)
    (claimed,) = claim(queue)
    assert claimed.replayed_at is None
    queue.finish([result(claimed)], NOW)
    for at in (NOW + 5, NOW + 9):
        queue.replay(["e1-A"], at)
        (claimed,) = claim(queue, at)
        assert (claimed.replayed_at, claimed.trace) == (at, TRACE)
        retry = Outcome(DeliveryStatus.RETRYING, due_at=at + 1)
        queue.finish([result(claimed, retry)], at)
        (claimed,) = claim(queue, at + 1)
        assert claimed.replayed_at == at
        queue.finish([result(claimed)], at + 1)


def test_a_backfilled_delivery_has_the_trace_of_its_event(store: Store) -> None:
    store.enqueue([structs.replace(traced("e1"), deliveries=())], NOW)
    assert store.backfill("A", [("e1", "e1-A")], NOW + 1) == 1
    assert [one.trace for one in claim(store, NOW + 1)] == [TRACE]
