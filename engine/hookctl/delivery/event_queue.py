"""The API for programs that produce events: they store events, and `hookctl run` delivers them."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from msgspec import structs

from hookctl.delivery.events.applied_types import AppliedTypes
from hookctl.delivery.events.intake import EventGate
from hookctl.delivery.producer import Producer, nothing_applied
from hookctl.delivery.runner.retention import StoreLimits
from hookctl.errors import EventError, StoreError
from hookctl.model import Event, Json, TraceContext, read_trace
from hookctl.store.opening import open_store

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from hookctl.plugin.calls import Plugins
    from hookctl.store.interface import Store

CLOSED = 0
"""In place of a process's id: the queue is closed."""
MAX_SHOWN = 60
"""Characters of a wrong value that a message repeats."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that was not stored, because it is not a valid event of a known type."""

    index: int
    """Its place among the events, from 0."""
    findings: tuple[str, ...]
    """What is wrong with it, at least one sentence."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of the events of one call. Each event is in one of the first three."""

    accepted: tuple[str, ...]
    """The ids of the events that are on disk now, and were not before."""
    seen_before: tuple[str, ...]
    """The ids of the events that were accepted earlier, or earlier in this call. They are not sent again."""
    rejected: tuple[RejectedEvent, ...]
    has_runner: bool
    """Whether a `hookctl run` is alive on this store. If not, deliveries wait for the next one."""


class EventQueue:
    """A store that is open to take in events; :func:`open_queue` opens one. Threads may share it, processes may not.

    Use it as a context manager, or call :meth:`close`.
    """

    def __init__(self, store: Store, plugins: Plugins, limits: StoreLimits | None = None) -> None:
        """``store`` is closed with the queue. Raises StateError if nothing was ever applied to it."""
        self._store = store
        types = AppliedTypes(plugins)
        self._gate = EventGate(types.current)
        types.follow(self._gate)
        types.look_again(self._gate, store)
        self._producer = Producer(store, limits, applied=types.take)
        self._turn = Lock()
        self._process = os.getpid()

    def enqueue(
        self,
        events: Iterable[Mapping[str, Any] | DataclassInstance],
        *,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Enqueued:
        """Store events durably, in one commit, and wake the runner. Returns once they are on disk.

        Args:
            events: each ``{id, event_type, event_time, data}``, as a mapping or a dataclass instance. Values are what
                ``json.dumps`` accepts, and dataclass instances.
            traceparent: the span in which the events were made, as in W3C Trace Context. One that is not valid is
                ignored, with a warning in the log.
            tracestate: the value of that header.

        Raises:
            TypeError: an event is neither a mapping nor a dataclass instance; nothing was stored.
            IntakeRefusedError: the store is full; nothing was stored.
            StateLockedError: another process kept the store busy for seconds; nothing was stored.
            StoreError: the store failed; nothing was stored. Enqueue the events again: an id is accepted once.
        """
        texts = [_to_text(event) for event in events]
        trace = _trace(traceparent, tracestate)
        with self._turn:
            if self._process == CLOSED:
                raise StoreError("this queue is closed", hint="Call open_queue again.")
            if os.getpid() != self._process:  # SQLite's connections do not survive a fork
                raise StoreError("this queue was opened before a fork", hint="Call open_queue in the new process.")
            good, rejected = self._checked(texts)
            if trace is not None:
                good = [structs.replace(event, trace=trace) for event in good]
            is_new = self._producer.accept(good) if good else []
            has_runner = self._store.has_runner()
        flags = list(zip(good, is_new, strict=True))
        return Enqueued(
            accepted=tuple(event.id for event, new in flags if new),
            seen_before=tuple(event.id for event, new in flags if not new),
            rejected=rejected,
            has_runner=has_runner,
        )

    def close(self) -> None:
        """Close the store. Later calls do nothing."""
        with self._turn:
            if os.getpid() == self._process:
                self._process = CLOSED
                self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checked(self, texts: list[bytes | EventError]) -> tuple[list[Event], tuple[RejectedEvent, ...]]:
        good: list[Event] = []
        rejected: list[RejectedEvent] = []
        for index, text in enumerate(texts):
            if isinstance(text, EventError):
                rejected.append(RejectedEvent(index, (text.message,)))
                continue
            try:
                good.append(self._gate.parse(text))
            except EventError as error:
                rejected.append(RejectedEvent(index, tuple(self._gate.findings(text)) or (error.message,)))
        return good, tuple(rejected)


def open_queue(store: str, *, plugins: Plugins | None = None, limits: StoreLimits | None = None) -> EventQueue:
    """Open a store for events. Needs no secret, no network and no transport or auth.

    Args:
        store: the URL of a store to which webhooks were applied, as for ``--store``.
        plugins: where the event types, and stores that are not built in, come from; None: all installed plugins.
        limits: when the store counts as full; None: the defaults of ``[intake]`` in ``hookctl.toml``.

    Raises:
        SettingsError: the URL is not that of a store.
        StateError: no webhook is applied yet, or there is no store.
        StoreError: the store cannot be opened.
    """
    if plugins is None:
        from hookctl.plugin.host import load_plugins

        plugins = load_plugins()
    opened = open_store(store, create=False, types=plugins.stores)
    if opened is None:
        raise nothing_applied()
    try:
        return EventQueue(opened, plugins, limits)
    except BaseException:
        opened.close()
        raise


def enqueue(
    store: str,
    events: Iterable[Mapping[str, Any] | DataclassInstance],
    *,
    traceparent: str | None = None,
    tracestate: str | None = None,
) -> Enqueued:
    """Store events durably and wake the runner: :func:`open_queue`, one :meth:`EventQueue.enqueue`, and close.

    A program that produces events all the time keeps a queue open instead, which is much faster. Raises what those two
    raise.
    """
    with open_queue(store) as queue:
        return queue.enqueue(events, traceparent=traceparent, tracestate=tracestate)


def _trace(traceparent: str | None, tracestate: str | None) -> TraceContext | None:
    """The trace that comes with events; None if there is none. One that is not valid is logged and ignored."""
    if not traceparent:
        return None
    found = read_trace(traceparent, tracestate or "")
    if found is None:
        log.warning("traceparent %r is not valid and is ignored", traceparent[:MAX_SHOWN])
    return found


def _to_text(event: Mapping[str, Any] | DataclassInstance) -> bytes | EventError:
    """The event as JSON in UTF-8, or why it cannot be written so. Raises TypeError."""
    if not isinstance(event, Mapping) and (not dataclasses.is_dataclass(event) or isinstance(event, type)):
        raise TypeError(
            "enqueue takes an iterable of events, each a mapping or a dataclass instance, "
            f"and this one is of type {type(event).__name__}"
        )
    try:
        # "surrogatepass" would store what no reader accepts, so a lone surrogate is an error here.
        return json.dumps(event, ensure_ascii=False, allow_nan=False, default=_plain, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return EventError("a string contains half of a surrogate pair, which is not valid Unicode")
    except (TypeError, ValueError, RecursionError) as error:
        return EventError(f"not JSON: {error}")


def _plain(value: object) -> dict[str, Json]:
    """A dataclass instance or a mapping as a dict. Raises TypeError for any other value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")
