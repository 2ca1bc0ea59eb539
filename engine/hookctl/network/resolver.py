"""Name resolution that keeps a deadline: ``getaddrinfo`` has none, so it runs on a few threads, and its vetted answer is kept for a moment."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field

from hookctl.errors import DeadlineError
from hookctl.network.guard import Network, Target

THREADS = 8
KEEP_SECONDS = 30.0
"""How long an answer is used again. It was vetted, so a name that moves to a private address meanwhile gains nothing."""
KEEP_FAILURE_SECONDS = 1.0
MAX_KEPT = 4096


@dataclass(slots=True)
class _Lookup:
    answer: Future[Target] = field(default_factory=Future)
    target: Target | None = None
    """The answer, if it was one and not an error."""
    stale_at: float = float("inf")


class Resolver:
    """Asks ``network`` for targets. Safe for use by many threads."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._lookups: dict[str, _Lookup] = {}
        self._waiting: queue.SimpleQueue[tuple[str, _Lookup] | None] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0

    def kept(self, host: str, now: float) -> Target | None:
        """The vetted addresses of ``host`` as far as they are known and fresh at ``now`` (of ``time.monotonic``): without a lock, for every request."""
        lookup = self._lookups.get(host)
        return lookup.target if lookup is not None and lookup.stale_at > now else None

    def begin(self, host: str) -> Future[Target]:
        """The vetted addresses of ``host``, now or later; the same answer for all who ask at the same time.

        The future raises what :meth:`Network.resolve` raises.
        """
        with self._lock:
            lookup = self._lookups.get(host)
            if lookup is not None and lookup.stale_at > time.monotonic():
                return lookup.answer
            if len(self._lookups) >= MAX_KEPT:
                self._forget()
            lookup = self._lookups[host] = _Lookup()
            if host in self._network.connect_to:  # nothing to wait for
                self._answer(host, lookup)
                return lookup.answer
            self._busy += 1
            if self._busy > self._threads < THREADS:
                self._threads += 1
                # A daemon: a resolver that hangs must not keep the process from ending.
                threading.Thread(target=self._work, name="hookctl-resolve", daemon=True).start()
            self._waiting.put((host, lookup))
            return lookup.answer

    def resolve(self, host: str, timeout: float) -> Target:
        """The vetted addresses of ``host``, within ``timeout`` seconds.

        Raises:
            DeadlineError: no answer came in time.
            NameNotFoundError, AddressBlockedError: as :meth:`Network.resolve`.
        """
        answer = self.begin(host)
        try:
            return answer.result(max(timeout, 0.0))
        except TimeoutError as error:
            raise DeadlineError(f"{host} was not resolved in time") from error

    def close(self) -> None:
        """End the threads, those that wait for an answer as soon as it is there."""
        with self._lock:
            for _ in range(self._threads):
                self._waiting.put(None)
            self._threads = 0

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            self._answer(*work)
            with self._lock:
                self._busy -= 1

    def _answer(self, host: str, lookup: _Lookup) -> None:
        try:
            target = self._network.resolve(host)
        except Exception as error:  # noqa: BLE001  # whatever the resolver raises belongs to who asked
            lookup.stale_at = time.monotonic() + KEEP_FAILURE_SECONDS
            lookup.answer.set_exception(error)
        else:
            lookup.stale_at = time.monotonic() + KEEP_SECONDS
            lookup.target = target
            lookup.answer.set_result(target)

    def _forget(self) -> None:
        now = time.monotonic()
        self._lookups = {host: lookup for host, lookup in self._lookups.items() if lookup.stale_at > now}
