"""Calls observers on threads, so that a slow one delays neither deliveries nor other observers."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Condition

from hookctl.errors import HookctlError
from hookctl.model import Attempt, Delivery, DeliveryStatus
from hookctl.plugin.interfaces import Observer
from hookctl.threads import CLOSE_GRACE, Pool

MAX_BEHIND = 10_000
"""The maximum number of attempts that wait for an observer. While more would wait, new ones are not reported to it."""

log = logging.getLogger(__name__)
News = Sequence[tuple[Delivery, Attempt]]


class Observers:
    """Calls each observer for one attempt after another, in the order in which they were recorded."""

    def __init__(self, observers: Iterable[Observer], max_behind: int = MAX_BEHIND) -> None:
        self._observers = tuple(observers)
        self._max_behind = max_behind
        self._pool = Pool("hookctl-observe")
        self._changed = Condition()
        self._behind: Counter[str] = Counter()
        """The number of attempts that each observer still has to receive."""
        self._missed: Counter[str] = Counter()
        self._closing: set[str] = set()
        """The observers that are to be closed."""
        self._failures: set[str] = set()
        """The failures that were logged already."""

    def notify(self, news: News) -> None:
        """Report attempts, and the deliveries after them, to all observers. Never blocks."""
        if not news:
            return
        for observer in self._observers:
            with self._changed:
                is_full = self._behind[observer.name] + len(news) > self._max_behind
                self._behind[observer.name] += 0 if is_full else len(news)
            if is_full:
                self._miss(observer, len(news), "it is too slow")
                continue
            try:
                self._pool.run(observer.name, partial(self._notify, observer, news))
            except (RuntimeError, MemoryError):
                self._notified(observer, len(news))
                self._miss(observer, len(news), "no thread could be started for it")

    def close(self, grace: float = CLOSE_GRACE) -> None:
        """Wait up to ``grace`` seconds until everything is reported and each observer is closed. End the threads."""
        for observer in self._observers:
            if observer.close:
                with self._changed:
                    self._closing.add(observer.name)
                try:
                    self._pool.run(observer.name, partial(self._close, observer, observer.close))
                except (RuntimeError, MemoryError):
                    self._closed(observer)
        with self._changed:
            self._changed.wait_for(lambda: not self._behind.total() and not self._closing, grace)
            behind, closing = +self._behind, sorted(self._closing)
        self._pool.close(grace=0.0 if behind or closing else grace)
        for name, count in behind.items():
            log.warning("observer %s missed %d attempts: it was too slow", name, count)
        for name in closing:
            if name not in behind:
                log.warning("observer %s was not closed: it was too slow", name)

    def _notify(self, observer: Observer, news: News) -> None:
        try:
            for delivery, attempt in news:
                if observer.attempted:
                    self._call(observer, partial(observer.attempted, delivery, attempt))
                if observer.ended and delivery.status is not DeliveryStatus.RETRYING:
                    self._call(observer, partial(observer.ended, delivery))
        finally:
            self._notified(observer, len(news))

    def _close(self, observer: Observer, call: Callable[[], None]) -> None:
        try:
            self._call(observer, call)
        finally:
            self._closed(observer)

    def _closed(self, observer: Observer) -> None:
        with self._changed:
            self._closing.discard(observer.name)
            self._changed.notify_all()

    def _call(self, observer: Observer, call: Callable[[], None]) -> None:
        """Call an observer, whose errors cannot affect a delivery. Each kind of failure is logged only once."""
        try:
            call()
        except BaseException as error:  # noqa: BLE001  # foreign code, on a thread that no signal reaches
            message = (
                error.message
                if isinstance(error, HookctlError)
                else f"observer {observer.name} raised {type(error).__name__}"
            )
            with self._changed:
                is_first = message not in self._failures
                self._failures.add(message)
            if is_first:
                log.warning("%s. Deliveries continue. Further failures of this kind are not logged.", message)

    def _notified(self, observer: Observer, count: int) -> None:
        with self._changed:
            self._behind[observer.name] -= count
            missed = self._missed.pop(observer.name, 0) if not self._behind[observer.name] else 0
            self._changed.notify_all()
        if missed:
            log.warning("observer %s missed %d attempts: it had fallen behind", observer.name, missed)

    def _miss(self, observer: Observer, count: int, why: str) -> None:
        with self._changed:
            is_first = not self._missed[observer.name]
            self._missed[observer.name] += count
        if is_first:
            log.warning("observer %s misses attempts: %s", observer.name, why)
