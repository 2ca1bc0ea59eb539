"""What a review needs of a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from hookctl.model import AppliedState, DeliveryStatus
from hookctl.store.healing import Repairable
from hookctl.store.history import EVERY_EVENT, EventFilter, EventPage
from hookctl.store.records import Stopped


class StoreReader(Protocol):
    """What a review asks the store. Nothing is written."""

    def read_state(self) -> AppliedState:
        """What is applied now."""
        ...

    def stopped(self, applied: AppliedState) -> Sequence[Stopped]:
        """The webhooks whose deliveries are held by something other than an apply."""
        ...

    def events(self, which: EventFilter = EVERY_EVENT, limit: int = 100) -> EventPage:
        """Events that came in, the newest first."""
        ...

    def events_with_delivery(self, webhook: str, event_ids: Collection[str]) -> Collection[str]:
        """Those of the ids whose event has a delivery to this webhook."""
        ...

    def repairable(self, webhook: str, status: DeliveryStatus, limit: int) -> Sequence[Repairable]:
        """The newest deliveries of a webhook with a status, with all that shows whether another plan repairs them."""
        ...

    def counts(self) -> Mapping[str, Mapping[DeliveryStatus, int]]:
        """How many deliveries there are of each status, by webhook."""
        ...
