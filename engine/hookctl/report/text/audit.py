"""``hookctl log``: applies, and what was done to deliveries."""

from __future__ import annotations

from collections.abc import Sequence

from hookctl.model import Json
from hookctl.report.text.moments import shown
from hookctl.report.text.printable import json_text, printable
from hookctl.report.text.table import table
from hookctl.store.history import LogEntry

HEADINGS = ("TIME", "WHO", "ACTION", "DELIVERIES", "WHAT", "REASON")
DELIVERIES = HEADINGS.index("DELIVERIES")


def render_log(entries: Sequence[LogEntry], *, width: int = 0, color: bool) -> str:
    """A row for each entry, in the order given. ``width`` is the terminal's, in columns; 0 for unlimited."""
    if not entries:
        return "Nothing was applied or done yet.\n"
    rows = [_row(entry) for entry in entries]
    return "\n".join(table(rows, headings=HEADINGS, numbers={DELIVERIES}, width=width, color=color)) + "\n"


def render_log_json(entries: Sequence[LogEntry]) -> str:
    """The entries as JSON: a list of objects."""
    documents: list[Json] = [
        {
            "at": entry.at,
            "who": entry.who,
            "action": entry.action,
            "deliveries": entry.deliveries,
            "what": entry.what,
            "reason": entry.reason,
            "serial": entry.serial,
        }
        for entry in entries
    ]
    return json_text(documents) + "\n"


def _row(entry: LogEntry) -> tuple[str, ...]:
    return (
        shown(entry.at),
        printable(entry.who),
        printable(entry.action),
        "" if entry.deliveries is None else f"{entry.deliveries:,}",
        printable(entry.what),
        printable(entry.reason),
    )
