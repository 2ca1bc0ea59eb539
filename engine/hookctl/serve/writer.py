"""Stores the events of all requests on one thread, so that requests that arrive together share a commit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from hookctl.delivery.producer import Producer, TakenIn
from hookctl.errors import ChangedError, IntakeRefusedError, StateLockedError, StoreError

if TYPE_CHECKING:
    from hookctl.delivery.runner.retention import StoreLimits
    from hookctl.errors import StateError
    from hookctl.model import Event
    from hookctl.store.interface import Store
    from hookctl.store.records import RequestKey

COMMIT_EVENTS = 500
"""The number of events after which a commit takes in no further request."""
GROUP_SECONDS = 0.002
"""The minimum number of seconds between two commits, so that requests share one. The first after a pause does not wait.

A commit takes 200 us of Python's lock, and each event in it 15 us. So without a pause, the fewer requests come, the
more each of them costs, and the runner in the same process has to wait.
"""
MAX_PENDING = 20_000
"""The number of events that may wait for a commit. More are refused at once, since they would wait too long."""
FAILING_SECONDS = 15.0
"""For how long after a failure :attr:`EventWriter.is_failing`, so that a proxy that asks sends events again."""


class _Request:
    """The events of one request, all of which are stored or none. The future belongs to the request's event loop."""

    __slots__ = ("events", "key", "stored")

    def __init__(self, events: Sequence[Event], key: RequestKey | None, loop: asyncio.AbstractEventLoop) -> None:
        self.events, self.key = events, key
        self.stored: asyncio.Future[list[TakenIn]] = loop.create_future()


class EventWriter:
    """Commits events, in the order in which they are handed over.

    Args:
        open_store: opens the store, on the writer's own thread.
        limits: when the store counts as full.
        committed: called on the writer's thread after each commit, with the seconds that it took.
        failed: called there instead with an error of the store.
        undecided: called there as :class:`hookctl.delivery.producer.Producer` does.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        limits: StoreLimits,
        *,
        committed: Callable[[float], None] = lambda _: None,
        failed: Callable[[StateError], None] = lambda _: None,
        undecided: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self._open_store, self._limits = open_store, limits
        self._committed, self._failed, self._undecided = committed, failed, undecided
        self._requests: SimpleQueue[_Request | None] = SimpleQueue()
        self._gathered: list[_Request] = []
        """The requests that are handed over next."""
        self._handed_over_at = float("-inf")
        """When requests were last handed over, on the loop's clock."""
        self._pending = 0
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        """Of the requests. Python asks the system for it, which takes a tenth of the time of a request."""
        self._failed_at = float("-inf")
        self._started: Future[None] = Future()
        self._thread = Thread(target=self._run, name="hookctl-events", daemon=True)

    def start(self) -> None:
        """Start the thread and open its store. Raises what opening raises, and StateError if nothing was applied."""
        self._thread.start()
        self._started.result()

    async def store(self, events: Sequence[Event], key: RequestKey | None = None) -> list[TakenIn]:
        """Store events, all of them or none, and return what became of each once they are on disk.

        To be called on one event loop only. If the caller is cancelled, the events may be stored nevertheless.

        Raises:
            ChangedError: an event's id, or the key, was used before with other content.
            IntakeRefusedError: the store is full, or too many events wait for a commit.
            StateLockedError: another process kept the store busy.
            StoreError: the store failed, or the server stops.
        """
        if self._is_closed:
            raise StoreError("the server stops", hint="Send the request again.")
        if self._pending > MAX_PENDING:
            raise IntakeRefusedError(
                f"{self._pending:,} events wait to be stored", hint="Send the request again.", retry_after=1
            )
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        request = _Request(events, key, self._loop)
        self._pending += len(events)
        try:
            self._gather(request, self._loop)
            return await request.stored
        finally:
            self._pending -= len(events)

    def _gather(self, request: _Request, loop: asyncio.AbstractEventLoop) -> None:
        """Hand a request over, with those that come before the next commit may begin."""
        self._gathered.append(request)
        if len(self._gathered) == 1:
            wait = self._handed_over_at + GROUP_SECONDS - loop.time()
            if wait > 0:
                loop.call_later(wait, self._hand_over, loop)
            else:
                loop.call_soon(self._hand_over, loop)  # after the others that have arrived already

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handed_over_at = loop.time()
        requests, self._gathered = self._gathered, []
        for request in requests:
            self._requests.put(request)

    @property
    def is_alive(self) -> bool:
        """Whether events are still stored."""
        return self._thread.is_alive()

    @property
    def is_failing(self) -> bool:
        """Whether the last events could not be stored. After a while without events, nobody knows whether they can."""
        return time.monotonic() - self._failed_at < FAILING_SECONDS

    def close(self) -> None:
        """Store what was handed over, and close the store."""
        self._is_closed = True
        self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            store = self._open_store()
        except BaseException as error:  # noqa: BLE001  # raised by start()
            self._started.set_exception(error)
            return
        try:
            producer = Producer(store, self._limits, undecided=self._undecided)
        except BaseException as error:  # noqa: BLE001  # raised by start()
            self._started.set_exception(error)
        else:
            self._started.set_result(None)
            while batch := self._next_batch():
                started = time.monotonic()
                results = dict(_store(producer, batch))
                self._note(time.monotonic() - started, results.values())
                _answer(batch, results)
        finally:
            store.close()

    def _note(self, seconds: float, results: Iterable[Result]) -> None:
        error = next((one for one in results if isinstance(one, StoreError | StateLockedError)), None)
        if error is None:
            self._failed_at = float("-inf")
            self._committed(seconds)
        else:
            self._failed_at = time.monotonic()
            self._failed(error)

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


Result = list[TakenIn] | BaseException


def _store(producer: Producer, batch: Sequence[_Request]) -> Iterator[tuple[_Request, Result]]:
    """Commit requests together, as far as possible. Gives each with its result, or why nothing of it is stored."""
    if not batch:
        return
    events = [event for request in batch for event in request.events]
    keyed = [request for request in batch if request.key is not None]
    try:
        taken = producer.take_in(events, [request.key for request in keyed if request.key is not None])
    except ChangedError as error:
        yield from _store_unchanged(producer, batch, keyed, error)
    except IntakeRefusedError as error:
        yield from _store_fitting(producer, batch, error)
    except BaseException as error:  # noqa: BLE001  # each request reports it to its sender
        yield from ((request, error) for request in batch)
    else:
        start = 0
        for request in batch:
            end = start + len(request.events)
            yield request, taken[start:end]
            start = end


def _store_unchanged(
    producer: Producer, batch: Sequence[_Request], keyed: Sequence[_Request], error: ChangedError
) -> Iterator[tuple[_Request, Result]]:
    """Commit the requests without any changed event or key, then each other one alone.

    What it repeats may be part of another request that was not stored either, so its turn comes again.
    """
    if len(batch) == 1:
        yield batch[0], error
        return
    owners = [request for request in batch for _ in request.events]
    changed = {*[keyed[number] for number in error.keys], *[owners[number] for number in error.events]}
    yield from _store(producer, [request for request in batch if request not in changed])
    for request in batch:
        if request in changed:
            yield from _store(producer, [request])


def _store_fitting(
    producer: Producer, batch: Sequence[_Request], error: IntakeRefusedError
) -> Iterator[tuple[_Request, Result]]:
    """Commit the requests that fit together, then those after the first one that does not fit.

    If that one has only one event, the store is full, and the others are refused without another try.
    """
    count, fits = 0, 0
    for request in batch:
        count += len(request.events)
        if count > error.fits:
            break
        fits += 1
    refused, rest = batch[fits], batch[fits + 1 :]
    yield from _store(producer, batch[:fits])
    yield refused, error
    if len(refused.events) > 1:
        yield from _store(producer, rest)
    else:
        yield from ((request, error) for request in rest)


def _answer(batch: Sequence[_Request], results: dict[_Request, Result]) -> None:
    """Tell each request's event loop of its result, all in one call: waking a loop costs more than a commit's share."""
    with suppress(RuntimeError):  # the loop has ended, and with it the requests
        batch[0].stored.get_loop().call_soon_threadsafe(_resolve, results)


def _resolve(results: dict[_Request, Result]) -> None:
    for request, result in results.items():
        if request.stored.done():
            continue  # the request was cancelled
        if isinstance(result, BaseException):
            request.stored.set_exception(result)
        else:
            request.stored.set_result(result)
