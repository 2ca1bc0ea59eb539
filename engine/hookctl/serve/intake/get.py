"""``GET /v1/events/{id}``: an event, what it matched, and why every other webhook has no delivery of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from hookctl.delivery.past.why import unmatched
from hookctl.errors import StateError
from hookctl.model import AppliedState
from hookctl.report.text.events import render_one_json
from hookctl.serve.access import Scope, requires
from hookctl.serve.intake.results import failure
from hookctl.serve.pages.state import pages_of
from hookctl.serve.problems import problem
from hookctl.serve.stores import in_store
from hookctl.store.records import Filter

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.pages.catalog import Catalog
    from hookctl.store.interface import Store


@requires(Scope.READ)
async def get_event(request: Request) -> Response:
    """The event with the id in the path."""
    event_id: str = request.path_params["id"]
    try:
        document = await in_store(request, _document, pages_of(request).catalog, event_id)
    except StateError as error:
        return failure(error).response
    if document is None:
        return problem(
            404,
            type="event-unknown",
            title="There is no such event",
            detail=f"there is no event {event_id!r}",
            hint="Give the complete id. Events are deleted after the retention time.",
        )
    return Response(document, media_type="application/json")


def _document(store: Store, catalog: Catalog, event_id: str) -> str | None:
    """The same JSON as of `hookctl events show`."""
    event = store.event(event_id)
    if event is None:
        return None
    deliveries = store.deliveries(Filter(event_id=event.id))
    known, then = catalog.read(store), catalog.routes_at(store, event.received_at)
    applied = AppliedState(known.serial, known.plans, known.renames)
    others = list(unmatched(event, {delivery.webhook for delivery in deliveries}, applied, then))
    return render_one_json(event, deliveries, others)
