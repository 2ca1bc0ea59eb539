"""How an error becomes a message and an exit code, and what is refused before it can become one."""

from __future__ import annotations

import os
import sys

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.settings import shown_path
from hookctl.errors import HookctlError, SettingsError


def report_error(error: Exception, *, debug: bool = False) -> int:
    """Print what went wrong on standard error and give the exit code.

    An error of hookctl's own has its message and hint. One of the operating system names the path and what the system
    says. Anything else is a bug of hookctl: its type is named and its text is not, which may hold what an event or a
    secret holds. ``debug`` adds the traceback, except to an error of
    hookctl's own, whose cause may quote a secret.
    """
    message, hint = _words(error)
    echo(f"Error: {printable_lines(message)}", err=True)
    if hint:
        echo(f"  {printable_lines(hint)}", err=True)
    if debug and not isinstance(error, HookctlError):
        from hookctl.cli.debugging import show_traceback

        show_traceback(error)
    return exit_codes.FAILED


def refuse_unreadable_text() -> None:
    """Refuse arguments and ``HOOKCTL_*`` variables that are not UTF-8: no file, store or target could be sent them.

    Raises:
        click.UsageError: names the first of them.
        SettingsError: the same, for a variable.
    """
    for number, argument in enumerate(sys.argv[1:], 1):
        if not _is_text(argument):
            raise click.UsageError(f"Argument {number} is not UTF-8 text: {argument!r}")
    for name, value in os.environ.items():
        if name.startswith("HOOKCTL_") and not _is_text(value):
            raise SettingsError(f"the variable {name} is not UTF-8 text", hint="Set it to UTF-8 text, or unset it.")


def printable_lines(text: str) -> str:
    """The lines of a message, in which there may be text of a file or of a target, without control characters."""
    from hookctl.report.text.printable import printable

    return "\n".join(map(printable, text.split("\n")))


def _words(error: Exception) -> tuple[str, str]:
    """The message and the hint."""
    if isinstance(error, HookctlError):
        return error.message, error.hint
    if isinstance(error, MemoryError):
        return "out of memory", "Give hookctl more memory, or less to do at once."
    if isinstance(error, OSError) and error.errno is not None:
        place = shown_path(error.filename) if isinstance(error.filename, str) else "the operating system reports"
        return f"{place}: {error.strerror}", "Check that the path exists, its permissions, and the space on its disk."
    return f"a bug in hookctl: an unexpected {type(error).__qualname__}", (
        "Report it where you got hookctl from, with the command that you ran and its output with HOOKCTL_DEBUG=1 set."
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
