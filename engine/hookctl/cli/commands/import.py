# ruff: noqa: N999  # commands are found by the names of their modules
"""``hookctl import``: writes hookctl's files from the files of other tools."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hookctl.cli import exit_codes
from hookctl.cli.completion import event_types
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.errors import FileError, HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl import apono terraform/                  Terraform resources, or exported JSON
  hookctl import alertmanager alertmanager.yml     the webhook_configs of all receivers
  hookctl import svix endpoints.json               what `svix endpoint list` prints
  hookctl import curl < command.sh                 a curl command
  hookctl import events openapi.yaml               the `webhooks` section of an OpenAPI 3.1 file
  hookctl import events asyncapi.json              the messages of an AsyncAPI 2.x or 3.x file
"""


@click.group("import", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Write hookctl's files from the files of other tools. Existing files are not overwritten."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that makes webhooks."""
    function = format_option("findings")(function)
    function = click.option(
        "--stdout",
        "to_stdout",
        is_flag=True,
        help="Print the webhooks instead of writing files; findings go to stderr.",
    )(function)
    return click.option(
        "--event",
        metavar="TYPE",
        shell_complete=event_types,
        help="The event type of the webhooks, in place of the one that the source suggests.",
    )(function)


@command.command("apono", short_help="Import webhooks of Apono from Terraform or JSON.")
@click.argument("path", metavar="FILE|DIR")
@_options
@click.pass_context
def apono(ctx: click.Context, path: str, event: str | None, to_stdout: bool, outputs: Outputs) -> None:
    """Write a webhook file for each webhook of Apono in a file, or in the files of a directory.

    FILE is Terraform (*.tf, with resources such as apono_manual_webhook) or JSON that Apono's API or
    `terraform show -json` prints. Handlebars becomes Jinja. Secrets become references, and a line on standard error
    names the variable to set for each. What cannot be converted is a finding. Exits 1 if there is an error.
    """
    from hookctl.cli.importing import import_webhooks, read_sources
    from hookctl.config.converting.apono import read_apono

    sources = read_sources(path, (".tf", ".json"))
    import_webhooks(
        ctx, outputs, sources, lambda files, vault: read_apono(files, vault, event=event), to_stdout=to_stdout
    )


@command.command("alertmanager", short_help="Import the webhook_configs of Alertmanager.")
@click.argument("file", metavar="FILE")
@_options
@click.pass_context
def alertmanager(ctx: click.Context, file: str, event: str | None, to_stdout: bool, outputs: Outputs) -> None:
    """Write a webhook file for each of the webhook_configs in a configuration of Alertmanager.

    URL, auth, headers, timeout and payload are imported, and the Go templates in them become Jinja. The event type is
    `alertmanager`, whose `data` is what Alertmanager sends, unless --event names another. Exits 1 if there is an error.
    """
    from hookctl.cli.importing import import_webhooks, read_sources
    from hookctl.config.converting.alertmanager import EVENT, read_alertmanager

    import_webhooks(
        ctx,
        outputs,
        read_sources(file, (".yml", ".yaml")),
        lambda files, vault: [draft for one in files for draft in read_alertmanager(one, vault, event=event or EVENT)],
        to_stdout=to_stdout,
    )


@command.command("svix", short_help="Import the endpoints of Svix.")
@click.argument("file", metavar="FILE")
@_options
@click.pass_context
def svix(ctx: click.Context, file: str, event: str | None, to_stdout: bool, outputs: Outputs) -> None:
    """Write a webhook file for each endpoint of Svix in FILE, which is JSON or YAML.

    Requests are signed by the Standard Webhooks specification, which the libraries of Svix verify. An endpoint's event
    types become those of the webhook, unless --event names another. Exits 1 if there is an error.
    """
    from hookctl.cli.importing import import_webhooks, read_sources
    from hookctl.config.converting.svix import read_svix

    session: Session = ctx.obj
    import_webhooks(
        ctx,
        outputs,
        read_sources(file, (".json", ".yaml", ".yml")),
        lambda files, vault: [
            draft for one in files for draft in read_svix(one, vault, event=event, fallback=_any_type(session))
        ],
        to_stdout=to_stdout,
    )


@command.command("curl", short_help="Import a curl command from standard input.")
@click.option("--name", metavar="NAME", default="", help="The name of the webhook.  [default: from the host]")
@_options
@click.pass_context
def curl(ctx: click.Context, name: str, event: str | None, to_stdout: bool, outputs: Outputs) -> None:
    """Write a webhook file from a curl command on standard input. Nothing is run.

    The command is read as bash reads it, with quotes and line continuations. A shell variable becomes a reference to
    the environment variable of that name. The event type is that of --event. Exits 1 if there is an error.
    """
    from hookctl.cli.importing import import_webhooks, read_stdin
    from hookctl.config.converting.curl import read_curl

    session: Session = ctx.obj
    import_webhooks(
        ctx,
        outputs,
        [read_stdin()],
        lambda files, vault: read_curl(files[0], vault, event=event or _any_type(session), name=name),
        to_stdout=to_stdout,
    )


def _any_type(session: Session) -> str:
    """The event type where a source names none: ``anomaly``, or the first one if a plugin took it away."""
    types = session.event_types
    return "anomaly" if "anomaly" in types else min(types, default="anomaly")


@command.command("events", short_help="Import event types from OpenAPI or AsyncAPI.")
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
