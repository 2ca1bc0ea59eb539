"""Retention and intake limits: how long history is kept, and when no more events are taken in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hookctl.errors import IntakeRefusedError, SettingsError
from hookctl.model.quantities import seconds, size_bytes
from hookctl.store.interface import Queue
from hookctl.store.records import Fullness

PRUNE_SECONDS = 30.0
"""Seconds between two searches for history to delete."""
PRUNE_EVENTS = 500
"""The maximum number of deletions in one commit, which delays deliveries by a few milliseconds."""
PRUNE_SOON_SECONDS = 0.25
"""Seconds between two searches while there is more to delete."""
FREE_DISK_SPACE = (
    "Free disk space, use a larger disk, or keep less with [retention] in hookctl.toml: see `hookctl explain settings`."
)
FEWER_WAITING = (
    "Deliver or cancel waiting deliveries, or raise intake.max_waiting in hookctl.toml: see `hookctl explain settings`."
)


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """The tables ``[retention]`` and ``[intake]`` of hookctl.toml."""

    max_age: float = 30 * 86_400.0
    """Seconds for which an event is kept after its deliveries have all ended."""
    max_bytes: float = float("inf")
    """The size of the store above which the oldest of these events are deleted earlier."""
    max_waiting: float = 1_000_000
    """The maximum number of waiting deliveries. An event that would exceed it is not taken in."""
    min_free_bytes: float = 100e6
    """The minimum free space on the disk. With less, no event is taken in."""


def store_limits(retention: Mapping[str, Any], intake: Mapping[str, Any]) -> StoreLimits:
    """The limits from hookctl.toml, and defaults for the others.

    Both tables have only known keys, with values of the right type. Raises SettingsError for a string that is not a
    valid duration or size.
    """
    found: dict[str, float] = {}
    if "age" in retention:
        found["max_age"] = _age("retention.age", retention["age"])
    if "size" in retention:
        found["max_bytes"] = _size("retention.size", retention["size"])
    if "max_waiting" in intake:
        found["max_waiting"] = intake["max_waiting"]
    if "min_free" in intake:
        found["min_free_bytes"] = _size("intake.min_free", intake["min_free"])
    return StoreLimits(**found)


def _age(name: str, value: str) -> float:
    try:
        return seconds(value)
    except ValueError as error:
        message = f"hookctl.toml: {name} must be a duration, not {value[:60]!r}"
        raise SettingsError(message, hint='Write a number and its unit, such as "30d" or "12h".') from error


def _size(name: str, value: str) -> float:
    try:
        return size_bytes(value)
    except ValueError as error:
        message = f"hookctl.toml: {name} must be a size, not {value[:60]!r}"
        raise SettingsError(message, hint='Write a number and its unit, such as "500MB" or "20GB".') from error


class Retention:
    """Keeps one queue within its limits.

    ``clock`` returns epoch seconds, ``monotonic`` seconds on a monotonic clock.
    """

    def __init__(
        self, queue: Queue, limits: StoreLimits, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._queue, self._limits, self._clock, self._monotonic = queue, limits, clock, monotonic
        self._prune_at = float("-inf")

    @property
    def max_waiting(self) -> float:
        """The maximum number of waiting deliveries.

        The queue checks it in the commit that adds deliveries, because other processes may add some at the same time.
        """
        return self._limits.max_waiting

    def admit(self) -> None:
        """Raise IntakeRefusedError if the store's disk is too full to take in events."""
        scarce = _scarce(self._queue.free_bytes(), self._limits)
        if scarce:
            raise IntakeRefusedError(f"the store accepts no events: {scarce}", hint=FREE_DISK_SPACE)

    def prune(self) -> None:
        """Delete some history if it is time to, and soon again while there is more."""
        now = self._monotonic()
        if now < self._prune_at:
            return
        forgotten = self._queue.prune(self._clock() - self._limits.max_age, PRUNE_EVENTS)
        if self._queue.fullness().used_bytes > self._limits.max_bytes:
            forgotten = max(forgotten, self._queue.prune(self._clock(), PRUNE_EVENTS))
        self._prune_at = now + (PRUNE_SECONDS if forgotten < PRUNE_EVENTS else PRUNE_SOON_SECONDS)


def why_full(fullness: Fullness, limits: StoreLimits) -> tuple[str, str]:
    """Why no more events are accepted, and how to make room; both are empty while events are accepted."""
    if fullness.waiting >= limits.max_waiting:
        return f"{fullness.waiting:,} deliveries are waiting; the limit is {limits.max_waiting:,.0f}", FEWER_WAITING
    scarce = _scarce(fullness.free_bytes, limits)
    return scarce, FREE_DISK_SPACE if scarce else ""


def _scarce(free_bytes: int | None, limits: StoreLimits) -> str:
    if free_bytes is None or free_bytes >= limits.min_free_bytes:
        return ""
    return f"{free_bytes / 1e6:,.0f} MB are free on its disk, and {limits.min_free_bytes / 1e6:,.0f} MB must stay free"
