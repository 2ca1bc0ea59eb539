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
from hookctl.cli.network_options import network_options
from hookctl.cli.only import only_option
from hookctl.errors import StalePlanError, StateError

if TYPE_CHECKING:
    from hookctl.apply import Lock
    from hookctl.cli.review import Review
    from hookctl.cli.session import Session
    from hookctl.model import Plan
    from hookctl.network import Network

EPILOG = """
\b
Examples:
  hookctl apply                    show the plan, ask, make it so
  hookctl apply --auto-approve     without asking: for CI, after a review
  hookctl apply --test             only if the targets take a test event of what is new or changed
  hookctl apply --only Siem        this webhook alone
  hookctl apply plan.json          exactly the plan that `hookctl plan --out plan.json` saved
"""


@click.command("apply", epilog=EPILOG)
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path))
@only_option
@click.option("--test", "test_first", is_flag=True, help="First send the test event of every webhook that is new or changed, and apply only if all succeed.")
@click.option("--allow-removals", is_flag=True, help="Also apply a plan that removes or deactivates many webhooks at once.")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@format_option(*ALL)
@click.option(
    "--lock-timeout", metavar="DURATION", default="0s", callback=seconds, show_default=True, help="Wait this long while another apply holds the lock."
)
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    planfile: Path | None,
    *,
    only: tuple[str, ...],
    test_first: bool,
    allow_removals: bool,
    auto_approve: bool,
    outputs: Outputs,
    lock_timeout: float,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Show the plan, ask, and make it so, in one step: all of it or nothing.

    With PLANFILE, exactly the plan that was saved is applied; if anything was applied since, it is stale and refused.

    A lock keeps other applies away from the reading of what is applied until the answer is given and all is done. A plan that removes
    or deactivates many webhooks at once is shown and refused without --allow-removals. With --test, test events are sent after the plan
    is shown and before the question; webhooks that are or go inactive are not tested.
    """
    from hookctl.cli.checked import checked_directory
    from hookctl.cli.locking import locked
    from hookctl.cli.review import Scope, review_checked, review_saved

    if planfile and only:
        raise click.UsageError("A saved plan says itself which webhooks it is for: --only goes with the files.")
    session: Session = ctx.obj
    network = session.network(connect_to, cacert) if test_first else None
    if planfile:
        review_now = partial(review_saved, session, _saved(session, planfile))
    else:
        checked = checked_directory(ctx, session, outputs, warnings_to_stderr=outputs.printed != "text")
        review_now = partial(review_checked, session, checked, scope=Scope(only))
    with locked(session, "apply", lock_timeout) as lock:
        review = review_now() if allow_removals else review_now().refusing_removals()
        _apply(ctx, review, lock, outputs, network=network, auto_approve=auto_approve)


def _apply(ctx: click.Context, review: Review, lock: Lock, outputs: Outputs, *, network: Network | None, auto_approve: bool) -> None:
    from hookctl.apply import AppliedStore
    from hookctl.cli.review import write_review
    from hookctl.cli.running import opened_queue

    session: Session = ctx.obj
    write_review(ctx, session, outputs, review)
    if review.refused:
        ctx.exit(exit_codes.FAILED)
    not_text = outputs.printed != "text"
    store = AppliedStore(session.store_path)
    store.check(review.plan)
    if not review.plan.has_changes and not review.has_drift:
        return
    if network:
        _test(ctx, session, review.plan, network, to_stderr=not_text)
    if not auto_approve and not _approved():
        click.echo("Nothing was applied.", err=not_text)
        ctx.exit(exit_codes.FAILED)
    applied = store.apply(review.plan, applied_by=lock.who, lock_id=lock.id)
    click.echo(_done(review, applied.serial), err=not_text)
    with opened_queue(session.store_path) as queue:
        queue.reconcile(applied)  # now, and not when the next delivery runs


def _test(ctx: click.Context, session: Session, plan: Plan, network: Network, *, to_stderr: bool) -> None:
    """Send the test event of every webhook that the plan makes different and that is active then. A failure ends the command."""
    from hookctl.cli.trying import try_now
    from hookctl.model import Status
    from hookctl.report.trials import render_text

    different = [change.after for change in plan.changes if change.after and change.fields and change.after.status is Status.ACTIVE]
    if not different:
        return
    trials, interrupted = try_now(session, [(one, session.plugins.event_types[one.event].mock) for one in different], network)
    click.echo("\n" + render_text(trials, show_invocation=False, color=session.color), nl=False, err=to_stderr, color=session.color)
    if interrupted or not all(trial.succeeded for trial in trials):
        click.echo("Nothing was applied.", err=to_stderr)
        ctx.exit(exit_codes.INTERRUPTED if interrupted else exit_codes.FAILED)


def _saved(session: Session, path: Path) -> Plan:
    """The saved plan, if the same hookctl and plugins made it that would carry it out."""
    from hookctl.cli.plan_file import load_plan
    from hookctl.pipeline import tool_versions

    plan = load_plan(path)
    if plan.against:
        raise StateError(
            f"the plan compares with the git revision {plan.against.ref!r} and not with what is applied, so it cannot be applied",
            hint="Save one with `hookctl plan --out FILE`.",
        )
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
