"""The counters of one process. The runner and the server add to them, and a scrape reads them.

The runner adds a whole commit at a time, which costs each delivery about a microsecond.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from threading import Lock

from hookctl.delivery.metrics.histogram import COMMIT_SECONDS, LATENCY_SECONDS, SECONDS, Histogram
from hookctl.delivery.outcomes import class_of, result_of
from hookctl.errors import StateError, StateLockedError, StoreGoneError
from hookctl.model import AppliedState, Attempt, DeliveryStatus, Timing
from hookctl.store.records import Result

PHASES = ("name", "connect", "tls", "wait", "read")
"""The phases of an attempt: looking up the host, connecting, the TLS handshake, waiting for the first byte of the
response, and reading the rest. ``wait`` includes sending the request."""
SUCCESS = "2xx"
MOST_WEBHOOKS = 500
"""The most webhooks that are counted apart unless the settings ask for it: each has some 50 series."""
UNDECIDED = "when"
"""The reason of deliveries that are dead from the start."""
ALL = ""
"""Stands for every webhook where webhooks are not counted apart."""
ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"
"""What became of an event that was sent to this process."""
NO_TYPE = ""
"""Stands for the type of a rejected event: what a client sends never becomes a label."""


class StoreErrorKind(StrEnum):
    """Why the store failed."""

    LOCKED = "locked"
    """Another process kept it busy."""
    GONE = "gone"
    """Its file was deleted, replaced or linked."""
    FAILED = "failed"
    """It cannot be read or written."""


class OfWebhook:
    """What is counted for one webhook."""

    __slots__ = ("attempts", "durations", "latencies", "succeeded", "undecided")

    def __init__(self) -> None:
        self.succeeded = 0
        """Attempts with a 2xx that delivered."""
        self.attempts: Counter[tuple[DeliveryStatus, str]] = Counter()
        """All others, by the status that they led to, and by their result."""
        self.undecided = 0
        """Deliveries that are dead from the start, because their ``when`` could not be evaluated."""
        self.durations = Histogram(SECONDS)
        self.latencies = Histogram(LATENCY_SECONDS)

    def copy(self) -> OfWebhook:
        """Another one with the same counts."""
        made = OfWebhook()
        made.succeeded, made.attempts, made.undecided = self.succeeded, self.attempts.copy(), self.undecided
        made.durations, made.latencies = self.durations.copy(), self.latencies.copy()
        return made


class Metrics:
    """Counts, from when it is made. Any thread may call any method.

    ``by_webhook``: whether webhooks are counted apart; None: while at most :data:`MOST_WEBHOOKS` are applied. Webhooks
    that are not applied any more are forgotten.
    """

    def __init__(self, *, by_webhook: bool | None = True) -> None:
        self._chosen = by_webhook
        self.by_webhook = by_webhook is not False
        self._lock = Lock()
        self.webhooks: dict[str, OfWebhook] = {}
        """By name; all under :data:`ALL` where webhooks are not counted apart."""
        self._phases = tuple(Histogram(SECONDS) for _ in PHASES)
        self.commits = Histogram(COMMIT_SECONDS)
        self.store_errors: Counter[StoreErrorKind] = Counter()
        self.requests: dict[tuple[str, str, int], Histogram] = {}
        """The seconds that requests to this process took, by method, route and status, which is 0 without an answer."""
        self.events: Counter[tuple[str, str]] = Counter()
        """Events that were sent to this process, by type and result; rejected ones have :data:`NO_TYPE`.

        This counter and the next belong to whoever takes in events.
        """
        self.rejected: Counter[str] = Counter()
        """Rejected events and requests, by reason: one of a fixed set of words, such as the id of a rule."""

    @property
    def phases(self) -> Mapping[str, Histogram]:
        """The seconds of each of the :data:`PHASES` of attempts to all webhooks."""
        return dict(zip(PHASES, self._phases, strict=True))

    def copy(self) -> Metrics:
        """The numbers as they are now, which no one changes any more.

        Making the text of a scrape takes seconds with thousands of webhooks; a copy delays the runner only briefly.
        """
        with self._lock:
            made = Metrics(by_webhook=self.by_webhook)
            made.webhooks = {name: one.copy() for name, one in self.webhooks.items()}
            made._phases = tuple(one.copy() for one in self._phases)
            made.commits = self.commits.copy()
            made.requests = {key: one.copy() for key, one in self.requests.items()}
            made.store_errors = self.store_errors.copy()
        made.events.update(dict(self.events))  # dict() copies in one step, whatever other threads do
        made.rejected.update(dict(self.rejected))
        return made

    # -- the runner

    def add_results(self, results: Sequence[Result]) -> None:
        """Count recorded attempts."""
        with self._lock:
            for result in results:
                attempt, status = result.attempt, result.outcome.status
                name = result.claimed.delivery.webhook if self.by_webhook else ALL
                of_webhook = self.webhooks.get(name)
                if of_webhook is None:
                    of_webhook = self.webhooks[name] = OfWebhook()
                timing = attempt.timing
                of_webhook.durations.observe(timing.total)
                self._add_phases(timing)
                if status is not DeliveryStatus.DELIVERED:
                    of_webhook.attempts[status, _reason(attempt)] += 1
                    continue
                of_webhook.latencies.observe(attempt.started_at + timing.total - result.claimed.delivery.created_at)
                if attempt.succeeded:
                    of_webhook.succeeded += 1  # the usual case, without the cost of a key
                else:
                    of_webhook.attempts[status, _reason(attempt)] += 1

    def add_undecided(self, webhooks: Sequence[str]) -> None:
        """Count deliveries that are dead from the start; ``webhooks`` has the name of the webhook of each one."""
        with self._lock:
            for name in webhooks:
                self.webhooks.setdefault(name if self.by_webhook else ALL, OfWebhook()).undecided += 1

    def _add_phases(self, timing: Timing) -> None:
        """Count the phases that have ended. An open connection skips the first three."""
        name, connect, tls, wait, read = self._phases
        before = 0.0
        if timing.resolved is not None:
            name.observe(timing.resolved)
            before = timing.resolved
        if timing.connected is not None:
            connect.observe(timing.connected - before)
            before = timing.connected
        if timing.tls is not None:
            tls.observe(timing.tls - before)
            before = timing.tls
        if timing.first_byte is not None:
            wait.observe(timing.first_byte - before)
            read.observe(timing.total - timing.first_byte)

    def set_applied(self, state: AppliedState) -> None:
        """Forget the webhooks that are not applied any more, so that there are never more than the files have.

        If that is decided by their number, also count them apart or together from now on. The counters begin anew then.
        """
        with self._lock:
            by_webhook = len(state.plans) <= MOST_WEBHOOKS if self._chosen is None else self._chosen
            if by_webhook != self.by_webhook:
                self.by_webhook = by_webhook
                self.webhooks.clear()
            if not by_webhook:
                return
            for name in [name for name in self.webhooks if name not in state.plans]:
                del self.webhooks[name]

    # -- the store

    def add_commit(self, seconds: float) -> None:
        """Count a commit, and how long it took."""
        with self._lock:
            self.commits.observe(seconds)

    def add_step(self, error: StateError | None) -> None:
        """Count the error of a step of the runner, if the store failed."""
        if error is not None:
            self.add_store_error(error)

    def add_store_error(self, error: StateError) -> None:
        """Count an error of the store."""
        kind = StoreErrorKind.LOCKED if isinstance(error, StateLockedError) else StoreErrorKind.FAILED
        if isinstance(error, StoreGoneError):
            kind = StoreErrorKind.GONE
        with self._lock:
            self.store_errors[kind] += 1

    # -- the server

    def add_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. ``method`` and ``route`` are of fixed sets."""
        with self._lock:
            key = method, route, status
            histogram = self.requests.get(key)
            if histogram is None:
                histogram = self.requests[key] = Histogram(SECONDS)
            histogram.observe(seconds)


def by_reason(of_webhook: OfWebhook) -> Mapping[tuple[DeliveryStatus, str], int]:
    """Attempts by the status that they led to, and by their result."""
    plain = Counter({(DeliveryStatus.DELIVERED, SUCCESS): of_webhook.succeeded})
    return +(plain + of_webhook.attempts)


def _reason(attempt: Attempt) -> str:
    """The result of an attempt: a class of statuses such as ``4xx``, a kind of failure, or ``mismatch``."""
    result = result_of(attempt)
    return class_of(result) if result.isdecimal() else result
