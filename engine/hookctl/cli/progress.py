"""Progress on standard error: one line that is overwritten on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from hookctl.cli.echo import echo

TERMINAL_SECONDS = 0.1
FIRST_LOG_SECONDS = 0.5
"""Work that is done sooner leaves no progress in a log."""
LOG_SECONDS = 5.0


class Progress:
    """Shows a line of progress, and replaces it from time to time."""

    def __init__(self) -> None:
        self._overwrites = sys.stderr.isatty()
        self._next_at = time.monotonic() + (TERMINAL_SECONDS if self._overwrites else FIRST_LOG_SECONDS)
        self._is_shown = False

    def update(self, line: Callable[[], str]) -> None:
        """Show the line, unless one was shown a moment ago."""
        now = time.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + (TERMINAL_SECONDS if self._overwrites else LOG_SECONDS)
        if not self._overwrites:
            echo(line(), err=True)
            return
        from shutil import get_terminal_size  # imports three compression libraries

        from hookctl.report.text.columns import first

        self.clear()
        echo(first(line(), get_terminal_size().columns - 1), err=True, nl=False, fit=False)
        self._is_shown = True

    def clear(self) -> None:
        """Erase the line, so that the terminal is free for other output."""
        if self._is_shown:
            echo("\r\x1b[K", err=True, nl=False, fit=False)
            self._is_shown = False
