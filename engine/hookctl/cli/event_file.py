"""The files of events that commands read. A file that cannot be read is an error, and not wrong usage."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import click

from hookctl.errors import EventError, FileError
from hookctl.files import open_given


class EventFile(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4, and older versions are supported
    """A file to read bytes from, ``-`` for standard input. A relative one must be in the working directory.

    For ``plan``, ``test`` and ``render``, whose files may be in a repository that others write to.
    """

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BinaryIO:  # noqa: ARG002 - as click calls it
        """The open file, closed when the command ends. Raises EventError for a file that cannot be read."""
        if not isinstance(value, str):
            given: BinaryIO = value
            return given
        if value == "-":
            return sys.stdin.buffer
        try:
            file = open_given(value)
        except FileError as error:
            raise _unreadable(value, error.message) from error
        if ctx:
            ctx.call_on_close(file.close)
        return file


class EventStream(click.File):
    """Any file, pipe or device to read bytes from, ``-`` for standard input: for ``send``."""

    def __init__(self) -> None:
        super().__init__("rb")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The open file, closed when the command ends. Raises EventError for a file that cannot be read."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            cause = error.__context__
            reason = cause.strerror if isinstance(cause, OSError) else None
            raise _unreadable(value, reason or error.message) from error


def _unreadable(name: str, reason: str) -> EventError:
    return EventError(f"{name} cannot be read: {reason}", hint="Name a file that can be read, or - for standard input.")
