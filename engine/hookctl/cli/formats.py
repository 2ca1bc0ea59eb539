"""``--format FORMAT[=FILE]``: one option for every command that has several formats, even in one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hookctl.cli.terminal import text_width
from hookctl.errors import FileError, FileOutsideError, HookctlError
from hookctl.files import SHARED, write_file
from hookctl.report.formats.registry import FORMATS, Kind, built_in
from hookctl.report.text.columns import fitted
from hookctl.report.text.printable import inert, printable

if TYPE_CHECKING:
    from hookctl.plugin import ReportFormat
    from hookctl.plugin.interfaces import Pieces

TEXT = "text"
"""The format for people. It is not a :class:`ReportFormat`, because it depends on the terminal."""
SIMPLE = (TEXT, "json")
"""The formats of a command without reports."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Output:
    """One format, and where it goes."""

    form: str
    file: Path | None = None
    """None: standard output."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Everything that a command was asked to write."""

    outputs: tuple[Output, ...]

    @property
    def printed(self) -> str:
        """The format that goes to standard output; empty if all go to files."""
        return next((output.form for output in self.outputs if output.file is None), "")

    @property
    def forms(self) -> set[str]:
        """The names of the formats."""
        return {output.form for output in self.outputs}

    def apart(self, form: str) -> tuple[Outputs, Outputs]:
        """What is printed in that format, and the rest."""
        printed = tuple(output for output in self.outputs if output == Output(form))
        return Outputs(printed), Outputs(tuple(output for output in self.outputs if output not in printed))

    def write(
        self,
        *,
        color: bool,
        text: Callable[[bool], str],
        ci_commands: Iterable[str] = (),
        **others: Callable[[], Pieces],
    ) -> None:
        """Print, or write to a file, each format that was asked for.

        Args:
            color: whether the terminal shows color. No file has any.
            text: makes the text; called with whether to color it.
            ci_commands: those of the other formats that consist of commands to a CI system.
            others: make the other formats, by name: whole, or in pieces that each begin a line.

        Raises:
            HookctlError: a file cannot be written. What is printed has been printed by then.
        """
        for output in sorted(self.outputs, key=lambda output: output.file is not None):
            colored = color and output.file is None
            width = 0 if output.file else text_width()
            made = fitted(text(colored), width) if output.form == TEXT else others[output.form]()
            pieces: Iterable[str] = [made] if isinstance(made, str) else made
            if output.form not in ci_commands:
                pieces = map(inert, pieces)
            if output.file is None:
                for piece in pieces:
                    click.echo(piece, file=sys.stdout, nl=False, color=colored)
            else:
                _write_file(output.file, "".join(pieces))


def _write_file(path: Path, text: str) -> None:
    """Write a report whole or not at all. Raises HookctlError if it cannot be written."""
    try:
        write_file(path, text, mode=SHARED)
    except FileError as error:
        hint = error.hint if isinstance(error, FileOutsideError) else "Name a file in a directory that can be written."
        raise HookctlError(f"{path} cannot be written: {error.message}", hint=hint) from error


# -- which formats there are -----------------------------------------------------------------------------------------


def find_format(name: str, ctx: click.Context) -> ReportFormat:
    """The format of that name. Raises KeyError if neither hookctl nor a plugin has it."""
    return built_in(name) if name in FORMATS else _added(ctx)[name]


def format_names(kinds: Collection[Kind], ctx: click.Context | None) -> tuple[str, ...]:
    """The names of the formats that have every kind of report; hookctl's own first."""
    if not kinds:
        return SIMPLE
    added = [one.name for one in _added(ctx).values() if all(getattr(one, kind) is not None for kind in kinds)]
    return (*_own_names(kinds), *sorted(added))


def _own_names(kinds: Collection[Kind]) -> tuple[str, ...]:
    return (TEXT, *(name for name, (_, has) in FORMATS.items() if set(kinds) <= set(has)))


def _added(ctx: click.Context | None) -> Mapping[str, ReportFormat]:
    """What plugins add, by name; empty without a session, as in a completion. Loads plugins only if there are any."""
    session = ctx.obj if ctx else None
    return session.loaded.formats if session is not None and session.may_have_plugins() else {}


# -- the option ------------------------------------------------------------------------------------------------------


class OutputType(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on, and older ones do
    """``json``, or ``json=report.json``."""

    name = "format"

    def __init__(self, kinds: tuple[Kind, ...] = ()) -> None:
        self.kinds = kinds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """The output that is meant; a wrong one is a usage error."""
        if isinstance(value, Output):
            return value
        form, named, file = str(value).partition("=")
        if form not in (_own_names(self.kinds) if self.kinds else SIMPLE):  # or else plugins need not be loaded
            known = format_names(self.kinds, ctx)
            if form not in known:
                self.fail(_unknown(form, known), param, ctx)
        if named and not file:
            self.fail(f"{value!r} has no file name.", param, ctx)
        return Output(form, Path(file) if named else None)


def _unknown(form: str, known: Sequence[str]) -> str:
    from hookctl.model.nearest import nearest

    near = nearest(form, known)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{form!r} is not one of {', '.join(known)}.{meant}"


class FormatOption(click.Option):
    """An option that is listed with the formats that there are, and is set by ``HOOKCTL_PLAN_FORMAT``.

    click would name the variable after the parameter instead of the option.
    """

    def make_metavar(self, ctx: click.Context | None = None) -> str:
        """The formats, as help lists them. click before 8.2 passes no context."""
        kinds = self.type.kinds if isinstance(self.type, OutputType) else ()
        names = format_names(kinds, ctx or click.get_current_context(silent=True))
        return f"[{'|'.join(map(printable, names))}][=FILE]"

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value; formats in it are separated by spaces."""
        return os.environ.get(f"{ctx.auto_envvar_prefix}_FORMAT") or None


def format_option(*kinds: Kind) -> Callable[[Command], Command]:
    """A click decorator that adds ``--format`` and passes an :class:`Outputs` as ``outputs``.

    ``kinds`` are the kinds of reports that the command makes. Without any, its formats are ``text`` and ``json``.
    """
    return click.option(
        "--format",
        "outputs",
        cls=FormatOption,
        type=OutputType(kinds),
        multiple=True,
        default=(TEXT,),
        show_default=True,
        callback=lambda _, __, given: checked(given),
        help="Output format; with =FILE, write it to FILE instead of printing. May be given several times.",
    )


def checked(given: tuple[Output, ...]) -> Outputs:
    """The outputs. Raises click.BadParameter if two of them go to the same place."""
    if sum(output.file is None for output in given) > 1:
        raise click.BadParameter("only one format can be printed; write the others into files: FORMAT=FILE.")
    files = [output.file for output in given if output.file is not None]
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise click.BadParameter(f"{twice} is given twice.")
    return Outputs(given)
