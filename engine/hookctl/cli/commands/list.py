"""``hookctl list``: the webhooks in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.formats import Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl list                    what runs, what waits to be applied, how the last attempt went
  hookctl list --format json      for a machine
"""


@click.command("list", epilog=EPILOG)
@format_option()
@click.pass_obj
def command(session: Session, outputs: Outputs) -> None:
    """Show every webhook, applied or only written.

    A filled dot is an active webhook, an empty one is inactive. STATE says how the file stands to what is applied: applied, changed,
    renamed, not applied, or file removed; a changed webhook is shown as it runs now.
    """
    from hookctl.cli.catalog import entries
    from hookctl.cli.terminal import text_width
    from hookctl.report.text.webhooks import render_list_json, render_table

    found = entries(session)
    outputs.write(
        color=session.color,
        text=lambda color: render_table(found, width=text_width(), color=color),
        json=lambda: render_list_json(found),
    )
