"""Generations: history in partitions that are dropped as a whole, and ids that are known in all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import Server, schema_of
from tests.store.postgres.conftest import Open
from tests.store.test_contract import LEASE, NOW, claim, result, routed

from hookctl.model import DeliveryStatus
from hookctl.store.copying import copy_store
from hookctl.store.postgres import enqueuing, generations
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.records import Batch, Outcome
from hookctl.store.sqlite.store import SqliteStore

DAY = 86_400.0
Query = Callable[..., list[tuple[Any, ...]]]


def next_day(store: PostgresStore, query: Query) -> None:
    """Let the newest generation be of yesterday, and look through history."""
    query("UPDATE generations SET began_at = began_at - interval '1 day'")
    assert store.prune(NOW - 99 * DAY, 100) == 0


def numbers(query: Query) -> list[int]:
    return [number for (number,) in query("SELECT number FROM generations ORDER BY number")]


def partitions(query: Query) -> set[str]:
    found = query("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")
    return {name for (name,) in found}


def test_an_id_is_known_in_later_generations(open_store: Open, query: Query) -> None:
    store, other = open_store(), open_store()
    assert store.enqueue([routed("e0")], NOW) == [True]
    for day in range(1, generations.DAYS + 1):
        next_day(store, query)
        assert other.enqueue([routed("e0"), routed(f"e{day}")], NOW + day * DAY) == [False, True]
    assert numbers(query) == [*range(1, generations.DAYS + 2)]
    assert [one.id for one in store.events(limit=2).events] == ["e7", "e6"]
    assert store.event("e0") is not None
    assert store.fullness().waiting == generations.DAYS + 1


def test_an_event_that_comes_again_after_its_id_was_forgotten(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its delivery is still being tried, and is not made a second time; that to another webhook is new."""
    store = open_store()
    store.enqueue([routed("e0", "A")], NOW)
    next_day(store, query)
    monkeypatch.setattr(enqueuing, "KNOWN_IDS", "SELECT id FROM events WHERE id = ANY(%s::text[]) AND false")
    batch = Batch(now=NOW, events=[routed("e0", "A", "B")], wanted={"A": 9, "B": 9}, lease_seconds=60.0)
    committed = store.submit(batch).result()
    assert (committed.is_new, [one.delivery.id for one in committed.claims]) == ([True], ["e0-B"])
    assert [one.id for one in store.deliveries()] == ["e0-B", "e0-A"]


def test_an_empty_generation_goes_on(open_store: Open, query: Query) -> None:
    store = open_store()
    next_day(store, query)
    assert numbers(query) == [1]


def test_a_generation_that_is_over_is_dropped_with_all_but_what_is_needed(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MANY", 3)
    store = open_store()
    store.enqueue([routed(name) for name in ("over", "waits", "later", "twice", "backfilled", "over2")], NOW)
    claims = {one.delivery.id: one for one in claim(store)}
    for name in ("over", "twice", "over2", "backfilled"):
        store.finish([result(claims[f"{name}-A"])], NOW)
    store.finish([result(claims["later-A"], Outcome(DeliveryStatus.DEAD, "no"))], NOW + 2 * DAY)
    retry = Outcome(DeliveryStatus.RETRYING, "HTTP 500", due_at=NOW + 9 * DAY)
    store.finish([result(claims["waits-A"], retry)], NOW)
    next_day(store, query)
    store.replay(["twice-A"], NOW + DAY)
    store.backfill("B", [("backfilled", "backfilled-B")], NOW + DAY)
    store.enqueue([routed("today")], NOW + DAY)
    assert store.prune(NOW, 100) == 0  # not all of it is that old
    assert partitions(query) == {"events_1", "events_2", "events_kept"}
    assert store.prune(NOW + DAY, 100) == 2
    assert partitions(query) == {"events_2", "events_kept"}
    assert numbers(query) == [2]
    left = {one.id: one.status.value for one in store.deliveries()}
    assert left == {
        "waits-A": "retrying",
        "later-A": "dead",
        "twice-A": "waiting",
        "backfilled-A": "delivered",
        "backfilled-B": "waiting",
        "today-A": "waiting",
    }
    assert {name: len(store.attempts(name)) for name in left} == {
        "waits-A": 1,
        "later-A": 1,
        "twice-A": 1,
        "backfilled-A": 1,
        "backfilled-B": 0,
        "today-A": 0,
    }
    assert (store.event("over"), store.attempts("over-A"), store.damaged()) == (None, [], [])
    assert store.enqueue([routed("over")], NOW + 3 * DAY) == [True]
    # What was kept ends later, and is then deleted by itself.
    claims = {one.delivery.id: one for one in claim(store, NOW + 9 * DAY)}
    assert claims["waits-A"].document["id"] == "waits"
    store.finish([result(claims["waits-A"])], NOW + 9 * DAY)
    assert store.prune(NOW + 10 * DAY, 100) == 2
    assert store.event("waits") is None
    assert store.event("later") is None


def test_a_partition_in_use_is_dropped_another_time(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MANY", 0)
    monkeypatch.setattr(generations, "LOCK_SECONDS", "50ms")
    store, reader = open_store(), open_store()
    store.enqueue([routed("e1")], NOW)
    store.finish([result(one) for one in claim(store)], NOW)
    next_day(store, query)
    connection = reader._database._connected()
    with connection.transaction():
        connection.execute("SELECT count(*) FROM events")
        assert store.prune(NOW + DAY, 100) == 0
        assert store.enqueue([routed("e2")], NOW) == [True]
    assert store.prune(NOW + DAY, 100) == 1
    assert store.event("e1") is None


def come_again(store: PostgresStore, query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event, and the same one after its id was forgotten; each has a delivery to A that is dead, and one to B."""
    monkeypatch.setattr(enqueuing, "KNOWN_IDS", "SELECT id FROM events WHERE id = ANY(%s::text[]) AND false")
    for day in range(2):
        store.enqueue([routed("e0", "A", f"B{day}")], NOW + day * DAY)
        dead = Outcome(DeliveryStatus.DEAD, "HTTP 404")
        store.finish([result(one, dead) for one in store.claim(NOW + day * DAY, 9, LEASE, {"A": 9})], NOW + day * DAY)
        next_day(store, query)


def test_an_event_that_came_again_is_kept_twice(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MANY", 0)
    store = open_store()
    come_again(store, query, monkeypatch)
    store.enqueue([routed("today")], NOW + 2 * DAY)
    for _ in range(3):
        store.prune(NOW + 2 * DAY, 100)
    assert partitions(query) == {"events_3", "events_kept"}
    assert query("SELECT id FROM events_kept") == [("e0",), ("e0",)]


def test_the_newest_of_two_deliveries_with_an_id_is_replayed(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    come_again(store, query, monkeypatch)
    assert store.replay(["e0-A"], NOW + 2 * DAY) == ["e0-A"]
    assert query("SELECT seq >> 40, status FROM deliveries WHERE id = 'e0-A' ORDER BY seq") == [
        (1, "dead"),
        (2, "waiting"),
    ]


def test_the_newest_of_two_deliveries_with_an_id_is_copied_to_sqlite(
    open_store: Open, query: Query, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = open_store()
    come_again(store, query, monkeypatch)
    store.replay(["e0-A"], NOW + 2 * DAY)
    store.close()
    with closing(SqliteStore(tmp_path / "hookctl.db")) as target:
        copy_store(open_store(), target, lambda *_: None)
        assert {one.id: one.status.value for one in target.deliveries()} == {
            "e0-A": "waiting",
            "e0-B0": "waiting",
            "e0-B1": "waiting",
        }
        assert len(target.attempts("e0-A")) == 1
        assert target.damaged() == []
        (event, *_) = target.events().events
        assert (event.received_at, target.event("e0")) == (NOW + DAY, event)


def test_a_generation_is_dropped_by_a_user_who_may_not_make_temporary_tables(
    database: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "MANY", 0)
    url = database.url().replace("hookctl@", "few@")
    schema = schema_of(url)
    database.execute("CREATE ROLE few LOGIN")
    database.execute("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
    database.execute(f"CREATE SCHEMA {schema} AUTHORIZATION few")
    database.execute("GRANT CREATE ON DATABASE postgres TO few")
    try:
        with closing(PostgresStore(parse(url))) as store:
            store.enqueue([routed("e1")], NOW)
            store.finish([result(one) for one in claim(store)], NOW)
            database.execute("UPDATE generations SET began_at = began_at - interval '1 day'", schema=schema)
            store.prune(0.0, 1)
            store.enqueue([routed("e2")], NOW + DAY)
            assert store.prune(NOW + DAY, 100) == 1
    finally:
        database.execute(f"DROP SCHEMA {schema} CASCADE")
        database.execute("GRANT TEMPORARY ON DATABASE postgres TO PUBLIC")
        database.execute("REVOKE CREATE ON DATABASE postgres FROM few")
        database.execute("DROP ROLE few")
