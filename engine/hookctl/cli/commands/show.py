"""``hookctl show``: shows every field of one webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.completion import webhook_names
from hookctl.cli.formats import Outputs, format_option
from hookctl.model.nearest import unknown_webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookctl.cli.session import Session
    from hookctl.report.text.webhooks import Entry

EPILOG = """
\b
Examples:
  hookctl show SiemAnomalies                    every field, defaults included
  hookctl show SiemAnomalies --format json      as its delivery plan
"""


@click.command("show", epilog=EPILOG)
@click.argument("name", shell_complete=webhook_names)
@format_option()
@click.pass_obj
def command(session: Session, name: str, outputs: Outputs) -> None:
    """Show one webhook as it is applied now, with every default, and what its file would change."""
    from hookctl.cli.catalog import entries
    from hookctl.report.text.webhooks import render_one, render_one_json

    entry = _find(entries(session), name)
    outputs.write(
        color=session.color, text=lambda color: render_one(entry, color=color), json=lambda: render_one_json(entry)
    )


def _find(found: Sequence[Entry], name: str) -> Entry:
    for entry in found:
        if name in {entry.change.name, entry.change.renamed_from}:
            return entry
    raise unknown_webhook(name, [entry.change.name for entry in found])
