"""Traces: what requests carry, and what observers learn, from the first attempt to a replay."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.sending import deliver
from hookctl.delivery.runner.tracing import Tracing, tracing_for
from hookctl.model import (
    AppliedState,
    Attempt,
    AttemptTrace,
    Delivery,
    DeliveryPlan,
    DeliveryStatus,
    Event,
    Json,
    TraceContext,
)
from hookctl.plugin.calls import Plugins
from hookctl.plugin.interfaces import Observer
from hookctl.store.records import Claimed
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]
PATIENCE = 20.0
GIVEN = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", is_sampled=True, state="vendor=1")


class House:
    """A queue with one event, and runners that trace or do not."""

    def __init__(self, path: Path, receiver: Receiver, plugins: Plugins, plan: DeliveryPlan) -> None:
        self.path, self.receiver, self.plugins, self.plan = path, receiver, plugins, plan
        self.seen: list[tuple[DeliveryStatus, AttemptTrace | None]] = []

    @contextmanager
    def runner(self, *, traces: bool = True, **observer: float) -> Iterator[tuple[Runner, SqliteQueue]]:
        """A new queue object and runner, as in another process."""

        def attempted(delivery: Delivery, attempt: Attempt) -> None:
            self.seen.append((delivery.status, attempt.trace))

        watching = Observer(name="watching", attempted=attempted, records_traces=traces, **observer)  # type: ignore[arg-type]
        plugins = replace(self.plugins, observers={"watching": watching})
        with closing(SqliteQueue(self.path)) as queue:
            engine = AttemptEngine(plugins, self.receiver.network(), "hookctl/test")
            applied = AppliedState(1, {self.plan.name: self.plan})
            runner = Runner(queue=queue, engine=engine, plugins=plugins, read_state=lambda: applied)
            try:
                yield runner, queue
            finally:
                runner.stop(PATIENCE)

    def deliver(self, *events: Event, replay: bool = False, wait: float = 5.0, **options: bool | float) -> None:
        with self.runner(**options) as (runner, queue):  # type: ignore[arg-type]
            runner.accept(events)
            if replay:
                runner.replay([one.id for one in queue.deliveries()])
            limit = time.monotonic() + PATIENCE
            deliver(runner, queue, wait=wait, stopping=lambda: time.monotonic() > limit, progress=lambda: None)

    def headers(self) -> list[tuple[str | None, str | None]]:
        received = [{name.lower(): value for name, value in one.headers} for one in self.receiver.requests]
        return [(headers.get("traceparent"), headers.get("tracestate")) for headers in received]

    def traces(self) -> list[AttemptTrace]:
        found = [trace for _, trace in self.seen if trace]
        assert len(found) == len(self.seen) == len(self.receiver.requests)
        return found


@pytest.fixture
def house(tmp_path: Path, receiver: Receiver, plugins: Plugins, make_plan: MakePlan) -> House:
    plan = make_plan(body_template='{"id": "{{ id }}"}', retry_schedule=(0.01, 0.01))
    return House(tmp_path / "hookctl.db", receiver, plugins, plan)


@pytest.fixture
def event(mock_event: Mapping[str, Json]) -> Event:
    return Event("e1", "anomaly", 1.0, {**mock_event, "id": "e1"}, trace=GIVEN)


def test_each_attempt_carries_a_span_of_its_own_in_the_trace_of_the_event(house: House, event: Event) -> None:
    house.receiver.answer("/ingest", Answer(500), Answer(503), Answer(200))
    house.deliver(event)
    traces = house.traces()
    assert house.headers() == [(trace.context.traceparent, "vendor=1") for trace in traces]
    assert {trace.context.trace_id for trace in traces} == {GIVEN.trace_id}
    assert len({trace.context.span_id for trace in traces} | {GIVEN.span_id, traces[0].delivery_span_id}) == 5
    assert len({trace.delivery_span_id for trace in traces}) == 1
    assert {trace.event for trace in traces} == {GIVEN}


def test_without_a_trace_the_delivery_begins_one_that_survives_the_process(house: House, event: Event) -> None:
    house.receiver.answer("/ingest", Answer(500), Answer(200))
    house.deliver(structs.replace(event, trace=None), wait=0.0)
    house.deliver(wait=5.0)
    traces = house.traces()
    assert len(traces) == 2
    assert len({(one.context.trace_id, one.delivery_span_id, one.delivery_began_at) for one in traces}) == 1
    assert {one.event for one in traces} == {None}
    assert house.headers() == [(one.context.traceparent, None) for one in traces]


def test_a_replay_is_another_span_in_the_same_trace(house: House, event: Event) -> None:
    house.deliver(event)
    house.deliver(replay=True)
    first, again = house.traces()
    assert again.context.trace_id == first.context.trace_id == GIVEN.trace_id
    assert again.event == GIVEN
    assert again.delivery_span_id != first.delivery_span_id
    assert again.delivery_began_at > first.delivery_began_at


def test_without_an_observer_of_traces_nothing_is_sent_and_the_trace_is_kept(house: House, event: Event) -> None:
    house.deliver(event, traces=False)
    assert house.headers() == [(None, None)]
    assert house.seen == [(DeliveryStatus.DELIVERED, None)]
    house.deliver(replay=True)
    assert house.seen[1][1] is not None
    assert house.seen[1][1].event == GIVEN


def test_a_header_of_the_webhook_itself_is_left_as_it_is(house: House, event: Event) -> None:
    house.plan = replace(house.plan, headers={"TraceParent": "own"})
    house.deliver(event)
    assert house.headers() == [("own", None)]
    assert len(house.traces()) == 1


def test_what_the_event_says_about_sampling_goes_on(house: House, event: Event) -> None:
    house.deliver(structs.replace(event, trace=structs.replace(GIVEN, is_sampled=False)))
    assert not house.traces()[0].context.is_sampled


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_share_of_traces_that_are_sampled(share: float) -> None:
    tracing = Tracing(share)
    sampled = 0
    for number in range(2000):
        delivery = Delivery(f"d{number}", f"e{number}", "Siem", DeliveryStatus.WAITING, 0, 1.0, "", 1.0)
        sampled += tracing.trace(Claimed(delivery, {}, 1)).context.is_sampled
    assert abs(sampled / 2000 - share) < 0.06


def test_only_observers_of_traces_count() -> None:
    assert tracing_for([]) is None
    assert tracing_for([Observer(name="a")]) is None
    assert tracing_for([Observer(name="a"), Observer(name="b", records_traces=True)]) is not None
