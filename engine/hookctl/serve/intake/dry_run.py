"""``?dry_run=true``: what would be sent to whom. Stores nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hookctl.delivery.events.intake import BadEvent
from hookctl.delivery.rehearsal.render import render_request
from hookctl.delivery.runner.route import Router
from hookctl.errors import HookctlError
from hookctl.json.equality import is_equal
from hookctl.serve.access import Scope
from hookctl.serve.intake.body import too_many
from hookctl.serve.intake.reading import only_allowed

if TYPE_CHECKING:
    from hookctl.model import AppliedState, DeliveryPlan, Event, Json, Request
    from hookctl.plugin.calls import Plugins
    from hookctl.serve.access import Identity
    from hookctl.serve.context import Context
    from hookctl.serve.intake.reading import Found
    from hookctl.store.interface import Store
    from hookctl.store.records import NewDelivery

MAX_EVENTS = 100
"""Rendering requests takes much longer than storing events."""


async def dry_run(context: Context, identity: Identity, found: Found) -> Json:
    """The answer. Raises ProblemError if there are too many events, or the store cannot be read."""
    if len(found.items) > MAX_EVENTS:
        raise too_many(MAX_EVENTS, "With ?dry_run=true, the limit is lower.")
    events = await context.stores.call(_report, context.plugins, identity, found)
    return events[0] if found.is_one else {"events": events}


def _report(store: Store, plugins: Plugins, identity: Identity, found: Found) -> list[Json]:
    applied = store.read_state()
    router = Router(applied)
    shows_requests = identity.may(Scope.READ)
    report: list[Json] = []
    for index, item in enumerate(only_allowed(found.items, identity.event_types)):
        if isinstance(item, BadEvent):
            report.append(
                {
                    "id": None,
                    "status": "rejected",
                    "webhooks": [],
                    "index": index,
                    "place": item.place,
                    "rule": item.rule,
                    "detail": item.reason,
                }
            )
            continue
        deliveries = router.route(item).deliveries
        report.append(
            {
                "id": item.id,
                "status": _status(store, item),
                "webhooks": [delivery.webhook for delivery in deliveries],
                "requests": [_shown(applied, plugins, item, delivery, whole=shows_requests) for delivery in deliveries],
            }
        )
    return report


def _status(store: Store, event: Event) -> str:
    earlier = store.event(event.id)
    if earlier is None:
        return "accepted"
    return "duplicate" if is_equal(dict(earlier.document), dict(event.document)) else "rejected"


def _shown(
    applied: AppliedState, plugins: Plugins, event: Event, delivery: NewDelivery, *, whole: bool
) -> dict[str, Json]:
    """Whom a request would go to, and if it is shown as a ``whole``, also the request, without secrets and auth."""
    plan = applied.plans[delivery.webhook]
    shown: dict[str, Json] = {"webhook": plan.name, "method": plan.method, "host": urlsplit(plan.url).hostname}
    if delivery.dead_because:
        return shown | {"problem": delivery.dead_because}
    return shown | _request(plan, plugins, event, delivery.id) if whole else shown


def _request(plan: DeliveryPlan, plugins: Plugins, event: Event, delivery_id: str) -> dict[str, Json]:
    try:
        request: Request = render_request(plan, event.document, plugins, delivery_id)
    except HookctlError as error:
        return {"problem": error.message}
    return {
        "url": request.url,
        "headers": dict(request.headers),
        "body": None if request.body is None else request.body.decode(errors="replace"),
    }
