"""Drives a transport that is only a ``BaseAdapter``: each request on a thread, behind the face of a ``ConcurrentTransport``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING

from hookctl.model import Failure, FailureKind, Request, Response, Timing
from hookctl.plugin.interfaces import Completion
from hookctl.plugin.responses import failure_from, from_requests, timing_of
from hookctl.run.authenticate import prepared_request
from hookctl.run.failures import AttemptFailedError, blaming, failure_of
from hookctl.run.threads import Workers

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

THREADS = 16
"""Requests under way at once; the others wait, and their time runs."""

NEGLIGIBLE = 0.01
"""Seconds of waiting that are not taken off a deadline, so that messages name it as it was written."""


class ThreadedTransport:
    """An adapter for each thread, since adapters need not be safe for threads."""

    def __init__(self, who: str, first: BaseAdapter, build: Callable[[], BaseAdapter], ready: Callable[[], None]) -> None:
        """``first`` is one that ``build`` made. ``ready`` is called, on any thread, when :meth:`poll` has something to give."""
        self._who = who
        self._build = build
        self._ready = ready
        self._workers = Workers("hookctl-send", THREADS)
        self._lock = Lock()
        self._free = [first]
        self._live: set[int] = set()
        self._ended: list[Completion] = []
        self._woken = Event()
        self._closed = False

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Send on a thread; the time spent waiting for a free one counts."""
        with self._lock:
            self._live.add(ticket)
        self._workers.run(partial(self._exchange, ticket, request, time.monotonic(), timeout))

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
            self._live.discard(ticket)

    def close(self) -> None:
        """Give up everything, wait a little for what is under way, and close the adapters."""
        with self._lock:
            self._closed = True
            self._live.clear()
        self._workers.close()
        for adapter in self._free:
            _close(adapter, self._who)

    def _exchange(self, ticket: int, request: Request, started: float, timeout: float) -> None:
        if ticket not in self._live:
            return
        waited = time.monotonic() - started
        left = timeout - waited if waited > NEGLIGIBLE else timeout
        result: Response | Failure = Failure(FailureKind.TIMEOUT, f"no thread was free within {timeout:g} s")
        timing: Timing | None = None
        if left > 0:
            result, timing = self._send(request, left)
        with self._lock:
            if ticket in self._live:
                self._live.discard(ticket)
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
            known = failure_from(error) if isinstance(error, Exception) else None
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
    with suppress(AttemptFailedError), blaming(who):  # nobody waits for it any more, and the others are still to be closed
        adapter.close()
