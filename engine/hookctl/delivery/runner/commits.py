"""The runner's commits: collects what to write, and passes it to the store's writer as one batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hookctl.delivery.runner.alerts import Alerts
from hookctl.model import DeliveryStatus
from hookctl.store.interface import Queue
from hookctl.store.records import Batch, Circuit, Claimed, Committed, Result, Routed

if TYPE_CHECKING:
    from concurrent.futures import Future


class Commits:
    """Collects writes, with at most one commit in flight. New writes wait for the next commit.

    Writes of a failed commit also wait for the next one, except events, which their sender still has.
    """

    def __init__(
        self, queue: Queue, alerts: Alerts, wake: Callable[[], None], committed: Callable[[float], None]
    ) -> None:
        """Both functions are called on the writer's thread when a commit has ended.

        ``wake`` is always called, ``committed`` only if it succeeded, with the seconds that it took. ``alerts`` makes
        the events about what is written, which are stored in the same commit.
        """
        self._queue, self._alerts, self._wake, self._committed = queue, alerts, wake, committed
        self.results: list[Result] = []
        """Results that wait to be recorded."""
        self._released: list[Claimed] = []
        self._circuits: dict[str, Circuit | None] = {}
        self._events: list[Routed] = []
        """hookctl's own events about these writes."""
        self.holding: set[str] = set()
        """The webhooks that a result holds which is not recorded yet. Nothing may be started for them."""
        self._in_flight: tuple[Batch, list[Routed], Future[Committed]] | None = None
        self._has_failed = False
        """Whether the last commit that ended has failed."""
        self.seconds = 0.0
        """How long the last commit took that succeeded."""

    @property
    def in_flight(self) -> bool:
        """Whether a commit is in flight. It is until :meth:`end` has processed its result."""
        return self._in_flight is not None

    @property
    def has_ended(self) -> bool:
        """Whether the commit in flight has ended, so that :meth:`end` does not wait."""
        return self._in_flight is not None and self._in_flight[2].done()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be written."""
        return not (self.results or self._released or self._circuits)

    @property
    def is_failing(self) -> bool:
        """Whether the last commit failed, and what it was to write is not written yet."""
        return self._has_failed and (self.in_flight or not self.is_empty)

    def add_result(self, result: Result) -> None:
        """Record a result with the next commit."""
        self.results.append(result)
        if result.outcome.hold or result.outcome.status is DeliveryStatus.DEAD:
            self._events += self._alerts.of_result(result)
        if result.outcome.hold:
            self.holding.add(result.claimed.delivery.webhook)

    def add_released(self, claims: Iterable[Claimed]) -> None:
        """Release claims with the next commit."""
        self._released += claims

    def add_circuits(self, circuits: Mapping[str, Circuit | None]) -> None:
        """Store circuits with the next commit; None means closed."""
        self._circuits.update(circuits)
        for name, circuit in circuits.items():
            self._events += self._alerts.of_circuit(name, circuit)

    @property
    def circuits(self) -> Mapping[str, Circuit | None]:
        """The circuits that wait to be stored."""
        return self._circuits

    def claims(self) -> Iterator[Claimed]:
        """The claims whose leases must be renewed until they are recorded or released."""
        yield from self._released
        for result in self.results:
            yield result.claimed

    def submit(self, batch: Batch) -> None:
        """Start a commit of ``batch`` and everything that waits to be written. No commit may be in flight.

        hookctl's own events come after those of the batch, and do not count for its limit of waiting deliveries.
        """
        batch = replace(batch, results=self.results, released=self._released, circuits=self._circuits)
        whole = batch
        if self._events:
            room = batch.max_waiting + sum(len(routed.deliveries) for routed in self._events)
            whole = replace(batch, events=[*batch.events, *self._events], max_waiting=room)
        future = self._queue.submit(whole)
        self._in_flight = batch, self._events, future
        self.results, self._released, self._circuits, self._events = [], [], {}, []
        future.add_done_callback(partial(self._ended, time.monotonic()))

    def _ended(self, started: float, future: Future[Committed]) -> None:
        self._wake()
        if future.exception() is None:
            self.seconds = time.monotonic() - started
            self._committed(self.seconds)

    def end(self) -> tuple[Batch, Committed] | None:
        """Wait for the commit in flight; return its batch and its result, or None if there is none.

        Raises the error that made the commit fail.
        """
        if self._in_flight is None:
            return None
        batch, events, future = self._in_flight
        error = future.exception()
        self._in_flight = None
        self._has_failed = error is not None
        if error is not None:
            self.results[:0] = batch.results
            self._released[:0] = batch.released
            self._events[:0] = events
            self._circuits = {**batch.circuits, **self._circuits}
            raise error
        if self.holding:
            self.holding = {one.claimed.delivery.webhook for one in self.results if one.outcome.hold}
        committed = future.result()
        if events:  # the caller knows nothing of them
            committed = replace(committed, is_new=committed.is_new[: len(batch.events)])
        return batch, committed
