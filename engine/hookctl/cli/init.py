"""``hookctl init``: a new user's first files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from hookctl.cli.session import CONFIG_FILE, DIRECTORY, Session
from hookctl.errors import HookctlError
from hookctl.schema_files import schema_path

FIRST_FILES = Path(__file__).parent / "first_files"
WORKFLOW = Path(".github/workflows/webhooks.yaml")
IGNORED = ".hookctl/"

EPILOG = """
\b
Examples:
  hookctl init                 in the root of a new or an existing repository
  hookctl --dir hooks init     with the webhook files in hooks/
"""

NEXT = """
Next:
  hookctl validate          check the file
  hookctl plan              see what an apply would do
  hookctl apply             do it
  hookctl listen            in another terminal: a receiver on this machine
  hookctl test              send it a sample event, with the options that listen prints"""


@click.command("init", epilog=EPILOG)
@click.pass_obj
def command(session: Session) -> None:
    """Write a first webhooks.d/, hookctl.toml and CI workflow.

    Nothing that exists is overwritten.
    """
    try:
        done = list(_write_all(session.directory))  # all of it, whether or not somebody reads the output to its end
    except OSError as error:
        place = error.filename or "a file"  # a full disk names none
        raise HookctlError(f"{place} cannot be written: {error.strerror}", hint="Run hookctl init where you may write.") from error
    for line in done:
        click.echo(line)
    click.echo(NEXT)


def _write_all(directory: Path) -> Iterator[str]:
    """Write each file that is missing, and say of each what was done."""
    settings = _first("hookctl.toml")
    workflow = _first("workflow.yaml")
    if directory != Path(DIRECTORY):
        settings = settings.replace(f'# dir = "{DIRECTORY}"', f'dir = "{directory.as_posix()}"')
        workflow = workflow.replace(f"{DIRECTORY}/", f"{directory.as_posix()}/")
    if any(directory.glob("*.y*ml")):
        yield f"Kept   {directory}/, which has webhook files already"
    else:
        yield _write(directory / "first.yaml", _first("webhook.yaml"))
        yield _write(directory / "webhook.schema.json", schema_path("webhook.schema.json").read_text(encoding="utf-8"))
    yield _write(Path(CONFIG_FILE), settings)
    yield _write(WORKFLOW, workflow)
    yield _ignore(Path(".gitignore"))


def _first(name: str) -> str:
    return (FIRST_FILES / name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return f"Kept   {path}, which exists"
    return f"Wrote  {path}"


def _ignore(path: Path) -> str:
    """Have git ignore the store: it holds what was sent, and changes with every delivery."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if IGNORED in text.splitlines():
        return f"Kept   {path}, which lists {IGNORED}"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{IGNORED}\n" if text and not text.endswith("\n") else f"{IGNORED}\n")
    return f"Added  {IGNORED} to {path}"
