"""Reports the bad events of a ``send``: the first ones, then counts by reason, and all of them in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from os.path import samestat
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from hookctl.cli.echo import echo
from hookctl.errors import FileError, OutputError, SettingsError

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from hookctl.delivery.events.intake import BadEvent

SHOWN = 10
"""Bad events that are shown one by one."""
REASONS_SHOWN = 20
"""The most frequent reasons that are shown."""


class Rejects:
    """The bad events so far. Everything is shown on standard error."""

    def __init__(self, path: Path | None, source: BinaryIO, clear: Callable[[], None]) -> None:
        """Open the file.

        Args:
            path: the file for all bad events; None: no file.
            source: what the events are read from, which must be another file.
            clear: removes the line of progress before something is shown.

        Raises SettingsError if the file cannot be written.
        """
        self._path = path
        self._clear = clear
        self._count = 0
        self._file = _opened(path, source) if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file. Raises OutputError if it cannot be written, unless there is another error."""
        if self._file:
            try:
                self._file.close()
            except OSError as failed:
                if error is None:
                    raise self._unwritable(failed) from failed

    def add(self, bad: Sequence[BadEvent]) -> None:
        """Show the first ones, and write all to the file. Raises OutputError if the file cannot be written."""
        from hookctl.report.text.printable import printable

        for one in bad[: max(SHOWN - self._count, 0)]:
            self._clear()
            echo(printable(f"{one.place}: {one.reason}"), err=True)
        self._count += len(bad)
        if self._file and bad:
            lines = [json.dumps({"place": one.place, "reason": one.reason}) for one in bad]
            try:
                self._file.write("".join(f"{line}\n" for line in lines).encode())
            except OSError as error:
                raise self._unwritable(error) from error

    def finish(self, reasons: Counter[str]) -> None:
        """Summarize those that were not shown. ``reasons`` counts all of them by reason."""
        from hookctl.report.text.printable import printable

        if self._count <= SHOWN:
            return
        self._clear()
        echo(f"{self._count - SHOWN:,} more bad events; all {self._count:,} by reason:", err=True)
        common = reasons.most_common(REASONS_SHOWN)
        width = len(f"{common[0][1]:,}")
        for reason, count in common:
            echo(f"  {count:>{width},}  {printable(reason)}", err=True)
        if len(reasons) > len(common):
            echo(f"  and {len(reasons) - len(common)} more reasons", err=True)
        echo(f"All of them are in {self._path}." if self._path else "To write all to a file: --rejects FILE", err=True)

    def _unwritable(self, error: OSError) -> OutputError:
        message = f"--rejects: {self._path} cannot be written: {error.strerror or error}"
        return OutputError(message, hint="The events that were accepted are stored. Send the same input again.")


def _opened(path: Path, source: BinaryIO) -> BinaryIO:
    from hookctl.files import create_file

    if _is_same(path, source):
        message = f"--rejects: {path} is the file that the events are read from"
        raise SettingsError(message, hint="Name another file: this one would be emptied.")
    try:
        return create_file(path, mode=0o600)
    except FileError as error:
        raise SettingsError(f"--rejects: {path} cannot be written: {error.message}", hint=error.hint) from error


def _is_same(path: Path, source: BinaryIO) -> bool:
    try:
        return samestat(path.stat(), os.fstat(source.fileno()))
    except (OSError, ValueError):  # there is no such file yet, or the input is not a file
        return False
