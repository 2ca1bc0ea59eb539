"""The progress and the summary of ``send``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hookctl.delivery.runner.sending import Intake
from hookctl.delivery.runner.tally import Tally
from hookctl.model import DeliveryStatus, Json
from hookctl.model.change import by_name
from hookctl.model.quantities import counted
from hookctl.report.style import STATUS_COLORS
from hookctl.report.text.columns import paragraph
from hookctl.report.text.holds import HOW_TO_CONTINUE
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import Cell, table
from hookctl.store.records import Counts

ALWAYS_SHOWN = (DeliveryStatus.DELIVERED, DeliveryStatus.RETRYING, DeliveryStatus.DEAD, DeliveryStatus.HELD)
SHOWN_WHEN_ANY = (DeliveryStatus.WAITING, DeliveryStatus.CANCELLED)


class Work(StrEnum):
    """What a ``send`` has done with its events."""

    DELIVER = "deliver"
    """It stored them and made the attempts itself."""
    FOLLOW = "follow"
    """It stored them and waited while a runner made the attempts."""
    ENQUEUE = "enqueue"
    """It only stored them."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of one ``send``."""

    intake: Intake
    tally: Tally
    counts: Counts
    """The deliveries of the events that it accepted, by webhook and status."""
    still_due: int
    """Deliveries that are waiting or retrying, of this run and, if it made the attempts itself, of earlier ones."""
    next_due: float | None
    """Epoch seconds at which the next of them is due."""
    seconds: float
    interrupted: bool
    work: Work = Work.DELIVER
    has_runner: bool = False
    """Whether a `hookctl run` is alive on the store, to continue with what is due."""

    @property
    def succeeded(self) -> bool:
        """True if no event is bad or refused, everything accepted is delivered, and no other attempt failed.

        If the events were only stored, their deliveries do not count.
        """
        if self.work is Work.ENQUEUE:
            return not (self.interrupted or self.intake.bad or self.intake.refused)
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
            or self.tally.retrying
            or self.tally.dead
            or self.tally.held
        )


def progress_line(intake: Intake | None, tally: Tally, in_flight: int, seconds: float) -> str:
    """The progress in one line, without a line break. ``seconds`` is the time so far."""
    read = f"{intake.read:,} events read{' (end of input)' if intake.has_ended else ''}; " if intake else ""
    failing = f", {tally.retrying:,} retrying" if tally.retrying else ""
    dead = f", {tally.dead.total():,} dead" if tally.dead else ""
    held = f", {tally.held.total():,} held" if tally.held else ""
    local = f", {tally.local_failures.total():,} local failures" if tally.local_failures else ""
    ended = f"{tally.delivered.total():,} delivered{failing}{dead}{held}{local}"
    return f"{read}{ended}; {in_flight:,} in flight; {seconds:.0f} s"


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
    if summary.work is Work.ENQUEUE:
        made = sum(count for by_status in summary.counts.values() for count in by_status.values())
        after += [f"{counted(made, 'delivery', 'deliveries')} stored. {_who_continues(summary)}"] if made else []
    elif summary.still_due:
        at = f", the next {_when(summary.next_due)}" if summary.next_due is not None else ""
        due = f"Still due: {counted(summary.still_due, 'delivery', 'deliveries')}{at}."
        after.append(f"{due} {_who_continues(summary)}")
    if tally.dead:
        after.append("To see why deliveries are dead: hookctl deliveries list --status dead")
    if tally.held or any(by_status.get(DeliveryStatus.HELD) for by_status in summary.counts.values()):
        after.append(HOW_TO_CONTINUE)
    after += [_local_failures(reason, count) for reason, count in sorted(tally.local_failures.items())]
    ended = "Interrupted after" if summary.interrupted else "Took"
    attempts = "" if summary.work is Work.ENQUEUE else f", {counted(tally.attempts, 'attempt')}"
    after.append(f"{ended} {summary.seconds:.1f} s{attempts}.")
    rows = []
    if summary.counts and summary.work is not Work.ENQUEUE:
        rows = ["", *_table(summary.counts, width, color), ""]
    before, after = ([paragraph(line, width) for line in text] for text in (before, after))
    return "\n".join([*before, *rows, *after]) + "\n"


def render_summary_json(summary: Summary) -> str:
    """The summary of a ``send`` as JSON."""
    intake, tally = summary.intake, summary.tally
    webhooks: list[Json] = [
        {"name": name, **{status.value: by_status.get(status, 0) for status in DeliveryStatus}}
        for name, by_status in sorted(summary.counts.items(), key=lambda item: by_name(item[0]))
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
        "bad_by_reason": [{"reason": reason, "count": count} for reason, count in intake.reasons.most_common()],
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
        "work": summary.work.value,
        "has_runner": summary.has_runner,
        "interrupted": summary.interrupted,
        "succeeded": summary.succeeded,
    }
    return json_text(document) + "\n"


def _who_continues(summary: Summary) -> str:
    """Which command continues with the deliveries that are due."""
    if summary.has_runner:
        return "`hookctl run` is running and delivers them."
    if summary.work is Work.ENQUEUE:
        return "No `hookctl run` is running on this store; start one to deliver them."
    return "The next `hookctl send` or `hookctl run` delivers them."


def _local_failures(reason: str, count: int) -> str:
    made = counted(count, "attempt")
    return f"{made} could not be made and did not count: {printable(reason)}. See `hookctl doctor`."


def _table(counts: Counts, width: int, color: bool) -> list[str]:
    shown = [
        *ALWAYS_SHOWN,
        *(status for status in SHOWN_WHEN_ANY if any(by_status.get(status) for by_status in counts.values())),
    ]
    rows = [
        (printable(name), *(_cell(counts[name], status) for status in shown)) for name in sorted(counts, key=by_name)
    ]
    headings = ["WEBHOOK", *(status.value.upper() for status in shown)]
    return table(rows, headings=headings, numbers=range(1, len(headings)), width=width, color=color)


def _cell(by_status: Mapping[DeliveryStatus, int], status: DeliveryStatus) -> Cell:
    count = by_status.get(status, 0)
    return f"{count:,}", STATUS_COLORS.get(status, "") if count else ""


def _when(at: float) -> str:
    return time.strftime("at %Y-%m-%d %H:%M:%S UTC", time.gmtime(at)) if at > time.time() else "now"
