"""Every implementation of the store, for the contract suite; add a new one to ``IMPLEMENTATIONS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hookctl.errors import StoreError
from hookctl.store.interface import Queue, Store
from hookctl.store.sqlite.store import SqliteStore


class Clock:
    """The clock that nobody sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


IMPLEMENTATIONS: dict[str, Callable[[Path, Clock], Store]] = {
    "sqlite": lambda directory, clock: SqliteStore(directory / "hookctl.db", clock)
}
"""By name: opens the store of a test. The directory is the test's own, so its path can also name a database."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens the same store each time it is called, as another process would."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(IMPLEMENTATIONS[request.param](tmp_path, clock))
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
