"""Ends the wait of a runner when another process has added deliveries."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event


class Wakeup:
    """Whether the runner must look for due deliveries now. ``wake_engine`` ends its wait for attempts in flight."""

    def __init__(self, wake_engine: Callable[[], None]) -> None:
        self._wake_engine = wake_engine
        self._asked = Event()

    def ask(self) -> None:
        """Have the runner look soon. Any thread may call it."""
        self._asked.set()
        self._wake_engine()

    @property
    def is_asked(self) -> bool:
        """Whether the runner was asked and has not looked since."""
        return self._asked.is_set()

    def note_look(self) -> None:
        """Note that the runner is about to look. Must come before it reads the store."""
        self._asked.clear()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds, or until the runner is asked."""
        self._asked.wait(seconds)
