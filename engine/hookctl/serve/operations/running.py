"""What the endpoints for operators know of the running process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.delivery.metrics.counters import Metrics
    from hookctl.report.metrics.exposition import Exposition


class Operations:
    """Made once by ``hookctl serve``. Close it at the end.

    Args:
        metrics: what the process counts.
        exposition: answers scrapes; it is closed, too.
        trouble: why the process is not ready, in one word; empty while it is.
        is_open: whether anyone who can reach the server may read the metrics.
    """

    def __init__(self, metrics: Metrics, exposition: Exposition, trouble: Callable[[], str], *, is_open: bool) -> None:
        self.metrics, self.trouble, self.is_open = metrics, trouble, is_open
        self._exposition = exposition
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hookctl-metrics")

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """The metrics and their ``Content-Type``; see :meth:`Exposition.text`. One scrape is made after another."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._exposition.text, accept)

    def close(self) -> None:
        """Wait for the scrape that is being answered, and close its store."""
        self._thread.shutdown()
        self._exposition.close()
