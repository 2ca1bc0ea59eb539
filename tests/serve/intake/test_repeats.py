"""Requests that come again: with the same content they are duplicates, with another they are refused."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from hookctl.errors import StateLockedError, StoreError
from hookctl.model.token import Scope
from hookctl.store.sqlite.store import SqliteStore

Site = Any  # of conftest.py


def test_the_same_id_with_other_content_is_refused(site: Site) -> None:
    site.send(site.event("e1"))
    answer = site.send(site.event("e1", title="another"))
    assert (answer.status, answer.problem) == (422, "event-changed")
    assert answer.json["detail"] == "an event with this id was accepted before, with other content"
    assert site.store.event("e1").document == site.event("e1")


def test_the_order_of_keys_and_the_form_of_numbers_are_not_content(site: Site) -> None:
    site.send(site.event("e1", count=1))
    again = dict(reversed(site.event("e1", count=1.0).items()))
    assert site.send(again).json["status"] == "duplicate"
    assert site.send(site.event("e1", count=True)).status == 422


def test_a_batch_with_a_changed_event_is_not_stored_at_all(site: Site) -> None:
    site.send(site.event("e1"))
    answer = site.send([site.event("e0"), site.event("e1", title="another"), site.event("e1")])
    assert (answer.status, [error["index"] for error in answer.json["errors"]]) == (422, [1])
    assert site.stored() == {"e1"}


def test_an_id_that_comes_twice_in_one_batch(site: Site) -> None:
    assert site.send([site.event("e1"), site.event("e1")]).statuses == ["accepted", "duplicate"]
    assert site.send([site.event("e2"), site.event("e2", title="another")]).status == 422
    assert site.stored() == {"e1"}


def test_a_key_repeats_a_request_and_no_other(site: Site) -> None:
    assert site.send(site.event("e1"), Idempotency_Key="k1").json["status"] == "accepted"
    assert site.send(site.event("e1"), Idempotency_Key="k1").json["status"] == "duplicate"
    answer = site.send(site.event("e2"), Idempotency_Key="k1")
    assert (answer.status, answer.problem) == (422, "idempotency-key-reused")
    assert site.stored() == {"e1"}
    other = site.token("other", Scope.INTAKE)
    assert site.send(site.event("e2"), Idempotency_Key="k1", token=other).status == 202


def test_a_request_that_was_refused_has_not_used_its_key(site: Site) -> None:
    assert site.send({"id": "bad"}, Idempotency_Key="k1").status == 422
    assert site.send(site.event("e1"), Idempotency_Key="k1").status == 202


@pytest.mark.parametrize(("query", "key"), [("", "x" * 257), ("", ""), ("", "é"), ("?partial=true", "k1")])
def test_keys_that_are_not_valid(site: Site, query: str, key: str) -> None:
    answer = site.send([site.event("e1")], query, Idempotency_Key=key)
    assert (answer.status, answer.problem) == (400, "idempotency-key-invalid")
    assert site.stored() == set()


def test_the_same_event_at_the_same_time_is_accepted_once(site: Site) -> None:
    same, changed = site.event("e1"), site.event("e1", title="another")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(site.send, [same, changed] * 8))
    statuses = [answer.json["status"] for answer in answers]
    assert statuses.count("accepted") == 1
    assert (statuses.count("duplicate"), statuses.count(422)) == (7, 8)
    assert len(site.store.deliveries()) == 1


def test_keys_are_deleted_with_the_events_of_their_time(site: Site) -> None:
    site.send(site.event("e1"), Idempotency_Key="k1")
    site.store.prune(float("inf"), 10)
    with closing(sqlite3.connect(site.path)) as connection:
        assert connection.execute("SELECT count(*) FROM request_keys").fetchone() == (0,)


def test_a_commit_whose_answer_is_lost_is_a_duplicate_the_second_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails after the commit, as if its disk had."""
    commit = SqliteStore._commit

    def fails(store: SqliteStore, batch: Any) -> Any:
        commit(store, batch)
        monkeypatch.undo()
        raise StoreError("the disk has failed")

    monkeypatch.setattr(SqliteStore, "_commit", fails)
    answer = site.send(site.event("e1"))
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "store-unavailable", "2")
    assert site.send(site.event("e1")).json["status"] == "duplicate"
    assert len(site.store.deliveries()) == 1


def test_a_busy_store_is_503(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> Any:
        raise StateLockedError("the store is busy: another process is writing to it")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "_commit", busy)
        answer = site.send(site.event("e1"))
    assert (answer.status, answer.problem) == (503, "store-busy")
    assert site.send(site.event("e1")).json["status"] == "accepted"


def test_other_requests_of_a_commit_are_stored_although_one_is_refused(site: Site) -> None:
    site.send(site.event("known"))
    with ThreadPoolExecutor(16) as pool:
        changed = pool.map(lambda _: site.send(site.event("known", title="x")).status, range(20))
        good = pool.map(lambda number: site.send(site.event(f"e{number}")).status, range(20))
        assert (set(changed), set(good)) == ({422}, {202})
    assert len(site.stored()) == 21
