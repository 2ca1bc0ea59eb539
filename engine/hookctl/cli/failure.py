"""How an error becomes a message and an exit code, and which arguments are refused before any work."""

from __future__ import annotations

import os
import sys

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.cli.settings import shown_path
from hookctl.errors import HookctlError, SettingsError

_ALIKE = {"--auto-approve": "--yes", "--yes": "--auto-approve"}
"""Options with the same purpose, of different commands."""


def report_error(error: Exception, *, debug: bool = False) -> int:
    """Print an error on standard error and return the exit code.

    hookctl's own errors have a message and a hint. For an error of the operating system, the path and the system's
    reason are printed. Any other exception is a bug in hookctl: only its type is printed, since its text may contain
    parts of an event or of a secret. ``debug`` adds the traceback, except for hookctl's own errors, whose cause may
    quote a secret.
    """
    message, hint = _words(error)
    echo(f"Error: {printable_lines(message)}", err=True)
    if hint:
        echo(f"  {printable_lines(hint)}", err=True)
    if debug and not isinstance(error, HookctlError):
        from hookctl.cli.debugging import show_traceback

        show_traceback(error)
    return exit_codes.FAILED


def report_click(error: click.ClickException) -> int:
    """Print an error of click on standard error and return the exit code.

    For wrong usage, the command's usage and where to read more are printed too.
    """
    message = _instead(error) or error.format_message()
    if not isinstance(error, click.UsageError):
        echo(f"Error: {printable_lines(message)}", err=True)
        return exit_codes.FAILED
    if message.startswith("Usage: "):  # the help of a group that was called without a command
        echo(printable_lines(message), err=True)
        return exit_codes.USAGE
    context = error.ctx
    end = "" if message.endswith((".", "?")) else "."
    echo(f"Error: {printable_lines(message)}{end}", err=True)
    if context is not None:
        echo(f"  {printable_lines(context.get_usage())}", err=True)
    echo(f"  See `{context.command_path if context else 'hookctl'} --help`.", err=True)
    return exit_codes.USAGE


def _instead(error: click.ClickException) -> str:
    """A message to print in place of click's, or an empty text.

    An option that other commands have: what to write. A missing option: on one line, because click puts a tab before
    each choice, which would be printed as an escape.
    """
    if isinstance(error, click.MissingParameter):
        return " ".join(error.format_message().split())
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    context, option = error.ctx, error.option_name
    own = {name for param in context.command.params for name in param.opts}
    if (other := _ALIKE.get(option)) in own:
        return f"No such option {option!r}. Write {other}."
    for param in context.find_root().command.params:
        if option in param.opts and context.parent:
            value = "" if getattr(param, "is_flag", False) else f" {param.metavar or 'VALUE'}"
            rest = context.command_path.partition(" ")[2]
            return f"No such option {option!r}. Write it before the command: hookctl {option}{value} {rest}."
    return ""


def refuse_unreadable_text() -> None:
    """Refuse arguments and ``HOOKCTL_*`` variables that are not UTF-8: no file, store or target could take them.

    Raises:
        click.UsageError: for the first such argument.
        SettingsError: for the first such variable.
    """
    for number, argument in enumerate(sys.argv[1:], 1):
        if not _is_text(argument):
            raise click.UsageError(f"Argument {number} is not UTF-8 text: {argument!r}")
    for name, value in os.environ.items():
        if name.startswith("HOOKCTL_") and not _is_text(value):
            raise SettingsError(
                f"the environment variable {name} is not UTF-8 text", hint="Set it to UTF-8 text, or unset it."
            )


def printable_lines(text: str) -> str:
    """The lines of a message without control characters: it may quote a file or a target."""
    from hookctl.report.text.printable import printable

    return "\n".join(map(printable, text.split("\n")))


def _words(error: Exception) -> tuple[str, str]:
    """The message and the hint."""
    if isinstance(error, HookctlError):
        return error.message, error.hint
    if isinstance(error, MemoryError):
        return "out of memory", "Give hookctl more memory, or split the work into smaller parts."
    if isinstance(error, OSError) and error.errno is not None:
        place = shown_path(error.filename) if isinstance(error.filename, str) else "the operating system reports"
        return f"{place}: {error.strerror}", "Check that the path exists, its permissions, and the space on its disk."
    return f"unexpected {type(error).__qualname__}; this is a bug in hookctl", (
        "Please report it, with the command that you ran and its output with HOOKCTL_DEBUG=1 set."
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
