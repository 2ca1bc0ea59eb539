"""The SQLite tables for kept events: stores of earlier versions, and queries that use indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hookctl.model import DeliveryPlan, DeliveryStatus, Event, TraceContext
from hookctl.store.history import Route
from hookctl.store.records import Filter, NewDelivery, Routed
from hookctl.store.sqlite import applied, events, filters, healing
from hookctl.store.sqlite import queue_tables as tables
from hookctl.store.sqlite.connection import connect
from hookctl.store.sqlite.migrations import migrate
from hookctl.store.sqlite.store import SqliteStore

VERSION = 3
"""Of the queue's tables before events were listed."""


def test_the_events_of_an_earlier_version_are_listed(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "hookctl.db")) as connection:
        migrate(connection, tables.COMPONENT, tables.SCRIPTS[:VERSION])
        for number, where in enumerate(("known_ids", "new_ids"), 1):
            row = (number, f"e{number}", f'{{"id":"e{number}"}}')
            connection.execute("INSERT INTO events VALUES (?, ?, 'anomaly', 1.0, 1.0, ?)", row)
            connection.execute(f"INSERT INTO {where} (id) VALUES ('e{number}')")  # noqa: S608  # constants
    store = SqliteStore(tmp_path / "hookctl.db")
    assert [event.id for event in store.events().events] == ["e2", "e1"]
    for name in ("e1", "e2"):
        found = store.event(name)
        assert found is not None
        assert found.id == name
    assert store.backfill("A", [("e1", "e1-A"), ("e2", "e2-A")], 2.0) == 2
    assert store.damaged() == []
    store.close()


def test_what_an_earlier_version_applied_counts_from_the_beginning(
    tmp_path: Path, delivery_plan: Callable[..., DeliveryPlan]
) -> None:
    plan = delivery_plan("A", when="data.n")
    with closing(connect(tmp_path / "hookctl.db")) as connection:
        migrate(connection, applied.COMPONENT, applied.SCRIPTS[:4])
        row = ("A", plan.digest, plan.canonical().decode())
        connection.execute("INSERT INTO applied_webhooks VALUES (?, ?, ?)", row)
        connection.execute("INSERT INTO applied_webhooks VALUES ('B', 'broken', '{')")
        connection.execute("INSERT INTO applies VALUES (7, 5.0, '', '', NULL)")
    store = SqliteStore(tmp_path / "hookctl.db")
    route = Route(("anomaly",), is_active=True, when="data.n")
    assert store.routes_at(1.0).webhooks == {"A": route}  # it can be read before the next apply migrates it
    with closing(connect(tmp_path / "hookctl.db")) as connection:
        migrate(connection, applied.COMPONENT, applied.SCRIPTS)
    assert store.routes_at(1.0).webhooks == {"A": route}
    store.close()


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[[str, list[object]], list[str]]:
    SqliteStore(tmp_path / "hookctl.db").close()

    def explain(query: str, values: list[object]) -> list[str]:
        with closing(sqlite3.connect(tmp_path / "hookctl.db")) as connection:
            return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)]

    return explain


def test_events_are_found_by_indexes(plan_of: Callable[[str, list[object]], list[str]]) -> None:
    keys = plan_of(events.KEYS, [0.0, 1.0, 1.0, 1, None, None, 10])
    assert len(keys) == 1
    assert keys[0].startswith("SEARCH events USING COVERING INDEX events_received (received_at>? AND received_at<?)")
    for query, values in (
        (events.ROWS.format(conditions=f"NOT {events.HAS_DELIVERY_TO}"), ["[]", "A"]),
        (events.STATUSES, ["[]"]),
        (events.NUMBERS, ["[]", "[]"]),
        (events.HAVE, ["A", "[]"]),
    ):
        steps = plan_of(query, [*values])
        assert [step for step in steps if step.startswith("SCAN") and "VIRTUAL TABLE" not in step] == [], query
    assert "SCAN events" in plan_of(tables.FIRST_AFTER, [1.0])  # it stops at the first row that is kept


@pytest.mark.parametrize(
    ("which", "index"),
    [
        (Filter(), "deliveries_created (created_at>"),
        (Filter(webhook="A", cause="401"), "deliveries_created (created_at>"),
        (Filter(event_id="e1"), "deliveries_of_event (event=?)"),
        (Filter(ids=["m"]), "(id=?)"),
        (Filter(statuses=[DeliveryStatus.DEAD]), "deliveries_dead"),
        (Filter(statuses=[DeliveryStatus.DEAD], webhook="A"), "deliveries_dead (webhook=? AND created_at>"),
        (Filter(statuses=[DeliveryStatus.HELD], webhook="A"), "deliveries_held (webhook=?)"),
    ],
)
def test_deliveries_are_found_by_indexes(
    plan_of: Callable[[str, list[object]], list[str]], which: Filter, index: str
) -> None:
    steps = [step for step in plan_of(*filters.query_of(which, 10)) if step.split()[1] == "d"]
    assert len(steps) == 1
    assert index in steps[0]


@pytest.mark.parametrize("status", [DeliveryStatus.DEAD, DeliveryStatus.HELD, DeliveryStatus.RETRYING])
def test_repairable_deliveries_are_read_by_an_index_in_its_order(
    plan_of: Callable[[str, list[object]], list[str]], status: DeliveryStatus
) -> None:
    steps = plan_of(healing.query_of(status), ["A", 10])
    assert steps[0] == f"SEARCH d USING INDEX deliveries_{status.value} (webhook=?)"
    assert not [step for step in steps if step.startswith(("SCAN", "USE TEMP B-TREE"))]


def test_a_store_of_an_earlier_version_takes_traces(tmp_path: Path) -> None:
    added = next(number for number, script in enumerate(tables.SCRIPTS) if "replayed_at" in script)
    with closing(connect(tmp_path / "hookctl.db")) as connection:
        migrate(connection, tables.COMPONENT, tables.SCRIPTS[:added])
        connection.execute("INSERT INTO events VALUES (1, 'e1', 'anomaly', 1.0, 1.0, '{}')")
        connection.execute("INSERT INTO known_ids (id, event) VALUES ('e1', 1)")
        connection.execute(
            "INSERT INTO deliveries (id, event, webhook, status, created_at, due_at, ready_at)"
            " VALUES ('e1-A', 1, 'A', 'waiting', 1.0, 1.0, 1.0)"
        )
    store = SqliteStore(tmp_path / "hookctl.db")
    (claimed,) = store.claim(2.0, 10, 60.0, {"A": 10})
    assert (claimed.delivery.id, claimed.trace, claimed.replayed_at) == ("e1-A", None, None)
    assert store.damaged() == []
    store.close()


@pytest.mark.parametrize("trace", ["x", b"\xff", 5])
def test_a_damaged_trace_holds_up_no_delivery(tmp_path: Path, trace: object) -> None:
    store = SqliteStore(tmp_path / "hookctl.db")
    given = TraceContext("4b" * 16, "0f" * 8, is_sampled=True)
    event = Event("e1", "anomaly", 1.0, {"id": "e1"}, trace=given)
    store.enqueue([Routed(event, (NewDelivery("e1-A", "A"),))], 1.0)
    with closing(sqlite3.connect(tmp_path / "hookctl.db", isolation_level=None)) as connection:
        connection.execute("UPDATE events SET trace = ?", (trace,))
    (claimed,) = store.claim(2.0, 10, 60.0, {"A": 10})
    assert (claimed.delivery.id, claimed.trace) == ("e1-A", None)
    store.close()
