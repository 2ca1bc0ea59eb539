"""The part of a store's interface that is about the processes on it; see :mod:`hookctl.store.interface`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from hookctl.store.records import Followed, Members, Part


class Workers(Protocol):
    """The workers on the store, which share the limits of webhooks."""

    def take_part(self, part: Part, lease_seconds: float) -> Members:
        """Be one of the members for ``lease_seconds`` from now, and return who they are.

        A member that does not call this again in time, or whose process ends on this machine, is one no longer. Closing
        the store also ends it. While nothing changes, this writes only from time to time.
        """
        ...


class Runners(Protocol):
    """Processes that run continuously on the store, and processes that leave deliveries to them."""

    def announce_runner(self, wake: Callable[[], None]) -> AbstractContextManager[None]:
        """Inside the block, other processes find this one as a runner.

        ``wake`` is called on another thread, soon after one of them has called :meth:`wake_runners`.
        """
        ...

    def wake_runners(self) -> bool:
        """Have the runners look for due deliveries now, and return whether any runner is alive. Never raises.

        A wake-up may be lost, so a runner must also look from time to time.
        """
        ...

    def has_runner(self) -> bool:
        """Whether a runner is alive. Never raises."""
        ...

    def followed(self) -> Followed:
        """How far the deliveries are that were added through this object."""
        ...
