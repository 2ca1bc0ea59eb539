# ruff: noqa: N999  # commands are found by the names of their modules
"""``hookctl import``: writes hookctl's files from the files of other tools."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.errors import FileError, HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl import events openapi.yaml       the `webhooks` section of an OpenAPI 3.1 file
  hookctl import events asyncapi.json      the messages of an AsyncAPI 2.x or 3.x file
"""


@click.group("import", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Write hookctl's files from the files of other tools. Existing files are not overwritten."""


@command.command("events")
@click.argument("file", metavar="FILE")
@format_option("findings")
@click.pass_context
def events(ctx: click.Context, file: str, outputs: Outputs) -> None:
    """Write a file in events.d for each event that FILE describes: OpenAPI 3.1 with webhooks, or AsyncAPI.

    What is sent becomes the `data` of an event. Nothing is requested, so references must point into FILE. Each event
    that cannot be converted is a finding, and the others are written. Exits 1 if there is an error.
    """
    from hookctl.cli.echo import echo
    from hookctl.cli.reports import write_findings
    from hookctl.config.events import directory_beside
    from hookctl.config.importing import import_event_types
    from hookctl.config.importing.api_document import MAX_BYTES
    from hookctl.files import read_given
    from hookctl.model import has_errors
    from hookctl.model.quantities import counted

    session: Session = ctx.obj
    try:
        data = read_given(file, limit=MAX_BYTES)
    except FileError as error:
        raise HookctlError(
            f"{file} cannot be read: {error.message}", hint="Name an OpenAPI or AsyncAPI file."
        ) from error
    imported = import_event_types(file, data, session.plugins)
    for line in _write(directory_beside(session.directory), imported.files):
        echo(line, err=True)
    nothing = f"{counted(len(imported.files), 'event type')} in the file, no problems found."
    write_findings(ctx, session, outputs, imported.findings, nothing)
    ctx.exit(exit_codes.FAILED if has_errors(imported.findings) else exit_codes.OK)


def _write(directory: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Write each file that is missing. Yields a line for each that says what was done."""
    from hookctl.config.events.files import SUFFIX
    from hookctl.files import SHARED, make_directory, write_file

    for name, text in files.items():
        path = directory / f"{name}{SUFFIX}"
        if os.path.lexists(path):
            yield f"Kept   {path}, which already exists"
            continue
        try:
            make_directory(directory)
            write_file(path, text, mode=SHARED)
        except FileError as error:
            hint = "Run it where you can write."
            raise HookctlError(f"{path} cannot be written: {error.message}", hint=hint) from error
        yield f"Wrote  {path}"
