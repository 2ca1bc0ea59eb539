"""``hookctl deliveries``: lists, shows, replays and cancels deliveries."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.bulk import audit_entry, confirmed_deliveries, reason_option, yes_option
from hookctl.cli.completion import delivery_ids, webhook_names
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.options import limit_option, network_options
from hookctl.cli.selection import filter_options
from hookctl.cli.terminal import text_width
from hookctl.delivery.past.selection import Selection, known_webhook
from hookctl.errors import HookctlError
from hookctl.model.nearest import nearest
from hookctl.report.text.printable import printable
from hookctl.report.text.selection import options_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hookctl.cli.session import Session
    from hookctl.model import Delivery, DeliveryStatus
    from hookctl.store.interface import Store
    from hookctl.store.records import Filter

MOST_SHOWN = 1_000_000
"""The largest ``--limit``: about as many as a store holds by default, and small enough for a 64-bit integer."""
SHORTEST_PART = 4
"""The fewest characters of an id that name a delivery."""
NAMED_BEFORE = 1000
"""The number of newest deliveries that a mistyped id is compared with."""
ALIKE = 0.7
"""How similar an id must be, from 0 to 1, to be suggested. Ids share few characters, so many are rather similar."""

NO_STORE = "Nothing has been sent yet, or --store points to a different store."

EPILOG = """
\b
Examples:
  hookctl deliveries list --status undelivered           everything that is not delivered
  hookctl deliveries list --status dead --since 2h       what failed for good in the last two hours
  hookctl deliveries list --cause 401 --where "data.severity == 'High'"
  hookctl deliveries show 2dbdf40a                       the exchange of every attempt
  hookctl deliveries replay 2dbdf40a                     deliver it again, now
  hookctl deliveries replay --status dead --webhook SiemAnomalies --reason "rotated key"
  hookctl deliveries cancel --webhook SiemAnomalies      stop trying to deliver to it
  hookctl deliveries resume SiemAnomalies                end the hold of a webhook
"""


@click.group("deliveries", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Work with deliveries. A delivery is one event for one webhook."""


@command.command("list")
@filter_options
@limit_option(MOST_SHOWN)
@format_option()
@click.pass_obj
def list_(session: Session, *, selection: Selection, limit: int, outputs: Outputs) -> None:
    """List deliveries, the newest first."""
    from hookctl.report.text.deliveries import render_json, render_table

    store = session.existing_store()
    if store is None:
        outputs.write(color=False, text=lambda _: "No deliveries.\n", json=lambda: "[]\n")
        return
    found = store.deliveries(selection.filter(store), limit + 1)
    shown = found[:limit]
    outputs.write(
        color=session.color,
        text=lambda color: render_table(shown, store.holds(), width=text_width(), color=color),
        json=lambda: render_json(shown),
    )
    if len(found) > limit:
        echo(f"Showing the newest {limit:,}; use --limit for more.", err=True)


@command.command("show")
@click.argument("delivery_id", metavar="ID", shell_complete=delivery_ids)
@format_option()
@click.pass_obj
def show(session: Session, *, delivery_id: str, outputs: Outputs) -> None:
    """Show one delivery and its attempts.

    For each attempt: request, response, timing and verdicts, with secrets masked.

    ID may be any unique part of the id, at least four characters long.
    """
    from hookctl.report.text.deliveries import render_one, render_one_json

    store = session.existing_store()
    if store is None:
        raise HookctlError(f"there is no delivery {delivery_id!r}: this store has no deliveries", hint=NO_STORE)
    delivery = _find(store, delivery_id)
    attempts, event = store.attempts(delivery.id), store.document(delivery.id)
    outputs.write(
        color=session.color,
        text=lambda color: render_one(delivery, attempts, store.holds(), color=color),
        json=lambda: render_one_json(delivery, event, attempts),
    )


@command.command("replay")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1, shell_complete=delivery_ids)
@filter_options
@yes_option
@reason_option
@click.option(
    "--wait",
    metavar="DURATION",
    default="30s",
    callback=seconds,
    show_default=True,
    help="Also wait for retries that are due within this time.",
)
@click.option(
    "--as-planned",
    is_flag=True,
    help="Use the delivery plan of the last attempt instead of the one that is applied now.",
)
@format_option()
@network_options
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    delivery_ids: tuple[str, ...],
    selection: Selection,
    yes: bool,
    reason: str | None,
    wait: float,
    as_planned: bool,
    outputs: Outputs,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver again, now, with the same webhook-id.

    Select deliveries by ID or with filters; filters without --status select dead deliveries, at most 100,000 at a time.
    With filters, the number of deliveries and five of them are shown, and you are asked to confirm. The retry schedule
    starts again, and earlier attempts stay on record. If `hookctl run` is running on the store, it makes the attempts.
    Otherwise this command does, and delivers others that are due too, as `hookctl send` does. Exits 1 if a selected
    delivery is not delivered.
    """
    _refuse_unnamed(ctx, delivery_ids, filtered=selection.is_given)
    session: Session = ctx.obj
    from hookctl.cli.replaying import replay_now
    from hookctl.cli.running import while_busy
    from hookctl.delivery.past.bulk import named_deliveries
    from hookctl.model import DeliveryStatus
    from hookctl.report.text.deliveries import render_replay, render_replay_json

    while_busy(session.existing_store, lambda: False)
    which = partial(selection.filter, default=(DeliveryStatus.DEAD,))
    chosen = _chosen(session, delivery_ids, which, action="Replay", yes=yes)
    if chosen is None:
        echo("Nothing was replayed.", err=True)
        ctx.exit(exit_codes.FAILED)
    ids, statuses = chosen
    audit = audit_entry("replay", named_deliveries(ids) if delivery_ids else options_text(selection), reason)
    network = partial(session.network, connect_to, cacert)
    done = replay_now(session, network, ids, wait=wait, as_planned=as_planned, statuses=statuses, audit=audit)
    of = f" of {printable(selection.webhook)}" if selection.webhook else ""
    is_clear = ids or selection.status
    nothing = "Nothing to replay." if is_clear else f"No dead deliveries{of} match. Use --status to select others."
    outputs.write(
        color=session.color,
        text=lambda color: render_replay(
            done.found,
            done.left_alone,
            done.holds,
            nothing=nothing,
            as_planned=as_planned,
            width=text_width(),
            color=color,
        ),
        json=lambda: render_replay_json(done.found, done.left_alone),
    )
    if done.interrupted:
        ctx.exit(exit_codes.INTERRUPTED)
    is_delivered = not done.left_alone and all(delivery.status == "delivered" for delivery in done.found)
    ctx.exit(exit_codes.OK if is_delivered else exit_codes.FAILED)


@command.command("cancel")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1, shell_complete=delivery_ids)
@filter_options
@yes_option
@reason_option
@format_option()
@click.pass_context
def cancel(
    ctx: click.Context,
    *,
    delivery_ids: tuple[str, ...],
    selection: Selection,
    yes: bool,
    reason: str | None,
    outputs: Outputs,
) -> None:
    """Stop trying deliveries that are waiting, retrying or held.

    Select deliveries by ID or with filters, at most 100,000 at a time. With filters, the number of deliveries and five
    of them are shown, and you are asked to confirm. A delivery in flight may still be delivered. A cancelled delivery
    can be replayed. Exits 1 if a delivery that was selected by ID had already ended.
    """
    _refuse_unnamed(ctx, delivery_ids, filtered=selection.is_given)
    from hookctl.delivery.past.batches import batches
    from hookctl.delivery.past.bulk import cancel_reason, named_deliveries
    from hookctl.report.text.deliveries import render_cancel, render_cancel_json
    from hookctl.store.records import UNENDED

    session: Session = ctx.obj
    store = session.existing_store()
    if store is None:
        raise HookctlError("this store has no deliveries", hint=NO_STORE)
    which = partial(selection.filter, default=UNENDED, among=UNENDED)
    chosen = _chosen(session, delivery_ids, which, action="Cancel", yes=yes)
    if chosen is None:
        echo("Nothing was cancelled.", err=True)
        ctx.exit(exit_codes.FAILED)
    ids, statuses = chosen
    audit = audit_entry("cancel", named_deliveries(ids) if delivery_ids else options_text(selection), reason)
    why = cancel_reason(audit)
    stop = partial(store.cancel, now=time.time(), reason=why, statuses=statuses or UNENDED, audit=audit)
    cancelled = [name for batch in batches(ids) for name in stop(batch)]
    over = _rest(store, ids, cancelled) if delivery_ids else []
    outputs.write(
        color=session.color,
        text=lambda _: render_cancel(cancelled, over),
        json=lambda: render_cancel_json(cancelled, over),
    )
    ctx.exit(exit_codes.FAILED if over else exit_codes.OK)


@command.command("resume")
@click.argument("webhook", metavar="NAME", shell_complete=webhook_names)
@reason_option
@click.pass_obj
def resume(session: Session, *, webhook: str, reason: str | None) -> None:
    """End the hold of a webhook. Its held deliveries are then due at once.

    A webhook is held when its target answers 401, 403 or 410, or as its `outcomes` say. The hold also ends when one of
    its secrets changes, and with an apply that changes it. `hookctl list` shows which webhooks are held, and why.
    """
    store = session.existing_store()
    if store is None:
        raise HookctlError(f"{webhook!r} is not held: this store has no deliveries", hint=NO_STORE)
    name = known_webhook(store, webhook)
    if not store.resume(name, audit_entry("resume", name, reason)):
        raise HookctlError(
            f"{name!r} is not held", hint="`hookctl list` shows which webhooks are, and which are inactive."
        )
    echo(
        f"{printable(name)} is resumed. `hookctl run` delivers what was held. "
        "If it is not running, use `hookctl send /dev/null`."
    )


def _refuse_unnamed(ctx: click.Context, ids: tuple[str, ...], *, filtered: bool) -> None:
    if ids and filtered:
        raise click.UsageError("Select deliveries by ID or with filters, not both.", ctx)
    if not (ids or filtered):
        raise click.UsageError("Select deliveries by ID, or with filters such as --status dead.", ctx)


def _chosen(
    session: Session,
    ids: tuple[str, ...],
    which: Callable[[Store], Filter],
    *,
    action: str,
    yes: bool,
) -> tuple[list[str], Collection[DeliveryStatus] | None] | None:
    """The ids of the selected deliveries, each once, and the statuses by which filters selected them.

    None if the user does not confirm what filters selected. Until then, other processes may change their statuses.
    """
    from hookctl.delivery.past.bulk import MOST

    store = session.existing_store()
    if store is None:
        return [], None
    if ids:
        return list(dict.fromkeys(_find(store, text).id for text in ids)), None
    selected = which(store)
    found = store.deliveries(selected, MOST + 1)
    has_more = len(found) > MOST
    found = found[:MOST]
    if found and not confirmed_deliveries(found, action, has_more=has_more, yes=yes, color=session.color):
        return None
    return [delivery.id for delivery in found], selected.statuses


def _rest(store: Store, ids: list[str], cancelled: list[str]) -> list[Delivery]:
    from hookctl.store.records import Filter

    known = set(cancelled)
    rest = [name for name in ids if name not in known]
    return store.deliveries(Filter(ids=rest)) if rest else []


def _find(store: Store, text: str) -> Delivery:
    from hookctl.report.text.deliveries import SHORT_ID
    from hookctl.store.records import Filter

    part = text.lower()
    found = store.deliveries(Filter(id_part=part), 6) if len(part) >= SHORTEST_PART else []
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join([*(delivery.id for delivery in found[:5]), *(["..."] if len(found) > 5 else [])])
        hint = f"Give more characters of the id. These match: {names}"
        raise HookctlError(f"several deliveries have {text!r} in their id", hint=hint)
    newest = {delivery.id[SHORT_ID][: len(part)]: delivery.id for delivery in store.deliveries(limit=NAMED_BEFORE)}
    close = nearest(part, newest, alike=ALIKE)
    if len(part) < SHORTEST_PART:
        hint = f"Give at least {SHORTEST_PART} characters of the id."
    else:
        hint = f"Did you mean {newest[close[0]]}?" if close else "`hookctl deliveries list` shows the ids."
    raise HookctlError(f"there is no delivery {text!r}", hint=hint)
