"""Connections of users, hosts and networks that are set up in another way than usual."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.postgres_server import Server, schema_of
from tests.store.postgres.conftest import Open
from tests.store.test_contract import NOW, claim, event, routed

from hookctl.config.diff import make_plan
from hookctl.errors import StoreError, StoreGoneError
from hookctl.store.history import AuditEntry, EventFilter
from hookctl.store.postgres import connection as connections
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.connection import connect
from hookctl.store.records import Filter

Query = Callable[..., list[tuple[Any, ...]]]


def test_text_is_in_utf_8_whatever_the_environment_says(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    monkeypatch.delenv("PGCLIENTENCODING")
    assert open_store().document("e1-A") == event("e1").document


def test_what_a_role_has_set_does_not_change_how_hookctl_works(url: str, database: Server) -> None:
    database.execute("CREATE ROLE strange LOGIN")
    wanted = {
        "default_transaction_isolation": "read committed",
        "extra_float_digits": "1",
        "client_encoding": "UTF8",
        "TimeZone": "UTC",
    }
    others = ("serializable", "-3", "LATIN1", "Asia/Tokyo")
    try:
        for name, value in zip(wanted, others, strict=True):
            database.execute(f"ALTER ROLE strange SET {name} = '{value}'")
        with closing(connect(parse(url.replace("hookctl@", "strange@")))) as connection:
            for name, value in wanted.items():
                assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,)
    finally:
        database.execute("DROP ROLE strange")


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_text_that_the_server_cannot_store(open_store: Open, text: str) -> None:
    store = open_store()
    store.enqueue([routed("e1", "A", "B")], NOW)
    assert store.event(text) is None
    assert not store.deliveries(Filter(id_part=text))
    assert not store.events(EventFilter(event_type=text)).events
    assert not store.replay([text], NOW)
    audit = AuditEntry(id="a1", at=NOW, who="ada", action="cancel", what="e1-A", reason=text)
    assert store.cancel(["e1-A"], NOW, text, audit) == ["e1-A"]
    shown = text.replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\ud800", "?")
    assert store.log(1)[0].reason == shown
    assert {one.reason for one in store.deliveries(Filter(webhook="A"))} == {shown}


def test_a_worker_connects_again_before_the_server_notices_that_it_was_cut_off(open_store: Open) -> None:
    store = open_store()
    store.enqueue([routed("e1"), routed("e2")], NOW)
    assert len(claim(store, limit=1)) == 1
    lost, store._database._open = store._database._open, None
    assert len(claim(store, limit=1)) == 1
    assert store.live_workers() == 1
    assert lost is not None
    assert lost.execute("SELECT 1").fetchone() == (1,)  # the server has it still
    lost.close()


def test_a_failure_while_numbers_are_taken_keeps_nobody_waiting(open_store: Open, query: Query) -> None:
    """The lock of numbers is not that of a transaction, so a rollback does not release it."""
    store, other = open_store(), open_store()
    store.enqueue([routed("e1")], NOW)
    ((last,),) = query("SELECT last_value FROM event_numbers")
    query(f"ALTER SEQUENCE event_numbers MAXVALUE {last}")
    with pytest.raises(StoreError, match="reached maximum value"):
        store.enqueue([routed("e2")], NOW)
    query("ALTER SEQUENCE event_numbers NO MAXVALUE")
    assert other.enqueue([routed("e2")], NOW) == [True]


def test_a_process_whose_tables_are_dropped_ends(open_store: Open, query: Query, url: str) -> None:
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    query(f"DROP SCHEMA {schema_of(url)} CASCADE")
    with pytest.raises(StoreError, match="does not exist"):
        store.enqueue([routed("e2")], NOW)
    with pytest.raises(StoreGoneError, match="tables are gone"):
        store.enqueue([routed("e2")], NOW)
    with pytest.raises(StoreGoneError):
        store.check()


def test_a_process_whose_tables_are_replaced_ends_without_a_new_connection(
    open_store: Open, query: Query, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would go on with the webhooks that were applied in the other store."""
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    query(f"DROP SCHEMA {schema_of(url)} CASCADE")
    other = open_store()
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.0)
    for use in (lambda: store.enqueue([routed("e2")], NOW), store.read_state):
        with pytest.raises(StoreGoneError, match="replaced by another one"):
            use()
    assert not other.events().events


def test_commits_stay_durable_when_the_server_reads_weaker_settings(url: str, database: Server) -> None:
    with closing(connect(parse(url))) as connection:
        try:
            database.execute("ALTER SYSTEM SET synchronous_commit = off")
            database.execute("SELECT pg_reload_conf()")
            while database.execute("SHOW synchronous_commit") != [("off",)]:
                pass
            for _ in range(20):  # a session reads them between two statements
                assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        finally:
            database.execute("ALTER SYSTEM RESET synchronous_commit")
            database.execute("SELECT pg_reload_conf()")


def test_what_changes_every_delivery_of_a_webhook_may_take_long(
    open_store: Open, query: Query, delivery_plan: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.TIMEOUTS, "statement_timeout", "200ms")
    store = open_store()
    plan = delivery_plan("A")
    state = store.apply(make_plan(store.read_state(), {"A": plan}, {}))
    store.enqueue([routed("e1")], NOW)
    slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.4); RETURN NEW; END'"
    query(slow)
    query("CREATE TRIGGER slow BEFORE UPDATE ON live FOR EACH ROW EXECUTE FUNCTION slow()")
    assert store.hold(plan, "their release", NOW)
    assert store.resume("A")
    store.reconcile(state)
    renamed = make_plan(state, {"B": delivery_plan("B")}, {"B": "A"})
    store.reconcile(store.apply(renamed))
    assert [one.webhook for one in store.deliveries()] == ["B"]
