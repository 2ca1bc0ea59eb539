"""Filters on deliveries as people write them: on the command line, or in the address of a page."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hookctl.model import DeliveryStatus
    from hookctl.store.history import Where
    from hookctl.store.interface import Store
    from hookctl.store.records import Filter

UNDELIVERED = "undelivered"
STATUSES = ("waiting", "retrying", "held", "delivered", "dead", "cancelled", UNDELIVERED)
RESPONSE = re.compile(r"[1-5](?:[0-9]{2}|xx)")
DIGEST = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters that were given; None for each that was not."""

    status: str | None = None
    """One of :data:`STATUSES`."""
    webhook: str | None = None
    cause: str | None = None
    """See :func:`checked_cause`."""
    since: float | None = None
    """Epoch seconds."""
    until: float | None = None
    """Epoch seconds."""
    event_type: str | None = None
    event_id: str | None = None
    attempts: int | None = None
    """The smallest number of attempts."""
    due_within: float | None = None
    """The next attempt is before this time, in epoch seconds."""
    plan: str | None = None
    """See :func:`checked_digest`."""
    where: str | None = None
    """A JMESPath expression."""

    @property
    def is_given(self) -> bool:
        """Whether there is any filter."""
        return any(getattr(self, one.name) is not None for one in fields(self))

    def filter(
        self,
        store: Store,
        default: Collection[DeliveryStatus] | None = None,
        among: Collection[DeliveryStatus] | None = None,
    ) -> Filter:
        """As :meth:`as_filter`, with the webhook's name as it is spelled.

        Raises HookctlError for a webhook that does not exist, or a condition that is not valid.
        """
        name = None if self.webhook is None else known_webhook(store, self.webhook)
        return replace(self, webhook=name).as_filter(default, among)

    def as_filter(
        self,
        default: Collection[DeliveryStatus] | None = None,
        among: Collection[DeliveryStatus] | None = None,
    ) -> Filter:
        """The filter. Raises HookctlError for a condition that is not valid.

        ``default`` are the statuses if none was given, None: every one. ``among`` are those that the caller can do
        anything about, None: every one.
        """
        from hookctl.store.records import Filter

        statuses = statuses_of(self.status) if self.status else default
        return Filter(
            statuses=statuses if statuses is None or among is None else set(statuses).intersection(among),
            webhook=self.webhook,
            cause=self.cause,
            since=self.since,
            until=self.until,
            event_type=self.event_type,
            event_id=self.event_id,
            attempts=self.attempts or 0,
            due_before=self.due_within,
            plan_digest=self.plan or "",
            where=condition(self.where),
        )

    def without(self, *names: str) -> Selection:
        """The same without some of its filters."""
        return replace(self, **dict.fromkeys(names))


def condition(text: str | None) -> Where | None:
    """What ``--where`` decides; None without it."""
    if text is None:
        return None
    from hookctl.delivery.past.where import where_of

    return where_of(text)


def known_webhook(store: Store, name: str) -> str:
    """The name as it is spelled, whatever its case.

    Raises HookctlError for one that is not applied and has no deliveries.
    """
    from hookctl.model.nearest import unknown_webhook

    known = {found.casefold(): found for found in [*store.read_state().plans, *store.counts()]}
    if name.casefold() in known:
        return known[name.casefold()]
    raise unknown_webhook(name, known.values())


def statuses_of(status: str) -> Collection[DeliveryStatus]:
    """The statuses that one of :data:`STATUSES` means. Raises ValueError for another word."""
    from hookctl.model import DeliveryStatus
    from hookctl.store import records

    return records.UNDELIVERED if status == UNDELIVERED else (DeliveryStatus(status),)


def checked_cause(text: str) -> str:
    """A cause, as a filter of a store has it. Raises ValueError, with a message for people, for text that is not one.

    It is a status such as ``404``, a class such as ``5xx``, a kind of failure such as ``timeout``, or ``mismatch``.
    """
    from hookctl.model import FailureKind

    if RESPONSE.fullmatch(text.lower()):
        return text.lower()
    known = ("mismatch", *(kind.value for kind in FailureKind))
    if text not in known:
        raise ValueError(
            f"{text!r} is not a cause. Write a status such as 404, a class such as 5xx, or one of {', '.join(known)}."
        )
    return text


def checked_digest(text: str) -> str:
    """The beginning of a delivery plan's digest. Raises ValueError, with a message for people, for other text."""
    if not DIGEST.fullmatch(text):
        message = f"{text!r} is not a digest. Write at least its first 4 characters, as `deliveries show` prints it."
        raise ValueError(message)
    return text
