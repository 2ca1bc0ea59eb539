"""Lanes: the calls of one webhook that may block one after another, those of different webhooks at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from hookctl.delivery.attempt.failures import AttemptFailedError, blaming, failure_of
from hookctl.threads import MOST, Pool


@dataclass(frozen=True, slots=True)
class Call:
    """A call for a lane. ``done`` or ``failed`` is called with its result, by whoever asks the lanes for results."""

    who: str
    """Whose code runs, for messages."""
    function: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[AttemptFailedError], None]


class Lanes:
    """Calls that may block: those of one lane one after another, lanes at the same time.

    A lane is a webhook: auth plugins need not be safe for threads, and a webhook that waits for a token waits for
    the one fetch that is under way. A lane that hangs delays no other: see :mod:`hookctl.threads`.
    """

    def __init__(self, wake: Callable[[], None], limit: int = MOST) -> None:
        self._pool = Pool("hookctl-auth", limit=limit)
        self._wake = wake
        self._ended: list[Callable[[], None]] = []
        self._lock = Lock()

    def run(self, lane: Hashable, call: Call) -> None:
        """Make ``call`` after those that ``lane`` has already. Never blocks."""
        try:
            self._pool.run(lane, partial(self._make, call))
        except (RuntimeError, MemoryError) as error:  # no thread
            failure = AttemptFailedError(failure_of(error, call.who))
            self._end(lambda: call.failed(failure))

    def since(self, lane: Hashable) -> float | None:
        """When the call of a lane that is being made began (of ``time.monotonic``); None when the lane waits for a thread."""
        return self._pool.since(lane)

    def finish(self) -> bool:
        """Hand out what has ended since the last time, on the caller's thread; False when nothing has."""
        with self._lock:
            ended, self._ended = self._ended, []
        for hand_out in ended:
            hand_out()
        return bool(ended)

    def close(self) -> bool:
        """Make no further call, and end the threads. False when one is still at work."""
        return self._pool.close()

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
