"""``hookctl backfill``: makes the deliveries to a webhook that were never made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.bulk import audit_entry, confirmed, reason_option, yes_option
from hookctl.cli.completion import webhook_names
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.moments import moment
from hookctl.cli.selection import where_option
from hookctl.cli.terminal import text_width
from hookctl.delivery.past.selection import condition
from hookctl.errors import IntakeRefusedError, StalePlanError, StateError
from hookctl.report.text.printable import printable
from hookctl.report.text.selection import quoted

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.delivery.past.backfill import Missed
    from hookctl.model import DeliveryPlan
    from hookctl.store.interface import Store

EPILOG = """
\b
Examples:
  hookctl backfill SiemAnomalies --since 3d
  hookctl backfill SiemAnomalies --since 2026-11-27T18:00Z --until 2026-11-28
  hookctl backfill SiemAnomalies --since 3d --where "data.severity == 'High'"
  hookctl backfill SiemAnomalies --since 3d --yes --reason "was inactive by mistake"
"""


@click.command("backfill", epilog=EPILOG)
@click.argument("webhook", metavar="WEBHOOK", shell_complete=webhook_names)
@click.option(
    "--since",
    metavar="TIME",
    required=True,
    callback=moment,
    help="Only events received then or later: 2h, or 2026-11-28T09:30Z.",
)
@click.option("--until", metavar="TIME", callback=moment, help="Only events received before this time.")
@where_option
@yes_option
@reason_option
@format_option()
@click.pass_context
def command(
    ctx: click.Context,
    *,
    webhook: str,
    since: float,
    until: float | None,
    where: str | None,
    yes: bool,
    reason: str | None,
    outputs: Outputs,
) -> None:
    """Make the deliveries to WEBHOOK that were never made.

    These are of events that are still stored, that match the webhook as it is applied now, and that have no delivery to
    it: it was inactive, not applied yet, or had another `when`. An event is never delivered twice by this, however
    often it runs. To repeat a delivery, use `hookctl deliveries replay`.

    The number of events and five of them are shown, and you are asked to confirm. At most 100,000 deliveries are made
    at a time, those of the newest events. `hookctl run` sends them, or the next `hookctl send`.
    """
    from hookctl.cli.safety import limits_of_store
    from hookctl.delivery.past.backfill import find_missed, make
    from hookctl.delivery.past.bulk import MOST, SAMPLE
    from hookctl.report.text.events import Backfilled, render_backfill, render_backfill_json

    session: Session = ctx.obj
    max_waiting = limits_of_store(session).max_waiting
    store, plan = _active(session, webhook)
    missed = find_missed(
        store,
        plan,
        since=since,
        until=until,
        where=condition(where),
        limit=MOST,
        sample=SAMPLE,
        progress=lambda looked_at: session.progress.update(lambda: f"{looked_at:,} events looked at"),
    )
    session.progress.clear()
    if missed.ids and not _confirmed(session, plan, missed, yes=yes):
        echo("No delivery was made.", err=True)
        ctx.exit(exit_codes.FAILED)
    made = 0
    audit = audit_entry("backfill", _what(plan.name, since, until, where), reason)
    try:
        for count in make(store, plan, missed, clock=time.time, max_waiting=max_waiting, audit=audit):
            made += count
    except IntakeRefusedError as error:
        message = f"{made:,} of {len(missed.ids):,} deliveries were made: {error.message}"
        raise IntakeRefusedError(message, hint=f"{error.hint} Then run the same command again.") from error
    except StalePlanError as error:
        message = f"{made:,} of {len(missed.ids):,} deliveries were made: {error.message}"
        raise StalePlanError(message, hint=error.hint) from error
    done = Backfilled(plan.name, missed.looked_at, len(missed.ids), made, missed.has_more)
    outputs.write(color=session.color, text=lambda _: render_backfill(done), json=lambda: render_backfill_json(done))


def _active(session: Session, name: str) -> tuple[Store, DeliveryPlan]:
    """The store, and the delivery plan of an applied, active webhook, whatever the case of its name."""
    from hookctl.model import AppliedState, Status
    from hookctl.model.nearest import unknown_webhook

    store = session.existing_store()
    state = store.read_state() if store else AppliedState()
    found = next((plan for known, plan in state.plans.items() if known.casefold() == name.casefold()), None)
    if store is None or found is None:
        raise unknown_webhook(name, state.plans)
    if found.status is Status.INACTIVE:
        hint = "Set `status: active` in its file and apply that first."
        raise StateError(f"the webhook {found.name} is inactive, so nothing can be sent to it", hint=hint)
    return store, found


def _confirmed(session: Session, plan: DeliveryPlan, missed: Missed, *, yes: bool) -> bool:
    from hookctl.delivery.past.bulk import SAMPLE
    from hookctl.model.quantities import counted
    from hookctl.report.text.events import render_table

    count = len(missed.ids)
    first = f", the newest {SAMPLE} of them" if count > SAMPLE else ""
    only = f"The newest {count:,} of more events" if missed.has_more else counted(count, "event")
    heading = (
        f"{only} of {missed.looked_at:,} would now match {printable(plan.name)} and have no delivery to it{first}:"
    )
    table = render_table(missed.newest, width=text_width(err=True), color=session.color)
    deliveries = "the delivery" if count == 1 else f"{count:,} deliveries"
    return confirmed(heading, table, f"Make {deliveries}?", yes=yes)


def _what(name: str, since: float, until: float | None, where: str | None) -> str:
    from hookctl.report.text.moments import iso

    options = [f"--since {iso(since)}", f"--until {iso(until)}" if until is not None else ""]
    return " ".join([quoted(name), *filter(None, options), *([f"--where {quoted(where)}"] if where else [])])
