"""The page with all webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hookctl.report.text.holds import also_ends
from hookctl.serve.pages.sparkline import sparkline
from hookctl.store.overviews import NO_SUMMARY, Applied, Hour, Summary
from hookctl.store.records import Circuit, Hold

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from hookctl.serve.pages.catalog import Catalog, Row
    from hookctl.store.interface import Store

PAGE = 50
"""Webhooks on a page."""
MOST_LABELS = 200
"""The most labels that the filter offers; any other can be in the URL."""
LONGEST = 200
"""Characters of a parameter that count."""


@dataclass(frozen=True, slots=True)
class Line:
    """A webhook with what is known of it now."""

    row: Row
    summary: Summary
    hold: Hold | None
    circuit: Circuit | None


STATES: Mapping[str, tuple[str, Callable[[Line], bool]]] = {
    "active": ("Active", lambda line: line.row.is_active),
    "inactive": ("Inactive", lambda line: not line.row.is_active),
    "held": ("Held", lambda line: line.hold is not None or line.summary.held > 0),
    "circuit": ("Circuit not closed", lambda line: line.circuit is not None),
    "waiting": ("With waiting or retrying deliveries", lambda line: line.summary.waiting + line.summary.retrying > 0),
    "dead": ("With dead letters", lambda line: line.summary.dead > 0),
    "failing": ("With failed attempts in 24 hours", lambda line: line.summary.failed > 0),
}
"""What ``state`` in the URL may be, with its label."""
SORTS: Mapping[str, tuple[str, bool, Callable[[Line], Any]]] = {
    "name": ("Webhook", False, lambda _: 0),
    "event": ("Event", False, lambda line: line.row.event),
    "host": ("Target", False, lambda line: line.row.host),
    "waiting": ("Waiting", True, lambda line: line.summary.waiting),
    "retrying": ("Retrying", True, lambda line: line.summary.retrying),
    "dead": ("Dead", True, lambda line: line.summary.dead),
    "held": ("Held", True, lambda line: (line.hold is not None, line.summary.held)),
    "success": ("Delivered", False, lambda line: 2.0 if line.summary.share is None else line.summary.share),
    "p50": ("p50", True, lambda line: line.summary.p50 or 0.0),
    "p95": ("p95", True, lambda line: line.summary.p95 or 0.0),
}
"""What ``sort`` in the URL may be: a heading, whether the greatest comes first, and the key. ``-`` before it turns the
order round. Webhooks that are equal are in order of name."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the URL asks for."""

    text: str
    state: str
    label: str
    event: str
    sort: str
    is_turned: bool
    page: int

    @property
    def is_filtered(self) -> bool:
        """Whether some webhooks may be left out."""
        return bool(self.text or self.state or self.label or self.event)

    def url(self, **changes: Any) -> str:
        """The URL of this list with some parameters changed."""
        values = {
            "q": self.text,
            "state": self.state,
            "label": self.label,
            "event": self.event,
            "sort": ("-" if self.is_turned else "") + self.sort,
            "page": self.page,
        } | changes
        defaults = {"sort": "name", "page": 1}
        query = {name: value for name, value in values.items() if value and value != defaults.get(name)}
        return f"/?{urlencode(query)}" if query else "/"

    def sort_url(self, name: str) -> str:
        """The URL that sorts by a column; turned round if it is sorted by it already."""
        turn = name == self.sort and not self.is_turned
        return self.url(sort=f"-{name}" if turn else name, page=1)


def query_of(parameters: QueryParams) -> Query:
    """What the parameters of a URL ask for; what is not known there is ignored."""
    text = {name: parameters.get(name, "").strip()[:LONGEST] for name in ("q", "state", "label", "event", "sort")}
    sort = text["sort"].removeprefix("-")
    number = parameters.get("page", "")
    return Query(
        text["q"],
        text["state"] if text["state"] in STATES else "",
        text["label"],
        text["event"],
        sort if sort in SORTS else "name",
        is_turned=text["sort"].startswith("-") and sort in SORTS,
        page=int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1,
    )


def find(store: Store, catalog: Catalog, query: Query) -> dict[str, Any]:
    """What the template shows. Raises StoreError."""
    now = time.time()
    applied = catalog.read(store)
    summaries, holds, circuits = store.summaries(), store.holds(), store.circuits()
    lines = [
        Line(row, summaries.get(name, NO_SUMMARY), holds.get(name), circuits.get(name))
        for name, row in applied.rows.items()
    ]
    found = _sorted(_filtered(lines, query), query)
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(query.page, 1), pages)
    shown = found[(page - 1) * PAGE : page * PAGE]
    names = [line.row.name for line in shown]
    hours, sources = store.hours(names, now), store.applied(names)
    return {
        "query": query,
        "total": len(lines),
        "found": len(found),
        "first": (page - 1) * PAGE + 1,
        "pages": pages,
        "page": page,
        "rows": [_shown(line, hours, sources) for line in shown],
        "figures": _figures(lines),
        "serial": applied.serial,
        "unreadable": applied.unreadable,
        "states": {name: label for name, (label, _) in STATES.items()},
        "sorts": {name: heading for name, (heading, *_) in SORTS.items()},
        "is_descending": SORTS[query.sort][1] != query.is_turned,
        "events": applied.events,
        "labels": applied.labels[:MOST_LABELS],
        "progress": store.progress(),
    }


def _filtered(lines: Sequence[Line], query: Query) -> list[Line]:
    words = query.text.lower().split()
    is_in_state = STATES[query.state][1] if query.state else lambda _: True
    key, has_value, value = query.label.partition("=")
    return [
        line
        for line in lines
        if (not query.event or line.row.event == query.event)
        and (not key or (key in line.row.labels and (not has_value or line.row.labels[key] == value)))
        and all(word in line.row.text for word in words)
        and is_in_state(line)
    ]


def _sorted(lines: list[Line], query: Query) -> list[Line]:
    _, greatest_first, key = SORTS[query.sort]
    if query.sort == "name":
        return lines[::-1] if query.is_turned else lines
    return sorted(lines, key=key, reverse=greatest_first != query.is_turned)


def _shown(line: Line, hours: Mapping[str, Sequence[Hour]], sources: Mapping[str, Applied]) -> dict[str, Any]:
    name = line.row.name
    return {
        "row": line.row,
        "summary": line.summary,
        "hold": line.hold,
        "ends": also_ends(line.hold) if line.hold else "",
        "circuit": line.circuit,
        "spark": sparkline(hours.get(name, ())),
        "applied": sources.get(name),
    }


def _figures(lines: Sequence[Line]) -> Mapping[str, int]:
    summaries = [line.summary for line in lines]
    return {
        "active": sum(line.row.is_active for line in lines),
        "waiting": sum(one.waiting for one in summaries),
        "retrying": sum(one.retrying for one in summaries),
        "held": sum(one.held for one in summaries),
        "dead": sum(one.dead for one in summaries),
    }
