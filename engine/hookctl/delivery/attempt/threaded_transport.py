"""Makes a ``ConcurrentTransport`` from a simple ``BaseAdapter``: each request runs on a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from hookctl.delivery.attempt.authenticate import prepared_request
from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to, failure_of
from hookctl.model import Failure, Request, Response, Timing
from hookctl.plugin.contain import not_async
from hookctl.plugin.interfaces import Completion
from hookctl.plugin.raised import runs_no_code
from hookctl.plugin.responses import failure_from, from_requests, timing_of
from hookctl.threads import Pool

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

EACH = 16
"""The maximum number of requests of one webhook in flight. The deadline of a waiting request has not begun."""


class ThreadedTransport:
    """Uses one adapter for each thread, because adapters need not be thread-safe."""

    def __init__(
        self, who: str, first: BaseAdapter, build: Callable[[], BaseAdapter], ready: Callable[[], None]
    ) -> None:
        """``first`` is an adapter that ``build`` made.

        ``ready`` is called, on any thread, when :meth:`poll` has a result.
        """
        self._who = who
        self._build = build
        self._ready = ready
        self._pool = Pool("hookctl-send", each=EACH)
        self._lock = Lock()
        self._free = [first]
        self._live: dict[int, str | float] = {}
        """The submitted requests, and when sending each began; its webhook while it waits for a thread."""
        self._ended: list[Completion] = []
        self._woken = Event()
        self._closed = False

    def submit(self, ticket: int, request: Request, timeout: float, sharer: str = "") -> None:
        """Send on a thread. ``timeout`` (in seconds) begins when the request has a thread.

        ``sharer`` is the webhook: the threads are shared fairly between webhooks.
        """
        with self._lock:
            self._live[ticket] = sharer
        try:
            self._pool.run(sharer, partial(self._exchange, ticket, request, timeout))
        except BaseException:
            self.cancel(ticket)
            raise

    def since(self, ticket: int) -> float | None:
        """When sending a request began (``time.monotonic``).

        While it waits for a thread: when the oldest request of its webhook began, so that one that hangs beyond its
        deadline cannot delay the others without end. None if there is none.
        """
        began = self._live.get(ticket)
        return self._pool.since(began) if isinstance(began, str) else began

    def poll(self, wait: float) -> Sequence[Completion]:
        """The requests that have ended since the last call. Waits up to ``wait`` seconds for the first."""
        if not self._ended:
            self._woken.wait(wait)
        with self._lock:
            self._woken.clear()
            ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None:
        """Make the current or next :meth:`poll` return at once."""
        self._woken.set()

    def cancel(self, ticket: int) -> None:
        """Abandon a request. A waiting request is not sent; the result of one in flight is ignored."""
        with self._lock:
            self._live.pop(ticket, None)

    def close(self) -> None:
        """Abandon all requests, wait briefly for those in flight, and close the adapters."""
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
            cert: dict[str, Any] = {"cert": request.certificate} if request.certificate else {}
            response = not_async(adapter.send(prepared_request(request), timeout=timeout, **cert))
            return from_requests(response), timing_of(response)
        except BaseException as error:  # noqa: BLE001  # foreign code, on a thread that no signal reaches
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
    # No caller waits for this adapter any more, and the others must still be closed.
    with suppress(AttemptFailedError), attributed_to(who):
        adapter.close()
