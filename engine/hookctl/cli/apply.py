"""``hookctl apply``: makes what is applied what the files, or a saved plan, say."""

from __future__ import annotations

import getpass
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.errors import StalePlanError, StateError

if TYPE_CHECKING:
    from hookctl.cli.review import Review
    from hookctl.cli.session import Session
    from hookctl.model import Plan

EPILOG = """
\b
Examples:
  hookctl apply                    show the plan, ask, make it so
  hookctl apply --auto-approve     without asking: for CI, after a review
  hookctl apply plan.json          exactly the plan that `hookctl plan --out plan.json` saved
"""


@click.command("apply", epilog=EPILOG)
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.pass_context
def command(ctx: click.Context, planfile: Path | None, auto_approve: bool) -> None:
    """Show the plan, ask, and make it so, in one step: all of it or nothing.

    With PLANFILE, exactly the plan that was saved is applied; if anything was applied since, it is stale and refused.
    """
    from hookctl.apply import AppliedStore
    from hookctl.cli.review import review_directory, review_plan
    from hookctl.cli.running import opened_queue
    from hookctl.report.plan import render_text

    session: Session = ctx.obj
    review = review_plan(session, _saved(session, planfile)) if planfile else review_directory(ctx, session)
    click.echo(render_text(review.plan, review.findings, color=session.color, waiting=review.waiting), nl=False, color=session.color)
    if review.refused:
        ctx.exit(exit_codes.FAILED)
    store = AppliedStore(session.store_path)
    store.check(review.plan)
    if not review.plan.has_changes:
        return
    if not auto_approve and not _approved():
        click.echo("Nothing was applied.")
        ctx.exit(exit_codes.FAILED)
    applied = store.apply(review.plan, applied_by=_who())
    click.echo(_done(review, applied.serial))
    with opened_queue(session.store_path) as queue:
        queue.reconcile(applied)  # now, and not when the next delivery runs


def _saved(session: Session, path: Path) -> Plan:
    """The saved plan, if the same hookctl and plugins made it that would carry it out."""
    from hookctl.cli.plan_file import load_plan
    from hookctl.pipeline import tool_versions

    plan = load_plan(path)
    versions = tool_versions(session.plugins)
    if plan.versions != versions:
        was, now = (", ".join(f"{name} {version}" for name, version in sorted(tools.items())) for tools in (plan.versions, versions))
        raise StalePlanError(f"the plan is stale: it was made by {was}, and this is {now}", hint="Run `hookctl plan` again and review what it says now.")
    return plan


def _approved() -> bool:
    if not sys.stdin.isatty():
        raise StateError("there is no terminal to ask on", hint="Review the plan, then run `hookctl apply --auto-approve`.")
    answer: str = click.prompt("\nDo you want to apply this? Only 'yes' is accepted", default="", show_default=False, err=True)
    return answer == "yes"


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _done(review: Review, serial: int) -> str:
    from hookctl.model import Action

    counts = {action: sum(change.action is action for change in review.plan.changes) for action in Action}
    renamed = f", {counts[Action.RENAME]} renamed" if counts[Action.RENAME] else ""
    done = f"{counts[Action.CREATE]} added, {counts[Action.UPDATE]} changed, {counts[Action.DELETE]} removed{renamed}"
    return f"\nApplied: {done}. The state has serial {serial} now."
