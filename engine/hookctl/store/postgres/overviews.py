"""The methods of the PostgreSQL store behind pages; see :mod:`hookctl.store.pages_interface`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

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
from hookctl.store.postgres import counting, groups, listing, past, summaries
from hookctl.store.postgres.queue import PostgresQueue
from hookctl.store.records import EVERYTHING, Filter


class PostgresOverviews(PostgresQueue):
    """A part of :class:`hookctl.store.postgres.store.PostgresStore`."""

    def count_attempts(self, now: float, limit: int = 2_000) -> Progress:
        """See :meth:`hookctl.store.pages_interface.Overviews.count_attempts`."""
        if not self._read(counting.is_due, now):
            return self._read(counting.progress)
        return self._write(counting.count_attempts, now, limit)

    def progress(self) -> Progress:
        """See :meth:`hookctl.store.pages_interface.Overviews.progress`."""
        return self._read(counting.progress)

    def summaries(self, webhooks: Collection[str] | None = None) -> Mapping[str, Summary]:
        """See :meth:`hookctl.store.pages_interface.Overviews.summaries`."""
        return self._read(summaries.summaries, webhooks)

    def ranking(self, by: Ranking) -> Mapping[str, float]:
        """See :meth:`hookctl.store.pages_interface.Overviews.ranking`."""
        return self._read(summaries.ranking, by)

    def hours(self, webhooks: Collection[str], now: float) -> Mapping[str, Sequence[Hour]]:
        """See :meth:`hookctl.store.pages_interface.Overviews.hours`."""
        return self._read(summaries.hours, webhooks, now)

    def reasons(self, webhook: str, now: float, limit: int = 5) -> list[Reason]:
        """See :meth:`hookctl.store.pages_interface.Overviews.reasons`."""
        return self._read(summaries.reasons, webhook, now, limit)

    def next_tries(self, webhook: str, limit: int) -> list[DeliveryRow]:
        """See :meth:`hookctl.store.pages_interface.Overviews.next_tries`."""
        return self._read(listing.next_tries, webhook, limit)

    def delivery_page(
        self, which: Filter = EVERYTHING, limit: int = 50, *, before: Position | None = None, look_at: int = 5_000
    ) -> DeliveryPage:
        """See :meth:`hookctl.store.pages_interface.Overviews.delivery_page`."""
        return self._read(listing.delivery_page, which, limit, before, look_at)

    def tally(self, which: Filter, limit: int) -> Mapping[str, int]:
        """See :meth:`hookctl.store.pages_interface.Overviews.tally`."""
        return self._read(listing.tally, which, limit)

    def groups(self, webhook: str | None = None, limit: int = 100) -> list[Group]:
        """See :meth:`hookctl.store.pages_interface.Overviews.groups`."""
        return self._read(groups.groups, webhook, limit)

    def group(self, key: str, webhook: str | None = None) -> Group | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.group`."""
        return self._read(groups.group, key, webhook)

    def history(self, limit: int, *, before: tuple[float, int, int] | None = None) -> HistoryPage:
        """See :meth:`hookctl.store.pages_interface.Overviews.history`."""
        return self._read(past.history, limit, before)

    def apply_entry(self, serial: int) -> HistoryEntry | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.apply_entry`."""
        return self._read(past.apply_entry, serial)

    def changes(self, serial: int, limit: int = 100, *, after: str = "") -> list[ChangeRecord]:
        """See :meth:`hookctl.store.pages_interface.Overviews.changes`."""
        return self._read(past.changes, serial, limit, after)

    def applied(self, webhooks: Collection[str]) -> Mapping[str, Applied]:
        """See :meth:`hookctl.store.pages_interface.Overviews.applied`."""
        return self._read(past.applied, webhooks)

    def previous_plan(self, webhook: str) -> PlanVersion | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.previous_plan`."""
        return self._read(past.previous_plan, webhook)

    def plan(self, digest: str) -> DeliveryPlan | None:
        """See :meth:`hookctl.store.pages_interface.Overviews.plan`."""
        return self._read(past.plan, digest)
