"""``hookctl plugins``: lists what the plugins add, and writes a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.new_plugin import new

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl plugins                    what each plugin adds, with its settings
  hookctl plugins --format json      for a program, with the settings as JSON Schemas
  hookctl plugins new acme --kind auth
                                     write a plugin of your own
"""


@click.group("plugins", cls=SuggestingGroup, invoke_without_command=True, epilog=EPILOG)
@format_option()
@click.pass_context
def command(ctx: click.Context, outputs: Outputs) -> None:
    """List what plugins add: authentication, transports, validators, secret sources, event types and more.

    Each entry shows where it comes from, and the settings that its block in a webhook file takes. Plugins that could
    not be loaded are listed last.
    """
    if ctx.invoked_subcommand:
        return
    from hookctl.cli.terminal import text_width
    from hookctl.report.formats.registry import FORMATS, built_in
    from hookctl.report.text.plugins import listed, render_json, render_text

    session: Session = ctx.obj
    things, failures = listed(session.plugins, map(built_in, FORMATS)), session.plugins.failures
    outputs.write(
        color=session.color,
        text=lambda color: render_text(things, failures, width=text_width(), color=color),
        json=lambda: render_json(things, failures),
    )


command.add_command(new)
