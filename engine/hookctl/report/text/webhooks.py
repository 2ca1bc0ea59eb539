"""The table of webhooks, and one webhook with all its fields."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from msgspec import structs

from hookctl.config.diff import field_changes
from hookctl.model import Action, Change, DeliveryPlan, DeliveryStatus, Json, Status
from hookctl.model.quantities import span
from hookctl.report.style import styled
from hookctl.report.text.columns import paragraph
from hookctl.report.text.fields import field_lines
from hookctl.report.text.holds import hold_text, resume_command
from hookctl.report.text.plan import INDENT, change_lines
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import table
from hookctl.store.records import NO_BACKLOG, Backlog, Circuit, Stopped

STATES = {
    Action.UNCHANGED: "applied",
    Action.UPDATE: "changed",
    Action.CREATE: "not applied",
    Action.DELETE: "file removed",
}
"""How the files compare with what is applied."""
HEADINGS = (
    "NAME",
    "EVENT",
    "METHOD",
    "HOST",
    "AUTH",
    "STATUS",
    "STATE",
    "WAITING",
    "RETRYING",
    "DEAD",
    "HELD",
    "OLDEST",
    "LAST RESULT",
)
COUNTS = ("waiting", "retrying", "dead", "held")
"""The columns that count deliveries, as fields of ``Backlog``."""
NUMBERS = range(HEADINGS.index("WAITING"), HEADINGS.index("LAST RESULT"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One webhook in the files, applied, or both."""

    change: Change
    last_result: tuple[DeliveryStatus, float] | None
    """The result of the last attempt, and its time in epoch seconds."""
    circuit: Circuit | None = None
    """The circuit of a target that fails; None while it is closed."""
    stopped: Stopped | None = None
    """What holds it; None if it is not held."""
    backlog: Backlog = NO_BACKLOG
    """What is not delivered."""
    is_unreadable: bool = False
    """Whether it is applied, but the store's row is damaged, so that nothing is delivered to it."""

    @property
    def shown(self) -> DeliveryPlan:
        """The applied delivery plan; the file's if none is applied."""
        plan = self.change.before or self.change.after
        if plan is None:
            raise ValueError(f"the change of {self.change.name} has no side")
        return plan

    @property
    def state(self) -> str:
        """How the file compares with what is applied: one of ``STATES``, ``unreadable``, or ``renamed to`` a name."""
        if self.is_unreadable:
            return "unreadable"
        return f"renamed to {self.change.name}" if self.change.renamed_from else STATES[self.change.action]


def render_table(entries: Sequence[Entry], *, now: float, width: int = 0, color: bool) -> str:
    """A row for each webhook, after a dot: green and filled for an active one, white and empty for an inactive one.

    ``now`` is in epoch seconds. ``width`` is the terminal's, in columns; 0 for unlimited.
    """
    if not entries:
        return "No webhooks are applied.\n"
    rows = [_row(entry, now) for entry in entries]
    dots = [_dot(entry.shown) for entry in entries]
    held = [paragraph(hold_text(entry.stopped), width) for entry in entries if entry.stopped]
    lines = [
        *table(rows, headings=HEADINGS, marks=dots, numbers=NUMBERS, width=width, color=color),
        *([""] if held else []),
        *held,
    ]
    return "\n".join(lines) + "\n"


def render_list_json(entries: Sequence[Entry]) -> str:
    """The webhooks as JSON: a list of objects with the columns as keys."""
    rows: list[Json] = [{**_summary(entry), **_standing(entry)} for entry in entries]
    return json_text(rows) + "\n"


def render_one(entry: Entry, *, color: bool) -> str:
    """Every field of one webhook as it is applied, and what the file would change."""
    plan = entry.shown
    whole = Change(plan.name, Action.CREATE, None, plan)
    dot, hue = _dot(plan)
    standing = f"{_status(entry)}, {printable(entry.state)}, last result: {_last_result(entry)}"
    lines = [f"{styled(dot, color, fg=hue)} {printable(plan.name)}  {standing}", ""]
    if entry.stopped:
        lines[1:1] = [hold_text(entry.stopped)]
    if any(getattr(entry.backlog, name) for name in COUNTS):
        counts = ", ".join(f"{getattr(entry.backlog, name):,} {name}" for name in COUNTS)
        lines[1:1] = [f"  deliveries: {counts}"]
    for field in field_changes(whole):
        lines += [f"  {text}" for _, text in field_lines(field, whole)]
    if entry.change.action in {Action.UPDATE, Action.RENAME} and entry.change.fields:
        lines += ["", "Not applied yet:", *(line.styled(color, INDENT) for line in change_lines(entry.change))]
    return "\n".join(lines) + "\n"


def render_one_json(entry: Entry) -> str:
    """One webhook as JSON: the applied delivery plan, and the file's."""
    before, after = entry.change.before, entry.change.after
    plans: dict[str, Json] = {
        "applied": before.to_json() if before else None,
        "file": after.to_json() if after else None,
    }
    return json_text({"name": entry.shown.name, **_standing(entry), **plans}) + "\n"


def _row(entry: Entry, now: float) -> tuple[str, ...]:
    plan = entry.shown
    cells = (
        plan.name,
        plan.event,
        plan.method,
        host_of_plan(plan),
        _auth(plan) or "-",
        _status(entry),
        entry.state,
        *(f"{getattr(entry.backlog, name):,}" for name in COUNTS),
        "-" if entry.backlog.oldest_at is None else span(max(now - entry.backlog.oldest_at, 0.0)),
        _last_result(entry),
    )
    return tuple(printable(cell) for cell in cells)


def _summary(entry: Entry) -> dict[str, Json]:
    plan = entry.shown
    auth: list[Json] = [block.type for block in plan.auth]
    return {
        "name": plan.name,
        "event": plan.event,
        "method": plan.method,
        "url": plan.url,
        "host": host_of_plan(plan),
        "auth": auth,
        "status": plan.status.value,
    }


def _standing(entry: Entry) -> dict[str, Json]:
    last: Json = {"status": entry.last_result[0].value, "at": entry.last_result[1]} if entry.last_result else None
    circuit: Json = (
        {name: getattr(entry.circuit, name) for name in ("state", "reason", "since", "until")}
        if entry.circuit
        else None
    )
    held: Json = None
    if entry.stopped and entry.stopped.hold:
        held = {
            "reason": entry.stopped.hold.reason,
            "since": entry.stopped.hold.since,
            "deliveries": entry.stopped.deliveries,
            "resume": resume_command(entry.stopped.webhook),
        }
    deliveries: Json = structs.asdict(entry.backlog)
    return {
        "state": entry.state,
        "deliveries": deliveries,
        "last_result": last,
        "circuit": circuit,
        "held": held,
    }


def _status(entry: Entry) -> str:
    """``active`` or ``inactive``; after ``active``, whether and why nothing is delivered to it."""
    status = entry.shown.status
    if status is Status.ACTIVE and entry.stopped:
        return f"{status.value}, held"
    if status is Status.ACTIVE and entry.circuit and entry.circuit.state == "local":
        return f"{status.value}, waits for this machine"
    if status is Status.ACTIVE and entry.circuit:
        return f"{status.value}, circuit {entry.circuit.state}"
    return status.value


def host_of_plan(plan: DeliveryPlan) -> str:
    """The host of a delivery plan's URL; the URL itself if a plugin has other rules for it."""
    try:
        return urlsplit(plan.url).hostname or plan.url
    except ValueError:  # a plugin's transport has its own rule for its URLs
        return plan.url


def _auth(plan: DeliveryPlan) -> str:
    return ", ".join(block.type for block in plan.auth)


def _last_result(entry: Entry) -> str:
    if entry.last_result is None:
        return "-"
    status, at = entry.last_result
    return f"{status.value} {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(at))}"


def _dot(plan: DeliveryPlan) -> tuple[str, str]:
    return ("●", "green") if plan.status is Status.ACTIVE else ("○", "white")
