"""The part of a store's interface that is for pages and lists; see :mod:`hookctl.store.interface`.

Nothing here takes longer because the store keeps more history. What would otherwise be counted when it is asked for is
counted beforehand, by :meth:`Overviews.count_attempts`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

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


class Overviews(Protocol):
    """Numbers about webhooks, and lists that are read a page at a time."""

    # -- counting

    def count_attempts(self, now: float, limit: int = 2_000) -> Progress:
        """Count attempts that are not counted yet, at most ``limit``, oldest first, in one commit.

        Commits nothing if there is nothing to count. Several processes may call it: each attempt is counted once.
        Counts of more than 24 hours ago are deleted.
        """
        ...

    def progress(self) -> Progress:
        """How many attempts are counted."""
        ...

    # -- webhooks

    def summaries(self, webhooks: Collection[str] | None = None) -> Mapping[str, Summary]:
        """These webhooks. None: every one that the store has something about, perhaps not applied any more; slower."""
        ...

    def ranking(self, by: Ranking) -> Mapping[str, float]:
        """What webhooks are to be sorted by. Those without a value, or with zero deliveries of a status, are missing.

        To show the first of many webhooks, sort them by this, and get only those from :meth:`summaries`.
        """
        ...

    def hours(self, webhooks: Collection[str], now: float) -> Mapping[str, Sequence[Hour]]:
        """The last 24 hours of each of the webhooks, oldest first, the current one last; 24 for each webhook."""
        ...

    def reasons(self, webhook: str, now: float, limit: int = 5) -> list[Reason]:
        """Why attempts of the last 24 hours failed, the most frequent first."""
        ...

    def next_tries(self, webhook: str, limit: int) -> list[DeliveryRow]:
        """Deliveries that are waiting or retrying, in the order in which they are due."""
        ...

    # -- deliveries

    def delivery_page(
        self, which: Filter = EVERYTHING, limit: int = 50, *, before: Position | None = None, look_at: int = 5_000
    ) -> DeliveryPage:
        """The deliveries that pass the filter, newest first.

        Going on from :attr:`DeliveryPage.next` shows each delivery that existed at the first page once, whatever is
        added meanwhile, unless its status changes.

        Args:
            which: the filter.
            limit: the most rows.
            before: only deliveries at a lower :attr:`DeliveryRow.position`.
            look_at: about the most deliveries to look at, after which the page ends and ``next`` says where to go on.
                A filter on the last attempt or on the event takes longer for each.
        """
        ...

    def tally(self, which: Filter, limit: int) -> Mapping[str, int]:
        """How many deliveries pass the filter, by webhook.

        Where that takes long to count, only the newest ``limit`` are counted. Damaged rows may count, too.
        """
        ...

    def groups(self, webhook: str | None = None, limit: int = 100) -> list[Group]:
        """What is not delivered, by status and cause, the largest groups first; of one webhook, or of all.

        A delivery that failed in the last seconds may be in the group of its previous failure.
        """
        ...

    def group(self, key: str, webhook: str | None = None) -> Group | None:
        """One group; None if no delivery is in it now."""
        ...

    # -- applies

    def history(self, limit: int, *, before: tuple[float, int, int] | None = None) -> HistoryPage:
        """Applies and actions of operators, newest first."""
        ...

    def apply_entry(self, serial: int) -> HistoryEntry | None:
        """The entry of one apply in :meth:`history`; None if there was no such apply."""
        ...

    def changes(self, serial: int, limit: int = 100, *, after: str = "") -> list[ChangeRecord]:
        """What an apply changed, in order of name, without names up to ``after``; empty if it was not recorded."""
        ...

    def applied(self, webhooks: Collection[str]) -> Mapping[str, Applied]:
        """When each webhook got its current delivery plan. Those of which it is not known are missing."""
        ...

    def previous_plan(self, webhook: str) -> PlanVersion | None:
        """The delivery plan before the current one; None if there was none, or if it was not kept."""
        ...

    def plan(self, digest: str) -> DeliveryPlan | None:
        """A delivery plan that an attempt has used, or that was applied earlier; None if it was not kept."""
        ...
