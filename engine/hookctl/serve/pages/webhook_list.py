"""The page with all webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hookctl.serve.pages.sparkline import sparkline
from hookctl.store.overviews import NO_SUMMARY, Ranking
from hookctl.store.records import Circuit, Hold

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from hookctl.serve.pages.catalog import Applied, Row
    from hookctl.serve.pages.state import Pages
    from hookctl.store.interface import Store

PAGE = 50
"""Webhooks on a page."""
MOST_LABELS = 200
"""The most labels that the filter offers; any other can be in the URL."""
LONGEST = 200
"""Characters of a parameter that count."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of all webhooks, to filter and sort them by."""

    ranking: Callable[[Ranking], Mapping[str, float]]
    holds: Mapping[str, Hold]
    circuits: Mapping[str, Circuit]

    def any_of(self, *rankings: Ranking) -> Callable[[Row], bool]:
        """Whether a webhook has deliveries of one of these statuses."""
        found = [self.ranking(by) for by in rankings]
        return lambda row: any(one.get(row.name, 0) > 0 for one in found)

    def has_failed(self) -> Callable[[Row], bool]:
        """Whether an attempt of a webhook has failed in the last 24 hours."""
        shares = self.ranking("share")
        return lambda row: shares.get(row.name, 1.0) < 1.0

    def is_held(self) -> Callable[[Row], bool]:
        """Whether a webhook, or any of its deliveries, is held."""
        has_held = self.any_of("held")
        return lambda row: row.name in self.holds or has_held(row)


STATES: Mapping[str, tuple[str, Callable[[Facts], Callable[[Row], bool]]]] = {
    "active": ("Active", lambda _: lambda row: row.is_active),
    "inactive": ("Inactive", lambda _: lambda row: not row.is_active),
    "held": ("Held", Facts.is_held),
    "circuit": ("Circuit not closed", lambda facts: lambda row: row.name in facts.circuits),
    "waiting": ("With waiting or retrying deliveries", lambda facts: facts.any_of("waiting", "retrying")),
    "dead": ("With dead letters", lambda facts: facts.any_of("dead")),
    "failing": ("With failed attempts in 24 hours", Facts.has_failed),
}
"""What ``state`` in the URL may be, with its label."""
SORTS: Mapping[str, tuple[str, bool, Ranking | None]] = {
    "name": ("Webhook", False, None),
    "event": ("Event", False, None),
    "host": ("Target", False, None),
    "waiting": ("Waiting", True, "waiting"),
    "retrying": ("Retrying", True, "retrying"),
    "dead": ("Dead", True, "dead"),
    "held": ("Held", True, "held"),
    "success": ("Delivered", False, "share"),
    "p50": ("p50", True, "p50"),
    "p95": ("p95", True, "p95"),
}
"""What ``sort`` in the URL may be: its heading, whether the greatest comes first, and what the store ranks by. ``-``
before it turns the order round. Webhooks that are equal are in order of name."""
UNKNOWN_SHARE = 2.0
"""Webhooks without attempts come after those that delivered everything."""
COUNTED: tuple[Ranking, ...] = ("waiting", "retrying", "held", "dead")


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


def find(store: Store, pages: Pages, query: Query) -> dict[str, Any]:
    """What the template shows. Raises StoreError."""
    now = time.time()
    applied = pages.catalog.read(store)
    facts = Facts(partial(pages.rankings.read, store), store.holds(), store.circuits())
    found = _sorted(_filtered(applied.rows.values(), facts, query), facts, query)
    count = max(1, -(-len(found) // PAGE))
    page = min(max(query.page, 1), count)
    shown = found[(page - 1) * PAGE : page * PAGE]
    return {
        "query": query,
        "total": len(applied.rows),
        "found": len(found),
        "first": (page - 1) * PAGE + 1,
        "pages": count,
        "page": page,
        "rows": _shown(store, shown, facts, now),
        "figures": _figures(applied, facts),
        "serial": applied.serial,
        "unreadable": applied.unreadable,
        "states": {name: label for name, (label, _) in STATES.items()},
        "sorts": {name: heading for name, (heading, *_) in SORTS.items()},
        "is_descending": SORTS[query.sort][1] != query.is_turned,
        "events": applied.events,
        "labels": applied.labels[:MOST_LABELS],
        "progress": store.progress(),
    }


def _filtered(rows: Iterable[Row], facts: Facts, query: Query) -> list[Row]:
    words = query.text.lower().split()
    key, has_value, value = query.label.partition("=")
    if query.event:
        rows = (row for row in rows if query.event in row.events)
    if key:
        rows = (row for row in rows if key in row.labels and (not has_value or row.labels[key] == value))
    for word in words:
        rows = _with_word(rows, word)
    return [*filter(STATES[query.state][1](facts), rows)] if query.state else [*rows]


def _with_word(rows: Iterable[Row], word: str) -> Iterator[Row]:
    return (row for row in rows if word in row.text)


def _sorted(rows: list[Row], facts: Facts, query: Query) -> list[Row]:
    _, greatest_first, ranking = SORTS[query.sort]
    if query.sort == "name":
        return rows[::-1] if query.is_turned else rows
    return sorted(rows, key=_key(query.sort, ranking, facts), reverse=greatest_first != query.is_turned)


def _key(sort: str, ranking: Ranking | None, facts: Facts) -> Callable[[Row], Any]:
    if ranking is None:
        return attrgetter(sort)
    values, missing = facts.ranking(ranking), UNKNOWN_SHARE if ranking == "share" else 0.0
    if ranking == "held":
        return lambda row: (row.name in facts.holds, values.get(row.name, missing))
    return lambda row: values.get(row.name, missing)


def _shown(store: Store, rows: Sequence[Row], facts: Facts, now: float) -> list[dict[str, Any]]:
    names = [row.name for row in rows]
    summaries, hours, sources = store.summaries(names), store.hours(names, now), store.applied(names)
    return [
        {
            "row": row,
            "summary": summaries.get(row.name, NO_SUMMARY),
            "hold": facts.holds.get(row.name),
            "circuit": facts.circuits.get(row.name),
            "spark": sparkline(hours.get(row.name, ())),
            "applied": sources.get(row.name),
        }
        for row in rows
    ]


def _figures(applied: Applied, facts: Facts) -> Mapping[str, int]:
    return {"active": applied.active, **{by: round(sum(facts.ranking(by).values())) for by in COUNTED}}
