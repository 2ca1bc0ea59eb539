"""No page reads a whole table that grows with the history, and a page that must look at rows looks at some of them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from hookctl.model.token import Scope
from hookctl.serve.deliveries import listing
from hookctl.serve.pages import history
from hookctl.store.sqlite.listing import SMALL

LARGE = {"deliveries", "attempts", "events", "known_ids", "hours", "hour_causes", "applies", "changes", "audit"} | {
    *("plans", "past_plans", "commits", "request_keys")
}
"""The tables that have a row for each event, delivery, attempt, apply or action."""
TABLE = re.compile(
    r"\b(?:FROM|JOIN)\s+(\w+)(?:\s+(?:AS\s+)?(?!INDEXED|WHERE|JOIN|ON|ORDER|GROUP|LIMIT|LEFT|CROSS)(\w+))?"
)
ORDERS = ("event", "host", "waiting", "retrying", "dead", "held", "success", "p50", "p95")
STATES = ("active", "inactive", "held", "circuit", "waiting", "dead", "failing")
STATUSES = ("waiting", "retrying", "held", "delivered", "dead", "cancelled")


@pytest.fixture(scope="module", autouse=True)
def statements() -> Iterator[list[str]]:
    """What the stores of the module execute, with its values."""
    executed: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(executed.append)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", traced)
        yield executed


def paths(site: Any) -> Iterator[str]:
    """Every kind of page, with its filters and orders."""
    dead = next(one for one in site.store.deliveries() if one.status == "dead" and one.webhook == "Siem")
    group = next(one.key for one in site.store.groups() if one.status == "dead")
    yield from ("/", "/?q=siem&event=anomaly&label=team", "/webhooks/Siem", "/metrics", "/readyz")
    yield from (f"/?sort={order}" for order in ORDERS)
    yield from (f"/?state={state}" for state in STATES)
    for which in ("", "webhook=Siem&", "event-type=anomaly&", "since=2h&until=1h&", "cause=503&", "plan=abcdef&"):
        yield f"/deliveries?{which}"
        yield f"/deliveries?{which}before=2000000000.0_3"
        yield from (f"/deliveries?{which}status={status}" for status in STATUSES)
    yield from (f"/deliveries?event-id={quote(dead.event_id)}", "/deliveries?where=data.none", f"/deliveries/{dead.id}")
    yield from (f"/deliveries?group={group}", f"/deliveries?group={group}&webhook=Siem")
    yield from (f"/events/{quote(dead.event_id)}", f"/v1/events/{quote(dead.event_id)}")
    yield from ("/undelivered", "/undelivered?status=dead", "/undelivered?webhook=Siem")
    yield from (f"/actions/replay?group={group}", "/actions/replay?webhook=Siem", f"/actions/replay?id={dead.id}")
    yield from ("/actions/cancel?status=retrying", "/actions/hold?webhook=Siem", "/actions/hold?status=dead")
    yield from ("/history", "/history?q=none", "/history?before=2000000000.0~1~1", "/history/1", "/history/2?after=A")


def scans(connection: sqlite3.Connection, statement: str) -> list[str]:
    """The steps of a statement that read a large table as a whole."""
    tables = {alias or table: table for table, alias in TABLE.findall(statement)}
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    found = []
    for step in steps:
        name, _, index = step.removeprefix("SCAN ").partition(" USING ")
        is_large = tables.get(name, name) in LARGE and index.rpartition(" ")[2] not in SMALL
        found += [step] if step.startswith("SCAN ") and is_large else []
    return found


def test_no_page_reads_a_large_table(site: Any, statements: list[str]) -> None:
    cookie = site.cookie(Scope.OPERATE)
    bad: dict[str, set[str]] = {}
    looked_at = 0
    with closing(sqlite3.connect(site.store._path)) as connection:
        assert scans(connection, "SELECT d.id FROM deliveries d JOIN events e ON e.seq = d.event WHERE d.webhook = 'A'")
        assert scans(connection, "SELECT count(*) FROM attempts WHERE seq > 0 OR result = '200' LIMIT 5")
        for path in paths(site):
            statements.clear()
            status, _, text = site.request("GET", path, Cookie=cookie, Accept="text/html")
            assert status == 200, (path, text)
            selects = {one for one in statements if one.lstrip().startswith(("SELECT", "WITH"))}
            looked_at += len(selects)
            for one in selects:
                if steps := scans(connection, one):
                    bad.setdefault(f"{steps} {' '.join(one.split())}", set()).add(path)
    assert bad == {}
    assert looked_at > 300


@pytest.mark.parametrize("where", ["where=data.none", "plan=abcdef"])
def test_a_list_looks_at_some_deliveries_and_says_how_many(
    site: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(listing, "LOOK_AT_EVENTS", 2)
    page = site.get(f"/deliveries?{where}")
    assert "2 deliveries were looked at, the newest first." in page.text
    assert [one.text for one in page.root.findall(".//main//a[@rel='next']")] == ["Look at older ones"]


def test_a_list_that_is_not_full_says_how_far_it_looked(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LOOK_AT_EVENTS", 5)
    page = site.get("/deliveries?where=ends_with(id, '-5')%20||%20ends_with(id, '-1')".replace(" ", "%20"))
    assert "5 deliveries were looked at" in page.text


def test_history_looks_at_some_entries(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LOOK_AT", 1)
    monkeypatch.setattr(history, "AT_ONCE", 1)
    assert "This page looked at 1 entries. Look at earlier ones" in site.get("/history?q=none").text
