"""``hookctl plan``: what an apply would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl plan                          what would change
  hookctl plan --out plan.json          and save it, for `hookctl apply plan.json`
  hookctl plan --format json            for a machine: see schemas/plan.schema.json
  hookctl plan --detailed-exitcode      exit 2 when there are changes
"""


@click.command("plan", epilog=EPILOG)
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people or for machines.")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, so that exactly this one can be applied.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes, 0 only when there are none.")
@click.pass_context
def command(ctx: click.Context, output_format: str, out: Path | None, detailed_exitcode: bool) -> None:
    """Check the webhook files and show what an apply would change.

    Nothing is changed and nothing is sent; no secret is resolved. Exits 1 when a finding or a policy is an error.
    """
    from hookctl.cli.review import review_directory
    from hookctl.report.plan import render_json, render_text

    session: Session = ctx.obj
    review = review_directory(ctx, session, output_format)
    document = render_json(review.plan, review.findings) if out or output_format == "json" else ""
    if output_format == "json":
        click.echo(document, nl=False)
    else:
        click.echo(render_text(review.plan, review.findings, color=session.color, waiting=review.waiting), nl=False, color=session.color)
    if review.refused:
        ctx.exit(exit_codes.FAILED)
    if out:
        from hookctl.cli.plan_file import write_plan

        write_plan(out, document)
        click.echo(f"Saved in {out}. Apply exactly this with: hookctl apply {out}", err=True)
    if detailed_exitcode and review.plan.has_changes:
        ctx.exit(exit_codes.CHANGES)
