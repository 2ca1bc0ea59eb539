"""What the commands of ``hookctl import`` that make webhooks share: they read, report and write."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.echo import echo
from hookctl.errors import FileError, HookctlError
from hookctl.files import SHARED, make_directory, read_given, write_file

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.config.converting.draft import Draft
    from hookctl.config.converting.vault import Vault
    from hookctl.config.converting.writing import Written
    from hookctl.model import Finding
    from hookctl.model.source import SourceFile
    from hookctl.plugin.calls import Plugins

Read = Callable[["list[SourceFile]", "Vault"], "list[Draft]"]
MAX_FILES = 500
"""The files of a directory that are read."""


def import_webhooks(
    ctx: click.Context, outputs: Outputs, sources: list[SourceFile], read: Read, *, to_stdout: bool
) -> None:
    """Write a file for each webhook that ``read`` makes of the sources, and report. Exits 1 if there is an error."""
    from hookctl.cli.reports import write_findings
    from hookctl.config.converting.vault import Vault
    from hookctl.model import has_errors
    from hookctl.model.quantities import counted

    session: Session = ctx.obj
    vault = Vault()
    files, findings = _files(sources, vault, read, replace(session.plugins, event_types=session.event_types))
    if to_stdout:
        echo("---\n".join(file.text for file in files), nl=False)
    else:
        for line in _write(session.directory, files):
            echo(line, err=True)
    for variable, purpose in vault.purposes.items():
        echo(_printable(f"Set    {variable}: the {purpose}"), err=True)
    if to_stdout:
        _findings_to_stderr(session, findings)
    else:
        nothing = f"{counted(len(files), 'webhook')} imported, no problems found."
        write_findings(ctx, session, outputs, findings, nothing)
    ctx.exit(exit_codes.FAILED if has_errors(findings) else exit_codes.OK)


def read_sources(path: str, suffixes: Sequence[str]) -> list[SourceFile]:
    """The file, or each file of a directory whose name ends with one of the suffixes. Raises HookctlError."""
    from hookctl.config.converting.source_tree import MAX_BYTES
    from hookctl.model.source import SourceFile

    names = [path]
    if Path(path).is_dir():
        found = sorted(str(one) for one in Path(path).rglob("*") if one.name.endswith(tuple(suffixes)))
        names = [one for one in found if not any(part.startswith(".") for part in Path(one).parts if part != "..")]
        if not names:
            raise HookctlError(f"{path} has no files that end with {' or '.join(suffixes)}", hint="Name a file.")
        if len(names) > MAX_FILES:
            raise HookctlError(f"{path} has more than {MAX_FILES} files", hint="Name a directory with fewer.")
    sources = []
    for name in names:
        try:
            sources.append(SourceFile(name, _decoded(read_given(name, limit=MAX_BYTES))))
        except FileError as error:
            raise HookctlError(
                f"{name} cannot be read: {error.message}", hint="Name a file that can be read."
            ) from error
    return sources


def read_stdin() -> SourceFile:
    """What standard input holds. Raises HookctlError if it is a terminal with nothing typed, or too large."""
    from hookctl.config.converting.curl_words import MAX_COMMAND
    from hookctl.model.source import SourceFile

    data: bytes = sys.stdin.buffer.read(MAX_COMMAND + 1)
    if len(data) > MAX_COMMAND:
        raise HookctlError(
            f"standard input has more than {MAX_COMMAND:,} bytes", hint="Shorten the body of the command."
        )
    return SourceFile("<stdin>", _decoded(data))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError("it is not UTF-8 text", hint="Save it as UTF-8.") from error


def _files(
    sources: list[SourceFile], vault: Vault, read: Read, plugins: Plugins
) -> tuple[list[Written], list[Finding]]:
    """The files of what ``read`` makes, or a finding that gives the reason why there are none."""
    from hookctl.config.converting.source_tree import SourceError
    from hookctl.config.converting.writing import write
    from hookctl.model import SourceFile
    from hookctl.model.rules.conversions import IMPORT_SOURCE

    try:
        return write(read(sources, vault), vault, plugins)
    except SourceError as error:
        source = error.source or sources[0]
        shown = SourceFile(source.path, re.sub(r"\S", "*", source.text))  # no one knows which parts are secrets
        is_inside = error.span is not None and error.span.line <= source.text.count("\n") + 1
        span = error.span if is_inside else None
        return [], [IMPORT_SOURCE.finding(why=error.message, fix=error.hint, file=shown, span=span)]


def _write(directory: Path, files: Sequence[Written]) -> Iterator[str]:
    """Write each file that is missing. Yields a line for each that says what was done."""
    for file in files:
        path = directory / file.name
        if os.path.lexists(path):
            yield f"Kept   {path}, which already exists"
            continue
        try:
            make_directory(directory)
            write_file(path, file.text, mode=SHARED)
        except FileError as error:
            hint = "Run it in a directory that you can write to, or add --stdout."
            raise HookctlError(f"{path} cannot be written: {error.message}", hint=hint) from error
        yield f"Wrote  {path}"


def _findings_to_stderr(session: Session, findings: Sequence[Finding]) -> None:
    from hookctl.cli.terminal import text_width
    from hookctl.report.text.findings import findings_text

    if findings:
        echo(findings_text(findings, 0, width=text_width(err=True), color=session.color), err=True, color=session.color)


def _printable(text: str) -> str:
    from hookctl.report.text.printable import printable

    return printable(text)
