"""Runs calls that may block on threads, and shares the threads fairly between callers.

A key identifies each caller: a webhook, a host, a name. A key whose last call took long is slow. Slow keys together
never hold more than half of the threads. Keys without a known speed leave a quarter of the threads to keys that are
known to be quick. So a call that hangs delays only other calls that hang.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread

MOST = 512
"""The maximum number of threads in a pool. Each waiting thread takes about 50 KB, and threads are started only as
needed.
"""
SLOW_SECONDS = 1.0
"""A call that takes longer than this makes its key slow, until another call is faster."""
CLOSE_GRACE = 2.0
"""Seconds that closing waits for running calls. A longer call ends by itself, on a thread that does not keep the
process alive.
"""
IDLE_SECONDS = 10.0
"""Seconds after which an idle thread ends."""
MAX_KNOWN = 20_000
"""The number of keys whose speed the pool remembers."""

Call = Callable[[], None]
log = logging.getLogger(__name__)


class Pace(IntEnum):
    """How fast the calls of a key are, if known."""

    QUICK = 0
    NEW = 1
    SLOW = 2


@dataclass(slots=True, eq=False)
class _Line:
    """The calls of one key."""

    waiting: deque[Call] = field(default_factory=deque)
    began: dict[int, float] = field(default_factory=dict)
    """The start times of the running calls, by number."""
    pace: Pace = Pace.NEW


@dataclass(frozen=True, slots=True)
class Turn:
    """A call whose turn has come. It counts as running until it is passed to :meth:`Turns.ended`."""

    key: Hashable
    number: int
    pace: Pace
    call: Call


class Turns:
    """Decides which call runs next. It runs no calls itself, and is not thread-safe."""

    def __init__(self, limit: int, each: int, clock: Callable[[], float]) -> None:
        """Run at most ``limit`` calls at the same time: ``each`` of one key, and 1 of a slow key.

        ``clock`` returns seconds.
        """
        self._limits = (limit, max(1, limit * 3 // 4), max(1, limit // 2))
        self._each = each
        self._clock = clock
        self._numbers = count()
        self._lines: dict[Hashable, _Line] = {}
        self._ready: tuple[dict[Hashable, int], ...] = ({}, {}, {})
        """By pace, the keys that may run a call now, in the order in which they became ready."""
        self._made = [0, 0, 0]
        """The number of running calls, by the pace of their keys when they began."""

    def add(self, key: Hashable, call: Call) -> None:
        """Queue ``call`` after the waiting calls of its key."""
        line = self._lines.get(key)
        if line is None:
            self._forget_some()
            line = self._lines[key] = _Line()
        line.waiting.append(call)
        self._queue_up(key, line)

    def next(self) -> Turn | None:
        """The next call; None if no call may run now."""
        while (chosen := self._choose()) is not None:
            pace, key = chosen
            del self._ready[pace][key]
            line = self._lines[key]
            if self._pace(line) is not pace:  # the key became slow while its call was waiting
                self._queue_up(key, line)
                continue
            turn = Turn(key, next(self._numbers), pace, line.waiting.popleft())
            line.began[turn.number] = self._clock()
            self._made[pace] += 1
            self._queue_up(key, line)
            return turn
        return None

    def ended(self, turn: Turn) -> None:
        """Record that a call has ended."""
        line = self._lines[turn.key]
        self._made[turn.pace] -= 1
        began = line.began.pop(turn.number)
        line.pace = Pace.SLOW if self._clock() - began >= SLOW_SECONDS else Pace.QUICK
        for ready in self._ready:
            ready.pop(turn.key, None)
        self._queue_up(turn.key, line)

    def put_back(self, turn: Turn) -> None:
        """Put back a call that could not run. It waits again, before the other calls of its key."""
        line = self._lines[turn.key]
        self._made[turn.pace] -= 1
        del line.began[turn.number]
        line.waiting.appendleft(turn.call)
        self._queue_up(turn.key, line)

    def drop(self, key: Hashable, call: Call) -> None:
        """Remove a waiting call."""
        line = self._lines[key]
        line.waiting.remove(call)
        if not line.waiting:
            for ready in self._ready:
                ready.pop(key, None)

    def since(self, key: Hashable) -> float | None:
        """The time when the oldest running call of a key began; None if none is running."""
        line = self._lines.get(key)
        return min(line.began.values(), default=None) if line else None

    def _choose(self) -> tuple[Pace, Hashable] | None:
        """The key that has waited longest among those that may run a call."""
        best: tuple[int, Pace, Hashable] | None = None
        for pace in Pace:
            if sum(self._made[pace:]) >= self._limits[pace]:
                break  # slower keys are counted in this limit as well, so there is no room for them either
            for key, number in self._ready[pace].items():
                if best is None or number < best[0]:
                    best = number, pace, key
                break
        return best and best[1:]

    def _queue_up(self, key: Hashable, line: _Line) -> None:
        pace = self._pace(line)
        if line.waiting and len(line.began) < (1 if pace is Pace.SLOW else self._each):
            self._ready[pace].setdefault(key, next(self._numbers))

    def _pace(self, line: _Line) -> Pace:
        """A key is also slow while one of its calls is taking long."""
        if line.began and self._clock() - min(line.began.values()) >= SLOW_SECONDS:
            return Pace.SLOW
        return line.pace

    def _forget_some(self) -> None:
        if len(self._lines) >= MAX_KNOWN:
            self._lines = {key: line for key, line in self._lines.items() if line.waiting or line.began}


class Pool:
    """Threads that run calls. They start when there is work, and end after they have been idle for a while."""

    def __init__(self, name: str, *, limit: int = MOST, each: int = 1) -> None:
        """Start at most ``limit`` threads. One key uses at most ``each`` of them at the same time."""
        self._name = name
        self._turns = Turns(limit, each, time.monotonic)
        self._lock = Lock()
        self._handed: SimpleQueue[Turn | None] = SimpleQueue()
        self._idle = 0
        """The number of idle threads."""
        self._threads: set[Thread] = set()
        self._closed = False

    def run(self, key: Hashable, call: Call) -> None:
        """Run ``call``, which must not raise, when its turn comes. Never blocks.

        Raises RuntimeError or MemoryError if the machine cannot start a single thread.
        """
        with self._lock:
            if self._closed:
                return
            self._turns.add(key, call)
            try:
                self._hand_out()
            except BaseException:
                self._turns.drop(key, call)
                raise

    def since(self, key: Hashable) -> float | None:
        """The time (``time.monotonic``) when a key's oldest running call began; None if none is running."""
        with self._lock:
            return self._turns.since(key)

    def close(self, grace: float = CLOSE_GRACE) -> bool:
        """Start no further calls, and wait up to ``grace`` seconds for running ones. False if one is still running."""
        until = time.monotonic() + grace
        with self._lock:
            self._closed = True
            threads = tuple(self._threads)
            for _ in range(self._idle):
                self._handed.put(None)
            self._idle = 0
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _hand_out(self) -> None:
        """Start every call whose turn has come. The caller holds the lock."""
        while not self._closed and (turn := self._turns.next()) is not None:
            if self._idle:
                self._idle -= 1
                self._handed.put(turn)
                continue
            thread = Thread(target=self._work, args=(turn,), name=f"{self._name}-{len(self._threads)}", daemon=True)
            self._threads.add(thread)
            try:
                thread.start()
            except BaseException:
                self._threads.discard(thread)
                self._turns.put_back(turn)
                if self._threads:
                    return  # an existing thread runs it later
                raise

    def _work(self, turn: Turn | None) -> None:
        while turn is not None:
            try:
                turn.call()
            except BaseException as error:  # noqa: BLE001  # the thread is the pool's: others' calls are still to be made on it
                log.error("a call of %s raised %s", self._name, type(error).__name__)  # noqa: TRY400  # its text may hold a secret
            with self._lock:
                self._turns.ended(turn)
                turn = None if self._closed else self._turns.next()
                with suppress(
                    RuntimeError, MemoryError
                ):  # no new thread is available; an existing one runs the call later
                    self._hand_out()
                if turn is None and not self._closed:
                    self._idle += 1
            if turn is None and not self._closed:
                turn = self._wait()
        with self._lock:
            self._threads.discard(current_thread())

    def _wait(self) -> Turn | None:
        while True:
            try:
                return self._handed.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return None
