"""The three standard streams: what a closed, full or broken one means for a command."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys

from hookctl.errors import OutputError

ESCAPED = "hookctl.escaped"
"""The name of the error handler that writes what an encoding lacks as ``\\uXXXX``, which JSON reads as the same character."""


def open_streams() -> None:
    """Make sure that descriptors 0, 1 and 2 are open, and that what cannot be written is an OutputError once.

    Without this, the next file that is opened, such as the store, takes the number of a closed stream and receives its output.
    Streams that a test or an embedding program has put in place are left alone.

    Raises:
        OutputError: standard output is closed.
    """
    codecs.register_error(ESCAPED, _escape)
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        # Writing to standard input's place and reading from the others' is refused, as it was while they were closed.
        _occupy(number, os.O_RDONLY if number == 1 else os.O_WRONLY)
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _put_in_place(2, _Errors, "backslashreplace")
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lives as long as the process
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _put_in_place(1, _Output, ESCAPED)
    if 1 in closed:
        raise OutputError(
            "standard output is closed", hint="Redirect it to a file, or to /dev/null if nobody needs it."
        )


def write_bytes(data: bytes) -> None:
    """Write to standard output as it is, in no encoding. Raises OutputError."""
    sys.stdout.flush()
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise _output_error(error) from error


class _Output(io.TextIOWrapper):
    """Standard output, whose errors are OutputErrors.

    A class for text and not for bytes: a Ctrl-C in Python code below a buffer would have the buffer written twice.
    """

    def write(self, text: str, /) -> int:
        """As the base class. Raises OutputError."""
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
    """Standard error. What it cannot take is dropped: there is no other place to say so, and the exit code still tells."""

    def write(self, text: str, /) -> int:
        """As the base class, and never an OSError."""
        try:
            return super().write(text)
        except OSError:
            _occupy(2, os.O_WRONLY)
            return len(text)

    def flush(self) -> None:
        """As the base class, and never an OSError."""
        try:
            super().flush()
        except OSError:
            _occupy(2, os.O_WRONLY)


def _output_error(error: OSError) -> OutputError:
    """The error to raise. What is still in the buffer goes nowhere, so that no second error follows at the end."""
    _occupy(1, os.O_WRONLY)
    return OutputError(
        f"standard output cannot be written: {error.strerror}",
        hint="Check the file or the device that it is redirected to, and the space there.",
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
    """A text stream of that kind for a descriptor, in the encoding that Python chose for it."""
    former = (sys.stdin, sys.stdout, sys.stderr)[number]
    encoding = former.encoding if former else "utf-8"
    return kind(open(number, "wb", closefd=False), encoding=encoding, errors=errors, line_buffering=True)


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""What stands in for characters that cannot be encoded: each UTF-16 unit of them as ``\uXXXX``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end
