"""Deliveries as a table, one delivery with its attempts, and the results of replays and cancellations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from hookctl.model import Attempt, Delivery, DeliveryStatus, Json
from hookctl.report.style import STATUS_COLORS, styled
from hookctl.report.text.columns import paragraph
from hookctl.report.text.holds import how_to_release
from hookctl.report.text.invocation import attempt_json, render_attempt
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table
from hookctl.store.records import Hold

HEADINGS = ("ID", "STATUS", "WEBHOOK", "EVENT", "ATTEMPTS", "CREATED", "NEXT ATTEMPT", "REASON")
SHORT_ID = slice(16, 28)
"""The part of an id that a table shows, after its time; it is enough to select a delivery on the command line."""
DUE = (DeliveryStatus.WAITING, DeliveryStatus.RETRYING)
ENDED = {
    DeliveryStatus.DELIVERED: "was already delivered",
    DeliveryStatus.DEAD: "is already dead",
    DeliveryStatus.CANCELLED: "was already cancelled",
}
MOST_LEFT_ALONE = 10
"""The most deliveries that a replay names because it left them alone; of more, it says how many they are."""


def render_table(
    deliveries: Sequence[Delivery], holds: Mapping[str, Hold] | None = None, *, width: int = 0, color: bool
) -> str:
    """A row for each delivery, in the order given; then what releases held ones, if ``holds`` is given.

    ``width`` is the terminal's, in columns; 0 for unlimited.
    """
    if not deliveries:
        return "No deliveries.\n"
    rows = [_row(delivery) for delivery in deliveries]
    release = [] if holds is None else how_to_release(deliveries, holds)
    lines = table(rows, headings=HEADINGS, width=width, color=color)
    return "\n".join([*lines, *([""] if release else []), *(paragraph(line, width) for line in release)]) + "\n"


def render_json(deliveries: Sequence[Delivery]) -> str:
    """The deliveries as JSON: a list of objects."""
    return json_text([_fields(delivery) for delivery in deliveries]) + "\n"


def render_one(
    delivery: Delivery, attempts: Sequence[Attempt], holds: Mapping[str, Hold] | None = None, *, color: bool
) -> str:
    """One delivery, and the invocation data of every attempt on it; for a held one, what releases it."""
    status = styled(delivery.status.value, color, fg=STATUS_COLORS.get(delivery.status))
    lines = [
        f"Delivery {delivery.id}: {status}",
        f"  event    {printable(delivery.event_id)}",
        f"  webhook  {printable(delivery.webhook)}",
        f"  created  {_utc(delivery.created_at)}",
    ]
    if delivery.reason:
        lines.append(f"  reason   {printable(delivery.reason)}")
    lines += how_to_release([delivery], holds or {})
    if delivery.status in DUE:
        lines.append(f"  due      {_utc(delivery.due_at)}")
    if not attempts:
        lines.append("  not tried yet")
    before = replays = 0
    for attempt in attempts:
        replays += attempt.number <= before
        before = attempt.number
        number = f"{attempt.number} after replay {replays}" if replays else str(attempt.number)
        lines += [
            "",
            f"Attempt {number} at {_utc(attempt.started_at)}, by delivery plan {attempt.plan_digest[:12]}",
            render_attempt(attempt, color=color),
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def render_one_json(delivery: Delivery, event: Mapping[str, Json] | None, attempts: Sequence[Attempt]) -> str:
    """One delivery as JSON: its fields, the event, and every attempt."""
    whole: dict[str, Json] = {
        **_fields(delivery),
        "event": dict(event) if event else None,
        "attempts_made": [attempt_json(attempt) for attempt in attempts],
    }
    return json_text(whole) + "\n"


def render_replay(
    replayed: Sequence[Delivery],
    left_alone: Sequence[str],
    holds: Mapping[str, Hold] | None = None,
    *,
    nothing: str = "Nothing to replay.",
    as_planned: bool = False,
    width: int = 0,
    color: bool,
) -> str:
    """The replayed deliveries that were not delivered, in a table, then how many there are of each status.

    After the table comes what releases held ones, if ``holds`` is given.
    ``left_alone`` are the ids of those that could not be replayed; ``as_planned`` adds the reason that it may have.
    ``nothing`` is the text if nothing was replayed.
    """
    failed = [delivery for delivery in replayed if delivery.status is not DeliveryStatus.DELIVERED]
    text = render_table(failed, holds, width=width, color=color) + "\n" if failed else ""
    if len(left_alone) > MOST_LEFT_ALONE:
        never = "they were never tried, so they have no delivery plan to use again, or " if as_planned else ""
        other = "another process is trying them now, or has already replayed them"
        text += f"{len(left_alone):,} were not replayed: {never}{other}.\n"
        left_alone = ()
    for name in left_alone:
        never = "it was never tried, so it has no delivery plan to use again, or " if as_planned else ""
        text += f"{name} was not replayed: {never}another process is trying it now, or has already replayed it.\n"
    if not replayed:
        return f"{text}{nothing}\n"
    by_status = Counter(delivery.status for delivery in replayed)
    counts = ", ".join(f"{by_status[status]:,} {status.value}" for status in DeliveryStatus if by_status[status])
    return f"{text}{len(replayed):,} replayed: {counts}.\n"


def render_replay_json(replayed: Sequence[Delivery], left_alone: Sequence[str]) -> str:
    """The replayed deliveries as JSON."""
    return json_text({"replayed": [_fields(delivery) for delivery in replayed], "left_alone": list(left_alone)}) + "\n"


def render_cancel(cancelled: Sequence[str], over: Sequence[Delivery]) -> str:
    """How many deliveries were cancelled, and how each of the others had already ended."""
    lines = [f"{one.id} {ENDED.get(one.status, 'has already ended')}; nothing to cancel." for one in over]
    if cancelled or not over:
        lines.append(f"{len(cancelled):,} cancelled." if cancelled else "Nothing to cancel.")
    return "\n".join(lines) + "\n"


def render_cancel_json(cancelled: Sequence[str], over: Sequence[Delivery]) -> str:
    """The ids of the cancelled deliveries, and of those that had already ended, as JSON."""
    return json_text({"cancelled": list(cancelled), "left_alone": [delivery.id for delivery in over]}) + "\n"


def _row(delivery: Delivery) -> tuple[Cell, ...]:
    return (
        delivery.id[SHORT_ID],
        (delivery.status.value, STATUS_COLORS.get(delivery.status, "")),
        printable(delivery.webhook),
        printable(delivery.event_id),
        str(delivery.attempts),
        _utc(delivery.created_at),
        _utc(delivery.due_at) if delivery.status in DUE else "-",
        printable(delivery.reason),
    )


def _fields(delivery: Delivery) -> dict[str, Json]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "webhook": delivery.webhook,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "due_at": delivery.due_at if delivery.status in DUE else None,
        "reason": delivery.reason,
    }


def _utc(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
