"""``hookctl apply``: makes what is applied what the files, or a saved plan, say."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.formats import ALL, Outputs, format_option
from hookctl.errors import StalePlanError, StateError

if TYPE_CHECKING:
    from hookctl.apply import Lock
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
@format_option(*ALL)
@click.option(
    "--lock-timeout", metavar="DURATION", default="0s", callback=seconds, show_default=True, help="Wait this long while another apply holds the lock."
)
@click.pass_context
def command(ctx: click.Context, planfile: Path | None, *, auto_approve: bool, outputs: Outputs, lock_timeout: float) -> None:
    """Show the plan, ask, and make it so, in one step: all of it or nothing.

    With PLANFILE, exactly the plan that was saved is applied; if anything was applied since, it is stale and refused.

    A lock keeps other applies away from the reading of what is applied until the answer is given and all is done.
    """
    from hookctl.cli.checked import checked_directory
    from hookctl.cli.locking import locked
    from hookctl.cli.review import review_checked, review_plan

    session: Session = ctx.obj
    if planfile:
        review_now = partial(review_plan, session, _saved(session, planfile))
    else:
        review_now = partial(review_checked, session, checked_directory(ctx, session, outputs, warnings_to_stderr=outputs.printed != "text"))
    with locked(session, "apply", lock_timeout) as lock:
        review = review_now()
        _apply(ctx, session, review, lock, outputs, auto_approve=auto_approve)


def _apply(ctx: click.Context, session: Session, review: Review, lock: Lock, outputs: Outputs, *, auto_approve: bool) -> None:
    from hookctl.apply import AppliedStore
    from hookctl.cli.review import write_review
    from hookctl.cli.running import opened_queue

    write_review(ctx, session, outputs, review)
    if review.refused:
        ctx.exit(exit_codes.FAILED)
    not_text = outputs.printed != "text"
    store = AppliedStore(session.store_path)
    store.check(review.plan)
    if not review.plan.has_changes:
        return
    if not auto_approve and not _approved():
        click.echo("Nothing was applied.", err=not_text)
        ctx.exit(exit_codes.FAILED)
    applied = store.apply(review.plan, applied_by=lock.who, lock_id=lock.id)
    click.echo(_done(review, applied.serial), err=not_text)
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


def _done(review: Review, serial: int) -> str:
    from hookctl.model import Action

    counts = {action: sum(change.action is action for change in review.plan.changes) for action in Action}
    renamed = f", {counts[Action.RENAME]} renamed" if counts[Action.RENAME] else ""
    done = f"{counts[Action.CREATE]} added, {counts[Action.UPDATE]} changed, {counts[Action.DELETE]} removed{renamed}"
    return f"\nApplied: {done}. The state has serial {serial} now."
