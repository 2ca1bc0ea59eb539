"""How long the loops that deliver continue while the store fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from hookctl.delivery.runner.runner import Runner
from hookctl.errors import StateError, StateLockedError

T = TypeVar("T")

STORE_PATIENCE = 60.0
"""Seconds for which the store may fail without a break."""
AGAIN = "Run the same command again when it is done. What was accepted is stored, and is not sent twice."


def _ignore(_: object) -> None:
    """The default of each callback."""


class Patience:
    """Measures how long the store has been failing, and reports when that begins and ends.

    ``failed`` is called with the first error of each period, ``recovered`` with its length in seconds. ``runner`` is
    None for a process that makes no attempts.
    """

    def __init__(
        self,
        runner: Runner | None,
        stopping: Callable[[], bool],
        *,
        failed: Callable[[StateError], None] = _ignore,
        recovered: Callable[[float], None] = _ignore,
    ) -> None:
        self._runner, self._stopping, self._failed, self._recovered = runner, stopping, failed, recovered
        self._since: float | None = None

    def note_failure(self, error: StateError) -> None:
        """Note that work on the store has failed, and raise ``error`` if the store fails for too long."""
        if self._since is None:
            self._since = time.monotonic()
            self._failed(error)
        if time.monotonic() - self._since > STORE_PATIENCE:
            raise error
        if self._runner is not None:
            self._runner.collect(0.0)

    def note_success(self) -> None:
        """Note that work on the store has succeeded. A commit that is still in flight may have failed before."""
        if self._since is not None and not (self._runner and self._runner.is_store_failing):
            since, self._since = self._since, None
            self._recovered(time.monotonic() - since)

    def while_busy(self, work: Callable[[], T]) -> T:
        """The result of ``work``, which is repeated while another process keeps the store busy.

        Raises StateLockedError once that has lasted for :data:`STORE_PATIENCE`, or ``stopping()`` is true.
        """
        while True:
            try:
                result = work()
            except StateLockedError as error:
                again = StateLockedError(error.message, hint=AGAIN)
                self.note_failure(again)
                if self._stopping():
                    raise again from error
            else:
                self.note_success()
                return result
