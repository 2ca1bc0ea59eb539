"""What becomes of the deliveries that wait now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookctl.model import Change, DeliveryStatus, Status


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a webhook's deliveries wait, and what an apply does to them."""

    sent: int = 0
    """Waiting for a first or another attempt, which is made by the new delivery plan."""
    released: int = 0
    """Held until now, and then sent by the new delivery plan."""
    held: int = 0
    """Not sent before the webhook is active again."""
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All that wait."""
        return self.sent + self.released + self.held + self.cancelled


NOTHING = Waiting()


def waiting_of(change: Change, counts: Mapping[str, Mapping[DeliveryStatus, int]]) -> Waiting:
    """What an apply of the change does to what waits. ``counts`` is of each webhook by its name now."""
    count = counts.get(change.before.name if change.before else change.name)
    if not count:
        return NOTHING
    due = count.get(DeliveryStatus.WAITING, 0) + count.get(DeliveryStatus.RETRYING, 0)
    held = count.get(DeliveryStatus.HELD, 0)
    if change.after is None:
        return Waiting(cancelled=due + held)
    return Waiting(held=due + held) if change.after.status is Status.INACTIVE else Waiting(sent=due, released=held)
