"""The outcomes of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hookctl.model import DeliveryStatus, Json
from hookctl.store.records import Result


class Tally:
    """Counts outcomes by webhook, and knows which deliveries failed and wait for another attempt.

    ``started_at`` (epoch seconds) separates the deliveries that this run took in from earlier ones.
    """

    def __init__(self, started_at: float) -> None:
        self.attempts = 0
        self.delivered: Counter[str] = Counter()
        self.dead: Counter[str] = Counter()
        self.held: Counter[str] = Counter()
        """The deliveries whose attempt has held their webhook."""
        self.earlier: Counter[DeliveryStatus] = Counter()
        """How many of the delivered and dead ones are from before this run."""
        self.local_failures: Counter[str] = Counter()
        """The attempts that could not be made, by the resource that this machine lacked."""
        self.failing: set[str] = set()
        """The ids of deliveries that failed and will be tried again."""
        self.retrying_elsewhere = 0
        """The number of deliveries that another process will try again."""
        self.started_at = started_at

    @property
    def retrying(self) -> int:
        """The number of deliveries that failed and will be tried again."""
        return len(self.failing) + self.retrying_elsewhere

    @property
    def summary(self) -> dict[str, Json]:
        """How many attempts were made, and how many deliveries they have ended."""
        return {"attempts": self.attempts, "delivered": self.delivered.total(), "dead": self.dead.total()}

    def add(self, results: Iterable[Result]) -> None:
        """Count recorded results."""
        for result in results:
            self.attempts += 1
            delivery, status = result.claimed.delivery, result.outcome.status
            if status is DeliveryStatus.RETRYING:
                self.failing.add(delivery.id)
                continue
            self.failing.discard(delivery.id)
            if status is DeliveryStatus.HELD:
                self.held[delivery.webhook] += 1
                continue
            self.earlier[status] += delivery.created_at < self.started_at
            (self.delivered if status is DeliveryStatus.DELIVERED else self.dead)[delivery.webhook] += 1
