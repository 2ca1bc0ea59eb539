"""Drives a transport that is only a ``BaseAdapter``: each request on a thread, behind the face of a ``ConcurrentTransport``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING

from hookctl.delivery.attempt.authenticate import prepared_request
from hookctl.delivery.attempt.failures import AttemptFailedError, blaming, failure_of
from hookctl.model import Failure, Request, Response, Timing
from hookctl.plugin.contain import runs_no_code
from hookctl.plugin.interfaces import Completion
from hookctl.plugin.responses import failure_from, from_requests, timing_of
from hookctl.threads import Pool

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

EACH = 16
"""Requests of one webhook that are under way at once; the others wait, and their time does not run yet."""


class ThreadedTransport:
    """An adapter for each thread, since adapters need not be safe for threads."""

    def __init__(
        self, who: str, first: BaseAdapter, build: Callable[[], BaseAdapter], ready: Callable[[], None]
    ) -> None:
        """``first`` is one that ``build`` made. ``ready`` is called, on any thread, when :meth:`poll` has something to give."""
        self._who = who
        self._build = build
        self._ready = ready
        self._pool = Pool("hookctl-send", each=EACH)
        self._lock = Lock()
        self._free = [first]
        self._live: dict[int, float | None] = {}
        """What is to be sent, and when sending began."""
        self._ended: list[Completion] = []
        self._woken = Event()
        self._closed = False

    def submit(self, ticket: int, request: Request, timeout: float, sharer: str = "") -> None:
        """Send on a thread; ``timeout`` counts from when the request has one. ``sharer`` is who shares the threads: a webhook."""
        with self._lock:
            self._live[ticket] = None
        try:
            self._pool.run(sharer, partial(self._exchange, ticket, request, timeout))
        except BaseException:
            self.cancel(ticket)
            raise

    def since(self, ticket: int) -> float | None:
        """When the sending of a request began (of ``time.monotonic``); None while it waits for a thread."""
        return self._live.get(ticket)

    def poll(self, wait: float) -> Sequence[Completion]:
        """What has ended since the last call; waits up to ``wait`` seconds for the first."""
        if not self._ended:
            self._woken.wait(wait)
        with self._lock:
            self._woken.clear()
            ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None:
        """Make a running or the next :meth:`poll` return at once."""
        self._woken.set()

    def cancel(self, ticket: int) -> None:
        """Forget a request: one that waits is not sent, one under way runs into its deadline unheard."""
        with self._lock:
            self._live.pop(ticket, None)

    def close(self) -> None:
        """Give up everything, wait a little for what is under way, and close the adapters."""
        with self._lock:
            self._closed = True
            self._live.clear()
        self._pool.close()
        for adapter in self._free:
            _close(adapter, self._who)

    def _exchange(self, ticket: int, request: Request, timeout: float) -> None:
        started = time.monotonic()
        with self._lock:
            if ticket not in self._live:
                return
            self._live[ticket] = started
        result, timing = self._send(request, timeout)
        with self._lock:
            if ticket in self._live:
                del self._live[ticket]
                self._ended.append(Completion(ticket, result, timing or Timing(total=time.monotonic() - started)))
                self._woken.set()
        self._ready()

    def _send(self, request: Request, timeout: float) -> tuple[Response | Failure, Timing | None]:
        adapter: BaseAdapter | None = None
        try:
            adapter = self._take()
            response = adapter.send(prepared_request(request), timeout=timeout)
            return from_requests(response), timing_of(response)
        except BaseException as error:  # noqa: BLE001  # the boundary to foreign code; no signal comes to this thread
            known = failure_from(error) if issubclass(type(error), Exception) and runs_no_code(error) else None
            return known or failure_of(error, f"{self._who}: send"), None
        finally:
            if adapter is not None:
                self._give_back(adapter)

    def _take(self) -> BaseAdapter:
        with self._lock:
            if self._free:
                return self._free.pop()
        return self._build()

    def _give_back(self, adapter: BaseAdapter) -> None:
        with self._lock:
            if not self._closed:
                self._free.append(adapter)
                return
        _close(adapter, self._who)


def _close(adapter: BaseAdapter, who: str) -> None:
    with (
        suppress(AttemptFailedError),
        blaming(who),
    ):  # nobody waits for it any more, and the others are still to be closed
        adapter.close()
