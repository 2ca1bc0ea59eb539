"""A scrape: what it has of the process and of the store, in each format."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from hookctl.config.diff import make_plan
from hookctl.delivery.metrics.counters import Metrics
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.errors import StoreError
from hookctl.model import Action, Change, DefinedType, Event, Plan
from hookctl.report.metrics.exposition import Exposition
from hookctl.serve.writer import EventWriter
from hookctl.store.interface import Store
from hookctl.store.records import Circuit, NewDelivery, Routed
from hookctl.store.sqlite.store import SqliteStore

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def store(tmp_path: Path, delivery_plan: Callable[..., Any]) -> Iterator[Store]:
    """Two webhooks are applied; one has a dead letter, an overdue delivery and an open circuit."""
    with closing(SqliteStore(tmp_path / "hookctl.db")) as opened:
        changes = tuple(Change(name, Action.CREATE, None, delivery_plan(name)) for name in ("Quiet", "Siem"))
        opened.apply(Plan(0, changes, {}, {}, {}))
        event = Event("e1", "anomaly", 1.0, {"id": "e1", "event_type": "anomaly", "event_time": 1.0, "data": {}})
        deliveries = (NewDelivery("d1", "Siem", "HTTP 404"), NewDelivery("d2", "Siem"))
        opened.enqueue([Routed(event, deliveries)], time.time() - 100)
        opened.set_circuits({"Siem": Circuit("open", "HTTP 503", 1.0, 2.0)})
        yield opened


@pytest.fixture
def scrape(tmp_path: Path, store: Store) -> Iterator[Callable[..., Samples]]:
    """``scrape(metrics)`` gives the samples, by name and by the values of their labels in order of the names."""
    del store
    opened: list[Exposition] = []

    def read(metrics: Metrics, accept: str = "", open_store: Callable[[], Store] | None = None) -> Samples:
        exposition = Exposition(metrics, ["anomaly"], open_store or (lambda: SqliteStore(tmp_path / "hookctl.db")))
        opened.append(exposition)
        body, content_type = exposition.text(accept)
        assert content_type.startswith(OPENMETRICS if accept else "text/plain; version=0.0.4")
        families: Iterable[Metric] = (openmetrics if accept else prometheus)(body.decode())
        return {
            (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    yield read
    for exposition in opened:
        exposition.close()


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_what_is_read_from_the_store(scrape: Callable[..., Samples], accept: str) -> None:
    samples = scrape(Metrics(), accept)
    of_siem = {
        labels: value for (name, labels), value in samples.items() if name == "hookctl_undelivered_deliveries" and value
    }
    assert of_siem == {("dead", "Siem"): 1, ("waiting", "Siem"): 1}
    assert samples["hookctl_undelivered_deliveries", ("dead", "Quiet")] == 0  # present before the first dead letter
    states = {labels for (name, labels), value in samples.items() if name == "hookctl_circuit_state" and value}
    assert states == {("closed", "Quiet"), ("open", "Siem")}
    assert 100 <= samples["hookctl_oldest_due_seconds", ()] < 1000
    assert 100 <= samples["hookctl_oldest_waiting_seconds", ()] < 1000
    assert samples["hookctl_applied_serial", ()] == 1


def test_without_the_label_webhook_all_webhooks_are_one(scrape: Callable[..., Samples]) -> None:
    samples = scrape(Metrics(by_webhook=False))
    assert samples["hookctl_undelivered_deliveries", ("waiting",)] == 1
    assert samples["hookctl_circuit_state", ("closed",)] == 1
    assert samples["hookctl_circuit_state", ("open",)] == 1
    assert samples["hookctl_deliveries_total", ("delivered",)] == 0
    assert not [labels for _, labels in samples if {"Siem", "Quiet"} & set(labels)]


def test_an_apply_shows_in_the_next_scrape(store: Store, tmp_path: Path, delivery_plan: Callable[..., Any]) -> None:
    with closing(Exposition(Metrics(), [], lambda: SqliteStore(tmp_path / "hookctl.db"))) as exposition:
        before = exposition.text("")[0].decode()
        kept = {name: plan.digest for name, plan in store.read_state().plans.items()}
        store.apply(Plan(1, (Change("New", Action.CREATE, None, delivery_plan("New")),), {}, kept, {}))
        after = exposition.text("")[0].decode()
    assert 'webhook="New"' in after
    assert "hookctl_applied_serial 2.0" in after
    digest = next(line for line in before.splitlines() if line.startswith("hookctl_applied_info"))
    assert digest not in after


def test_if_the_store_fails_the_rest_is_there_and_the_error_counts(scrape: Callable[..., Samples]) -> None:
    def fail() -> Store:
        raise StoreError("the disk is full")

    samples = scrape(Metrics(), open_store=fail)
    assert samples["hookctl_store_errors_total", ("failed",)] == 1
    assert ("hookctl_oldest_due_seconds", ()) not in samples
    assert ("hookctl_events_total", ("anomaly", "accepted")) in samples


@pytest.mark.parametrize("by_webhook", [True, False])
def test_what_is_dead_from_the_start_is_counted_where_it_is_stored(
    scrape: Callable[..., Samples], store: Store, tmp_path: Path, delivery_plan: Callable[..., Any], by_webhook: bool
) -> None:
    odd = delivery_plan("Odd", when="contains(data, 'x')")
    store.apply(make_plan(store.read_state(), {"Odd": odd}, {}))
    document: Any = {"id": "e2", "event_type": "anomaly", "event_time": 1.0, "data": 7}
    metrics = Metrics(by_webhook=by_webhook)
    writer = EventWriter(lambda: SqliteStore(tmp_path / "hookctl.db"), StoreLimits(), undecided=metrics.add_undecided)
    writer.start()
    event = Event("e2", "anomaly", 1.0, document)

    async def send_twice() -> list[bool]:
        return [one.is_new for _ in range(2) for one in await writer.store([event])]

    assert asyncio.run(send_twice()) == [True, False]
    writer.close()
    samples = scrape(metrics)
    names = ("Odd",) if by_webhook else ()
    assert samples["hookctl_deliveries_dead_total", ("when", *names)] == 1
    assert samples["hookctl_deliveries_total", ("dead", *names)] == 1
    assert not [name for name, _ in samples if name == "hookctl_attempts_total"]


def test_event_types_that_are_applied_are_there_before_their_first_event(
    scrape: Callable[..., Samples], store: Store
) -> None:
    own = DefinedType("own", {"type": "object"})
    store.apply(make_plan(store.read_state(), {}, {}, event_types={"own": own}))
    assert scrape(Metrics())["hookctl_events_total", ("own", "accepted")] == 0


def test_requests_and_events_are_there(scrape: Callable[..., Samples]) -> None:
    metrics = Metrics()
    metrics.add_request("GET", "/webhooks/{name}", 200, 0.2)
    metrics.events["anomaly", "accepted"] += 2
    metrics.events["", "rejected"] += 1
    metrics.rejected["event-schema"] += 1
    metrics.add_commit(0.004)
    samples = scrape(metrics)
    assert samples["hookctl_http_request_duration_seconds_count", ("GET", "/webhooks/{name}", "200")] == 1
    assert samples["hookctl_http_request_duration_seconds_bucket", ("0.1", "GET", "/webhooks/{name}", "200")] == 0
    assert samples["hookctl_http_request_duration_seconds_bucket", ("0.25", "GET", "/webhooks/{name}", "200")] == 1
    assert samples["hookctl_events_total", ("anomaly", "accepted")] == 2
    assert samples["hookctl_events_total", ("", "rejected")] == 1
    assert samples["hookctl_events_rejected_total", ("event-schema",)] == 1
    assert samples["hookctl_store_commit_seconds_sum", ()] == 0.004
