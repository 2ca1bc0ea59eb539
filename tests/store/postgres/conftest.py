"""A store on PostgreSQL, what the server has of it, and a relay that breaks connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from tests.postgres_server import Server, drop, schema_of, server
from tests.relay import Relay

from hookctl.errors import StoreError
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore

Open = Callable[..., PostgresStore]


@pytest.fixture
def database() -> Server:
    return server()


@pytest.fixture
def url(database: Server) -> Iterator[str]:
    url = database.url()
    yield url
    drop(url)


@pytest.fixture
def open_store(url: str) -> Iterator[Open]:
    """Opens the store, by its URL or by another one."""
    opened: list[PostgresStore] = []

    def open_one(other: str = url, **options: Any) -> PostgresStore:
        opened.append(PostgresStore(parse(other), **options))
        return opened[-1]

    yield open_one
    for store in opened:
        with suppress(StoreError):
            store.close()


@pytest.fixture
def query(url: str, database: Server) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a statement on the store's tables."""

    def run(text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return database.execute(text, values, schema_of(url))

    return run


@pytest.fixture
def relay(database: Server) -> Iterator[Relay]:
    relay = Relay(database.port)
    yield relay
    relay.close()
