"""What a store reports to people and to monitoring. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hookctl.store.records import Backlog


class Monitoring(Protocol):
    """How far behind deliveries are, and whether a process makes them. Quick with a million deliveries."""

    def backlogs(self) -> Mapping[str, Backlog]:
        """What is not delivered, by webhook. Webhooks without any such delivery are missing."""
        ...

    def dead_reasons(self, webhook: str, limit: int) -> list[str]:
        """Why deliveries of a webhook are dead letters: one reason for each of the newest, at most ``limit``."""
        ...

    def live_workers(self) -> int:
        """How many processes that are alive have claimed deliveries of this store since they opened it."""
        ...
