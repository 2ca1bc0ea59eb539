"""Every implementation of the store, for the contract suite; add a new one to ``IMPLEMENTATIONS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.postgres_server import drop, server

from hookctl.errors import StoreError
from hookctl.store.interface import Queue, Store
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore
from hookctl.store.sqlite.store import SqliteStore


class Clock:
    """The clock that nobody sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


IMPLEMENTATIONS: dict[str, Callable[[str, Clock], Store]] = {
    "sqlite": lambda url, clock: SqliteStore(Path(url.removeprefix("sqlite:///")), clock),
    "postgresql": lambda url, clock: PostgresStore(parse(url), clock),
}
"""By scheme: opens a store with a clock."""


def new_url(scheme: str, directory: Path) -> str:
    """The URL of a store that does not exist yet; ``directory`` is for those in files."""
    return server().url() if scheme == "postgresql" else f"{scheme}:///{directory}/hookctl.db"


def delete(url: str) -> None:
    """Delete a store on a server. One in a file is deleted with its directory."""
    if url.startswith("postgresql"):
        drop(url)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a store that does not exist yet, of each implementation."""
    url = new_url(request.param, tmp_path)
    yield url
    delete(url)


@pytest.fixture
def open_store(store_url: str, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens the same store each time it is called, as another process would."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(IMPLEMENTATIONS[store_url.partition(":")[0]](store_url, clock))
        return opened[-1]

    yield open_one
    for store in opened:
        with suppress(StoreError):  # the test has closed it already
            store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()


@pytest.fixture
def open_queue(open_store: Callable[[], Store]) -> Callable[[], Queue]:
    return open_store


@pytest.fixture
def queue(store: Store) -> Queue:
    return store
