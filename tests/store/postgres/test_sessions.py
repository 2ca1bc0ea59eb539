"""Connections of users, hosts and networks that are set up in another way than usual."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from tests.postgres_server import Server
from tests.store.postgres.conftest import Open
from tests.store.test_contract import NOW, event, routed

from hookctl.store.history import AuditEntry, EventFilter
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
