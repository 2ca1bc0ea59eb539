"""``hookctl list``: the webhooks in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl list                    what runs, what waits to be applied, how the last attempt went
  hookctl list --format json      for a machine
"""


@click.command("list", epilog=EPILOG)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people or for machines.")
@click.pass_obj
def command(session: Session, output_format: str) -> None:
    """Show every webhook, applied or only written.

    A filled dot is an active webhook, an empty one is inactive. STATE says how the file stands to what is applied: applied, changed,
    renamed, not applied, or file removed; a changed webhook is shown as it runs now.
    """
    from hookctl.cli.catalog import entries
    from hookctl.report.webhooks import render_list_json, render_table

    found = entries(session)
    click.echo(render_list_json(found) if output_format == "json" else render_table(found, color=session.color), nl=False, color=session.color)
