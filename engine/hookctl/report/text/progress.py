"""The progress and the summary of ``send``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from hookctl.delivery.runner.sending import Intake
from hookctl.delivery.runner.tally import Tally
from hookctl.model import DeliveryStatus, Json
from hookctl.model.quantities import counted
from hookctl.report.style import STATUS_COLORS
from hookctl.report.text.columns import paragraph
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table
from hookctl.store.records import Counts

ALWAYS_SHOWN = (DeliveryStatus.DELIVERED, DeliveryStatus.RETRYING, DeliveryStatus.DEAD, DeliveryStatus.HELD)
SHOWN_WHEN_ANY = (DeliveryStatus.WAITING, DeliveryStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of one ``send``."""

    intake: Intake
    tally: Tally
    counts: Counts
    """The deliveries of the events that it accepted, by webhook and status."""
    still_due: int
    """Deliveries that are waiting or retrying, of this run and of earlier ones."""
    next_due: float | None
    """Epoch seconds at which the next of them is due."""
    seconds: float
    interrupted: bool

    @property
    def succeeded(self) -> bool:
        """True if no event is bad or refused, everything accepted is delivered, and no other attempt failed."""
        undelivered = any(
            count
            for by_status in self.counts.values()
            for status, count in by_status.items()
            if status is not DeliveryStatus.DELIVERED
        )
        return not (
            self.interrupted
            or self.intake.bad
            or self.intake.refused
            or undelivered
            or self.tally.failing
            or self.tally.dead
        )


def progress_line(intake: Intake | None, tally: Tally, in_flight: int, seconds: float) -> str:
    """The progress in one line, without a line break. ``seconds`` is the time so far."""
    read = f"{intake.read:,} events read{' (end of input)' if intake.has_ended else ''}; " if intake else ""
    failing = f", {len(tally.failing):,} retrying" if tally.failing else ""
    dead = f", {tally.dead.total():,} dead" if tally.dead else ""
    local = f", {tally.local_failures.total():,} local failures" if tally.local_failures else ""
    return (
        f"{read}{tally.delivered.total():,} delivered{failing}{dead}{local}; {in_flight:,} in flight; {seconds:.0f} s"
    )


def render_summary(summary: Summary, *, width: int = 0, color: bool) -> str:
    """The summary of a ``send`` for people. ``width`` is the terminal's, in columns; 0 for unlimited."""
    intake, tally = summary.intake, summary.tally
    read = f"{counted(intake.read, 'event')} read"
    before = [f"{read}: {intake.accepted:,} accepted, {intake.bad:,} bad, {intake.seen_before:,} seen before"]
    if intake.refused:
        before += [
            f"Not accepted: event {printable(intake.refused_from)} and all later ones: {printable(intake.refused)}.",
            (
                "Make room: free disk space, keep less with [retention], or deliver or cancel waiting deliveries; "
                "see `hookctl explain settings`."
            ),
            "Then send the same input again: events that are already accepted are recognized by their ids.",
        ]
    before += [
        f"No webhook receives {counted(count, 'event')} of type {printable(name)}."
        for name, count in sorted(intake.unreceived.items())
    ]
    after = []
    if tally.earlier.total():
        delivered, dead = tally.earlier[DeliveryStatus.DELIVERED], tally.earlier[DeliveryStatus.DEAD]
        after.append(f"Earlier deliveries that were due: {delivered:,} delivered, {dead:,} dead.")
    if summary.still_due:
        at = f", the next {_when(summary.next_due)}" if summary.next_due is not None else ""
        due = f"Still due: {counted(summary.still_due, 'delivery', 'deliveries')}{at}."
        after.append(f"{due} The next `hookctl send` or `hookctl run` continues with them.")
    if tally.dead:
        after.append("To see why deliveries are dead: hookctl deliveries list --status dead")
    after += [_local_failures(reason, count) for reason, count in sorted(tally.local_failures.items())]
    ended = "Interrupted after" if summary.interrupted else "Took"
    after.append(f"{ended} {summary.seconds:.1f} s, {counted(tally.attempts, 'attempt')}.")
    rows = ["", *_table(summary.counts, width, color), ""] if summary.counts else []
    before, after = ([paragraph(line, width) for line in text] for text in (before, after))
    return "\n".join([*before, *rows, *after]) + "\n"


def render_summary_json(summary: Summary) -> str:
    """The summary of a ``send`` as JSON."""
    intake, tally = summary.intake, summary.tally
    webhooks: list[Json] = [
        {"name": name, **{status.value: by_status.get(status, 0) for status in DeliveryStatus}}
        for name, by_status in sorted(summary.counts.items())
    ]
    bad: list[Json] = [{"place": one.place, "reason": one.reason} for one in intake.problems]
    unreceived: dict[str, Json] = dict(sorted(intake.unreceived.items()))
    document: dict[str, Json] = {
        "events": {
            "read": intake.read,
            "accepted": intake.accepted,
            "bad": intake.bad,
            "seen_before": intake.seen_before,
        },
        "bad": bad,
        "refused": {"from": intake.refused_from, "reason": intake.refused} if intake.refused else None,
        "unreceived": unreceived,
        "webhooks": webhooks,
        "from_before": {
            "delivered": tally.earlier[DeliveryStatus.DELIVERED],
            "dead": tally.earlier[DeliveryStatus.DEAD],
        },
        "attempts": tally.attempts,
        "local_failures": [
            {"reason": reason, "attempts": count} for reason, count in sorted(tally.local_failures.items())
        ],
        "still_due": summary.still_due,
        "next_due": summary.next_due,
        "seconds": round(summary.seconds, 3),
        "interrupted": summary.interrupted,
        "succeeded": summary.succeeded,
    }
    return json_text(document) + "\n"


def _local_failures(reason: str, count: int) -> str:
    made = counted(count, "attempt")
    return f"{made} could not be made and did not count: {printable(reason)}. See `hookctl doctor`."


def _table(counts: Counts, width: int, color: bool) -> list[str]:
    shown = [
        *ALWAYS_SHOWN,
        *(status for status in SHOWN_WHEN_ANY if any(by_status.get(status) for by_status in counts.values())),
    ]
    rows = [(printable(name), *(_cell(counts[name], status) for status in shown)) for name in sorted(counts)]
    headings = ["WEBHOOK", *(status.value.upper() for status in shown)]
    return table(rows, headings=headings, numbers=range(1, len(headings)), width=width, color=color)


def _cell(by_status: Mapping[DeliveryStatus, int], status: DeliveryStatus) -> Cell:
    count = by_status.get(status, 0)
    return f"{count:,}", STATUS_COLORS.get(status, "") if count else ""


def _when(at: float) -> str:
    return time.strftime("at %Y-%m-%d %H:%M:%S UTC", time.gmtime(at)) if at > time.time() else "now"
