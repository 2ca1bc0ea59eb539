"""``hookctl plugins``: lists what the plugins add, checks it, and writes a new plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.new_plugin import new

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl plugins                    what each plugin adds, with its settings
  hookctl plugins --check            check the schemas and descriptions of all plugins
  hookctl plugins --format json      for a program, with the settings as JSON Schemas
  hookctl plugins new acme --kind auth
                                     write a plugin of your own
"""


@click.group("plugins", cls=SuggestingGroup, invoke_without_command=True, epilog=EPILOG)
@click.option(
    "--check",
    "check_them",
    is_flag=True,
    help="Check the schemas, mock events and descriptions of all plugins instead; for authors. Needs jsonschema.",
)
@format_option()
@click.pass_context
def command(ctx: click.Context, *, check_them: bool, outputs: Outputs) -> None:
    """List plugins with version and hooks, and what they add: authentication, transports, event types and more.

    Each entry shows where it comes from, and the settings that its block in a webhook file takes. Plugins that are
    disabled or could not be loaded are listed last, with the reason.

    With --check, each problem is shown with its file and line, and hookctl exits with 1 if there is one.
    """
    if ctx.invoked_subcommand:
        return
    from hookctl.cli.terminal import text_width
    from hookctl.report.formats.registry import FORMATS, built_in
    from hookctl.report.text.plugins import listed, render_json, render_text

    session: Session = ctx.obj
    session.tolerant = True
    session.load_plugins(warn=not check_them)  # the check reports what could not be loaded
    if check_them:
        ctx.exit(_check(session, outputs))
    plugins = session.plugins
    things, failures = listed(plugins, map(built_in, FORMATS)), plugins.failures
    outputs.write(
        color=session.color,
        text=lambda color: render_text(things, failures, plugins.providers, width=text_width(), color=color),
        json=lambda: render_json(things, failures, plugins.providers),
    )


def _check(session: Session, outputs: Outputs) -> int:
    from hookctl.cli.terminal import text_width
    from hookctl.plugin.checking import check_plugins
    from hookctl.report.text.plugin_problems import render_json, render_text

    found, here, count = check_plugins(session.plugins), Path.cwd(), len(session.plugins.providers)
    outputs.write(
        color=session.color,
        text=lambda color: render_text(found, count, root=here, width=text_width(), color=color),
        json=lambda: render_json(found, root=here),
    )
    return exit_codes.FAILED if found else exit_codes.OK


command.add_command(new)
