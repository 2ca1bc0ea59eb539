"""Counts new attempts for the pages, on a thread and with a store of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING

from hookctl.errors import StateError

if TYPE_CHECKING:
    from hookctl.store.interface import Store

COUNT_SECONDS = 2.0
"""Seconds between two looks for new attempts."""
BEHIND_SECONDS = 0.02
"""Seconds between two commits while there is more to count: the runner's commits go first."""
RETRY_SECONDS = 10.0
"""Seconds after which a store that failed is opened again. The runner reports the failure."""


class AttemptCounter:
    """Calls :meth:`hookctl.store.pages_interface.Overviews.count_attempts` until it is closed.

    ``open_store`` opens the store, on the counter's own thread.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="hookctl-counts", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after its current commit."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                store = self._open_store()
            except StateError:
                self._stopping.wait(RETRY_SECONDS)
                continue
            try:
                self._count(store)
            except StateError:
                self._stopping.wait(RETRY_SECONDS)
            finally:
                store.close()

    def _count(self, store: Store) -> None:
        while not self._stopping.is_set():
            progress = store.count_attempts(time.time())
            self._stopping.wait(BEHIND_SECONDS if progress.counted < progress.last else COUNT_SECONDS)
