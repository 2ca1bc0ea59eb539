"""``hookctl plugins``: lists what the plugins add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.formats import Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl plugins                    what each plugin adds, with its settings
  hookctl plugins --format json      for a program, with the settings as JSON Schemas
"""


@click.command("plugins", epilog=EPILOG)
@format_option()
@click.pass_obj
def command(session: Session, outputs: Outputs) -> None:
    """List what plugins add: authentication, transports, validators, secret sources, event types and more.

    Each entry shows where it comes from, and the settings that its block in a webhook file takes. Plugins that could
    not be loaded are listed last.
    """
    session.tolerant = True
    from hookctl.cli.terminal import text_width
    from hookctl.report.formats.registry import FORMATS, built_in
    from hookctl.report.text.plugins import listed, render_json, render_text

    things, failures = listed(session.plugins, map(built_in, FORMATS)), session.plugins.failures
    outputs.write(
        color=session.color,
        text=lambda color: render_text(things, failures, width=text_width(), color=color),
        json=lambda: render_json(things, failures),
    )
