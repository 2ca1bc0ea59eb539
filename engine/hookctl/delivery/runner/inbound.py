"""Events that other threads leave for the runner, so that they are stored with its next commit, and claimed in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from hookctl.delivery.runner.retention import Retention
from hookctl.delivery.runner.route import Router
from hookctl.errors import IntakeRefusedError
from hookctl.model import Event
from hookctl.store.records import Batch, Routed


class Inbox(Protocol):
    """Where events are left. The runner calls it on its own thread."""

    @property
    def has_events(self) -> bool:
        """Whether any event waits."""
        ...

    def take(self) -> Sequence[Event]:
        """Some of the events that wait, in the order in which they came. One of the next two calls is about them."""
        ...

    def stored(self, routed: Sequence[Routed], is_new: Sequence[bool]) -> None:
        """The events that were taken are on disk; some of them were before."""
        ...

    def failed(self) -> None:
        """Whether the events that were taken are on disk is not known, because the commit failed."""
        ...


class Inbound:
    """The events that are in the commit in flight, and where the next ones are."""

    def __init__(self) -> None:
        self.inbox: Inbox | None = None
        self._routed: Sequence[Routed] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether events wait for a commit."""
        return self.inbox is not None and self.inbox.has_events

    def join(
        self, batch: Batch, router: Router, retention: Retention, wanted: Callable[[], Mapping[str, int]]
    ) -> Batch:
        """The batch with the events that wait. Unless it claims already, it claims their deliveries, as ``wanted``."""
        if self.inbox is None or not (events := self.inbox.take()):
            return batch
        try:
            retention.admit()
        except IntakeRefusedError:
            self.inbox.failed()
            return batch
        self._routed = [router.route(event) for event in events]
        return replace(
            batch,
            events=self._routed,
            max_waiting=retention.max_waiting,
            wanted=batch.wanted or wanted(),
        )

    def note_stored(self, is_new: Sequence[bool]) -> None:
        """The commit in flight has ended."""
        routed, self._routed = self._routed, ()
        if routed and self.inbox is not None:
            self.inbox.stored(routed, is_new)

    def note_failed(self, error: BaseException) -> bool:
        """The commit in flight has failed. Whether it did because there is no room for the events."""
        routed, self._routed = self._routed, ()
        if routed and self.inbox is not None:
            self.inbox.failed()
        return bool(routed) and isinstance(error, IntakeRefusedError)
