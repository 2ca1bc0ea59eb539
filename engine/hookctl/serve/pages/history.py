"""The page with every apply and every action of an operator, and the page of one apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from hookctl.model import Action, Change
from hookctl.model.moments import moment_at
from hookctl.report.text.plan import SIGNS, change_fields
from hookctl.serve.pages.webhook import VERSION_DIGITS, difference

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from hookctl.report.style import Line
    from hookctl.serve.pages.catalog import Applied
    from hookctl.store.interface import Store
    from hookctl.store.overviews import ChangeRecord, HistoryEntry

Position = tuple[float, int, int]

PAGE = 50
AT_ONCE = 200
"""Entries that are read together while a filter leaves most of them out."""
LOOK_AT = 1_000
"""Entries that one page looks at. After as many, it ends, and its link leads on."""
MOST_CHANGES = 50
"""Webhooks on the page of one apply whose fields are shown."""
LONGEST = 200
ACTIONS = ("apply", "replay", "cancel", "hold", "resume", "backfill", "heal", "test", "create token", "revoke token")
VERBS = {Action.CREATE: "created", Action.UPDATE: "updated", Action.RENAME: "renamed", Action.DELETE: "removed"}


@dataclass(frozen=True, slots=True)
class Query:
    """What the URL asks for."""

    text: str
    action: str
    who: str
    since: float | None
    until: float | None
    given: Mapping[str, str]
    """The parameters that filter, as they are in the URL."""
    before: Position | None
    errors: Mapping[str, str]
    """What is wrong with a parameter, by its name. It is ignored then."""

    def url(self, before: Position | None) -> str:
        """The URL of the same list from a position on."""
        values = {name: value for name, value in self.given.items() if value}
        if before:
            values["before"] = "~".join(map(repr, before))
        return f"/history?{urlencode(values)}" if values else "/history"

    def lets_through(self, entry: HistoryEntry) -> bool:
        """Whether the list has the entry."""
        text = f"{entry.who}\n{entry.action}\n{entry.what}\n{entry.reason}\n{entry.commit}".lower()
        return (
            (not self.action or entry.action == self.action)
            and self.who.lower() in entry.who.lower()
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and all(word in text for word in self.text.lower().split())
        )


def query_of(parameters: QueryParams, now: float) -> Query:
    """What the parameters of a URL ask for. Never raises."""
    given = {name: parameters.get(name, "").strip()[:LONGEST] for name in ("q", "action", "who", "since", "until")}
    times: dict[str, float] = {}
    errors: dict[str, str] = {}
    for name in ("since", "until"):
        try:
            if given[name]:
                times[name] = moment_at(given[name], now)
        except ValueError as error:
            errors[name] = str(error)
    return Query(
        given["q"],
        given["action"],
        given["who"],
        times.get("since"),
        times.get("until"),
        given,
        _position(parameters.get("before", "")),
        errors,
    )


def find(store: Store, query: Query) -> dict[str, Any]:
    """What the template shows. Raises StoreError."""
    entries, following, looked_at = _page(store, query)
    return {
        "query": query,
        "entries": entries,
        "looked_at": looked_at,
        "next": query.url(following) if following else None,
        "first": query.url(None) if query.before else None,
        "is_filtered": any(query.given.values()),
        "actions": ACTIONS,
        "changes_text": changes_text,
        "digits": VERSION_DIGITS,
    }


def _page(store: Store, query: Query) -> tuple[list[HistoryEntry], Position | None, int]:
    """The entries of a page, the position of the next page, and how many entries were looked at."""
    found: list[HistoryEntry] = []
    before, looked_at = query.before, 0
    while True:
        page = store.history(AT_ONCE if any(query.given.values()) else PAGE, before=before)
        for entry in page.entries:
            if query.since is not None and entry.at < query.since:
                return found, None, looked_at
            looked_at += 1
            if query.lets_through(entry):
                found.append(entry)
                if len(found) == PAGE:
                    is_last = page.next is None and entry is page.entries[-1]
                    return found, None if is_last else entry.position, looked_at
        before = page.next
        if before is None or looked_at >= LOOK_AT:
            return found, before, looked_at


def changes_text(changes: Mapping[str, int]) -> str:
    """How many webhooks an apply changed: ``2 created, 1 removed``; empty if it is not known."""
    return ", ".join(f"{changes[action]:,} {verb}" for action, verb in VERBS.items() if changes.get(action))


def find_apply(store: Store, applied: Applied, serial: int, after: str) -> dict[str, Any] | None:
    """What the page of one apply shows, from the webhook after this name on; None if there was no such apply.

    ``applied`` is what is applied now.
    """
    entry = store.apply_entry(serial)
    if entry is None:
        return None
    changes = store.changes(serial, MOST_CHANGES + 1, after=after)
    shown = changes[:MOST_CHANGES]
    return {
        "entry": entry,
        "total": sum(entry.changes.values()),
        "changes": [(change, VERBS[Action(change.action)], _lines(store, applied, change)) for change in shown],
        "next": f"/history/{serial}?{urlencode({'after': shown[-1].name})}" if len(changes) > len(shown) else None,
        "first": f"/history/{serial}" if after else None,
        "changes_text": changes_text,
        "signs": SIGNS,
        "digits": VERSION_DIGITS,
    }


def _lines(store: Store, applied: Applied, change: ChangeRecord) -> Sequence[Line]:
    """The lines of a change, as a plan shows them; empty if a delivery plan is not kept."""
    before = store.plan(change.before) if change.before else None
    after = applied.plans.get(change.name)
    if after is None or after.digest != change.after:
        after = store.plan(change.after) if change.after else None
    if before and after:
        return difference(before, after)
    if after and not change.before:
        return [*change_fields(Change(change.name, Action.CREATE, None, after))]
    return []


def _position(text: str) -> Position | None:
    try:
        at, source, number = text.split("~")
        return float(at), int(source), int(number)
    except ValueError:
        return None
