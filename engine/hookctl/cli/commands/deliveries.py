"""``hookctl deliveries``: what is due, delivered and dead; one delivery whole; and once more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.options import network_options
from hookctl.model.nearest import nearest
from hookctl.report.text.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookctl.cli.session import Session
    from hookctl.model import Delivery
    from hookctl.store.interface import Store
    from hookctl.store.records import Filter

UNDELIVERED = "undelivered"
MOST_SHOWN = 1_000_000
"""The largest ``--limit``: a store holds about that many deliveries by default, and SQLite knows no number of 20 digits."""
STATUSES = ("waiting", "retrying", "held", "delivered", "dead", "cancelled", UNDELIVERED)
SHORTEST_PART = 4
"""Characters that are enough to name a delivery by, as long as no other has them."""
NAMED_BEFORE = 1000
"""How many of the newest deliveries a mistyped id is compared with."""
ALIKE = 0.7
"""How alike an id must be to an existing one, from 0 to 1, to be suggested: all ids are made of the same few characters."""

EPILOG = """
\b
Examples:
  hookctl deliveries list --status undelivered           what was never delivered
  hookctl deliveries list --status dead --since 2h       what failed for good of late
  hookctl deliveries show 2dbdf40a                       the exchange of every attempt
  hookctl deliveries replay 2dbdf40a                     once more, now
  hookctl deliveries replay --status dead --webhook SiemAnomalies
  hookctl deliveries cancel --webhook SiemAnomalies      never try what waits for it
  hookctl deliveries resume SiemAnomalies                its target said 410, and is back
"""

webhook_option = click.option("--webhook", metavar="NAME", help="Only this webhook's.")
status_option = click.option(
    "--status", type=click.Choice(STATUSES), help="Only those that stand so; undelivered: all but the delivered."
)
since_option = click.option(
    "--since", metavar="DURATION", callback=seconds, help="Only those made within this time, such as 2h."
)


@click.group("deliveries", epilog=EPILOG)
def command() -> None:
    """List, show, replay and cancel deliveries: one event on its way to one webhook each."""


@command.command("list")
@status_option
@webhook_option
@since_option
@click.option(
    "--limit", type=click.IntRange(1, MOST_SHOWN), default=50, show_default=True, help="At most so many, the newest."
)
@format_option()
@click.pass_obj
def list_(
    session: Session, *, status: str | None, webhook: str | None, since: float | None, limit: int, outputs: Outputs
) -> None:
    """Show deliveries in a table, the newest first."""
    from hookctl.report.text.deliveries import render_json, render_table

    store = session.existing_store()
    if store is None:
        outputs.write(color=False, text=lambda _: "No deliveries.\n", json=lambda: "[]\n")
        return
    found = store.deliveries(_filter(store, status, webhook, since), limit + 1)
    shown = found[:limit]
    outputs.write(
        color=session.color, text=lambda color: render_table(shown, color=color), json=lambda: render_json(shown)
    )
    if len(found) > limit:
        echo(f"There are more; these are the newest {limit}. See --limit.", err=True)


@command.command("show")
@click.argument("delivery_id", metavar="ID")
@format_option()
@click.pass_obj
def show(session: Session, *, delivery_id: str, outputs: Outputs) -> None:
    """Show one delivery and every attempt on it: request, response, timing and verdicts, secrets masked.

    ID may be any part of it, from four characters on, as long as one delivery alone has it.
    """
    from hookctl.report.text.deliveries import render_one, render_one_json

    store = session.existing_store()
    if store is None:
        raise click.ClickException(f"There is no delivery {delivery_id!r}: nothing was ever sent from here.")
    delivery = _find(store, delivery_id)
    attempts, event = store.attempts(delivery.id), store.document(delivery.id)
    outputs.write(
        color=session.color,
        text=lambda color: render_one(delivery, attempts, color=color),
        json=lambda: render_one_json(delivery, event, attempts),
    )


@command.command("replay")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@status_option
@webhook_option
@since_option
@click.option(
    "--wait",
    metavar="DURATION",
    default="30s",
    callback=seconds,
    show_default=True,
    help="Stay for retries that fall due within this time.",
)
@click.option(
    "--as-planned", is_flag=True, help="By the delivery plan of the last attempt, not by the one that is applied now."
)
@format_option()
@network_options
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    delivery_ids: tuple[str, ...],
    status: str | None,
    webhook: str | None,
    since: float | None,
    wait: float,
    as_planned: bool,
    outputs: Outputs,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver once more, now, with the same webhook-id: by the delivery plan that is applied now, or with --as-planned by the one that was used.

    Names deliveries by ID, or all that pass the filters; with --webhook or --since alone, the dead ones. The retry schedule starts afresh,
    the attempts so far stay on record. What else is due is delivered too, as `send` does. Exits 1 if one of those named is not delivered.
    """
    _refuse_unnamed(ctx, delivery_ids, filtered=bool(status or webhook or since))
    session: Session = ctx.obj
    from hookctl.cli.interrupts import catching_interrupts
    from hookctl.cli.running import GRACE, running
    from hookctl.delivery.runner.sending import deliver
    from hookctl.report.text.deliveries import render_replay, render_replay_json
    from hookctl.store.records import Filter

    with catching_interrupts() as interrupts, running(session, session.network(connect_to, cacert)) as (runner, store):
        ids = _chosen(store, delivery_ids, lambda: _filter(store, status or "dead", webhook, since))
        replayed = runner.replay(ids, as_planned=as_planned)
        deliver(runner, store, wait=wait, stopping=lambda: interrupts.requested, progress=lambda: None)
        runner.stop(GRACE)
        found = store.deliveries(Filter(ids=replayed)) if replayed else []
        store.check()
    left_alone = [name for name in ids if name not in set(replayed)]
    outputs.write(
        color=session.color,
        text=lambda color: render_replay(found, left_alone, as_planned=as_planned, color=color),
        json=lambda: render_replay_json(found, left_alone),
    )
    if interrupts.requested:
        ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(
        exit_codes.FAILED if left_alone or any(delivery.status != "delivered" for delivery in found) else exit_codes.OK
    )


@command.command("cancel")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@status_option
@webhook_option
@since_option
@format_option()
@click.pass_context
def cancel(
    ctx: click.Context,
    *,
    delivery_ids: tuple[str, ...],
    status: str | None,
    webhook: str | None,
    since: float | None,
    outputs: Outputs,
) -> None:
    """Never try these deliveries again, as far as they wait, are to be tried again or are held.

    Names deliveries by ID, or all that pass the filters. One that is being tried at this moment may still be delivered. A replay brings a
    cancelled delivery back. Exits 1 if one that was named by ID was over already.
    """
    _refuse_unnamed(ctx, delivery_ids, filtered=bool(status or webhook or since))
    from hookctl.cli.locking import who
    from hookctl.report.text.deliveries import render_cancel, render_cancel_json

    session: Session = ctx.obj
    store = session.existing_store()
    if store is None:
        raise click.ClickException("There are no deliveries: nothing was ever sent from here.")
    ids = _chosen(store, delivery_ids, lambda: _filter(store, status, webhook, since))
    cancelled = store.cancel(ids, time.time(), f"cancelled by {who()}")
    over = [name for name in ids if name not in set(cancelled)] if delivery_ids else []
    outputs.write(
        color=session.color,
        text=lambda _: render_cancel(cancelled, over),
        json=lambda: render_cancel_json(cancelled, over),
    )
    ctx.exit(exit_codes.FAILED if over else exit_codes.OK)


@command.command("resume")
@click.argument("webhook", metavar="NAME")
@click.pass_obj
def resume(session: Session, *, webhook: str) -> None:
    """Deliver again to a webhook that was suspended because its target answered 410; what was held is due at once."""
    store = session.existing_store()
    if store is None:
        raise click.ClickException(f"{webhook!r} is not suspended: nothing was ever sent from here.")
    name = _known_webhook(store, webhook, "NAME")
    if not store.resume(name):
        raise click.ClickException(f"{name!r} is not suspended.")
    echo(f"{printable(name)} is resumed. A runner delivers what was held; else `hookctl send /dev/null` does.")


def _refuse_unnamed(ctx: click.Context, ids: tuple[str, ...], *, filtered: bool) -> None:
    if ids and filtered:
        raise click.UsageError("Name deliveries by ID or by filters, not by both.", ctx)
    if not (ids or filtered):
        raise click.UsageError("Name the deliveries: by ID, or by filters such as --status dead.", ctx)


def _chosen(store: Store, ids: tuple[str, ...], which: Callable[[], Filter]) -> list[str]:
    """The ids of the deliveries that are named, each once."""
    found = [_find(store, text) for text in ids] if ids else store.deliveries(which())
    return list(dict.fromkeys(delivery.id for delivery in found))


def _filter(store: Store, status: str | None, webhook: str | None, since: float | None) -> Filter:
    from hookctl.model import DeliveryStatus
    from hookctl.store.records import Filter

    if webhook is not None:
        webhook = _known_webhook(store, webhook)
    undelivered = status == UNDELIVERED
    return Filter(
        status=DeliveryStatus(status) if status and not undelivered else None,
        webhook=webhook,
        since=None if since is None else time.time() - since,
        undelivered=undelivered,
    )


def _known_webhook(store: Store, name: str, where: str = "--webhook") -> str:
    """The name as it is spelled, whatever its case; fails for one that neither was applied nor has deliveries."""
    known = {found.casefold(): found for found in [*store.read_state().plans, *store.counts()]}
    if name.casefold() in known:
        return known[name.casefold()]
    near = nearest(name, known.values())
    raise click.BadParameter(
        f"no webhook {name!r} is applied or has deliveries.{f' Did you mean {near[0]!r}?' if near else ''}",
        param_hint=where,
    )


def _find(store: Store, text: str) -> Delivery:
    from hookctl.report.text.deliveries import SHORT_ID
    from hookctl.store.records import Filter

    part = text.lower()
    found = store.deliveries(Filter(id_part=part), 6) if len(part) >= SHORTEST_PART else []
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(delivery.id for delivery in found[:5])
        raise click.ClickException(
            f"Several deliveries have {text!r} in their id: {names}{', ...' if len(found) > 5 else ''}"
        )
    newest = {delivery.id[SHORT_ID][: len(part)]: delivery.id for delivery in store.deliveries(limit=NAMED_BEFORE)}
    near = nearest(part, newest, alike=ALIKE)
    raise click.ClickException(f"There is no delivery {text!r}.{f' Did you mean {newest[near[0]]}?' if near else ''}")
