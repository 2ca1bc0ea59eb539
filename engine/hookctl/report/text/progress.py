"""What ``send`` says while it works, and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from hookctl.delivery.runner.sending import Intake
from hookctl.delivery.runner.tally import Tally
from hookctl.model import DeliveryStatus, Json
from hookctl.model.quantities import counted
from hookctl.report.style import STATUS_COLORS, heading, styled
from hookctl.report.text.printable import json_text, printable
from hookctl.store.records import Counts

ALWAYS_SHOWN = (DeliveryStatus.DELIVERED, DeliveryStatus.RETRYING, DeliveryStatus.DEAD, DeliveryStatus.HELD)
SHOWN_WHEN_ANY = (DeliveryStatus.WAITING, DeliveryStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Summary:
    """What one ``send`` came to."""

    intake: Intake
    tally: Tally
    counts: Counts
    """Where the deliveries of the events that it accepted stand."""
    still_due: int
    """Deliveries in the queue, from this run or before, that are to be tried (again)."""
    next_due: float | None
    """Epoch seconds of the next of them."""
    seconds: float
    interrupted: bool

    @property
    def succeeded(self) -> bool:
        """No bad event, none refused; everything that was accepted is delivered; nothing else that was tried failed."""
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
    """Where things stand, in one line without a line break."""
    read = f"{intake.read:,} events read{', all of them' if intake.has_ended else ''}; " if intake else ""
    failing = f", {len(tally.failing):,} to be tried again" if tally.failing else ""
    dead = f", {tally.dead.total():,} dead" if tally.dead else ""
    local = f", {tally.local_failures.total():,} local failures" if tally.local_failures else ""
    return (
        f"{read}{tally.delivered.total():,} delivered{failing}{dead}{local}; {in_flight:,} in flight; {seconds:.0f} s"
    )


def render_summary(summary: Summary, *, color: bool) -> str:
    """The end of a ``send``, for people."""
    intake, tally = summary.intake, summary.tally
    lines = [
        f"{counted(intake.read, 'event')} read: {intake.accepted:,} accepted, {intake.bad:,} bad, {intake.seen_before:,} seen before",
        *(
            [
                f"Not taken in: the event {printable(intake.refused_from)} and all after it, because {printable(intake.refused)}."
            ]
            if intake.refused
            else ()
        ),
        *(
            ["Send the same input again when there is room: what was accepted is recognized by its id."]
            if intake.refused
            else ()
        ),
        *(
            f"No webhook receives {counted(count, 'event')} of type {printable(name)}."
            for name, count in sorted(intake.unreceived.items())
        ),
    ]
    if summary.counts:
        lines += ["", *_table(summary.counts, color), ""]
    if tally.earlier.total():
        delivered, dead = tally.earlier[DeliveryStatus.DELIVERED], tally.earlier[DeliveryStatus.DEAD]
        lines.append(f"Of what was due from before: {delivered:,} delivered, {dead:,} dead.")
    if summary.still_due:
        at = f", the next {_when(summary.next_due)}" if summary.next_due is not None else ""
        lines.append(
            f"Still due: {counted(summary.still_due, 'delivery', 'deliveries')}{at}. The next `hookctl send` goes on with them."
        )
    if tally.dead:
        lines.append("Why the dead ones are dead: hookctl deliveries list --status dead")
    lines += [_local_failures(reason, count) for reason, count in sorted(tally.local_failures.items())]
    lines.append(
        f"{'Interrupted after' if summary.interrupted else 'Took'} {summary.seconds:.1f} s, {counted(tally.attempts, 'attempt')}."
    )
    return "\n".join(lines) + "\n"


def render_summary_json(summary: Summary) -> str:
    """The end of a ``send``, for a machine."""
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
    return f"{made} could not be made and did not count ({printable(reason)}). Fix this machine: hookctl doctor"


def _table(counts: Counts, color: bool) -> list[str]:
    columns = [
        *ALWAYS_SHOWN,
        *(status for status in SHOWN_WHEN_ANY if any(by_status.get(status) for by_status in counts.values())),
    ]
    width = max(len("WEBHOOK"), *(len(printable(name)) for name in counts))
    head = "  ".join([f"{'WEBHOOK':{width}}", *(status.value.upper() for status in columns)])
    return [
        heading(head, color),
        *(_row(name, counts[name], columns, width, color) for name in sorted(counts)),
    ]


def _row(
    name: str, by_status: Mapping[DeliveryStatus, int], columns: list[DeliveryStatus], width: int, color: bool
) -> str:
    cells = [f"{printable(name):{width}}"]
    for status in columns:
        count = by_status.get(status, 0)
        cell = f"{count:>{len(status.value)},}"
        cells.append(styled(cell, color and bool(count), fg=STATUS_COLORS.get(status)))
    return "  ".join(cells)


def _when(at: float) -> str:
    return time.strftime("at %Y-%m-%d %H:%M:%S UTC", time.gmtime(at)) if at > time.time() else "now"
