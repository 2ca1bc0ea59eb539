"""The methods of the SQLite store behind pages; see :mod:`hookctl.store.pages_interface`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager

from hookctl.model import DeliveryPlan
from hookctl.store.overviews import (
    Applied,
    ChangeRecord,
    DeliveryPage,
    DeliveryRow,
    Group,
    HistoryEntry,
    HistoryPage,
    Hour,
    PlanVersion,
    Position,
    Progress,
    Ranking,
    Reason,
    Summary,
)
from hookctl.store.records import EVERYTHING, Filter
from hookctl.store.sqlite import counting, groups, listing, past, summaries


class SqliteOverviews:
    """A part of :class:`hookctl.store.sqlite.store.SqliteStore`, whose queue has the connection."""

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def _writing(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    def count_attempts(self, now: float, limit: int = 2_000) -> Progress:
        """See :meth:`hookctl.store.pages_interface.Overviews.count_attempts`."""
        with self._reading() as connection:
            if not counting.is_due(connection, now):
                return counting.progress(connection)
        with self._writing() as connection:
            return counting.count_attempts(connection, now, limit)

    def progress(self) -> Progress:
        """See :meth:`hookctl.store.pages_interface.Overviews.progress`."""
        with self._reading() as connection:
            return counting.progress(connection)

    def summaries(self, webhooks: Collection[str] | None = None) -> Mapping[str, Summary]:
        """See :meth:`hookctl.store.pages_interface.Overviews.summaries`."""
        with self._reading() as connection:
            return summaries.summaries(connection, webhooks)

    def ranking(self, by: Ranking) -> Mapping[str, float]:
        """See :meth:`hookctl.store.pages_interface.Overviews.ranking`."""
        with self._reading() as connection:
            return summaries.ranking(connection, by)

    def hours(self, webhooks: Collection[str], now: float) -> Mapping[str, Sequence[Hour]]:
        """See :meth:`hookctl.store.pages_interface.Overviews.hours`."""
        with self._reading() as connection:
            return summaries.hours(connection, webhooks, now)

    def reasons(self, webhook: str, now: float, limit: int = 5) -> list[Reason]:
        """See :meth:`hookctl.store.pages_interface.Overviews.reasons`."""
        with self._reading() as connection:
            return summaries.reasons(connection, webhook, now, limit)

    def next_tries(self, webhook: str, limit: int) -> list[DeliveryRow]:
        """See :meth:`hookctl.store.pages_interface.Overviews.next_tries`."""
        with self._reading() as connection:
            return listing.next_tries(connection, webhook, limit)

    def delivery_page(
        self, which: Filter = EVERYTHING, limit: int = 50, *, before: Position | None = None, look_at: int = 5_000
    ) -> DeliveryPage:
        """See :meth:`hookctl.store.pages_interface.Overviews.delivery_page`."""
        with self._reading() as connection:
            return listing.delivery_page(connection, which, limit, before, look_at)

    def tally(self, which: Filter, limit: int) -> Mapping[str, int]:
        """See :meth:`hookctl.store.pages_interface.Overviews.tally`."""
        with self._reading() as connection:
            return listing.tally(connection, which, limit)

    def groups(self, webhook: str | None = None, limit: int = 100) -> list[Group]:
        """See :meth:`hookctl.store.pages_interface.Overviews.groups`."""
        with self._reading() as connection:
            return groups.groups(connection, webhook, limit)

    def group(self, key: str, webhook: str | None = None) -> Group | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.group`."""
        with self._reading() as connection:
            return groups.group(connection, key, webhook)

    def history(self, limit: int, *, before: tuple[float, int, int] | None = None) -> HistoryPage:
        """See :meth:`hookctl.store.pages_interface.Overviews.history`."""
        with self._reading() as connection:
            return past.history(connection, limit, before)

    def apply_entry(self, serial: int) -> HistoryEntry | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.apply_entry`."""
        with self._reading() as connection:
            return past.apply_entry(connection, serial)

    def changes(self, serial: int, limit: int = 100, *, after: str = "") -> list[ChangeRecord]:
        """See :meth:`hookctl.store.pages_interface.Overviews.changes`."""
        with self._reading() as connection:
            return past.changes(connection, serial, limit, after)

    def applied(self, webhooks: Collection[str]) -> Mapping[str, Applied]:
        """See :meth:`hookctl.store.pages_interface.Overviews.applied`."""
        with self._reading() as connection:
            return past.applied(connection, webhooks)

    def previous_plan(self, webhook: str) -> PlanVersion | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.previous_plan`."""
        with self._reading() as connection:
            return past.previous_plan(connection, webhook)

    def plan(self, digest: str) -> DeliveryPlan | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.plan`."""
        with self._reading() as connection:
            return past.plan(connection, digest)
