"""``hookctl init``: creates a new user's first files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from hookctl.cli.echo import echo
from hookctl.cli.session import DIRECTORY, Session
from hookctl.cli.settings_file import NAME
from hookctl.errors import FileError, HookctlError
from hookctl.files import SHARED, make_directory, read_file, write_file
from hookctl.schema_files import schema_path

FIRST_FILES = Path(__file__).parent / "first_files"
WORKFLOW = Path(".github/workflows/webhooks.yaml")
IGNORED = ".hookctl/"
MAX_IGNORE_BYTES = 1024 * 1024
NOT_WRITTEN = "Run `hookctl init` in a directory that you can write to."

EPILOG = """
\b
Examples:
  hookctl init                 in the root of a new or an existing repository
  hookctl --dir hooks init     put the webhook files in hooks/
"""

NEXT = """
Next:
  hookctl validate                   check the file
  hookctl plan                       review what would change
  hookctl apply                      apply it
  hookctl listen                     in another terminal: run a receiver on this machine
"""
EXPORT = """\
  export FIRST_WEBHOOK_TOKEN=test    set the secret that first.yaml refers to
"""
TEST = """\
  hookctl test                       send a mock event; add the options that listen prints"""


@click.command("init", epilog=EPILOG)
@click.pass_obj
def command(session: Session) -> None:
    """Create a first webhooks.d/, hookctl.toml and CI workflow.

    Existing files are not overwritten.
    """
    done = list(_write_all(session.directory))  # before any output, so that a closed pipe does not stop it half-way
    for line in done:
        echo(line)
    has_example = any(line.endswith("first.yaml") for line in done)
    echo(f"{NEXT}{EXPORT if has_example else ''}{TEST}")


def _write_all(directory: Path) -> Iterator[str]:
    """Write each file that is missing. Yields a line for each file that says what was done."""
    settings = _first("hookctl.toml")
    workflow = _first("workflow.yaml")
    if directory != Path(DIRECTORY):
        settings = settings.replace(f'# dir = "{DIRECTORY}"', f'dir = "{directory.as_posix()}"')
        workflow = workflow.replace(f"{DIRECTORY}/", f"{directory.as_posix()}/")
    if any(directory.glob("*.y*ml")):
        yield f"Kept   {directory}/, which already has webhook files"
    else:
        yield _write(directory / "first.yaml", _first("webhook.yaml"))
        yield _write(directory / "webhook.schema.json", schema_path("webhook.schema.json").read_text(encoding="utf-8"))
    yield _write(Path(NAME), settings)
    yield _write(WORKFLOW, workflow)
    yield _ignore(Path(".gitignore"))


def _first(name: str) -> str:
    return (FIRST_FILES / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> str:
    if os.path.lexists(path):
        return f"Kept   {path}, which already exists"
    try:
        make_directory(path.parent)
        write_file(path, text, mode=SHARED)
    except FileError as error:
        raise HookctlError(f"{path} cannot be written: {error.message}", hint=NOT_WRITTEN) from error
    return f"Wrote  {path}"


def _ignore(path: Path) -> str:
    """Make git ignore the store, which contains what was sent and changes with every delivery."""
    try:
        text = read_file(path, Path(), limit=MAX_IGNORE_BYTES).decode() if os.path.lexists(path) else ""
        if IGNORED in text.splitlines():
            return f"Kept   {path}, which already lists {IGNORED}"
        gap = "\n" if text and not text.endswith("\n") else ""
        write_file(path, f"{text}{gap}{IGNORED}\n", mode=SHARED)
    except (FileError, UnicodeDecodeError) as error:
        reason = error.message if isinstance(error, FileError) else "it is not UTF-8 text"
        raise HookctlError(f"{path} cannot be changed: {reason}", hint=f"Add {IGNORED} to it yourself.") from error
    return f"Added  {IGNORED} to {path}"
