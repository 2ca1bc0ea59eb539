"""The page of what was never delivered, grouped by cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from hookctl.model import DeliveryStatus
from hookctl.serve.access import Scope, requires
from hookctl.serve.deliveries import links
from hookctl.serve.deliveries.done import done_text
from hookctl.serve.deliveries.showing import show
from hookctl.serve.pages.failures import page
from hookctl.serve.stores import in_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.store.interface import Store
    from hookctl.store.overviews import Group
    from hookctl.store.records import Hold

STATUSES = (DeliveryStatus.DEAD, DeliveryStatus.HELD, DeliveryStatus.RETRYING, DeliveryStatus.WAITING)
MOST_GROUPS = 100
MOST_WEBHOOKS = 3
"""The most webhooks that a group names."""


@dataclass(frozen=True, slots=True)
class _Found:
    groups: Sequence[Group]
    """The largest that pass the filters."""
    left_out: int
    """How many smaller ones are not shown."""
    counts: dict[DeliveryStatus, int]
    """How many deliveries of the webhook, or of all, have each status."""
    holds: dict[str, Hold]
    is_empty: bool
    """There is no delivery at all."""


@requires(Scope.READ)
@page
async def undelivered(request: Request) -> Response:
    """Groups of deliveries that are dead, held, retrying or waiting. The filters are ``status`` and ``webhook``."""
    return await in_store(request, _page, request)


def _page(store: Store, request: Request) -> Response:
    webhook = request.query_params.get("webhook", "").strip()
    chosen = request.query_params.get("status", "").strip()
    return show(
        request,
        "undelivered.html",
        webhook=webhook,
        chosen=chosen,
        statuses=STATUSES,
        found=_find(store, webhook or None, chosen),
        most_webhooks=MOST_WEBHOOKS,
        done=done_text(request.query_params),
    )


def _find(store: Store, webhook: str | None, status: str) -> _Found:
    groups = store.groups(webhook)
    counts = {one: sum(group.count for group in groups if group.status is one) for one in STATUSES}
    shown = [group for group in groups if status in {"", group.status.value}]
    is_empty = not groups and not store.delivery_page(limit=1).rows
    return _Found(shown[:MOST_GROUPS], len(shown[MOST_GROUPS:]), counts, dict(store.holds()), is_empty)


ROUTES: Sequence[BaseRoute] = (Route(links.UNDELIVERED, undelivered),)
