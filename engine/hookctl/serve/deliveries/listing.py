"""The page with all deliveries, a page at a time, as filters select them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from hookctl.delivery.past.selection import STATUSES
from hookctl.delivery.past.where import where_of
from hookctl.errors import BudgetError
from hookctl.model import FailureKind
from hookctl.serve.access import Scope, requires
from hookctl.serve.deliveries import links
from hookctl.serve.deliveries.done import done_text
from hookctl.serve.deliveries.query import PRESETS, Query, read
from hookctl.serve.deliveries.showing import show
from hookctl.serve.pages.failures import page
from hookctl.serve.stores import in_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.store.interface import Store
    from hookctl.store.overviews import DeliveryPage

ROWS = 50
LOOK_AT = 5_000
"""About the most deliveries that one page looks at."""
LOOK_AT_EVENTS = 1_000
"""The same for a filter that has to read each event or each attempt."""
MOST_STEPS = 5_000_000
"""The most steps of ``where`` for all events of a page, which others wait for: a few seconds. Most take 20 an event."""
CAUSES = ("mismatch", *(kind.value for kind in FailureKind), "4xx", "5xx")
"""What the field for the cause suggests; it takes any status, too."""


@dataclass(frozen=True, slots=True)
class _Found:
    page: DeliveryPage
    has_event: bool | None
    """Whether the event whose id was given is stored. None without an id, or if it has a delivery here."""


@requires(Scope.READ)
@page
async def deliveries(request: Request) -> Response:
    """The deliveries that pass the filters, newest first."""
    query = read(request.query_params, time.time())
    return await in_store(request, _page, request, query)


def _page(store: Store, request: Request, query: Query) -> Response:
    found = None
    if not query.errors:
        try:
            found = _find(store, query)
        except BudgetError as error:
            query = replace(query, errors={"where": f"{error.message}. {error.hint}"})
    return show(
        request,
        "deliveries.html",
        status=400 if query.errors else 200,
        query=query,
        found=found,
        next_url=query.next_url(links.DELIVERIES, found.page.next) if found else None,
        statuses=STATUSES,
        causes=CAUSES,
        most=ROWS,
        presets=PRESETS,
        done=done_text(request.query_params),
    )


def _find(store: Store, query: Query) -> _Found:
    which = query.filter()
    if query.selection.where is not None:
        which = replace(which, where=where_of(query.selection.where, MOST_STEPS))
    look_at = LOOK_AT_EVENTS if which.where or which.plan_digest else LOOK_AT
    found = store.delivery_page(which, ROWS, before=query.before, look_at=look_at)
    event_id = query.selection.event_id
    has_event = None if found.rows or event_id is None else store.event(event_id) is not None
    return _Found(found, has_event)


ROUTES: Sequence[BaseRoute] = (Route(links.DELIVERIES, deliveries),)
