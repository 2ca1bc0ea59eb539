"""Work that may block, on threads: workers, and lanes of calls that wait for one another."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from hookctl.run.failures import AttemptFailedError, blaming

CLOSE_GRACE = 2.0
"""Seconds that closing waits for calls that are under way. Each has a deadline of its own; one that overstays
is left to end by itself, on a thread that does not keep the process alive."""

BATCH = 16
"""Calls that one lane makes before another lane gets the thread."""


class Workers:
    """A few threads that run calls. They start when there is work, and end with :meth:`close`."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._lock = Lock()
        self._unfinished = 0

    def run(self, call: Callable[[], None]) -> None:
        """Run ``call``, which must not raise, on a thread as soon as one is free. Never blocks."""
        with self._lock:
            self._unfinished += 1
            if len(self._threads) < min(self._unfinished, self._limit):
                thread = Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._calls.put(call)

    def close(self) -> bool:
        """End every thread once it has done what is queued; waits ``CLOSE_GRACE`` seconds at most. False when one is still at work."""
        until = time.monotonic() + CLOSE_GRACE
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            with self._lock:
                self._unfinished -= 1


@dataclass(frozen=True, slots=True)
class Call:
    """A call for a lane. ``done`` or ``failed`` is called with what came of it, by whoever asks the lanes for results."""

    who: str
    """Whose code runs, for messages."""
    function: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[AttemptFailedError], None]


class Lanes:
    """Calls that may block: those of one lane one after another, lanes side by side.

    A lane is a webhook: auth plugins need not be safe for threads, and who waits for a token waits for
    the one fetch that is under way. A stuck lane holds up no other.
    """

    def __init__(self, wake: Callable[[], None], limit: int) -> None:
        self._workers = Workers("hookctl-auth", limit)
        self._wake = wake
        self._waiting: dict[Hashable, deque[Call]] = {}
        self._ended: list[Callable[[], None]] = []
        self._lock = Lock()
        self._closed = False

    def run(self, lane: Hashable, call: Call) -> None:
        """Make ``call`` after those that ``lane`` has already. Never blocks."""
        with self._lock:
            waiting = self._waiting.get(lane)
            if waiting is not None:
                waiting.append(call)
                return
            self._waiting[lane] = deque([call])
        self._workers.run(lambda: self._work(lane))

    def finish(self) -> bool:
        """Hand out what has ended since the last time, on the caller's thread; False when nothing has."""
        with self._lock:
            ended, self._ended = self._ended, []
        for hand_out in ended:
            hand_out()
        return bool(ended)

    def close(self) -> bool:
        """Make no further call, and end the threads. False when one is still at work."""
        self._closed = True
        return self._workers.close()

    def _work(self, lane: Hashable) -> None:
        for _ in range(BATCH):
            with self._lock:
                waiting = self._waiting[lane]
                if not waiting or self._closed:
                    del self._waiting[lane]
                    return
                call = waiting.popleft()
            self._make(call)
        self._workers.run(lambda: self._work(lane))

    def _make(self, call: Call) -> None:
        try:
            with blaming(call.who):
                result = call.function()
        except AttemptFailedError as error:
            failure = error
            self._end(lambda: call.failed(failure))
        else:
            self._end(lambda: call.done(result))

    def _end(self, hand_out: Callable[[], None]) -> None:
        with self._lock:
            first = not self._ended
            self._ended.append(hand_out)
        if first:
            self._wake()
