"""``hookctl completion``: what a shell needs to complete the command lines of hookctl."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from hookctl.cli.completion import VARIABLE
from hookctl.cli.echo import echo
from hookctl.cli.groups import SuggestingGroup
from hookctl.errors import HookctlError
from hookctl.files import SHARED, replace_file

SHELLS = ("bash", "fish", "zsh")
START_FILES = {"bash": ".bashrc", "zsh": ".zshrc"}
"""The files that shells run when they start. fish finds scripts by their names instead."""
ZSH_NEEDS = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i }\n"
"""Turns on completion in a zsh whose ``.zshrc`` has not done so."""
EPILOG = """
\b
Examples:
  hookctl completion install              for the shell that you use
  hookctl completion install bash zsh     for these
  hookctl completion show fish            print the script, to install it yourself
"""


@click.group("completion", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Complete commands, options, names of webhooks and ids of deliveries when you press Tab."""


@command.command("install")
@click.argument("shells", metavar="[SHELL]...", nargs=-1, type=click.Choice(SHELLS))
def install(shells: tuple[str, ...]) -> None:
    """Install completion for SHELL: bash, fish or zsh. Without SHELL, for the one that you use.

    The script goes to a file of its own. For bash and zsh, a line that runs it is added to .bashrc or .zshrc, unless it
    is there. Run it again after an upgrade.
    """
    for shell in dict.fromkeys(shells or (_own_shell(),)):
        try:
            for line in _install(shell):
                echo(line)
        except OSError as error:
            raise HookctlError(
                f"completion for {shell} was not installed: {error.strerror}: {error.filename}",
                hint=f"`hookctl completion show {shell}` prints the script, to install it yourself.",
            ) from error
    echo("Open a new shell to use it.")


@command.command("show")
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def show(shell: str) -> None:
    """Print the script for SHELL: bash, fish or zsh."""
    echo(_script(shell), nl=False, fit=False)


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"hookctl does not know your shell. Name it: {', '.join(SHELLS)}")
    return name


def _install(shell: str) -> Iterator[str]:
    """Write the script, and the line that runs it. Yields a line for each file that says what was done."""
    script = _place(shell)
    script.parent.mkdir(parents=True, exist_ok=True)
    replace_file(script, _script(shell).encode(), SHARED)
    yield f"Wrote  {script}"
    if shell in START_FILES:
        start = _start_file(shell)
        quoted = shlex.quote(str(script))
        line = f"[ -r {quoted} ] && . {quoted} # completion of hookctl\n"
        text = start.read_text(encoding="utf-8", errors="replace") if start.exists() else ""
        if line in text:
            yield f"Kept   {start}, which already runs it"
            return
        with start.open("a", encoding="utf-8") as file:  # a link stays a link: many keep these files in a repository
            file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}")
        yield f"Added  a line to {start}"


def _place(shell: str) -> Path:
    if shell == "fish":
        return _folder("XDG_CONFIG_HOME", ".config") / "fish/completions/hookctl.fish"
    return _folder("XDG_DATA_HOME", ".local/share") / f"hookctl/completion.{shell}"


def _start_file(shell: str) -> Path:
    folder = os.environ.get("ZDOTDIR") if shell == "zsh" else None
    return (Path(folder) if folder else Path.home()) / START_FILES[shell]


def _folder(variable: str, default: str) -> Path:
    """A folder of the XDG specification, which says to ignore a relative path."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / default


def _script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise NotImplementedError(shell)
    source = completion(command, {}, "hookctl", VARIABLE).source()
    head, newline, rest = source.partition("\n")
    return f"{head}{newline}{ZSH_NEEDS}{rest}" if shell == "zsh" else source
