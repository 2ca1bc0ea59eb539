"""``hookctl deliveries``: lists, shows, replays and cancels deliveries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hookctl.cli import exit_codes
from hookctl.cli.completion import delivery_ids, webhook_names
from hookctl.cli.durations import seconds
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.options import network_options
from hookctl.cli.terminal import text_width
from hookctl.errors import HookctlError
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
"""The largest ``--limit``: about as many as a store holds by default, and small enough for a 64-bit integer."""
STATUSES = ("waiting", "retrying", "held", "delivered", "dead", "cancelled", UNDELIVERED)
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
  hookctl deliveries show 2dbdf40a                       the exchange of every attempt
  hookctl deliveries replay 2dbdf40a                     deliver it again, now
  hookctl deliveries replay --status dead --webhook SiemAnomalies
  hookctl deliveries cancel --webhook SiemAnomalies      stop trying to deliver to it
  hookctl deliveries resume SiemAnomalies                deliver again to a target that answered 410
"""

webhook_option = click.option(
    "--webhook", metavar="NAME", shell_complete=webhook_names, help="Only deliveries to this webhook."
)
status_option = click.option(
    "--status",
    type=click.Choice(STATUSES),
    help="Only deliveries with this status; undelivered means every status except delivered.",
)
since_option = click.option(
    "--since", metavar="DURATION", callback=seconds, help="Only deliveries created within this time, such as 2h."
)


@click.group("deliveries", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Work with deliveries. A delivery is one event for one webhook."""


@command.command("list")
@status_option
@webhook_option
@since_option
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_SHOWN),
    default=50,
    show_default=True,
    help="Show at most this many, the newest ones.",
)
@format_option()
@click.pass_obj
def list_(
    session: Session, *, status: str | None, webhook: str | None, since: float | None, limit: int, outputs: Outputs
) -> None:
    """List deliveries, the newest first."""
    from hookctl.report.text.deliveries import render_json, render_table

    store = session.existing_store()
    if store is None:
        outputs.write(color=False, text=lambda _: "No deliveries.\n", json=lambda: "[]\n")
        return
    found = store.deliveries(_filter(store, status, webhook, since), limit + 1)
    shown = found[:limit]
    outputs.write(
        color=session.color,
        text=lambda color: render_table(shown, width=text_width(), color=color),
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
        text=lambda color: render_one(delivery, attempts, color=color),
        json=lambda: render_one_json(delivery, event, attempts),
    )


@command.command("replay")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1, shell_complete=delivery_ids)
@status_option
@webhook_option
@since_option
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
    status: str | None,
    webhook: str | None,
    since: float | None,
    wait: float,
    as_planned: bool,
    outputs: Outputs,
    connect_to: tuple[str, ...],
    cacert: str | None,
) -> None:
    """Deliver again, now, with the same webhook-id.

    Select deliveries by ID or with filters; --webhook or --since without --status selects dead deliveries. The retry
    schedule starts again, and earlier attempts stay on record. Other deliveries that are due are delivered too, as with
    `hookctl send`. Exits 1 if a selected delivery is not delivered.
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
    of = f" of {printable(webhook)}" if webhook else ""
    nothing = "Nothing to replay." if ids or status else f"No dead deliveries{of}. Use --status to select others."
    outputs.write(
        color=session.color,
        text=lambda color: render_replay(
            found, left_alone, nothing=nothing, as_planned=as_planned, width=text_width(), color=color
        ),
        json=lambda: render_replay_json(found, left_alone),
    )
    if interrupts.requested:
        ctx.exit(exit_codes.INTERRUPTED)
    ctx.exit(
        exit_codes.FAILED if left_alone or any(delivery.status != "delivered" for delivery in found) else exit_codes.OK
    )


@command.command("cancel")
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1, shell_complete=delivery_ids)
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
    """Stop trying deliveries that are waiting, retrying or held.

    Select deliveries by ID or with filters. A delivery in flight may still be delivered. A cancelled delivery can be
    replayed. Exits 1 if a delivery that was selected by ID had already ended.
    """
    _refuse_unnamed(ctx, delivery_ids, filtered=bool(status or webhook or since))
    from hookctl.cli.locking import who
    from hookctl.report.text.deliveries import render_cancel, render_cancel_json

    session: Session = ctx.obj
    store = session.existing_store()
    if store is None:
        raise HookctlError("this store has no deliveries", hint=NO_STORE)
    ids = _chosen(store, delivery_ids, lambda: _filter(store, status, webhook, since))
    cancelled = store.cancel(ids, time.time(), f"cancelled by {who()}")
    over = _rest(store, ids, cancelled) if delivery_ids else []
    outputs.write(
        color=session.color,
        text=lambda _: render_cancel(cancelled, over),
        json=lambda: render_cancel_json(cancelled, over),
    )
    ctx.exit(exit_codes.FAILED if over else exit_codes.OK)


@command.command("resume")
@click.argument("webhook", metavar="NAME", shell_complete=webhook_names)
@click.pass_obj
def resume(session: Session, *, webhook: str) -> None:
    """Resume a suspended webhook.

    A webhook is suspended when its target answers 410. Its held deliveries are then due at once.
    """
    store = session.existing_store()
    if store is None:
        raise HookctlError(f"{webhook!r} is not suspended: this store has no deliveries", hint=NO_STORE)
    name = _known_webhook(store, webhook)
    if not store.resume(name):
        raise HookctlError(f"{name!r} is not suspended", hint="`hookctl list` shows which webhooks are.")
    echo(
        f"{printable(name)} is resumed. `hookctl run` delivers what was held. "
        "If it is not running, use `hookctl send /dev/null`."
    )


def _refuse_unnamed(ctx: click.Context, ids: tuple[str, ...], *, filtered: bool) -> None:
    if ids and filtered:
        raise click.UsageError("Select deliveries by ID or with filters, not both.", ctx)
    if not (ids or filtered):
        raise click.UsageError("Select deliveries by ID, or with filters such as --status dead.", ctx)


def _chosen(store: Store, ids: tuple[str, ...], which: Callable[[], Filter]) -> list[str]:
    """The ids of the selected deliveries, each once."""
    found = [_find(store, text) for text in ids] if ids else store.deliveries(which())
    return list(dict.fromkeys(delivery.id for delivery in found))


def _rest(store: Store, ids: list[str], cancelled: list[str]) -> list[Delivery]:
    from hookctl.store.records import Filter

    rest = [name for name in ids if name not in set(cancelled)]
    return store.deliveries(Filter(ids=rest)) if rest else []


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


def _known_webhook(store: Store, name: str) -> str:
    """The name as it is spelled, whatever its case.

    Raises HookctlError for one that is not applied and has no deliveries.
    """
    from hookctl.model.nearest import unknown_webhook

    known = {found.casefold(): found for found in [*store.read_state().plans, *store.counts()]}
    if name.casefold() in known:
        return known[name.casefold()]
    raise unknown_webhook(name, known.values())


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
