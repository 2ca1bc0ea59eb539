"""The deliveries that a runner has claimed: in flight, or waiting for their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator

from hookctl.store.records import Claimed

LEASE_SECONDS = 60.0
"""Seconds for which a stalled worker keeps its deliveries from others."""
RENEW_SECONDS = LEASE_SECONDS / 3
"""Seconds between two renewals of the leases on claims."""


class Claims:
    """The claims by delivery id, and the waiting ones by webhook. Iterating yields all claims."""

    def __init__(self) -> None:
        self._by_id: dict[str, Claimed] = {}
        self._waiting: dict[str, deque[Claimed]] = {}
        """The waiting claims, by webhook. An entry that is not in :attr:`_by_id` was lost, or was claimed again
        since.
        """

    def __len__(self) -> int:
        """The number of claims."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Claimed]:
        return iter(self._by_id.values())

    @property
    def in_flight(self) -> int:
        """The number of claims in flight."""
        return len(self._by_id) - sum(map(len, self._waiting.values()))

    def waiting(self) -> dict[str, int]:
        """The number of waiting claims of each webhook, without zeros."""
        return {name: len(claims) for name, claims in self._waiting.items()}

    def add(self, claims: Iterable[Claimed]) -> None:
        """Add waiting claims. A claim that is already in flight continues: its lease had ended, and is renewed."""
        for claimed in claims:
            known = self._by_id.get(claimed.delivery.id)
            self._by_id[claimed.delivery.id] = claimed
            waiting = self._waiting.setdefault(claimed.delivery.webhook, deque())
            if known is None or any(one is known for one in waiting):
                waiting.append(claimed)
            elif not waiting:
                del self._waiting[claimed.delivery.webhook]

    def next_waiting(self, webhook: str) -> Claimed | None:
        """Take the oldest waiting claim of a webhook; it is then in flight. None if none waits."""
        waiting = self._waiting.get(webhook, ())
        while waiting:
            claimed = waiting.popleft()
            if not waiting:
                del self._waiting[webhook]
            if self._by_id.get(claimed.delivery.id) is claimed:
                return claimed
        return None

    def ended(self, delivery_id: str) -> Claimed:
        """Remove and return the claim of a delivery that was in flight."""
        return self._by_id.pop(delivery_id)

    def drop_waiting(self, webhooks: Iterable[str]) -> list[Claimed]:
        """Remove and return the waiting claims of these webhooks, to release them."""
        claims = [
            claimed
            for name in webhooks
            for claimed in self._waiting.pop(name, ())
            if self._by_id.get(claimed.delivery.id) is claimed
        ]
        for claimed in claims:
            del self._by_id[claimed.delivery.id]
        return claims

    def lost(self, delivery_ids: Collection[str]) -> None:
        """Remove these waiting claims: other workers have them now.

        Attempts in flight continue, and their results are dropped.
        """
        for waiting in self._waiting.values():
            for claimed in waiting:
                if claimed.delivery.id in delivery_ids:
                    self._by_id.pop(claimed.delivery.id, None)

    def clear(self) -> None:
        """Remove all claims."""
        self._by_id.clear()
        self._waiting.clear()
