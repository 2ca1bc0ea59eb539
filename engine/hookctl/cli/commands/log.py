"""``hookctl log``: shows who applied what, and who did what to deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.moments import moment
from hookctl.cli.options import limit_option
from hookctl.cli.terminal import text_width

if TYPE_CHECKING:
    from hookctl.cli.session import Session

MOST_SHOWN = 10_000
"""The largest ``--limit``."""
EPILOG = """
\b
Examples:
  hookctl log                     the last 50 entries
  hookctl log --since 2026-11-28  everything from that day on
  hookctl log --format json       for a program
"""


@click.command("log", epilog=EPILOG)
@click.option("--since", metavar="TIME", callback=moment, help="Only entries from then on: 2h, or 2026-11-28T09:30Z.")
@limit_option(MOST_SHOWN)
@format_option()
@click.pass_obj
def command(session: Session, *, since: float | None, limit: int, outputs: Outputs) -> None:
    """Show what was applied and done, by whom and why; the newest first.

    Each apply, heal, replay, cancellation, hold, resume and backfill is in the log, each token that was created or
    revoked, and each test that was sent from a page of `hookctl serve`.
    """
    from hookctl.report.text.audit import render_log, render_log_json

    store = session.existing_store()
    found = store.log(limit + 1, since) if store else []
    shown = found[:limit]
    outputs.write(
        color=session.color,
        text=lambda color: render_log(shown, width=text_width(), color=color),
        json=lambda: render_log_json(shown),
    )
    if len(found) > limit:
        echo(f"Showing the newest {limit:,}; use --limit for more.", err=True)
