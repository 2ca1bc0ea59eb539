"""Every implementation of the queue, for the contract suite; add a new one to ``IMPLEMENTATIONS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hookctl.errors import StoreError
from hookctl.store.interface import Queue
from hookctl.store.sqlite.queue import SqliteQueue


class Clock:
    """The clock that nobody sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


IMPLEMENTATIONS: dict[str, Callable[[Path, Clock], Queue]] = {
    "sqlite": lambda directory, clock: SqliteQueue(directory / "queue.db", clock)
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=IMPLEMENTATIONS)
def open_queue(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Queue]]:
    """Opens the same queue each time it is called, as another process would."""
    opened: list[Queue] = []

    def open_one() -> Queue:
        opened.append(IMPLEMENTATIONS[request.param](tmp_path, clock))
        return opened[-1]

    yield open_one
    for queue in opened:
        with suppress(StoreError):  # the test has closed it already
            queue.close()


@pytest.fixture
def queue(open_queue: Callable[[], Queue]) -> Queue:
    return open_queue()
