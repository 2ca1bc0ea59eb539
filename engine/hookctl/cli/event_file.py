"""The event files of ``plan``, ``test`` and ``render``, which may be in a repository that others write to."""

from __future__ import annotations

import sys
from typing import Any, BinaryIO

import click

from hookctl.errors import FileError
from hookctl.files import open_given


class EventFile(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4, and older versions are supported
    """A file to read bytes from, ``-`` for standard input. A relative one must be in the working directory."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BinaryIO:
        """The open file, closed when the command ends. A file that cannot be read is a usage error."""
        if not isinstance(value, str):
            given: BinaryIO = value
            return given
        if value == "-":
            return sys.stdin.buffer
        try:
            file = open_given(value)
        except FileError as error:
            self.fail(f"{value!r}: {error.message}", param, ctx)
        if ctx:
            ctx.call_on_close(file.close)
        return file
