"""Answers a scrape, with everything that is counted and everything that is read from the store."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from hookctl._version import __version__
from hookctl.delivery.metrics.counters import Metrics
from hookctl.delivery.situation import active_of, read_situation
from hookctl.errors import StateLockedError, StoreError
from hookctl.model import AppliedState
from hookctl.report.metrics.counted import counted
from hookctl.report.metrics.stored import digest_of, stored
from hookctl.store.interface import Store


class Exposition:
    """What a scrape of one process gets. Any thread may ask. Close it at the end.

    Args:
        metrics: what the process counts.
        event_types: the names of the event types that are known besides those of the applied state.
        open_store: opens the store at the first scrape, for all of them.
    """

    def __init__(self, metrics: Metrics, event_types: Sequence[str], open_store: Callable[[], Store]) -> None:
        self._metrics, self._event_types, self._open_store = metrics, event_types, open_store
        self._store: Store | None = None
        self._applied = AppliedState(serial=-1)
        self._active: frozenset[str] = frozenset()
        self._digest = ""
        self._lock = Lock()

    def text(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their ``Content-Type``.

        If the store fails, what is read from it is absent, and the error is counted among those of the store.
        ``accept`` is the header ``Accept`` of the request: it decides between the formats of Prometheus and
        OpenMetrics.
        """
        with self._lock:
            of_store = self._read()  # first, since an error of the store is counted
            registry = CollectorRegistry(auto_describe=False)
            types = [*self._event_types, *self._applied.event_types]
            registry.register(_Collected([*of_store, *counted(self._metrics, types), _build()]))
            ProcessCollector(registry=registry)
            encode, content_type = choose_encoder(accept)
            return encode(registry), content_type

    def close(self) -> None:
        """Wait for a scrape that is being answered, and close the store."""
        with self._lock:
            self._close_store()

    def _read(self) -> list[Metric]:
        try:
            store = self._store = self._store or self._open_store()
            store.check()
            if store.serial() != self._applied.serial:
                self._applied = store.read_state()
                self._active, self._digest = active_of(self._applied), digest_of(self._applied)
            situation = read_situation(store, self._applied, time.time(), self._active)
        except (StoreError, StateLockedError) as error:
            self._metrics.add_store_error(error)
            self._close_store()
            return []
        return list(stored(situation, self._applied, self._digest, by_webhook=self._metrics.by_webhook))

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()


class _Collected(Collector):
    """Metrics as the library takes them."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)


def _build() -> Metric:
    return InfoMetricFamily(
        "hookctl_build", "What is running.", {"version": __version__, "python": platform.python_version()}
    )
