"""Lanes: run calls that may block.

Calls of one webhook run one after another, those of different webhooks at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to, failure_of
from hookctl.threads import MOST, Pool


@dataclass(frozen=True, slots=True)
class Call:
    """A call for a lane. :meth:`Lanes.finish` passes its result to ``done``, or its exception to ``failed``."""

    who: str
    """The name of the code that runs, for messages."""
    function: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[AttemptFailedError], None]


class Lanes:
    """Runs calls that may block: those of one lane one after another, different lanes at the same time.

    A lane is a webhook. Auth plugins need not be thread-safe, and attempts that need a token wait for the one request
    in progress. A lane that hangs does not delay others: see :mod:`hookctl.threads`.
    """

    def __init__(self, wake: Callable[[], None], limit: int = MOST) -> None:
        self._pool = Pool("hookctl-auth", limit=limit)
        self._wake = wake
        self._ended: list[Callable[[], None]] = []
        self._lock = Lock()

    def run(self, lane: Hashable, call: Call) -> None:
        """Run ``call`` after the earlier calls of ``lane``. Never blocks."""
        try:
            self._pool.run(lane, partial(self._make, call))
        except (RuntimeError, MemoryError) as error:  # no thread could be started
            failure = AttemptFailedError(failure_of(error, call.who))
            self._end(lambda: call.failed(failure))

    def since(self, lane: Hashable) -> float | None:
        """When the current call of a lane began (``time.monotonic``); None while the lane waits for a thread."""
        return self._pool.since(lane)

    def finish(self) -> bool:
        """Pass on the results since the last call, on the caller's thread. False if there are none."""
        with self._lock:
            ended, self._ended = self._ended, []
        for hand_out in ended:
            hand_out()
        return bool(ended)

    def close(self) -> bool:
        """Start no more calls, and end the threads. False if one is still running."""
        return self._pool.close()

    def _make(self, call: Call) -> None:
        try:
            with attributed_to(call.who):
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
