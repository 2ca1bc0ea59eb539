"""The part of a store's interface that is about kept events and the log; see :mod:`hookctl.store.interface`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from hookctl.store.history import EVERY_EVENT, AuditEntry, EventFilter, EventPage, LogEntry, Routes, StoredEvent


class Events(Protocol):
    """Reads events, and makes deliveries of events that were accepted earlier.

    Every accepted event is kept, with or without deliveries, until :meth:`hookctl.store.interface.Upkeep.prune` deletes
    it.
    """

    def events(
        self,
        which: EventFilter = EVERY_EVENT,
        limit: int = 100,
        *,
        before: tuple[float, int] | None = None,
        look_at: int | None = None,
    ) -> EventPage:
        """The events that pass the filter, in the order in which they were received, newest first.

        Args:
            which: the filter.
            limit: the most events to return.
            before: only events at a lower :attr:`hookctl.store.history.StoredEvent.position`.
            look_at: about the most events to read, after which the page ends and ``next`` says where to go on; None:
                no limit. Events of another type or time are not read.
        """
        ...

    def event(self, event_id: str) -> StoredEvent | None:
        """The event with this id, found by an index; None if there is none."""
        ...

    def events_with_delivery(self, webhook: str, event_ids: Collection[str]) -> set[str]:
        """Those of the ids whose event has a delivery to this webhook, of whatever status."""
        ...

    def webhooks_of(self, event_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The webhooks that each event has a delivery to, by the event's id. Events without any are missing."""
        ...

    def backfill(
        self,
        webhook: str,
        missed: Sequence[tuple[str, str]],
        now: float,
        *,
        max_waiting: float = float("inf"),
        audit: AuditEntry | None = None,
    ) -> int:
        """Make deliveries to a webhook of stored events, in one commit, and return how many were made.

        An event that has a delivery to this webhook is left alone, whatever its status, and so is one that is no longer
        stored. The deliveries of a held webhook are held from the start.

        Args:
            webhook: its applied name.
            missed: pairs of an event's id and its delivery's id, in the order in which to deliver them.
            now: epoch seconds.
            max_waiting: as :attr:`hookctl.store.records.Batch.max_waiting`.
            audit: recorded in the same commit.

        Raises:
            IntakeRefusedError: too many deliveries would wait; nothing was made.
        """
        ...


class Log(Protocol):
    """What was applied and done, when and by whom."""

    def record(self, audit: AuditEntry) -> None:
        """Record something that changes no delivery, such as a test."""
        ...

    def log(self, limit: int, since: float | None = None) -> list[LogEntry]:
        """Applies and audit entries, at most ``limit``, newest first; ``since`` is in epoch seconds."""
        ...

    def serial_at(self, at: float) -> int:
        """The serial of :meth:`routes_at`, without the cost of reading the routes; 0 before the first apply."""
        ...

    def routes_at(self, at: float) -> Routes:
        """How the webhooks that were applied at a time (epoch seconds) routed events.

        What was applied by a hookctl that did not keep this counts as applied from the beginning.
        """
        ...
