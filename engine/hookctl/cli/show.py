"""``hookctl show``: one webhook whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.checked import unknown_webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hookctl.cli.session import Session
    from hookctl.report.webhooks import Entry

EPILOG = """
\b
Examples:
  hookctl show SiemAnomalies                    every field, defaults included
  hookctl show SiemAnomalies --format json      as its delivery plan
"""


@click.command("show", epilog=EPILOG)
@click.argument("name")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people or for machines.")
@click.pass_obj
def command(session: Session, name: str, output_format: str) -> None:
    """Show one webhook as it runs now, with every default, and what its file would change."""
    from hookctl.cli.catalog import entries
    from hookctl.report.webhooks import render_one, render_one_json

    entry = _find(entries(session), name)
    click.echo(render_one_json(entry) if output_format == "json" else render_one(entry, color=session.color), nl=False, color=session.color)


def _find(found: Sequence[Entry], name: str) -> Entry:
    for entry in found:
        if name in {entry.change.name, entry.change.renamed_from}:
            return entry
    raise unknown_webhook(name, [entry.change.name for entry in found])
