"""What the three kinds of ``send`` share: the input, the progress that they show, and how they are stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, BinaryIO

from hookctl.cli.echo import echo
from hookctl.cli.running import report_busy
from hookctl.delivery.events.intake import EventGate, EventReader
from hookctl.delivery.runner.sending import Source
from hookctl.report.text.progress import progress_line

if TYPE_CHECKING:
    from hookctl.cli.interrupts import Interrupts
    from hookctl.cli.progress import Progress
    from hookctl.cli.rejects import Rejects
    from hookctl.delivery.events.applied_types import AppliedTypes
    from hookctl.delivery.runner.sending import Intake
    from hookctl.delivery.runner.tally import Tally
    from hookctl.errors import StateError
    from hookctl.model import TraceContext
    from hookctl.store.interface import Store


class Sending:
    """One ``send``: where its events come from, and what standard error shows about it."""

    def __init__(
        self,
        file: BinaryIO,
        types: AppliedTypes,
        interrupts: Interrupts,
        progress: Progress,
        rejects: Rejects,
        *,
        trace: TraceContext | None = None,
    ) -> None:
        self._gate = EventGate(types.current, trace)
        types.follow(self._gate)
        self.types = types
        self.source, self.reader, self.rejects = Source(file), EventReader(self._gate), rejects
        self._interrupts, self._progress = interrupts, progress
        self._started = time.monotonic()

    def look_again(self, store: Store) -> None:
        """Look for another apply before an event is refused. What is applied is known only once the store is open."""
        self.types.look_again(self._gate, store)

    @property
    def is_interrupted(self) -> bool:
        """Whether a signal has asked the command to stop."""
        return self._interrupts.requested

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.monotonic() - self._started

    def is_stopping(self) -> bool:
        """As :attr:`is_interrupted`, for those that call it."""
        return self._interrupts.requested

    def show(self, intake: Intake, tally: Tally, in_flight: int) -> None:
        """Show the progress."""
        self._progress.update(lambda: progress_line(intake, tally, in_flight, self.seconds))

    def say(self, message: str) -> None:
        """Write a line to standard error."""
        self.clear()
        echo(message, err=True)

    def clear(self) -> None:
        """Erase the progress."""
        self._progress.clear()

    def report_busy(self, error: StateError) -> None:
        """Report that the command waits for the store."""
        self.clear()
        report_busy(error)

    def close(self, intake: Intake) -> None:
        """Erase the progress, and summarize the bad events that were not shown."""
        self.clear()
        self.rejects.finish(intake.reasons)
