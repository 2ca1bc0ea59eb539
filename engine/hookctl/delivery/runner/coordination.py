"""Keeps a runner in line with the other workers on its store: it shares limits with them, and follows circuits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookctl.delivery.runner.commits import Commits
from hookctl.delivery.runner.limits import FOLLOW_SECONDS, Limits
from hookctl.delivery.runner.shares import Shares
from hookctl.model import DeliveryPlan
from hookctl.store.interface import Queue


class Coordination:
    """``clock`` returns epoch seconds."""

    def __init__(
        self, queue: Queue, shares: Shares, limits: Limits, commits: Commits, clock: Callable[[], float]
    ) -> None:
        self._queue, self._shares, self._limits, self._commits = queue, shares, limits, commits
        self._clock = clock

    def follow(self, plans: Mapping[str, DeliveryPlan]) -> None:
        """Take on the shares and the circuits as they are now, unless that was done just before.

        ``plans`` are the applied ones. No commit may be in flight. Raises StoreError.
        """
        if self._shares.age < FOLLOW_SECONDS:
            return
        self._shares.refresh(lambda: self._limits.over(plans))
        self._commits.add_circuits(self._limits.circuits(self._clock()))
        circuits = {**self._queue.circuits(), **self._commits.circuits}
        self._limits.follow({name: one for name, one in circuits.items() if one is not None}, self._clock())
