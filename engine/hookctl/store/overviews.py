"""What a store reports for pages and lists: numbers that are kept up to date, and lists that are read a page at a time.

Times are epoch seconds and durations are seconds. A *cause* is why an attempt failed: a status such as ``503``, a value
of ``FailureKind``, or ``mismatch`` for a 2xx that a validator rejected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from hookctl.model import Delivery, DeliveryPlan, DeliveryStatus
from hookctl.store.records import NO_BACKLOG, Backlog, Filter

HOURS = 24
"""The hours that :class:`Summary` and :class:`Hour` cover: the current one and those before it."""
Position = tuple[float, int]
"""Where a row stands in a list; the next page has the rows before it. A URL can hold it as two numbers."""


Ranking = Literal["waiting", "retrying", "held", "dead", "attempts", "share", "p50", "p95", "last_at"]
"""What webhooks can be sorted by; the fields of :class:`Summary`. ``attempts`` is ``succeeded`` and ``failed``."""


NORMALLY_BEHIND = 20_000
"""Attempts that may be uncounted while a runner makes thousands per second."""


class Progress(Struct, frozen=True):
    """How far :meth:`hookctl.store.pages_interface.Overviews.count_attempts` has come."""

    counted: int
    """The number of the last attempt that is counted."""
    last: int
    """The number of the last attempt that is stored."""

    @property
    def is_behind(self) -> bool:
        """True while so much is uncounted that pages should say so. A few seconds' attempts always are."""
        return self.last - self.counted > NORMALLY_BEHIND


class Summary(Struct, frozen=True):
    """One webhook, in numbers."""

    waiting: int = 0
    retrying: int = 0
    held: int = 0
    dead: int = 0
    oldest_at: float | None = None
    """When the oldest that is waiting, retrying or held was made; None without any."""
    due_at: float | None = None
    """When the next attempt is due; None without any."""
    succeeded: int = 0
    """Attempts of the last 24 hours that delivered."""
    failed: int = 0
    """Attempts of the last 24 hours that did not."""
    p50: float | None = None
    """Half of the attempts of the last 24 hours took at most this long. None without any."""
    p95: float | None = None
    last_status: DeliveryStatus | None = None
    """What the last attempt led to; None if there was none."""
    last_at: float | None = None

    @property
    def share(self) -> float | None:
        """The share of attempts of the last 24 hours that delivered, from 0 to 1; None without any."""
        attempts = self.succeeded + self.failed
        return self.succeeded / attempts if attempts else None


NO_SUMMARY = Summary()
"""A webhook that the store has nothing about."""


def summary_of(
    backlog: Backlog | None, recent: Sequence[Any] | None, last: tuple[DeliveryStatus, float] | None
) -> Summary:
    """One webhook in numbers; ``recent``: attempts that succeeded and failed, and two durations."""
    backlog = backlog or NO_BACKLOG
    if recent is None and last is None and backlog is NO_BACKLOG:
        return NO_SUMMARY
    succeeded, failed, p50, p95 = recent or (0, 0, None, None)
    return Summary(
        backlog.waiting,
        backlog.retrying,
        backlog.held,
        backlog.dead,
        backlog.oldest_at,
        backlog.due_at,
        succeeded,
        failed,
        p50,
        p95,
        *(last or (None, None)),
    )


class Hour(Struct, frozen=True):
    """The attempts of one webhook that started within one hour."""

    start: float
    succeeded: int = 0
    failed: int = 0


class Reason(Struct, frozen=True):
    """Attempts of one webhook that failed for the same reason."""

    cause: str
    line: str
    """The first line of the body, or of the failure's message, that distinguishes it from other reasons with the same
    cause. May be empty."""
    attempts: int
    last_at: float
    sample: str
    """The id of a delivery with such an attempt; it may have been deleted since."""


class DeliveryRow(Struct, frozen=True):
    """A delivery in a list."""

    delivery: Delivery
    event_type: str
    last: str
    """How its last attempt ended: ``200``, or a cause. Empty if it was never tried."""
    last_at: float | None
    """When its last attempt started."""
    plan_digest: str
    """The delivery plan of its last attempt; empty if it was never tried."""
    is_claimed: bool
    """True while a worker tries it."""
    position: Position


class DeliveryPage(Struct, frozen=True):
    """Some deliveries, newest first."""

    rows: Sequence[DeliveryRow]
    looked_at: int
    """How many deliveries were looked at."""
    next: Position | None
    """Where the next page begins; None if there is nothing more. There may be more although ``rows`` is short or empty:
    then the page ended because it had looked at enough."""


class Group(Struct, frozen=True):
    """Deliveries that are dead, held, retrying or waiting for the same cause."""

    key: str
    """Names the group in :attr:`hookctl.store.records.Filter.group`, as long as the group exists."""
    status: DeliveryStatus
    cause: str
    """Empty if the deliveries were not tried: :attr:`line` says why."""
    line: str
    """As :attr:`Reason.line`. Without a cause: the reason of the deliveries, such as why their webhook is held."""
    count: int
    webhooks: Mapping[str, int]
    """How many deliveries of each webhook, those with the most first; at most twenty webhooks."""
    webhook_count: int
    """How many webhooks have any."""
    since: float
    """When the oldest of them was made. If they wait: the oldest of those webhooks that waits or is retried."""
    serial: int
    """The serial that was applied then; 0 if nothing was."""
    ids: Sequence[str]
    """The ids of up to five, newest first, of the webhooks with the most."""

    def filter(self, webhook: str | None = None) -> Filter:
        """Passes exactly the deliveries of the group; with ``webhook``, only those of that webhook."""
        return Filter(statuses={self.status}, group=self.key, webhook=webhook)


class ChangeRecord(Struct, frozen=True):
    """What an apply did to one webhook."""

    name: str
    action: str
    """A value of ``hookctl.model.Action``."""
    before: str
    """The digest of its delivery plan before the apply; empty for a new webhook."""
    after: str
    """The digest of its delivery plan after the apply; empty for a removed webhook."""
    renamed_from: str = ""


class HistoryEntry(Struct, frozen=True):
    """An apply, or something that an operator did."""

    at: float
    who: str
    action: str
    """``apply``, or the command, such as ``replay``."""
    what: str
    reason: str
    """In the words of the operator; empty if there is none."""
    deliveries: int | None
    """How many deliveries it changed or made; None for an apply."""
    serial: int | None
    """The serial that an apply led to; None for everything else."""
    commit: str
    """The git commit that an apply was made from, if it is known."""
    changes: Mapping[str, int]
    """For an apply: how many webhooks each action of ``hookctl.model.Action`` changed. Empty if it was not recorded."""
    position: tuple[float, int, int]


class HistoryPage(Struct, frozen=True):
    """Some entries, newest first."""

    entries: Sequence[HistoryEntry]
    next: tuple[float, int, int] | None
    """Where the next page begins; None if there is nothing more."""


class Applied(Struct, frozen=True):
    """The apply that gave a webhook its current delivery plan."""

    serial: int
    at: float
    by: str
    """``user@host``; may be empty."""
    commit: str
    """The git commit, if it is known."""
    before: str = ""
    """The digest of the delivery plan before; empty for a new webhook."""


class PlanVersion(Struct, frozen=True):
    """A delivery plan that was applied earlier, and the apply that replaced it."""

    plan: DeliveryPlan
    replaced: Applied
