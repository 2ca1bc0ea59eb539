"""What only a store on a server can meet: lost connections, commits with an unknown outcome, unfit servers."""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
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


def test_a_user_without_rights_in_the_database_uses_the_schema_that_an_administrator_made(database: Server) -> None:
    database.execute("CREATE ROLE hooks LOGIN")
    url = database.url().replace("hookctl@", "hooks@")
    schema = schema_of(url)
    try:
        with pytest.raises(StoreError) as refused:
            initialize(url)
        database.execute(refused.value.hint.partition(": ")[2])
        assert initialize(url) == f"created the store in schema {schema}, version 1"
        database.execute(f"ALTER SCHEMA {schema} OWNER TO hookctl")
        for use in (initialize, partial(open_url, create=False)):  # a store that may not be used is not a missing one
            with pytest.raises(StoreError, match=f"the user hooks may not use the schema {schema}") as refused:
                use(url)
        database.execute(refused.value.hint.partition("run: ")[2])
        found = open_url(url, create=False)
        assert found is not None
        found.close()
        database.execute(f"ALTER TABLE {schema}.meta OWNER TO hookctl")
        with pytest.raises(StoreError, match="permission denied for table meta") as refused:
            open_url(url)
        assert "the user that owns the tables" in refused.value.hint
    finally:
        database.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        database.execute("DROP ROLE hooks")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql:", "does not name a PostgreSQL server"),
        ("postgresql:///x?schema=a;b", "schema=a;b, which is not valid"),
        ("postgresql://h/x?weak_commits=yes", "weak_commits=yes, which is not valid"),
        ("postgresql://[h/x", "cannot be read"),
        ("postgresql://h/x?shema=y", 'not valid: invalid URI query parameter "shema"$'),
        ("postgresql://ada:secret%ZZ@h/x", "not valid: invalid percent-encoded token$"),
        ("postgresql://h/x?password=secret%ZZ", "not valid: invalid percent-encoded token$"),
        ("postgresql://h/x?password=secret=more", 'not valid: .* query parameter "password"$'),
    ],
)
def test_a_url_that_cannot_be_used(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        open_url(url)
    assert "secret" not in f"{refused.value.message}{refused.value.hint}"


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("postgresql:///postgres", "postgres on the default server"),
        ("postgresql://", "the default database on the default server"),
        ("postgresql:///?host=127.0.0.1&dbname=postgres", "postgres on 127.0.0.1"),
        ("postgresql:///?service=hooks", "of the service hooks"),
        (
            "postgresql://127.0.0.1/postgres?options=-c%20application_name%3Done%20-c%20work_mem%3D9MB",
            "postgres on 127",
        ),
    ],
)
def test_a_url_leaves_out_what_libpq_finds_elsewhere(
    database: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: str, name: str
) -> None:
    services = tmp_path / "services"
    services.write_text("[hooks]\ndbname=postgres\n", encoding="utf-8")
    given = {"HOST": "127.0.0.1", "PORT": str(database.port), "USER": "hookctl", "DATABASE": "postgres"}
    for key, value in (given | {"SERVICEFILE": str(services)}).items():
        monkeypatch.setenv(f"PG{key}", value)
    address = parse(own)
    assert address.url == own
    assert address.name.startswith(name)
    with closing(connections.connect(address)) as connection:
        row = connection.execute("SELECT current_database(), current_setting('work_mem')").fetchone()
    assert row == ("postgres", "9MB" if "work_mem" in own else "4MB")


@pytest.mark.parametrize("wrong", ["nobody@127.0.0.1:{port}/postgres", "hookctl@127.0.0.1:{port}/nothing"])
def test_a_user_or_database_that_does_not_exist_has_a_hint_that_names_them(database: Server, wrong: str) -> None:
    with pytest.raises(StoreError, match="does not exist") as refused:
        open_url(f"postgresql://{wrong.format(port=database.port)}")
    assert "database, user and password" in refused.value.hint


def test_a_store_is_named_without_its_password() -> None:
    address = parse("postgresql://ada:secret@db.example.com:5433/hooks?schema=own&sslmode=require")
    assert address.name == "hooks on db.example.com:5433, schema own"
    assert address.url == "postgresql://ada:secret@db.example.com:5433/hooks?sslmode=require"
    assert "secret" not in repr(address)


def test_text_with_nul_is_stored(open_store: Open) -> None:
    store = open_store()
    store.enqueue([routed("e1")], NOW)
    assert store.document("e1-A") == event("e1").document
