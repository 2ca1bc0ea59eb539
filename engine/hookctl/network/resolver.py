"""Resolves names with a deadline, and caches vetted answers briefly.

``getaddrinfo`` has no deadline, so it runs on threads.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from hookctl.errors import DeadlineError, LocalError
from hookctl.network.guard import Network, Target
from hookctl.network.shortage import HINT, shortage_of
from hookctl.threads import Pool

KEEP_SECONDS = 30.0
"""Seconds for which an answer is reused. Answers are vetted, so a later move to a private address has no effect."""
KEEP_FAILURE_SECONDS = 1.0
MAX_KEPT = 4096
NO_THREAD = "no thread was free to resolve the name"


@dataclass(slots=True)
class _Lookup:
    answer: Future[Target] = field(default_factory=Future)
    target: Target | None = None
    """The addresses; None until the lookup succeeds."""
    stale_at: float = float("inf")
    has_begun: bool = False
    """False while the lookup waits for a thread."""


class Resolver:
    """Resolves hosts through ``network``. Safe for use by many threads."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._lookups: dict[str, _Lookup] = {}
        self._pool = Pool("hookctl-resolve")  # the key is the name, so that a name that hangs does not delay others

    def kept(self, host: str, now: float) -> Target | None:
        """The vetted addresses of ``host`` if they are cached and fresh at ``now`` (of ``time.monotonic``); else None.

        Takes no lock, because it is called for every request.
        """
        lookup = self._lookups.get(host)
        return lookup.target if lookup is not None and lookup.stale_at > now else None

    def begin(self, host: str) -> Future[Target]:
        """A future with the vetted addresses of ``host``. Callers that ask at the same time share one lookup.

        The future raises the errors of :meth:`Network.resolve`.
        """
        with self._lock:
            lookup = self._lookups.get(host)
            if lookup is not None and lookup.stale_at > time.monotonic():
                return lookup.answer
            if len(self._lookups) >= MAX_KEPT:
                self._forget()
            lookup = self._lookups[host] = _Lookup()
            if host in self._network.connect_to:  # the answer is known without a lookup
                self._answer(host, lookup)
                return lookup.answer
            try:
                self._pool.run(host, partial(self._answer, host, lookup))
            except (RuntimeError, MemoryError) as error:
                self._fail(lookup, LocalError(shortage_of(error) or NO_THREAD, hint=HINT))
            return lookup.answer

    def resolve(self, host: str, timeout: float) -> Target:
        """The vetted addresses of ``host``, within ``timeout`` seconds.

        Raises:
            DeadlineError: No answer came in time.
            NameNotFoundError, AddressBlockedError: As for :meth:`Network.resolve`.
        """
        answer = self.begin(host)
        try:
            return answer.result(max(timeout, 0.0))
        except TimeoutError as error:
            if not self.has_begun(host):
                raise LocalError(NO_THREAD, hint=HINT) from error
            raise DeadlineError(f"{host} was not resolved in time") from error

    def has_begun(self, host: str) -> bool:
        """False while the lookup of ``host`` waits for a thread: its name service is then not the cause of a delay."""
        lookup = self._lookups.get(host)
        return lookup is None or lookup.has_begun

    def close(self) -> None:
        """End the threads. A thread that waits for an answer ends as soon as the answer arrives."""
        self._pool.close(grace=0.0)

    def _answer(self, host: str, lookup: _Lookup) -> None:
        lookup.has_begun = True
        try:
            target = self._network.resolve(host)
        except Exception as error:  # noqa: BLE001  # whatever the resolver raises belongs to who asked
            self._fail(lookup, error)
        else:
            lookup.stale_at = time.monotonic() + KEEP_SECONDS
            lookup.target = target
            lookup.answer.set_result(target)

    def _fail(self, lookup: _Lookup, error: Exception) -> None:
        lookup.stale_at = time.monotonic() + KEEP_FAILURE_SECONDS
        lookup.answer.set_exception(error)

    def _forget(self) -> None:
        now = time.monotonic()
        self._lookups = {host: lookup for host, lookup in self._lookups.items() if lookup.stale_at > now}
