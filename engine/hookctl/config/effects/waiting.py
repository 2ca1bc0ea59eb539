"""What happens to the deliveries that are waiting now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookctl.model import Change, DeliveryStatus, Status


@dataclass(frozen=True, slots=True)
class Waiting:
    """The number of a webhook's waiting deliveries, by what an apply does to them."""

    sent: int = 0
    """Waiting for an attempt, which will use the new delivery plan."""
    released: int = 0
    """Held until now; the apply releases them, and the new delivery plan is used."""
    held: int = 0
    """Held until the webhook is active again."""
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All waiting deliveries."""
        return self.sent + self.released + self.held + self.cancelled


NOTHING = Waiting()


def waiting_of(change: Change, counts: Mapping[str, Mapping[DeliveryStatus, int]]) -> Waiting:
    """What applying the change does to waiting deliveries.

    ``counts`` has the number of each status, by the webhook's current name.
    """
    count = counts.get(change.before.name if change.before else change.name)
    if not count:
        return NOTHING
    due = count.get(DeliveryStatus.WAITING, 0) + count.get(DeliveryStatus.RETRYING, 0)
    held = count.get(DeliveryStatus.HELD, 0)
    if change.after is None:
        return Waiting(cancelled=due + held)
    return Waiting(held=due + held) if change.after.status is Status.INACTIVE else Waiting(sent=due, released=held)
