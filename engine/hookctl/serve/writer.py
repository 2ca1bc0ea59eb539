"""Stores the events of all requests on one thread, so that requests that arrive together share a commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from hookctl.delivery.producer import Producer
from hookctl.errors import IntakeRefusedError

if TYPE_CHECKING:
    from hookctl.delivery.runner.retention import StoreLimits
    from hookctl.model import Event
    from hookctl.store.interface import Store

COMMIT_EVENTS = 500
"""The number of events after which a commit takes in no further request."""


@dataclass(frozen=True, slots=True)
class _Request:
    events: Sequence[Event]
    stored: Future[list[bool]] = field(default_factory=Future)


class EventWriter:
    """Commits events, in the order in which they are submitted.

    Args:
        open_store: opens the store, on the writer's own thread.
        limits: when the store counts as full.
    """

    def __init__(self, open_store: Callable[[], Store], limits: StoreLimits) -> None:
        self._open_store, self._limits = open_store, limits
        self._requests: SimpleQueue[_Request | None] = SimpleQueue()
        self._started: Future[None] = Future()
        self._thread = Thread(target=self._run, name="hookctl-events", daemon=True)

    def start(self) -> None:
        """Start the thread and open its store. Raises what opening raises, and StateError if nothing was applied."""
        self._thread.start()
        self._started.result()

    def submit(self, events: Sequence[Event]) -> Future[list[bool]]:
        """Store events, all of them or none. May be called on any thread, and does not block.

        The future ends once they are on disk, with one flag per event: False if its id was seen before. It fails with
        IntakeRefusedError, StateLockedError or StoreError if none was stored.
        """
        request = _Request(events)
        self._requests.put(request)
        return request.stored

    @property
    def is_alive(self) -> bool:
        """Whether events are still stored."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Store what was submitted, and close the store."""
        self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            store = self._open_store()
        except BaseException as error:  # noqa: BLE001  # raised by start()
            self._started.set_exception(error)
            return
        try:
            producer = Producer(store, self._limits)
        except BaseException as error:  # noqa: BLE001  # raised by start()
            self._started.set_exception(error)
        else:
            self._started.set_result(None)
            while batch := self._next_batch():
                _store(producer, batch)
        finally:
            store.close()

    def _next_batch(self) -> list[_Request]:
        """The requests to store in the next commit; empty at the end."""
        first = self._requests.get()
        if first is None:
            return []
        batch, count = [first], len(first.events)
        with suppress(Empty):
            while count < COMMIT_EVENTS:
                request = self._requests.get_nowait()
                if request is None:
                    self._requests.put(None)  # the end comes after this commit
                    break
                batch.append(request)
                count += len(request.events)
        return batch


def _store(producer: Producer, batch: Sequence[_Request]) -> None:
    """Commit requests together; each of them alone if the store has no room for all."""
    try:
        flags = iter(producer.accept([event for request in batch for event in request.events]))
    except IntakeRefusedError as error:
        if len(batch) == 1:
            batch[0].stored.set_exception(error)
            return
        for request in batch:
            _store(producer, [request])
    except Exception as error:  # noqa: BLE001  # each request reports it to its sender
        for request in batch:
            request.stored.set_exception(error)
    else:
        for request in batch:
            request.stored.set_result([next(flags) for _ in request.events])
