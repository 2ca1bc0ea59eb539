"""hookctl's own events: stored with what they are about, never about those who receive them, and not too many."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from hookctl.config.diff import make_plan as make_changes
from hookctl.delivery.attempt.engine import AttemptEngine
from hookctl.delivery.producer import Producer
from hookctl.delivery.runner.alerts import DEAD, HELD, MOST_OF_ONE, OPENED
from hookctl.delivery.runner.runner import Runner
from hookctl.delivery.runner.sending import deliver
from hookctl.model import AppliedState, DeliveryPlan, DeliveryStatus, Event, Json
from hookctl.plugin.calls import Plugins
from hookctl.store.clock import since_boot
from hookctl.store.sqlite.queue import SqliteQueue
from hookctl.store.sqlite.store import SqliteStore
from hookctl.testing.answers import Answer
from hookctl.testing.receiver import Receiver

MakePlan = Callable[..., DeliveryPlan]


class Site:
    """A store and a runner, whose target refuses events and accepts alerts."""

    def __init__(self, directory: Path, receiver: Receiver, plugins: Plugins, mock: Mapping[str, Json]) -> None:
        self.receiver, self.plugins, self.mock = receiver, plugins, mock
        self.queue = SqliteQueue(directory / "hookctl.db")
        self.passed = 0.0

    def run(self, status: int, events: int, *plans: DeliveryPlan) -> list[tuple[str, Mapping[str, Json]]]:
        """Deliver some events to a target that answers with a status, and return the alerts in the store."""
        self.receiver.answer("/ingest", Answer(status))
        self.receiver.answer("/alerts", Answer(200))
        runner = Runner(
            queue=self.queue,
            engine=AttemptEngine(self.plugins, self.receiver.network(), "hookctl/test"),
            plugins=self.plugins,
            read_state=lambda: AppliedState(1, {plan.name: plan for plan in plans}),
            monotonic=lambda: since_boot() + self.passed,
            jitter=lambda: 0.0,
        )
        try:
            names = [f"e{status}-{number}" for number in range(events)]
            runner.accept([Event(name, "anomaly", 1.0, {**self.mock, "id": name}) for name in names])
            limit = time.monotonic() + 20
            deliver(runner, self.queue, wait=1.0, stopping=lambda: time.monotonic() > limit, progress=lambda: None)
        finally:
            runner.stop(1.0)
        found = self.queue.events().events
        return [(one.event_type, one.document) for one in found if one.event_type.startswith("hookctl.")]


@pytest.fixture
def site(tmp_path: Path, receiver: Receiver, plugins: Plugins, mock_event: Mapping[str, Json]) -> Any:
    made = Site(tmp_path, receiver, plugins, mock_event)
    with closing(made.queue):
        yield made


@pytest.fixture
def alert(make_plan: MakePlan) -> DeliveryPlan:
    return make_plan(
        name="Alert",
        events=(OPENED, DEAD, HELD),
        url="https://siem.example.com/alerts",
        body_template='{"about": "{{ data.webhook }}"}',
    )


def test_a_dead_delivery_is_reported_to_a_webhook_that_asks_for_it(
    site: Site, make_plan: MakePlan, alert: DeliveryPlan
) -> None:
    ((event_type, document),) = site.run(400, 1, make_plan(), alert)
    data: Any = document["data"]
    assert (event_type, data["webhook"], data["host"], data["status"]) == (DEAD, "Siem", "siem.example.com", 400)
    jsonschema_rs.validate(dict(site.plugins.event_types[DEAD].schema), dict(document))
    assert [request.body for request in site.receiver.requests if request.path == "/alerts"] == [b'{"about": "Siem"}']


def test_a_held_webhook_is_reported_once(site: Site, make_plan: MakePlan, alert: DeliveryPlan) -> None:
    ((event_type, document),) = site.run(401, 1, make_plan(), alert)
    assert event_type == HELD
    jsonschema_rs.validate(dict(site.plugins.event_types[HELD].schema), dict(document))


def test_an_open_circuit_is_reported(site: Site, make_plan: MakePlan, alert: DeliveryPlan) -> None:
    alerts = site.run(503, 25, make_plan(retry_schedule=(600.0,)), alert)
    (document,) = [document for event_type, document in alerts if event_type == OPENED]
    jsonschema_rs.validate(dict(site.plugins.event_types[OPENED].schema), dict(document))


def test_nothing_is_stored_without_a_webhook_that_receives_it(site: Site, make_plan: MakePlan) -> None:
    assert site.run(400, 1, make_plan()) == []
    other = make_plan(name="Other", events=(HELD,), url="https://siem.example.com/alerts")
    assert site.run(410, 0, make_plan(), other) == []


def test_a_webhook_that_receives_alerts_causes_none(site: Site, make_plan: MakePlan) -> None:
    failing = make_plan(name="Alert", events=("anomaly", DEAD))
    assert site.run(400, 1, failing) == []


def test_their_rate_is_limited_and_those_left_out_are_counted(
    site: Site, make_plan: MakePlan, alert: DeliveryPlan
) -> None:
    assert len(site.run(400, MOST_OF_ONE + 3, make_plan(), alert)) == MOST_OF_ONE


def test_after_the_window_the_next_one_says_how_many_were_left_out(
    site: Site, make_plan: MakePlan, alert: DeliveryPlan
) -> None:
    from hookctl.delivery.runner.alerts import WINDOW_SECONDS, Alerts
    from hookctl.delivery.runner.route import Router
    from hookctl.store.records import Circuit

    now = [0.0]
    alerts = Alerts(site.queue, lambda: now[0], lambda: now[0])
    state = AppliedState(1, {plan.name: plan for plan in (make_plan(), alert)})
    alerts.take(state, Router(state))

    def opened() -> list[Any]:
        now[0] += 1.0
        found = [*alerts.of_circuit("Siem", Circuit("open", "503", now[0], now[0] + 10))]
        assert [*alerts.of_circuit("Siem", Circuit("open", "503", now[0], now[0] + 20))] == []
        assert [*alerts.of_circuit("Siem", None)] == []
        documents: list[Any] = [one.event.document for one in found]
        return [document["data"]["suppressed"] for document in documents]

    assert [opened() for _ in range(MOST_OF_ONE + 2)] == [[0]] * MOST_OF_ONE + [[], []]
    now[0] += WINDOW_SECONDS
    assert opened() == [2]


UNDECIDABLE = "length(event_time) > `1`"
"""A condition that cannot be evaluated: a number has no length."""


def test_a_dead_letter_of_the_intake_is_reported_with_it(site: Site, make_plan: MakePlan, alert: DeliveryPlan) -> None:
    ((event_type, document),) = site.run(200, 1, make_plan(when=UNDECIDABLE), alert)
    data: Any = document["data"]
    assert (event_type, data["webhook"], data["attempts"], data["status"]) == (DEAD, "Siem", 0, None)
    assert data["event"] == {"id": "e200-0", "type": "anomaly"}
    assert data["reason"].startswith("its when cannot be evaluated")
    jsonschema_rs.validate(dict(site.plugins.event_types[DEAD].schema), dict(document))
    assert [request.body for request in site.receiver.requests if request.path == "/alerts"] == [b'{"about": "Siem"}']


def test_the_same_event_again_is_no_news(site: Site, make_plan: MakePlan, alert: DeliveryPlan) -> None:
    plan = make_plan(when=UNDECIDABLE)
    assert site.run(200, 1, plan, alert) == site.run(200, 1, plan, alert) != []


def test_a_producer_reports_dead_letters_too(
    tmp_path: Path, site: Site, make_plan: MakePlan, alert: DeliveryPlan
) -> None:
    plan = make_plan(when=UNDECIDABLE)
    with closing(SqliteStore(tmp_path / "produced.db")) as store:
        store.apply(make_changes(store.read_state(), {one.name: one for one in (plan, alert)}, {}))
        producer = Producer(store)
        events = [Event(name, "anomaly", 1.0, {**site.mock, "id": name}) for name in ("e1", "e2")]
        assert [one.webhooks for one in producer.take_in(events)] == [("Siem",), ("Siem",)]
        assert [one.is_new for one in producer.take_in(events)] == [False, False]
        alerts = [one for one in store.events().events if one.event_type == DEAD]
        documents: list[Any] = [one.document for one in alerts]
        assert sorted(document["data"]["event"]["id"] for document in documents) == ["e1", "e2"]
        assert {one.webhook for one in store.deliveries() if one.status is DeliveryStatus.WAITING} == {"Alert"}
