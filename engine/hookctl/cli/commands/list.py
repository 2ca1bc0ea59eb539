"""``hookctl list``: lists the webhooks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli.formats import Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl list                    what is applied, what is not yet, and the last results
  hookctl list --format json      for a program
"""


@click.command("list", epilog=EPILOG)
@format_option()
@click.pass_obj
def command(session: Session, outputs: Outputs) -> None:
    """List every webhook, applied or only in the files.

    A filled dot marks an active webhook, an empty dot an inactive one. STATE compares the file with what is applied:
    applied, changed, renamed, not applied, or file removed. A changed webhook is listed as it is applied now.

    WAITING, RETRYING, DEAD and HELD count deliveries. OLDEST is the age of the oldest one that is waiting, retrying or
    held.
    """
    from hookctl.cli.catalog import entries
    from hookctl.cli.terminal import text_width
    from hookctl.report.text.webhooks import render_list_json, render_table

    found = entries(session)
    outputs.write(
        color=session.color,
        text=lambda color: render_table(found, now=time.time(), width=text_width(), color=color),
        json=lambda: render_list_json(found),
    )
