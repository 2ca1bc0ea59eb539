"""A few open stores that request handlers share, since one object belongs to one thread at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.store.interface import Store


class Stores:
    """Opens a store when none is idle. ``open_one`` opens one; ``idle`` is how many stay open between requests."""

    def __init__(self, open_one: Callable[[], Store], idle: int = 4) -> None:
        self._open_one = open_one
        self._idle: LifoQueue[Store] = LifoQueue(idle)

    @contextmanager
    def borrowed(self) -> Iterator[Store]:
        """A store for the block and its thread. Raises StoreError and StateLockedError where it cannot be opened."""
        try:
            store = self._idle.get_nowait()
        except Empty:
            store = self._open_one()
        try:
            yield store
        except BaseException:
            store.close()
            raise
        if self._idle.full():
            store.close()
        else:
            self._idle.put(store)

    def close(self) -> None:
        """Close every idle store. Called when no request is being answered."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()
