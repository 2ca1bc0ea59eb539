"""``hookctl events``: lists and shows accepted events and what became of them, and prints mock events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hookctl.cli.changed_event import set_option
from hookctl.cli.completion import event_types
from hookctl.cli.echo import echo
from hookctl.cli.formats import Outputs, format_option
from hookctl.cli.groups import SuggestingGroup
from hookctl.cli.moments import moment
from hookctl.cli.options import limit_option
from hookctl.cli.selection import where_option
from hookctl.cli.terminal import text_width
from hookctl.delivery.past.selection import condition
from hookctl.errors import HookctlError

if TYPE_CHECKING:
    from hookctl.cli.session import Session
    from hookctl.store.history import EventPage, StoredEvent
    from hookctl.store.interface import Store

MOST_SHOWN = 10_000
"""The largest ``--limit``."""
LOOK_AT = 100_000
"""Events that one ``list`` looks at: it takes a few seconds at most, however many are stored."""
EPILOG = """
\b
Examples:
  hookctl events list                              the newest events, and how many deliveries each has
  hookctl events list --unmatched --since 2d       what matched no webhook
  hookctl events list --type anomaly --where "data.severity == 'High'"
  hookctl events show evt_1042                     what matched it, and why the other webhooks did not
  hookctl events mock anomaly | hookctl send -     deliver a mock event
"""


@click.group("events", cls=SuggestingGroup, epilog=EPILOG)
def command() -> None:
    """Work with the events that were accepted. Each is kept for the retention time, whether or not it matched.

    `mock` prints an example of an event.
    """


@command.command("list")
@click.option("--type", "event_type", metavar="TYPE", shell_complete=event_types, help="Only events of this type.")
@click.option(
    "--since", metavar="TIME", callback=moment, help="Only events received then or later: 2h, or 2026-11-28T09:30Z."
)
@click.option("--until", metavar="TIME", callback=moment, help="Only events received before this time.")
@click.option("--id", "event_id", metavar="ID", help="Only the event with this id.")
@where_option
@click.option("--matched/--unmatched", default=None, help="Only events with a delivery, or only events without one.")
@limit_option(MOST_SHOWN)
@click.option("--before", metavar="ID", help="Only events received before the event with this id: the next page.")
@format_option()
@click.pass_obj
def list_(
    session: Session,
    *,
    event_type: str | None,
    since: float | None,
    until: float | None,
    event_id: str | None,
    where: str | None,
    matched: bool | None,
    limit: int,
    before: str | None,
    outputs: Outputs,
) -> None:
    """List events, the newest first.

    At most 100,000 events are looked at; after that, and after --limit events, standard error names the id for
    --before, with which the next page begins.
    """
    from hookctl.report.text.events import render_page_json, render_table
    from hookctl.store.history import EventFilter, EventPage

    store = session.existing_store()
    which = EventFilter(
        id=event_id, event_type=event_type, since=since, until=until, matched=matched, where=condition(where)
    )
    page = EventPage((), 0, None)
    if store:
        position = _event(store, before).position if before is not None else None
        page = store.events(which, limit, before=position, look_at=LOOK_AT)
    outputs.write(
        color=session.color,
        text=lambda color: render_table(page.events, width=text_width(), color=color),
        json=lambda: render_page_json(page),
    )
    _report_next(page, limit)


def _report_next(page: EventPage, limit: int) -> None:
    from hookctl.report.text.printable import printable

    if page.next_id is None:
        return
    what = f"Showing the newest {limit:,}" if len(page.events) == limit else f"Looked at {page.looked_at:,} events"
    echo(printable(f"{what}; for older ones, add: --before {page.next_id}"), err=True)


@command.command("show", short_help="Show one event and what it matched.")
@click.argument("event_id", metavar="ID")
@format_option()
@click.pass_obj
def show(session: Session, *, event_id: str, outputs: Outputs) -> None:
    """Show one event, what it matched, and why each other webhook did not match.

    The reason is looked up in what was applied when the event was received: the webhook was not applied yet, was
    inactive, received another event type, or a part of its `when` was false.
    """
    from hookctl.delivery.past.why import unmatched
    from hookctl.report.text.events import render_one, render_one_json
    from hookctl.store.records import Filter

    store = session.existing_store()
    if store is None:
        raise HookctlError(f"there is no event {event_id!r}: this store has no events", hint="Nothing was sent yet.")
    event = _event(store, event_id)
    deliveries = store.deliveries(Filter(event_id=event.id))
    applied, then = store.read_state(), store.routes_at(event.received_at)
    others = list(unmatched(event, {delivery.webhook for delivery in deliveries}, applied, then))
    outputs.write(
        color=session.color,
        text=lambda color: render_one(event, deliveries, others, width=text_width(), color=color),
        json=lambda: render_one_json(event, deliveries, others),
    )


@command.command("mock", short_help="Print the mock event of an event type.")
@click.argument("event_type", metavar="TYPE", shell_complete=event_types)
@set_option
@click.pass_context
def mock(ctx: click.Context, *, event_type: str, changes: tuple[str, ...]) -> None:
    """Print the mock event of an event type: on one line, as `hookctl send` reads it, and indented in a terminal."""
    import json
    import sys

    from hookctl.cli.changed_event import change, find_type
    from hookctl.cli.formats import TEXT, Output, Outputs
    from hookctl.cli.webhook_files import exit_on_errors

    session: Session = ctx.obj
    found = find_type(session, event_type)
    document, findings = change(session, found, found.mock, changes)
    exit_on_errors(ctx, session, Outputs((Output(TEXT),)), findings, warnings_to_stderr=True)
    indent = 2 if sys.stdout.isatty() else None
    echo(json.dumps(document, indent=indent, ensure_ascii=False))


def _event(store: Store, event_id: str) -> StoredEvent:
    found = store.event(event_id)
    if found is None:
        hint = "Give the complete id: `hookctl events list` shows it. Events are deleted after the retention time."
        raise HookctlError(f"there is no event {event_id!r}", hint=hint)
    return found
