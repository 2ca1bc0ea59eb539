"""The three standard streams, and what a command does if one is closed, full or broken."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident, main_thread
from typing import Any

from hookctl.errors import OutputError

ESCAPED = "hookctl.escaped"
"""The error handler that writes characters missing from an encoding as ``\\uXXXX``, which JSON reads as the same."""


def open_streams() -> None:
    """Make sure that descriptors 0, 1 and 2 are open, and that output that cannot be written raises one OutputError.

    Without this, the next file that is opened, such as the store, gets the number of a closed stream and receives its
    output. Streams that a test or an embedding program has replaced stay as they are.

    Raises:
        OutputError: standard output is closed.
    """
    codecs.register_error(ESCAPED, _escape)
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        # The wrong mode makes every use fail, as it did while the stream was closed.
        _occupy(number, os.O_RDONLY if number == 1 else os.O_WRONLY)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _put_in_place(2, _Errors, "backslashreplace")
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the process ends
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _put_in_place(1, _Output, ESCAPED)
    if 1 in closed:
        raise OutputError(
            "standard output is closed", hint="Redirect it to a file, or to /dev/null if it is not needed."
        )


@contextmanager
def printing_here() -> Iterator[None]:
    """Inside the block, a thread of hookctl's own may write to standard output, as the main thread may."""
    stream = sys.stdout
    if not isinstance(stream, _Output):
        yield
        return
    stream.printers.add(get_ident())
    try:
        yield
    finally:
        stream.printers.discard(get_ident())


def write_bytes(data: bytes) -> None:
    """Write bytes to standard output unchanged. Raises OutputError."""
    sys.stdout.flush()
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise _output_error(error) from error


class _Output(io.TextIOWrapper):
    """Standard output that raises OutputError.

    It wraps text and not bytes: Ctrl-C in Python code below a buffer would write the buffer twice.

    Only the main thread writes to it, and others inside :func:`printing_here`: hookctl's output may be JSON for another
    program. hookctl calls plugins on other threads, so what they print goes to standard error.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.printers = {main_thread().ident}
        """The threads that may write to it."""

    def write(self, text: str, /) -> int:
        """As the base class. Raises OutputError."""
        if get_ident() not in self.printers:
            return sys.stderr.write(text)
        try:
            return super().write(text)
        except OSError as error:
            raise _output_error(error) from error

    def flush(self) -> None:
        """As the base class. Raises OutputError."""
        try:
            super().flush()
        except OSError as error:
            raise _output_error(error) from error


class _Errors(io.TextIOWrapper):
    """Standard error. Output that cannot be written is dropped: there is nowhere to report it but the exit code."""

    def write(self, text: str, /) -> int:
        """As the base class, but without an OSError."""
        try:
            return super().write(text)
        except OSError:
            _occupy(2, os.O_WRONLY)
            return len(text)

    def flush(self) -> None:
        """As the base class, but without an OSError."""
        try:
            super().flush()
        except OSError:
            _occupy(2, os.O_WRONLY)


def _output_error(error: OSError) -> OutputError:
    """The error to raise. The rest of the buffer is discarded, so that no second error follows at the end."""
    _occupy(1, os.O_WRONLY)
    return OutputError(
        f"standard output cannot be written: {error.strerror}",
        hint="Check the file or device that it is redirected to, and its free space.",
        reader_left=error.errno == errno.EPIPE,
    )


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _occupy(number: int, flags: int) -> None:
    """Open the null device as that descriptor."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _put_in_place(number: int, kind: type[io.TextIOWrapper], errors: str) -> io.TextIOWrapper:
    """A text stream of that kind for a descriptor, in the encoding that Python has chosen."""
    former = (sys.stdin, sys.stdout, sys.stderr)[number]
    encoding = former.encoding if former else "utf-8"
    return kind(open(number, "wb", closefd=False), encoding=encoding, errors=errors, line_buffering=True)


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""The replacement for characters that cannot be encoded: each UTF-16 unit as ``\uXXXX``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
