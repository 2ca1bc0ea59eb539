"""``hookctl destroy``: removes every applied webhook and event type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hookctl.cli.approval import approved, asking
from hookctl.cli.commands.apply import carry_out
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option

if TYPE_CHECKING:
    from hookctl.cli.session import Session

EPILOG = """
\b
Examples:
  hookctl destroy         show what would be removed, ask for the number of webhooks, and remove them
  hookctl destroy --yes   remove them without asking: for scripts
"""


@click.command("destroy", epilog=EPILOG)
@click.option("--yes", is_flag=True, help="Remove them without asking.")
@format_option("review")
@click.option(
    "--lock-timeout",
    metavar="DURATION",
    default="0s",
    callback=seconds,
    show_default=True,
    help="Wait this long while an apply holds the lock.",
)
@click.pass_context
def command(ctx: click.Context, *, yes: bool, outputs: Outputs, lock_timeout: float) -> None:
    """Remove every applied webhook and event type: all or none. The files, events and earlier deliveries stay.

    Shows the plan, then asks for the number of webhooks. Waiting deliveries are cancelled; the plan says how many. If
    a webhook is protected, nothing is removed. Policies apply as for `apply`.
    """
    from hookctl.cli.locking import locked
    from hookctl.cli.review import review_options
    from hookctl.cli.webhook_files import is_anything_applied
    from hookctl.config.directory import CheckedDirectory
    from hookctl.config.review import review_files
    from hookctl.model.rules.plans import REMOVALS

    session: Session = ctx.obj
    if not is_anything_applied(session):
        echo("No webhook is applied, so there is nothing to remove.", err=outputs.printed != "text")
        return
    with locked(session, "destroy", lock_timeout) as lock:
        nothing = CheckedDirectory(files=(), findings=(), plans={})
        review = review_files(nothing, session.directory, session.plugins, session.store, review_options(session))
        # the limit on removals is for lost directories; here, all of them are wanted
        findings = tuple(one for one in review.plan_findings if one.rule != REMOVALS.id)
        review = replace(review, plan_findings=findings)
        count = str(len(review.plan.changes))
        if yes:
            asking(session, (), auto_approve=True)  # a protected environment must be named
        question = "To remove every webhook, type the number of webhooks."
        hint = "Review the plan, then add --yes to the same command."
        carry_out(ctx, review, lock, outputs, ask=lambda: yes or approved(question, hint=hint, wanted=count))
