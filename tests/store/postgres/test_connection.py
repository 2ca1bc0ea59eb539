"""What only a store on a server can meet: lost connections, commits with an unknown outcome, unfit servers."""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable
from typing import Any

import pytest
from tests.postgres_server import Server, schema_of
from tests.relay import Relay
from tests.store.postgres.conftest import Open
from tests.store.test_contract import LEASE, NOW, claim, event, result, routed, standing

from hookctl.errors import SettingsError, StateLockedError, StoreError, StoreGoneError
from hookctl.model import DeliveryStatus
from hookctl.store.opening import check_server, initialize, upgrade
from hookctl.store.opening import open_store as open_url
from hookctl.store.postgres import connection as connections
from hookctl.store.postgres import schema
from hookctl.store.postgres.address import parse
from hookctl.store.records import Batch

Query = Callable[..., list[tuple[Any, ...]]]


class Once:
    """True for the first bytes that contain a text."""

    def __init__(self, text: bytes) -> None:
        self._text, self.was_there = text, False

    def __call__(self, data: bytes) -> bool:
        if self.was_there or self._text not in data:
            return False
        self.was_there = True
        return True


@pytest.mark.parametrize(
    "statement", [b"INSERT INTO events", b"INSERT INTO deliveries", b"FROM holds", b"take_numbers", b"COMMIT"]
)
def test_a_connection_that_is_lost_while_events_are_stored(
    open_store: Open, url: str, relay: Relay, statement: bytes
) -> None:
    """Nothing was committed, so the batch is stored on a new connection: once."""
    store = open_store(relay.url(url))
    relay.cut = cut = Once(statement)
    batch = Batch(now=NOW, events=[routed("e1"), routed("e2")], wanted={"A": 1}, lease_seconds=LEASE)
    committed = store.submit(batch).result()
    assert cut.was_there
    assert (committed.is_new, [one.delivery.id for one in committed.claims]) == ([True, True], ["e1-A"])
    assert open_store().counts() == {"A": {DeliveryStatus.WAITING: 2}}
    assert store.finish([result(one) for one in committed.claims], NOW) == set()


def test_a_commit_whose_answer_is_lost_is_settled_by_reading(open_store: Open, url: str, relay: Relay) -> None:
    store = open_store(relay.url(url))
    relay.cut_answer = cut = Once(b"COMMIT\0")
    assert store.enqueue([routed("e1")], NOW) == [True]  # and not False, as after a second attempt
    assert cut.was_there
    relay.cut_answer = cut = Once(b"COMMIT\0")
    claims = claim(store)
    assert cut.was_there
    assert [one.lease for one in claims] == [1]
    relay.cut_answer = cut = Once(b"COMMIT\0")
    assert store.finish([result(one) for one in claims], NOW) == set()
    assert cut.was_there
    assert standing(store) == {"e1-A": ("delivered", "")}
    assert len(store.attempts("e1-A")) == 1


def test_a_number_that_a_lost_transaction_had_is_not_believed(
    open_store: Open, url: str, relay: Relay, database: Server
) -> None:
    """The server is killed before it has written anything of a transaction, and then gives its number to others."""
    store = open_store(relay.url(url))
    store.enqueue([routed("e1")], NOW)
    ((writer,),) = database.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
    os.kill(writer, signal.SIGSTOP)  # it writes what is not committed yet, too

    def crash(data: bytes) -> bool:
        if b"COMMIT\0" not in data:
            return False
        relay.cut = lambda _: False
        database.kill()
        database.start()
        for _ in range(20):
            database.execute("SELECT pg_current_xact_id()")
        return True

    relay.cut = crash
    assert store.enqueue([routed("e2")], NOW) == [True]
    assert {*standing(open_store())} == {"e1-A", "e2-A"}


@pytest.mark.parametrize("statement", [b"UPDATE live", b"UPDATE deliveries", b"INSERT INTO attempts"])
def test_a_connection_that_is_lost_while_claiming_or_finishing(
    open_store: Open, url: str, relay: Relay, statement: bytes
) -> None:
    store = open_store(relay.url(url))
    store.enqueue([routed("e1"), routed("e2")], NOW)
    relay.cut = cut = Once(statement)
    claims = claim(store)
    assert store.finish([result(one) for one in claims], NOW) == set()
    assert cut.was_there
    assert {status for status, _ in standing(store).values()} == {"delivered"}
    assert [len(store.attempts(name)) for name in ("e1-A", "e2-A")] == [1, 1]


def test_a_server_that_is_away_is_an_error_and_then_used_again(
    open_store: Open, url: str, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    store = open_store(relay.url(url))
    relay.cut = lambda _: True
    with pytest.raises(StoreError, match="cannot be reached"):
        store.enqueue([routed("e1")], NOW)
    relay.cut = lambda _: False
    assert store.enqueue([routed("e1")], NOW) == [True]


def test_another_store_in_its_place_is_noticed(open_store: Open, query: Query) -> None:
    store = open_store()
    query("UPDATE meta SET store = 'another'")
    store._database.disconnect()
    with pytest.raises(StoreGoneError, match="was replaced by another one"):
        store.counts()
    with pytest.raises(StoreGoneError):
        store.check()


def test_a_row_that_stays_locked_is_an_error_that_names_it(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.TIMEOUTS, "lock_timeout", "100ms")
    store, other = open_store(), open_store()
    with other._database._connected().transaction():
        other._database._connected().execute("LOCK TABLE circuits")
        with pytest.raises(StateLockedError, match=r"is busy: .*lock timeout"):
            store.set_circuits({"A": None})


# -- servers that hookctl refuses


def weak(database: Server, setting: str) -> str:
    database.execute(f"CREATE ROLE weak LOGIN SUPERUSER; ALTER ROLE weak SET {setting}")
    return database.url().replace("hookctl@", "weak@")


def test_a_server_that_may_lose_commits_is_refused_or_named(
    database: Server, open_store: Open, caplog: pytest.LogCaptureFixture
) -> None:
    url = weak(database, "synchronous_commit = off")
    try:
        with pytest.raises(SettingsError, match="may lose events that were acknowledged: synchronous_commit is off"):
            open_store(url)
        allowed = f"{url}&weak_commits=allow"
        store = open_store(allowed)
        assert store.enqueue([routed("e1")], NOW) == [True]
        assert "may lose events that were acknowledged" in caplog.text
        assert any("which weak_commits=allow accepts" in one.message for one in check_server(allowed))
    finally:
        database.execute("DROP OWNED BY weak CASCADE; DROP ROLE weak")


def test_a_server_that_is_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, open_store: Open) -> None:
    monkeypatch.setattr(connections, "OLDEST", 990000)
    with pytest.raises(SettingsError, match="hookctl needs 14 or newer"):
        open_store()


def test_a_pooler_is_refused_unless_it_is_in_session_mode(open_store: Open, url: str, relay: Relay) -> None:
    """A pooler makes up the number of the server's process, which is in the message ``K``."""

    def other_key(data: bytes) -> bytes:
        at = data.find(b"K\0\0\0")
        return data if at < 0 else data[: at + 5] + struct.pack("!I", 77) + data[at + 9 :]

    relay.edit = other_key
    with pytest.raises(SettingsError, match="a connection pooler is between"):
        open_store(relay.url(url))
    assert open_store(f"{relay.url(url)}&pooler=session").serial() == 0


def test_a_newer_store_is_refused_and_an_older_one_upgraded(
    open_store: Open, url: str, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store().close()
    query("UPDATE meta SET version = 99")
    for command in (open_url, upgrade, initialize):
        with pytest.raises(StoreError, match="the store has version 99, and this hookctl knows versions up to 1"):
            command(url)
    query("UPDATE meta SET version = 1")
    monkeypatch.setattr(schema, "MIGRATIONS", (lambda one: one.execute("CREATE TABLE more (x int)"),))
    monkeypatch.setattr(schema, "VERSION", 2)
    with pytest.raises(StoreError, match="this hookctl needs version 2") as refused:
        open_url(url)
    assert "hookctl store upgrade" in refused.value.hint
    assert upgrade(url) == "upgraded the store from version 1 to 2"
    assert upgrade(url) == "the store has version 2 already"
    assert query("SELECT count(*) FROM more") == [(0,)]
    open_store().close()


def test_a_store_is_made_by_a_command_or_when_it_is_needed(url: str, database: Server) -> None:
    with pytest.raises(StoreError, match="there is no store to upgrade"):
        upgrade(url)
    assert open_url(url, create=False) is None
    assert initialize(url) == f"created the store in schema {schema_of(url)}, version 1"
    assert initialize(url) == "the store is already there, in version 1"
    found = open_url(url, create=False)
    assert found is not None
    found.close()
    database.execute("CREATE ROLE nobody LOGIN")
    try:
        with pytest.raises(StoreError, match="may not create the schema") as refused:
            open_url(database.url().replace("hookctl@", "nobody@"))
        assert "CREATE SCHEMA" in refused.value.hint
    finally:
        database.execute("DROP ROLE nobody")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql:", "does not name a PostgreSQL server"),
        ("postgresql:///x?schema=a;b", "schema=a;b, which is not valid"),
        ("postgresql://h/x?weak_commits=yes", "weak_commits=yes, which is not valid"),
        ("postgresql://[h/x", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        open_url(url)


def test_a_store_is_named_without_its_password() -> None:
    address = parse("postgresql://ada:secret@db.example.com:5433/hooks?schema=own&sslmode=require")
    assert address.name == "hooks on db.example.com:5433, schema own"
    assert address.url == "postgresql://ada:secret@db.example.com:5433/hooks?sslmode=require"
    assert "secret" not in repr(address)


def test_text_with_nul_is_stored(open_store: Open) -> None:
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    assert store.document("e1-A") == event("e1").document
