"""Kept events as a table, one event with what became of it, and the results of a backfill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hookctl.delivery.past.why import Unmatched, Why
from hookctl.model import Delivery, DeliveryStatus, Json
from hookctl.model.quantities import counted
from hookctl.report.style import STATUS_COLORS
from hookctl.report.text.columns import paragraph
from hookctl.report.text.deliveries import DUE
from hookctl.report.text.moments import shown
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table
from hookctl.store.history import EventPage, StoredEvent

HEADINGS = ("ID", "TYPE", "RECEIVED", "DELIVERIES")
DELIVERED_HEADINGS = ("WEBHOOK", "STATUS", "DELIVERY", "ATTEMPTS", "REASON")
UNMATCHED_HEADINGS = ("WEBHOOK", "WHY")
MOST_ROWS = 100
"""The most webhooks that text lists in one table; JSON has all of them."""
NAMED = 12
"""The most webhooks of another type that are named."""
TEXTS = {
    Why.NOT_APPLIED: "not applied yet when the event was received",
    Why.INACTIVE: "inactive when the event was received",
    Why.WHEN_FALSE: "this part of `when` was false: {detail}",
    Why.UNKNOWN: "unknown: it would have matched, by what is recorded",
}
"""What each reason reads as; :attr:`Why.OTHER_TYPE` is counted instead."""


def render_table(events: Sequence[StoredEvent], *, width: int = 0, color: bool) -> str:
    """A row for each event, in the order given. ``width`` is the terminal's, in columns; 0 for unlimited."""
    if not events:
        return "No events.\n"
    rows: list[tuple[Cell, ...]] = [
        (printable(one.id), printable(one.event_type), shown(one.received_at), _counts(one)) for one in events
    ]
    return "\n".join(table(rows, headings=HEADINGS, width=width, color=color)) + "\n"


def render_page_json(page: EventPage) -> str:
    """A page of events as JSON."""
    document: Json = {
        "events": [_fields(event) for event in page.events],
        "looked_at": page.looked_at,
        "next": page.next_id,
    }
    return json_text(document) + "\n"


def render_one(
    event: StoredEvent, deliveries: Sequence[Delivery], unmatched: Sequence[Unmatched], *, width: int = 0, color: bool
) -> str:
    """One event: the deliveries of it, why each other webhook has none, and the event itself."""
    lines = [
        f"Event {printable(event.id)}",
        f"  type      {printable(event.event_type)}",
        f"  happened  {shown(event.event_time)}",
        f"  received  {shown(event.received_at)}",
        "",
    ]
    if deliveries:
        rows = [_delivery_row(one) for one in deliveries[:MOST_ROWS]]
        lines += [f"Matched {counted(len(deliveries), 'webhook')}:", ""]
        lines += [*table(rows, headings=DELIVERED_HEADINGS, indent=2, width=width, color=color)]
        lines += [*_more(len(deliveries)), ""]
    else:
        lines += ["Matched no webhook.", ""]
    same_type = [one for one in unmatched if one.why is not Why.OTHER_TYPE]
    if same_type:
        pairs = [(printable(one.webhook), why_text(one)) for one in same_type[:MOST_ROWS]]
        lines += [f"Did not match {counted(len(same_type), 'webhook')}:", ""]
        lines += [*table(pairs, headings=UNMATCHED_HEADINGS, indent=2, width=width, color=color)]
        lines += [*_more(len(same_type)), ""]
    others = [printable(one.webhook) for one in unmatched if one.why is Why.OTHER_TYPE]
    if others:
        more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
        receive = "receives" if len(others) == 1 else "receive"
        text = f"{counted(len(others), 'webhook')} {receive} another event type: {', '.join(others[:NAMED])}{more}"
        lines += [paragraph(text, width), ""]
    return "\n".join([*lines, json_text(dict(event.document))]) + "\n"


def render_one_json(event: StoredEvent, deliveries: Sequence[Delivery], unmatched: Sequence[Unmatched]) -> str:
    """The same as JSON."""
    document: dict[str, Json] = {
        **_fields(event),
        "event": dict(event.document),
        "matched": [
            {
                "webhook": one.webhook,
                "delivery": one.id,
                "status": one.status.value,
                "attempts": one.attempts,
                "due_at": one.due_at if one.status in DUE else None,
                "reason": one.reason,
            }
            for one in deliveries
        ],
        "unmatched": [{"webhook": one.webhook, "why": str(one.why), "detail": one.detail or None} for one in unmatched],
    }
    return json_text(document) + "\n"


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill found and made."""

    webhook: str
    looked_at: int
    missed: int
    made: int
    has_more: bool
    """There are more events, all of them older than those."""


def render_backfill(done: Backfilled) -> str:
    """The result of a backfill for people."""
    looked = counted(done.looked_at, "event of its type", "events of its type")
    if not done.missed:
        return f"Nothing to send: of {looked} in that time, {printable(done.webhook)} missed none.\n"
    lines = [f"{counted(done.made, 'delivery', 'deliveries')} made for {printable(done.webhook)}."]
    if done.made < done.missed:
        lines.append(f"{done.missed - done.made:,} were made by another process, or their events were deleted.")
    if done.has_more:
        lines.append("Older events are left: run the same command again.")
    if done.made:
        lines.append("`hookctl run` sends them. If it is not running, use `hookctl send /dev/null`.")
    return "\n".join(lines) + "\n"


def render_backfill_json(done: Backfilled) -> str:
    """The result of a backfill as JSON."""
    document: Json = {
        "webhook": done.webhook,
        "looked_at": done.looked_at,
        "missed": done.missed,
        "made": done.made,
        "has_more": done.has_more,
    }
    return json_text(document) + "\n"


def _fields(event: StoredEvent) -> dict[str, Json]:
    return {
        "id": event.id,
        "event_type": event.event_type,
        "event_time": event.event_time,
        "received_at": event.received_at,
        "deliveries": {status.value: count for status, count in event.deliveries.items()},
    }


def _counts(event: StoredEvent) -> str:
    found = [f"{event.deliveries[status]:,} {status.value}" for status in DeliveryStatus if status in event.deliveries]
    return ", ".join(found) or "none"


def _delivery_row(delivery: Delivery) -> tuple[Cell, ...]:
    return (
        printable(delivery.webhook),
        (delivery.status.value, STATUS_COLORS.get(delivery.status, "")),
        delivery.id,
        str(delivery.attempts),
        printable(delivery.reason),
    )


def why_text(one: Unmatched) -> str:
    """Why a webhook has no delivery of an event; not for :attr:`Why.OTHER_TYPE`."""
    text = TEXTS[one.why].format(detail=printable(one.detail))
    return f"{text}: {printable(one.detail)}" if one.why is Why.UNKNOWN and one.detail else text


def _more(count: int) -> list[str]:
    return [f"  ... and {count - MOST_ROWS:,} more: see --format json"] if count > MOST_ROWS else []
