"""Groups of commands that suggest a command for a misspelled one, and fit the examples in help to the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from hookctl.cli.terminal import text_width
from hookctl.report.text.columns import fitted, wrap

INSTEAD = {
    "help": "`hookctl --help` lists the commands.",
}
"""What to do instead of commands that other programs have, by name."""
_EXAMPLES = "\b\nExamples:\n"
_EXAMPLE = re.compile(r"^  (?P<command>\S.*?)(?:(?: {2,}|\n {9,})(?P<comment>\S.*))?$", re.MULTILINE)
"""A command with its comment beside it, or below it in the column of the comments."""


class _HelpFormatter(click.HelpFormatter):
    """Formats help whose examples fit the terminal."""

    def write_text(self, text: str) -> None:
        """Write paragraphs. Where an example is too wide, all comments go above their commands."""
        paragraphs = text.split("\n\n") if text_width() else []
        for index, paragraph in enumerate(paragraphs):
            if paragraph.startswith("\b\n"):  # click leaves its lines as they are
                paragraphs[index] = _narrowed(paragraph, self._room)
        super().write_text("\n\n".join(paragraphs) or text)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write options or commands, and an option with many choices on several lines."""
        indent = "\n" + " " * self.current_indent
        if text_width():
            rows = [(_folded(first, self._room).replace("\n", indent), second) for first, second in rows]
        super().write_dl(rows, col_max, col_spacing)

    @property
    def _room(self) -> int:
        return max(text_width() - self.current_indent, 20)


class _Context(click.Context):
    """The context of a command, with help that fits the terminal."""

    formatter_class = _HelpFormatter


def _narrowed(paragraph: str, room: int) -> str:
    """A paragraph whose line breaks stay, in lines of at most ``room`` columns."""
    if not paragraph.startswith(_EXAMPLES):
        return fitted(paragraph, room)
    if all(len(line) <= room for line in paragraph.split("\n")):
        return paragraph
    return _EXAMPLES + _EXAMPLE.sub(lambda found: _stacked(found, room), paragraph.removeprefix(_EXAMPLES))


def _stacked(example: re.Match[str], room: int) -> str:
    """The comment of an example, then its command, in lines of at most ``room`` columns."""
    comment = wrap(example["comment"], room - len("  # ")) if example["comment"] else []
    command = wrap(example["command"], room - len("    ") - len(" \\"))
    return "\n".join([*(f"  # {line}" for line in comment), "  " + " \\\n    ".join(command)])


def _folded(choices: str, room: int) -> str:
    """An option with its choices, ``--log [text|json]``, in lines of at most ``room`` columns."""
    return fitted(choices.replace("|", "| "), room).replace("| ", "|") if len(choices) > room else choices


class SuggestingGroup(click.Group):
    """A group that answers an unknown command with the most similar one, as click does for options."""

    context_class = _Context

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command. Its help shows the examples of the group that contain it, unless it has its own epilog."""
        super().add_command(cmd, name)
        used = re.compile(rf"\b{re.escape(f'{self.name} {name or cmd.name}')}(?!\S)")
        shown = [found[0] for found in _EXAMPLE.finditer(self.epilog or "") if used.search(found["command"])]
        if shown and cmd.epilog is None:
            cmd.epilog = _EXAMPLES + "\n".join(shown)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The name, the command and the arguments after it. Raises click.UsageError for an unknown command."""
        name = args[0]
        is_option = name[:1] == "-"  # click reports it, or obeys a --help
        if not is_option and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            from difflib import get_close_matches

            near = get_close_matches(name.lower(), self.list_commands(ctx), n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            if ctx.parent is None and name in INSTEAD:
                meant = f" {INSTEAD[name]}"
            raise click.UsageError(f"No such command {name!r}.{meant}", ctx)
        found, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command.context_class = _Context
        return found, command, rest
