"""A few open stores that request handlers share, and the threads that use them: a store blocks, the event loop may not.

A handler calls :func:`in_store`. One object belongs to one thread at a time, so a store is borrowed for each call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, Full, LifoQueue
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from hookctl.store.interface import Store

P = ParamSpec("P")
T = TypeVar("T")


class Stores:
    """Opens a store when none is idle.

    Args:
        open_one: opens one.
        most: how many calls of :meth:`call` run at the same time, and how many stores stay open between them.
    """

    def __init__(self, open_one: Callable[[], Store], most: int = 4) -> None:
        self._open_one = open_one
        self._idle: LifoQueue[Store] = LifoQueue(most)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="hookctl-page")

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
        try:
            self._idle.put_nowait(store)
        except Full:
            store.close()

    async def call(self, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``function(store, ...)`` on a thread, and return its result or raise its error."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self._call, function, *args, **kwargs))

    def _call(self, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with self.borrowed() as store:
            return function(store, *args, **kwargs)

    def close(self) -> None:
        """Wait for the calls that run, and close every store."""
        self._threads.shutdown()
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()


async def in_store(
    request: HTTPConnection, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run ``function(store, ...)`` on a thread with a store of the server, and return its result or raise its error."""
    stores: Stores = request.app.state.context.stores
    return await stores.call(function, *args, **kwargs)
