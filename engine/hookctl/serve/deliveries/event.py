"""The page of one event: what it matched, and why each other webhook has no delivery of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from starlette.routing import Route

from hookctl.delivery.past.why import Unmatched, Why, receivers_of_others, unmatched
from hookctl.errors import HookctlError
from hookctl.model import AppliedState, DeliveryPlan, Status
from hookctl.report.text.events import NAMED, why_text
from hookctl.report.text.moments import iso
from hookctl.report.text.printable import printable, printable_lines
from hookctl.report.text.selection import quoted
from hookctl.serve.access import Scope, requires
from hookctl.serve.deliveries.showing import show
from hookctl.serve.pages.failures import not_found, page
from hookctl.serve.pages.state import pages_of
from hookctl.serve.stores import in_store
from hookctl.store.records import Filter
from hookctl.when.condition import compile_when

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.serve.pages.catalog import Catalog
    from hookctl.store.history import StoredEvent
    from hookctl.store.interface import Store
    from hookctl.store.overviews import DeliveryPage

MOST_ROWS = 100
"""The most webhooks in a table; the next ones are a page further."""
SIMPLE = re.compile(r"[A-Za-z0-9_.:-]+")
"""An id that needs no escapes."""
MAX_CHARACTERS = 64 * 1024
"""Of the event's JSON; ``hookctl events show`` has all of it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A webhook without a delivery of the event."""

    webhook: str
    why: str
    backfill: str
    """The command that makes the delivery; empty where the webhook would not match now either."""


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, as the page shows it."""

    event: StoredEvent
    document: str
    is_cut: bool
    matched: DeliveryPage
    missed: Sequence[Missed]
    after: str | None
    """The name after which the next page of webhooks without a delivery begins; None if there is none."""
    others: Sequence[str]
    """Some webhooks that receive another event type."""
    other_count: int


@requires(Scope.READ)
@page
async def event(request: Request) -> Response:
    """One event. ``after`` in the address is the webhook after which those without a delivery begin."""
    return await in_store(request, _page, request, pages_of(request).catalog)


def _page(store: Store, request: Request, catalog: Catalog) -> Response:
    event_id, after = request.path_params["event_id"], request.query_params.get("after", "")
    view = view_of(store, catalog, event_id, after)
    if view is None:
        hint = "Give the complete id. Events are deleted after the retention time."
        return not_found(request, printable(f"There is no event {event_id}"), hint)
    return show(request, "event.html", view=view, after=after)


def view_of(store: Store, catalog: Catalog, event_id: str, after: str = "") -> EventView | None:
    """The event with this id; None if there is none."""
    found = store.event(event_id)
    if found is None:
        return None
    matched = store.delivery_page(Filter(event_id=event_id), MOST_ROWS)
    known, then = catalog.read(store), catalog.routes_at(store, found.received_at)
    applied = AppliedState(known.serial, known.plans, known.renames)
    others = receivers_of_others(found, applied, then)
    earlier = {name for name in applied.plans if after and _order(name) <= _order(after)}
    delivered = {row.delivery.webhook for row in matched.rows}
    if matched.next is not None:
        delivered |= {one.webhook for one in store.deliveries(Filter(event_id=event_id))}
    rest = islice(unmatched(found, delivered | others | earlier, applied, then), MOST_ROWS + 1)
    rows = [_missed(one, found, applied.plans[one.webhook]) for one in rest]
    has_more = len(rows) > MOST_ROWS
    text = printable_lines(json.dumps(found.document, ensure_ascii=False, indent=2))
    return EventView(
        event=found,
        document=text[:MAX_CHARACTERS],
        is_cut=len(text) > MAX_CHARACTERS,
        matched=matched,
        missed=rows[:MOST_ROWS],
        after=rows[MOST_ROWS - 1].webhook if has_more else None,
        others=sorted(others - delivered, key=_order)[:NAMED],
        other_count=len(others - delivered),
    )


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _missed(one: Unmatched, found: StoredEvent, plan: DeliveryPlan) -> Missed:
    command = ""
    if one.why is not Why.UNKNOWN and _would_match(found, plan):
        since, until = iso(found.received_at), iso(found.received_at + 1)
        where = quoted(f"id == {_literal(found.id)}")
        command = f"hookctl backfill {quoted(one.webhook)} --since {since} --until {until} --where {where}"
    return Missed(one.webhook, why_text(one), command)


def _would_match(found: StoredEvent, plan: DeliveryPlan) -> bool:
    """Whether the webhook as it is applied now would match the event."""
    if plan.status is Status.INACTIVE or plan.event != found.event_type:
        return False
    try:
        return plan.when is None or compile_when(plan.when).matches(found.document)
    except HookctlError:
        return False


def _literal(text: str) -> str:
    """A text as a literal of JMESPath. Escapes keep quotes and control characters out of the command."""
    if SIMPLE.fullmatch(text):
        return f"'{text}'"
    escaped = json.dumps(text).replace("'", "\\u0027").replace("`", "\\u0060")
    return f"`{escaped}`"


ROUTES: Sequence[BaseRoute] = (Route("/events/{event_id:path}", event),)
