"""``hookctl plugins``: what is plugged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl plugins                    every plugin, with its settings
  hookctl plugins --format json      for a machine: the settings as JSON Schemas
"""


@click.command("plugins", epilog=EPILOG)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people or for machines.")
@click.pass_obj
def command(session: Session, output_format: str) -> None:
    """Show what is plugged in: ways to authenticate and to send, checks, secret sources, kinds of events and more.

    Each with where it comes from, and with the settings that its block in a webhook file takes.
    """
    from hookctl.cli.terminal import text_width
    from hookctl.report.plugins import listed, render_json, render_text

    things = listed(session.plugins)
    click.echo(render_json(things) if output_format == "json" else render_text(things, width=text_width(), color=session.color), nl=False)
