"""``--format FORMAT[=FILE]``: one option for every command that prints in more than one form, and in several at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from hookctl.errors import FileError, FileOutsideError, HookctlError
from hookctl.files import SHARED, write_file
from hookctl.report.text.printable import inert

ALL = ("text", "json", "markdown", "github", "sarif")
"""People, programs, a pull request's comment, annotations of GitHub Actions, code scanning."""

COMMANDS = "github"
"""The one form that is made of commands to a CI system; it escapes what others wrote by itself."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Output:
    """One form, and where it goes."""

    form: str
    file: Path | None = None
    """None: standard output."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a command was asked to write."""

    outputs: tuple[Output, ...]

    @property
    def printed(self) -> str:
        """The form that goes to standard output; empty when all go to files."""
        return next((output.form for output in self.outputs if output.file is None), "")

    def apart(self, form: str) -> tuple[Outputs, Outputs]:
        """What is printed in that form, and all the rest."""
        printed = tuple(output for output in self.outputs if output == Output(form))
        return Outputs(printed), Outputs(tuple(output for output in self.outputs if output not in printed))

    def write(self, *, color: bool, text: Callable[[bool], str], **others: Callable[[], str | Iterator[str]]) -> None:
        """Print, and write into files, each form that was asked for.

        ``text`` is told whether to colour, which no file is; ``others`` make the other forms, by name, whole or piece
        by piece: a piece begins a line. Raises HookctlError for a file that cannot be written; what is printed is
        printed all the same.
        """
        for output in sorted(self.outputs, key=lambda output: output.file is not None):
            colored = color and output.file is None
            made = text(colored) if output.form == "text" else others[output.form]()
            pieces: Iterable[str] = [made] if isinstance(made, str) else made
            if output.form != COMMANDS:
                pieces = map(inert, pieces)
            if output.file is None:
                for piece in pieces:
                    click.echo(piece, file=sys.stdout, nl=False, color=colored)
            else:
                write_report(output.file, "".join(pieces))


def write_report(path: Path, text: str) -> None:
    """Write a report whole or not at all. Raises HookctlError when it cannot be written."""
    try:
        write_file(path, text, mode=SHARED)
    except FileError as error:
        raise HookctlError(f"{path} cannot be written: {error.message}", hint=_hint(error)) from error


def _hint(error: FileError) -> str:
    return error.hint if isinstance(error, FileOutsideError) else "Name a file in a directory that can be written."


class OutputType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on, and older ones do
    """``json``, or ``json=report.json``."""

    name = "format"

    def __init__(self, forms: tuple[str, ...]) -> None:
        self.forms = forms

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """The output that is meant; a wrong one is a usage error."""
        if isinstance(value, Output):
            return value
        form, named, file = str(value).partition("=")
        if form not in self.forms:
            self.fail(f"{form!r} is not one of {', '.join(self.forms)}.", param, ctx)
        if named and not file:
            self.fail(f"{value!r} names no file.", param, ctx)
        return Output(form, Path(file) if named else None)


class FormatOption(click.Option):
    """An option whose variable has the name of the option, ``HOOKCTL_PLAN_FORMAT``; click would take that of its parameter."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value; formats in it are separated by spaces."""
        return os.environ.get(f"{ctx.auto_envvar_prefix}_FORMAT") or None


def format_option(*forms: str) -> Callable[[Command], Command]:
    """A click decorator that adds ``--format`` and passes an :class:`Outputs` as ``outputs``; ``forms`` are the forms that the command has."""
    offered = forms or ("text", "json")
    return click.option(
        "--format",
        "outputs",
        cls=FormatOption,
        type=OutputType(offered),
        metavar=f"[{'|'.join(offered)}][=FILE]",
        multiple=True,
        default=("text",),
        show_default=True,
        callback=lambda _, __, given: _checked(given),
        help="How to print; with =FILE, what to write there. May be given several times.",
    )


def _checked(given: tuple[Output, ...]) -> Outputs:
    if sum(output.file is None for output in given) > 1:
        raise click.BadParameter("only one format can be printed; write the others into files: FORMAT=FILE.")
    files = [output.file for output in given if output.file is not None]
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise click.BadParameter(f"{twice} is named twice.")
    return Outputs(given)
