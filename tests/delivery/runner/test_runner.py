"""The runner against a real receiver: what is due is tried, and what came of it is recorded."""

from __future__ import annotations

import fcntl
import io
import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
from requests.auth import AuthBase

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.events.intake import EventGate, EventReader
from hookctl.delivery.runner import sending
from hookctl.delivery.runner.circuit import MINIMUM, OPEN_SECONDS
from hookctl.delivery.runner.claims import LEASE_SECONDS, RENEW_SECONDS
from hookctl.delivery.runner.limits import MAX_IN_FLIGHT_EACH
from hookctl.delivery.runner.listener import Listener
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.delivery.runner.route import Router, delivery_id
from hookctl.delivery.runner.runner import GROUP_SECONDS, STATE_SECONDS, Runner
from hookctl.delivery.runner.sending import CHUNK_BYTES, EVENTS_SECONDS, Source, deliver, send
from hookctl.errors import IntakeRefusedError, StateLockedError, TokenError
from hookctl.model import (
    AppliedState,
    Attempt,
    Delivery,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Json,
    PluginBlock,
    Status,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import Observer
from hookctl.store.clock import since_boot
from hookctl.store.records import Batch, Committed, Filter
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
PATIENCE = 20.0


class House:
    """A queue, an applied state and runners on both, with a receiver as the target."""

    def __init__(self, directory: Path, receiver: Receiver, plugins: Plugins, mock: Mapping[str, Json]) -> None:
        self.receiver, self.plugins, self.mock = receiver, plugins, mock
        self.queue = SqliteQueue(directory / "hookctl.db", self.monotonic)
        self.applied = AppliedState()
        self.ahead = 0.0
        """Seconds by which the wall clock was set."""
        self.passed = 0.0
        """Seconds that have passed on every clock."""
        self.limits = StoreLimits()
        self.told: list[tuple[str, str]] = []
        """What listeners heard."""
        self._runners: list[Runner] = []

    def clock(self) -> float:
        return time.time() + self.ahead + self.passed

    def monotonic(self) -> float:
        return since_boot() + self.passed

    def apply(self, *plans: DeliveryPlan) -> None:
        self.applied = AppliedState(self.applied.serial + 1, {plan.name: plan for plan in plans})

    def runner(self, plugins: Plugins | None = None) -> Runner:
        engine = AttemptEngine(plugins or self.plugins, self.receiver.network(), "hookctl/test")
        runner = Runner(
            queue=self.queue,
            engine=engine,
            plugins=plugins or self.plugins,
            read_state=lambda: self.applied,
            store_limits=self.limits,
            listener=Listener(
                attempted=lambda news: self.told.extend((one.webhook, one.status.value) for one, _ in news),
                circuit=lambda webhook, circuit: self.told.append((webhook, circuit.state if circuit else "closed")),
                applied=lambda state: self.told.append(("applied", str(state.serial))),
            ),
            clock=self.clock,
            monotonic=self.monotonic,
            jitter=lambda: 0.0,
        )
        self._runners.append(runner)
        return runner

    def event(self, name: str, **fields: Json) -> Event:
        document = {**self.mock, "id": name, **fields}
        return Event(name, "anomaly", 1.0, document)

    def work(self, runner: Runner, wait: float = 0.0) -> None:
        """Deliver what is due within ``wait`` seconds."""
        limit = time.monotonic() + PATIENCE
        deliver(runner, self.queue, wait=wait, stopping=lambda: time.monotonic() > limit, progress=lambda: None)
        assert time.monotonic() <= limit

    def standing(self) -> dict[str, str]:
        """``event at webhook`` to status."""
        return {f"{one.event_id} at {one.webhook}": one.status.value for one in self.queue.deliveries()}

    def the_delivery(self) -> Delivery:
        (delivery,) = self.queue.deliveries()
        return delivery

    def close(self) -> None:
        for runner in self._runners:
            runner.stop(0.0)
        self.queue.close()


@pytest.fixture
def house(tmp_path: Path, receiver: Receiver, plugins: Plugins, mock_event: Mapping[str, Json]) -> Iterator[House]:
    house = House(tmp_path, receiver, plugins, mock_event)
    yield house
    house.close()


@pytest.fixture
def siem(make_plan: MakePlan) -> DeliveryPlan:
    return make_plan(body_template='{"id": "{{ id }}"}', retry_schedule=(0.05, 0.05))


def test_every_event_reaches_every_webhook_exactly_once(house: House, siem: DeliveryPlan) -> None:
    house.apply(*(replace(siem, name=name, url=house.receiver.url(f"/{name}")) for name in "ABC"))
    runner = house.runner()
    assert runner.accept([house.event(f"e{number}") for number in range(200)]) == [True] * 200
    house.work(runner)
    received = Counter(
        (request.path, request.header("webhook-id"), request.body) for request in house.receiver.requests
    )
    expected = {
        (f"/{name}", delivery_id(f"e{number}", 1.0, name), b'{"id":"e%d"}' % number)
        for name in "ABC"
        for number in range(200)
    }
    assert {(path, name, body.replace(b" ", b"")) for path, name, body in received} == expected
    assert set(received.values()) == {1}
    assert runner.tally.delivered == dict.fromkeys("ABC", 200)
    assert house.queue.counts() == {name: {DeliveryStatus.DELIVERED: 200} for name in "ABC"}


def test_a_failure_is_tried_again_with_the_same_id(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(500), Answer())
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner, wait=5)
    assert [request.header("webhook-id") for request in house.receiver.requests] == [delivery_id("e1", 1.0, "Siem")] * 2
    assert house.the_delivery().status is DeliveryStatus.DELIVERED
    attempts = house.queue.attempts(house.the_delivery().id)
    assert [(one.number, one.response and one.response.status, one.plan_digest) for one in attempts] == [
        (1, 500, siem.digest),
        (2, 200, siem.digest),
    ]
    assert (runner.tally.attempts, runner.tally.failing) == (2, set())


def test_a_retry_beyond_the_wait_stays_in_the_queue(house: House, siem: DeliveryPlan) -> None:
    house.apply(replace(siem, retry_schedule=(60.0,)))
    house.receiver.answer("/ingest", Answer(500))
    runner = house.runner()
    runner.accept([house.event("e1")])
    before = time.time()
    house.work(runner, wait=5)
    delivery = house.the_delivery()
    assert (delivery.status, delivery.reason) == (DeliveryStatus.RETRYING, "HTTP 500 Internal Server Error")
    assert before + 60 <= delivery.due_at <= time.time() + 60
    assert runner.tally.failing == {delivery.id}


def test_retry_after_is_honoured(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(503, headers=(("Retry-After", "120.1"),)))
    runner = house.runner()
    runner.accept([house.event("e1")])
    before = time.time()
    house.work(runner, wait=5)
    assert before + 121 <= house.the_delivery().due_at <= time.time() + 121
    house.receiver.answer("/ingest", Answer())
    house.passed = 121
    house.work(runner)
    assert house.the_delivery().status is DeliveryStatus.DELIVERED


def test_what_a_retry_cannot_mend_is_dead_at_once(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(400))
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner, wait=5)
    assert (house.the_delivery().status, house.the_delivery().reason) == (DeliveryStatus.DEAD, "HTTP 400 Bad Request")
    assert (house.receiver.count, runner.tally.dead) == (1, {"Siem": 1})


def test_a_used_up_schedule_makes_a_dead_letter(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(500))
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner, wait=5)
    assert house.the_delivery().reason == "HTTP 500 Internal Server Error; schedule used up after 3 attempts"
    assert house.receiver.count == 3


def test_a_validators_words_are_the_reason(house: House, make_plan: MakePlan) -> None:
    validator = {"type": "json_path", "json_path": "$.data.status", "expected_values": ["queued"]}
    house.apply(
        make_plan(
            validators=(validator,), custom_validation_error_message="The SIEM did not take it", retry_schedule=()
        )
    )
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner)
    assert house.the_delivery().status is DeliveryStatus.DEAD
    assert house.the_delivery().reason.startswith("The SIEM did not take it (json_path $.data.status: ")


def test_gone_holds_the_webhook_until_an_apply_changes_it(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(410), Answer())
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner, wait=5)
    runner.accept([house.event("e2")])
    house.work(runner, wait=5)
    assert house.standing() == {"e1 at Siem": "dead", "e2 at Siem": "held"}
    (stopped,) = house.queue.stopped(house.applied)
    assert stopped.hold is not None
    assert (stopped.webhook, stopped.reason, stopped.deliveries) == ("Siem", "HTTP 410 Gone", 1)
    again = house.runner()
    house.work(again)
    assert (house.receiver.count, house.standing()["e2 at Siem"]) == (1, "held")
    house.apply(siem)  # changes nothing
    house.work(house.runner())
    assert (house.receiver.count, house.standing()["e2 at Siem"]) == (1, "held")
    house.apply(replace(siem, labels={"fixed": "yes"}))
    house.work(house.runner())
    assert house.standing() == {"e1 at Siem": "dead", "e2 at Siem": "delivered"}


def test_a_retry_uses_what_is_applied_by_then_and_records_it(house: House, siem: DeliveryPlan) -> None:
    first, second = replace(siem, retry_schedule=(2 * STATE_SECONDS,)), replace(siem, url=house.receiver.url("/fixed"))
    house.apply(first)
    house.receiver.answer("/ingest", Answer(500))
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner)
    house.apply(second)
    house.work(runner, wait=10)
    assert [request.path for request in house.receiver.requests] == ["/ingest", "/fixed"]
    assert [one.plan_digest for one in house.queue.attempts(house.the_delivery().id)] == [first.digest, second.digest]
    assert house.the_delivery().status is DeliveryStatus.DELIVERED


def test_an_inactive_webhook_gets_nothing_new_and_what_waits_is_held(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.runner().accept([house.event("e1")])
    house.apply(replace(siem, status=Status.INACTIVE))
    runner = house.runner()
    runner.accept([house.event("e2")])
    house.work(runner, wait=5)
    assert (house.standing(), house.receiver.count) == ({"e1 at Siem": "held"}, 0)
    assert not runner.receives("anomaly")


def claim_ahead(house: House, runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take in events until many are claimed that are not in flight.

    That is soon, once the runner knows how fast the target is, however slow that may be.
    """
    monkeypatch.setattr("hookctl.delivery.runner.limits.AHEAD_SECONDS", 10.0)
    limit, taken = time.monotonic() + PATIENCE, 0
    while len(runner._claims) < 4 * MAX_IN_FLIGHT_EACH:
        assert time.monotonic() < limit
        runner.accept([house.event(f"e{number}") for number in range(taken, taken + 500)])
        taken += 500
        runner.step(0.1)


def test_what_is_not_under_way_is_free_before_the_grace_is_over(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply(siem)
    runner = house.runner()
    claim_ahead(house, runner, monkeypatch)
    submit, claimed = house.queue.submit, []

    def watched(batch: Batch) -> Future[Committed]:
        claimed.append(len(runner._claims))
        return submit(batch)

    monkeypatch.setattr(house.queue, "submit", watched)
    runner.stop(PATIENCE)
    assert claimed
    assert max(claimed) <= MAX_IN_FLIGHT_EACH
    assert "retrying" not in house.standing().values()


def test_a_backlog_is_claimed_in_commits_of_results(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply(siem)
    router = Router(house.applied)
    house.queue.enqueue([router.route(house.event(f"e{number}")) for number in range(5000)], time.time())
    runner = house.runner()
    submit, next_due = house.queue.submit, house.queue.next_due
    batches: list[Batch] = []
    looks: list[float | None] = []

    def watched(batch: Batch) -> Future[Committed]:
        batches.append(batch)
        return submit(batch)

    def look(webhooks: Collection[str]) -> float | None:
        looks.append(next_due(webhooks))
        return looks[-1]

    monkeypatch.setattr(house.queue, "submit", watched)
    monkeypatch.setattr(house.queue, "next_due", look)
    limit = time.monotonic() + PATIENCE
    while runner.tally.attempts < 500:  # so that never all are claimed
        assert time.monotonic() < limit
        runner.step(0.1)
    assert runner._backlog.is_likely
    claims = [batch for batch in batches if batch.limit]
    assert any(batch.results for batch in claims)
    assert len(looks) < len(claims)  # it does not look first while more is probably due
    batches.clear()
    runner.stop(PATIENCE)
    assert not [batch for batch in batches if batch.limit]


def test_what_is_claimed_goes_on_while_another_holds_the_store(
    house: House, siem: DeliveryPlan, tmp_path: Path
) -> None:
    house.apply(siem)
    runner = house.runner()
    limit, taken = time.monotonic() + PATIENCE, 0
    while len(runner._claims) == runner.in_flight:  # until some wait for their turn
        assert time.monotonic() < limit
        runner.accept([house.event(f"e{number}") for number in range(taken, taken + 200)])
        taken += 200
        runner.step(0.1)
    claimed = runner.tally.attempts + len(runner._commits.results) + len(runner._claims)  # each of them is one request
    with closing(connect(tmp_path / "hookctl.db")) as other:

        def answer(_: ReceivedRequest) -> Answer:
            if house.receiver.count == claimed:
                other.execute("ROLLBACK")
            return Answer()

        house.receiver.answer("/ingest", answer)
        other.execute("BEGIN IMMEDIATE")
        assert runner.accept([house.event("last")]) == [True]  # the store is not free before the last of them was sent
    ended = runner.tally.attempts + len(runner._commits.results)  # the next commit records what ended during this one
    assert ended >= claimed - MAX_IN_FLIGHT_EACH  # the last one was sent because all but so many had ended
    assert house.queue.counts()["Siem"][DeliveryStatus.DELIVERED] == runner.tally.attempts
    house.work(runner)
    assert set(house.standing().values()) == {"delivered"}
    assert house.receiver.count == len(house.standing())


def test_what_has_ended_is_recorded_later_where_its_commit_comes_to_nothing(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    runner = house.runner()
    runner.accept([house.event("e1")])
    limit = time.monotonic() + PATIENCE
    while not runner._commits.results:
        assert time.monotonic() < limit
        runner.collect(0.1)
    broken = Event("e2", "anomaly", 1.0, {"x": object()})  # type: ignore[dict-item]  # on purpose: it cannot be stored
    with pytest.raises(TypeError):
        runner.accept([broken])
    house.work(runner)
    assert (house.standing(), runner.tally.attempts, house.receiver.count) == ({"e1 at Siem": "delivered"}, 1, 1)


def test_a_target_that_wants_no_more_gets_no_more_while_another_holds_the_store(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    house.apply(siem)
    runner = house.runner()
    claim_ahead(house, runner, monkeypatch)
    before, claimed = house.receiver.count, len(runner._claims)
    monkeypatch.setattr(house.queue._connection, "patience", 0.5)
    house.receiver.answer("/ingest", Answer(410))
    with closing(connect(tmp_path / "hookctl.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateLockedError):
            runner.accept([house.event("last")])
    assert house.receiver.count - before <= 2 * MAX_IN_FLIGHT_EACH < claimed
    house.work(runner)
    assert Counter(house.standing().values())["held"] > MAX_IN_FLIGHT_EACH
    assert "last at Siem" not in house.standing()


@pytest.mark.parametrize(("how", "status"), [("inactive", "held"), ("gone", "held"), ("failing", "waiting")])
def test_what_was_claimed_ahead_is_not_sent_where_it_shall_not_go(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch, how: str, status: str
) -> None:
    house.apply(siem)
    runner = house.runner()
    claim_ahead(house, runner, monkeypatch)
    before = house.receiver.count
    if how == "inactive":
        house.apply(replace(siem, status=Status.INACTIVE))
        house.passed += STATE_SECONDS
    else:
        house.receiver.answer("/ingest", Answer(410 if how == "gone" else 500))
    house.work(runner)
    assert house.receiver.count - before <= 3 * MAX_IN_FLIGHT_EACH
    assert Counter(house.standing().values())[status] > MAX_IN_FLIGHT_EACH
    assert len(runner._claims) == 0


def test_a_removed_webhooks_deliveries_are_cancelled(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.runner().accept([house.event("e1")])
    house.apply()
    house.work(house.runner(), wait=5)
    assert (house.standing(), house.receiver.count) == ({"e1 at Siem": "cancelled"}, 0)


def test_when_decides_and_one_that_cannot_makes_a_dead_letter(house: House, siem: DeliveryPlan) -> None:
    conditions = {
        "yes": "data.severity == 'High'",
        "no": "data.severity == 'Low'",
        "fails": "length(event_time) > `1`",
        "broken": "data.[",
    }
    house.apply(*(replace(siem, name=name, when=when) for name, when in conditions.items()))
    runner = house.runner()
    data = house.mock["data"]
    assert isinstance(data, dict)
    runner.accept([house.event("e1", data={**data, "severity": "High"})])
    house.work(runner)
    assert house.standing() == {"e1 at yes": "delivered", "e1 at fails": "dead", "e1 at broken": "dead"}
    assert all(
        one.reason.startswith("its when cannot be evaluated: ")
        for one in house.queue.deliveries(Filter(statuses=[DeliveryStatus.DEAD]))
    )


def test_poison_is_dead_and_everything_else_flows(house: House, siem: DeliveryPlan) -> None:
    poison = replace(siem, name="Poison", body_template='{"x": {{ data.nothing.of.that }}}')
    house.apply(siem, poison)
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(20)])
    house.work(runner)
    assert Counter(house.standing().values()) == {"delivered": 20, "dead": 20}
    assert {one.webhook for one in house.queue.deliveries(Filter(statuses=[DeliveryStatus.DEAD]))} == {"Poison"}
    assert all(
        one.reason.startswith("render: ") for one in house.queue.deliveries(Filter(statuses=[DeliveryStatus.DEAD]))
    )


def test_a_target_that_hangs_leaves_room_for_the_others(house: House, siem: DeliveryPlan) -> None:
    house.apply(replace(siem, name="Hole", url=house.receiver.url("/hole"), timeout_seconds=60.0), siem)
    house.receiver.answer("/hole", Answer(misbehave=Misbehavior.NO_ANSWER))
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(300)])
    limit = time.monotonic() + PATIENCE
    while runner.tally.delivered["Siem"] < 300 and time.monotonic() < limit:
        runner.step(0.05)
    assert runner.tally.delivered == {"Siem": 300}


def test_what_is_under_way_at_the_stop_is_put_back(house: House, siem: DeliveryPlan) -> None:
    house.apply(replace(siem, timeout_seconds=60.0))
    house.receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER))
    runner = house.runner()
    runner.accept([house.event("e1")])
    limit = time.monotonic() + PATIENCE
    while not house.receiver.count and time.monotonic() < limit:
        runner.step(0.05)
    runner.stop(0.1)
    assert (house.the_delivery().status, house.the_delivery().attempts) == (DeliveryStatus.WAITING, 0)
    house.receiver.answer("/ingest", Answer())
    house.work(house.runner())
    assert house.the_delivery().status is DeliveryStatus.DELIVERED
    assert {request.header("webhook-id") for request in house.receiver.requests} == {delivery_id("e1", 1.0, "Siem")}


def test_what_is_under_way_may_end_within_the_grace(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(delay=0.3))
    runner = house.runner()
    runner.accept([house.event("e1")])
    while not house.receiver.count:
        runner.step(0.05)
    runner.stop(PATIENCE)
    assert (house.the_delivery().status, house.receiver.count) == (DeliveryStatus.DELIVERED, 1)


def test_a_day_ahead_on_the_clock_sends_nothing_twice(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(delay=0.5))
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(10)])
    while not house.receiver.count:
        runner.step(0.05)
    house.ahead = 86_400
    house.work(runner)
    assert (Counter(house.standing().values()), house.receiver.count) == ({"delivered": 10}, 10)


@pytest.mark.parametrize("failure", [RuntimeError("canary"), SystemExit(3), GeneratorExit()], ids=repr)
def test_observers_are_told_and_cannot_break_anything(
    house: House, siem: DeliveryPlan, caplog: pytest.LogCaptureFixture, failure: BaseException
) -> None:
    told: list[tuple[str, str, int]] = []

    def attempted(delivery: Delivery, attempt: Attempt) -> None:
        told.append(("attempted", delivery.status.value, attempt.number))

    def ended(delivery: Delivery) -> None:
        told.append(("ended", delivery.status.value, delivery.attempts))

    def fail(_delivery: Delivery) -> None:
        raise failure

    observers = {
        "broken": Observer(name="broken", ended=fail),
        "watching": Observer(name="watching", attempted=attempted, ended=ended),
    }
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(500), Answer())
    runner = house.runner(replace(house.plugins, observers=observers))
    runner.accept([house.event("e1")])
    with caplog.at_level(logging.WARNING):
        house.work(runner, wait=5)
        runner.accept([house.event("e2")])
        house.work(runner, wait=5)
        runner.stop(0.0)  # which waits until all are told
    first = [("attempted", "retrying", 1), ("attempted", "delivered", 2), ("ended", "delivered", 2)]
    assert told == [*first, ("attempted", "delivered", 1), ("ended", "delivered", 1)]
    assert set(house.standing().values()) == {"delivered"}
    assert caplog.text.count(f"observer broken raised {type(failure).__name__}. ") == 1
    assert "canary" not in caplog.text
    assert "Traceback" not in caplog.text


def test_two_runners_share_a_store_and_send_nothing_twice(house: House, siem: DeliveryPlan, tmp_path: Path) -> None:
    house.apply(siem)
    other = House(tmp_path, house.receiver, house.plugins, house.mock)
    other.applied = house.applied
    first, second = house.runner(), other.runner()
    first.accept([house.event(f"e{number}") for number in range(300)])
    limit = time.monotonic() + PATIENCE
    while house.receiver.count < 300 and time.monotonic() < limit:
        first.step(0.01)
        second.step(0.01)
    house.work(first)
    other.work(second)
    assert Counter(house.standing().values()) == {"delivered": 300}
    assert house.receiver.count == 300
    assert first.tally.attempts > 0
    assert second.tally.attempts > 0
    other.close()


# -- clocks, leases, limits, limits


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_set_causes_neither_a_storm_nor_a_standstill(
    house: House, siem: DeliveryPlan, days: int
) -> None:
    house.apply(replace(siem, retry_schedule=(3600.0, 3600.0)))
    house.receiver.answer("/ingest", *[Answer(500)] * 10, Answer())
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(10)])
    house.work(runner)
    house.ahead = 86_400.0 * days
    house.work(runner, wait=5)
    assert (house.receiver.count, set(house.standing().values())) == (10, {"retrying"})
    runner.accept([house.event("new")])
    house.work(runner)
    assert house.standing()["new at Siem"] == "delivered"
    house.passed = 3601
    house.work(runner)
    assert (house.receiver.count, set(house.standing().values())) == (21, {"delivered"})


def test_leases_are_renewed_while_attempts_are_under_way(house: House, siem: DeliveryPlan, tmp_path: Path) -> None:
    house.apply(replace(siem, timeout_seconds=60.0))
    house.receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER))
    runner = house.runner()
    runner.accept([house.event("e1")])
    limit = time.monotonic() + PATIENCE
    while not house.receiver.count and time.monotonic() < limit:
        runner.step(0.05)
    other = SqliteQueue(tmp_path / "hookctl.db", house.monotonic)
    for _ in range(5):
        house.passed += RENEW_SECONDS
        runner.step(0.0)
        assert other.claim(house.clock(), 10, 60.0, {"Siem": 10}) == []
    house.passed += LEASE_SECONDS  # it stalls
    assert len(other.claim(house.clock(), 10, 60.0, {"Siem": 10})) == 1
    other.close()


def test_a_worker_that_stalls_past_its_lease_marks_nothing(house: House, siem: DeliveryPlan, tmp_path: Path) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER), Answer())
    runner = house.runner()
    runner.accept([house.event("e1")])
    limit = time.monotonic() + PATIENCE
    while not house.receiver.count and time.monotonic() < limit:
        runner.step(0.05)
    house.passed += LEASE_SECONDS
    other = House(tmp_path, house.receiver, house.plugins, house.mock)
    other.applied, other.passed = house.applied, house.passed
    other.work(other.runner())
    while runner.in_flight and time.monotonic() < limit:
        runner.step(0.05)
    runner.step(0.0)
    assert (
        [attempt.succeeded for attempt in house.queue.attempts(house.the_delivery().id)],
        runner.tally.attempts,
    ) == ([True], 0)
    assert house.the_delivery().status is DeliveryStatus.DELIVERED
    assert len({request.header("webhook-id") for request in house.receiver.requests}) == 1
    other.close()


def test_a_dead_host_is_left_alone_and_not_trampled_when_it_comes_back(house: House, siem: DeliveryPlan) -> None:
    house.apply(replace(siem, retry_schedule=(1.0,) * 50))
    house.receiver.answer("/ingest", Answer(503))
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(400)])
    house.work(runner)
    tried = house.receiver.count
    assert MINIMUM <= tried < MINIMUM + 64
    assert ("Siem", "open") in house.told
    assert house.queue.circuits()["Siem"].state == "open"
    house.passed += OPEN_SECONDS
    house.work(runner)
    assert house.receiver.count == tried + 1  # the probe
    house.receiver.answer("/ingest", Answer(delay=0.02))
    house.passed += 2 * OPEN_SECONDS
    under_way = []
    limit = time.monotonic() + PATIENCE
    while runner.tally.delivered["Siem"] < 400 and time.monotonic() < limit:
        runner.step(0.01)
        under_way.append((runner.in_flight, runner.tally.delivered["Siem"] + len(runner._commits.results)))
        house.passed += 0.1
    assert Counter(house.standing().values()) == {"delivered": 400}
    assert next(count for count, _ in under_way if count) == 1
    assert all(count <= 1 + delivered for count, delivered in under_way)
    assert (house.told[-1][1], house.queue.circuits()) == ("delivered", {})
    assert ("Siem", "closed") in house.told


def test_one_black_hole_among_a_hundred_delays_no_other(house: House, siem: DeliveryPlan) -> None:
    others = [replace(siem, name=f"W{number}", url=house.receiver.url(f"/{number}")) for number in range(99)]
    house.apply(
        replace(siem, name="Hole", url=house.receiver.url("/hole"), timeout_seconds=60.0, max_in_flight=2000), *others
    )
    house.receiver.answer("/hole", Answer(misbehave=Misbehavior.NO_ANSWER))
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(10)])
    limit = time.monotonic() + PATIENCE
    while runner.tally.delivered.total() < 990 and time.monotonic() < limit:
        runner.step(0.05)
    assert set(runner.tally.delivered.values()) == {10}
    assert runner.in_flight == 10


def test_auth_that_blocks_holds_up_nobody_else(house: House, siem: DeliveryPlan, plugins: Plugins) -> None:
    stuck = threading.Event()

    class Stuck(AuthBase):
        def __call__(self, _: object) -> NoReturn:
            stuck.wait(PATIENCE)
            raise TokenError("no token")

    blocking = replace(
        plugins.auth["bearer"],
        name="stuck",
        schema={},
        build=lambda _settings, _context: Stuck(),
        per_attempt=True,
        blocking=True,
    )
    house.apply(siem, replace(siem, name="Stuck", auth=(PluginBlock("stuck", {}),)))
    runner = house.runner(replace(plugins, auth={**plugins.auth, "stuck": blocking}))
    runner.accept([house.event(f"e{number}") for number in range(100)])
    limit = time.monotonic() + PATIENCE
    while runner.tally.delivered["Siem"] < 100 and time.monotonic() < limit:
        runner.step(0.05)
    stuck.set()
    assert runner.tally.delivered == {"Siem": 100}


def test_intake_is_refused_when_too_much_waits_and_delivery_goes_on(house: House, siem: DeliveryPlan) -> None:
    house.limits = StoreLimits(max_waiting=5)
    house.apply(siem)
    runner = house.runner()
    runner.accept([house.event(f"e{number}") for number in range(5)])
    with pytest.raises(IntakeRefusedError):
        runner.accept([house.event("too-much")])
    house.work(runner)
    assert runner.accept([house.event("again")]) == [True]
    assert Counter(house.standing().values()) == {"delivered": 5, "waiting": 1}


def test_what_was_read_is_stored_also_when_it_is_time_to_stop(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    house.receiver.answer("/ingest", Answer(misbehave=Misbehavior.NO_ANSWER))
    lines = "".join(json.dumps({**house.mock, "id": f"e{number}"}) + "\n" for number in range(150)).encode()
    assert len(lines) < CHUNK_BYTES
    reader = EventReader(EventGate(house.plugins.event_types))
    intake = send(
        Source(io.BytesIO(lines)),
        reader,
        house.runner(),
        house.queue,
        wait=0.0,
        stopping=lambda: bool(house.queue.counts()),
        progress=lambda _: None,
    )
    assert (intake.accepted, intake.has_ended) == (150, False)
    assert house.queue.counts() == {"Siem": {DeliveryStatus.WAITING: 150}}


def watch_commits(house: House, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The numbers of events and results in each commit from now on."""
    commits = []
    submit = house.queue.submit

    def watched(batch: Batch) -> Future[Committed]:
        commits.append((len(batch.events), len(batch.results)))
        return submit(batch)

    monkeypatch.setattr(house.queue, "submit", watched)
    return commits


def make_result(house: House, runner: Runner) -> None:
    """Accept an event, and let its attempt end."""
    runner.accept([house.event("e1")])
    limit = time.monotonic() + PATIENCE
    while not runner._commits.results:
        assert time.monotonic() < limit
        runner.collect(0.1)


def test_a_result_waits_for_the_next_events_to_share_their_commit(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "monotonic", lambda: 1000.0 + house.passed)
    house.apply(siem)
    runner = house.runner()
    make_result(house, runner)
    commits = watch_commits(house, monkeypatch)
    assert not runner.step(0.0, is_taking_in=True)
    assert runner.due_in() == pytest.approx(GROUP_SECONDS)
    assert commits == []
    runner.accept([house.event("e2")])
    assert commits == [(1, 1)]
    house.work(runner)
    assert set(house.standing().values()) == {"delivered"}


@pytest.mark.parametrize("is_taking_in", [True, False])
def test_a_result_does_not_wait_for_events_longer_than_stated(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch, is_taking_in: bool
) -> None:
    monkeypatch.setattr(house, "monotonic", lambda: 1000.0 + house.passed)
    house.apply(siem)
    runner = house.runner()
    make_result(house, runner)
    commits = watch_commits(house, monkeypatch)
    if is_taking_in:
        house.passed += 2 * GROUP_SECONDS
    runner.step(0.0, is_taking_in=is_taking_in)
    assert commits == [(0, 1)]
    assert house.standing() == {"e1 at Siem": "delivered"}


class Trickle(Source):
    """A source that returns one event with each read, and always has another."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        super().__init__(io.BytesIO())
        self._lines = iter(lines)

    def read(self, wait: float) -> bytes | None:  # noqa: ARG002
        return next(self._lines, b"")


def test_commits_of_events_do_not_begin_faster_than_stated(
    house: House, siem: DeliveryPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    """Moves only while hookctl sleeps."""

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(sending, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    house.apply(siem)
    runner = house.runner()
    begun = []
    accept = runner.accept

    def watched(events: Sequence[Event]) -> list[bool]:
        begun.append(clock[0])
        return accept(events)

    monkeypatch.setattr(runner, "accept", watched)
    lines = [json.dumps({**house.mock, "id": f"e{number}"}).encode() + b"\n" for number in range(20)]
    reader = EventReader(EventGate(house.plugins.event_types))
    intake = send(
        Trickle(lines), reader, runner, house.queue, wait=0.0, stopping=lambda: False, progress=lambda _: None
    )
    assert intake.accepted == len(begun) == len(lines)
    assert [after - before for before, after in pairwise(begun)] == pytest.approx([EVENTS_SECONDS] * 19)


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="this system cannot enlarge a pipe")
def test_one_read_takes_more_from_a_pipe_than_it_usually_holds() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as pipe:
        source = Source(stream)
        os.set_blocking(writing, False)
        assert pipe.write(bytes(CHUNK_BYTES)) == CHUNK_BYTES
        assert source.read(0.0) == bytes(CHUNK_BYTES)


def test_a_replay_as_planned_is_by_the_plan_that_was_used(house: House, siem: DeliveryPlan) -> None:
    house.apply(siem)
    runner = house.runner()
    runner.accept([house.event("e1")])
    house.work(runner)
    house.apply(replace(siem, body_template='{"now": "{{ id }}"}'))
    for as_planned in (True, False):
        assert runner.replay([house.the_delivery().id], as_planned=as_planned) == [house.the_delivery().id]
        house.work(runner)
    assert [json.loads(request.body) for request in house.receiver.requests] == [
        {"id": "e1"},
        {"id": "e1"},
        {"now": "e1"},
    ]
    digests = [attempt.plan_digest for attempt in house.queue.attempts(house.the_delivery().id)]
    assert (digests[0], digests[1] != digests[2]) == (digests[1], True)
