"""The deliveries that a runner has in hand: claimed, and under way or waiting for their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator

from hookctl.store.interface import Claimed


class Claims:
    """Knows each by its id, and what waits by its webhook. Iterates over all claims."""

    def __init__(self) -> None:
        self._by_id: dict[str, Claimed] = {}
        self._waiting: dict[str, deque[Claimed]] = {}
        """Those that are not under way yet, by webhook. One that :attr:`_by_id` does not have was lost, or claimed again since."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_id)

    def __iter__(self) -> Iterator[Claimed]:
        return iter(self._by_id.values())

    @property
    def in_flight(self) -> int:
        """How many do not wait."""
        return len(self._by_id) - sum(map(len, self._waiting.values()))

    def waiting(self) -> dict[str, int]:
        """How many of each webhook wait; no zeros."""
        return {name: len(claims) for name, claims in self._waiting.items()}

    def add(self, claims: Iterable[Claimed]) -> None:
        """Have these wait. One that is under way goes on: its lease had run out, and it is ours for longer now."""
        for claimed in claims:
            known = self._by_id.get(claimed.delivery.id)
            self._by_id[claimed.delivery.id] = claimed
            waiting = self._waiting.setdefault(claimed.delivery.webhook, deque())
            if known is None or any(one is known for one in waiting):
                waiting.append(claimed)
            elif not waiting:
                del self._waiting[claimed.delivery.webhook]

    def next_waiting(self, webhook: str) -> Claimed | None:
        """The one that has waited longest, which waits no longer; None: none does."""
        waiting = self._waiting.get(webhook, ())
        while waiting:
            claimed = waiting.popleft()
            if not waiting:
                del self._waiting[webhook]
            if self._by_id.get(claimed.delivery.id) is claimed:
                return claimed
        return None

    def ended(self, delivery_id: str) -> Claimed:
        """Forget one that was under way; gives its claim."""
        return self._by_id.pop(delivery_id)

    def drop_waiting(self, webhooks: Iterable[str]) -> list[Claimed]:
        """Forget what waits of these webhooks; gives the claims, to be released."""
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
        """Forget those of these that wait: others have them now. What is under way goes on, and marks nothing in the end."""
        for waiting in self._waiting.values():
            for claimed in waiting:
                if claimed.delivery.id in delivery_ids:
                    self._by_id.pop(claimed.delivery.id, None)

    def clear(self) -> None:
        """Forget all."""
        self._by_id.clear()
        self._waiting.clear()
