"""The part of each webhook's limit that this worker may use, so that all workers together stay within it.

Each worker knows its place among the members, from which its share of any limit follows. When a worker comes or goes,
shares change: until all follow the new list, each uses the smaller of its old and its new share, and a new worker has
none. Requests that are in flight beyond a new share are not interrupted: their webhooks are named in the store, and
nobody uses more of those than before until they have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from zlib import crc32

from hookctl.store.interface import Queue
from hookctl.store.records import Members, Part

Place = tuple[int, int] | None
"""The index of a worker among the members, and their number; None while it is not one of them."""


class Shares:
    """The shares of one worker. ``monotonic`` returns seconds on a clock that continues while the machine sleeps."""

    def __init__(self, queue: Queue, monotonic: Callable[[], float], lease_seconds: float) -> None:
        self._queue, self._monotonic, self._lease_seconds = queue, monotonic, lease_seconds
        self._until = float("-inf")
        """When this worker must stop using its shares, unless it takes part again before."""
        self._version = 0
        self._places: list[Place] = [None]
        """The places that any worker may still reckon with; the last one is the newest."""
        self._is_settled = False
        self._over: frozenset[str] = frozenset()

    @property
    def age(self) -> float:
        """Seconds since the last refresh began."""
        return self._monotonic() + self._lease_seconds - self._until

    def refresh(self, over: Callable[[], Collection[str]]) -> None:
        """Take part for another lease, and learn who else does.

        ``over`` returns the webhooks of which more is in flight than :meth:`share` now gives.
        """
        if self._take_part(over):
            self._take_part(over)  # others need not wait until the next time to learn that this worker follows

    def _take_part(self, over: Callable[[], Collection[str]]) -> bool:
        """The same once. Returns whether the members are others than before."""
        began = self._monotonic()
        members = self._queue.take_part(Part(self._version, tuple(sorted(over()))), self._lease_seconds)
        self._until = began + self._lease_seconds
        self._note(members)
        has_changed, self._version = members.version != self._version, members.version
        return has_changed

    def _note(self, members: Members) -> None:
        place = members.index, members.count
        if members.is_new:
            self._places = [None]
        if self._places[-1] != place:
            self._places.append(place)
        self._is_settled, self._over = members.is_settled, members.over
        if members.is_settled and not members.over:
            self._places = [place]

    def share(self, webhook: str, limit: int) -> int:
        """How much of a limit of a webhook this worker may use now; all workers together use no more than the limit."""
        if self._monotonic() >= self._until:
            return 0
        if self._is_settled and webhook not in self._over:
            return divide(webhook, limit, self._places[-1])
        return min([divide(webhook, limit, place) for place in self._places])


def divide(webhook: str, limit: int, place: Place) -> int:
    """The share at a place. The shares at all places add up to the limit, and what is left over differs by webhook."""
    if place is None:
        return 0
    index, count = place
    each, rest = divmod(limit, count)
    return each + ((index + crc32(webhook.encode())) % count < rest)
