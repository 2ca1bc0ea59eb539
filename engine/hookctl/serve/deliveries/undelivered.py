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
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.store.interface import Store
    from hookctl.store.overviews import Group
    from hookctl.store.records import Hold

STATUSES = (DeliveryStatus.DEAD, DeliveryStatus.HELD, DeliveryStatus.RETRYING, DeliveryStatus.WAITING)
MOST_GROUPS = 100
"""The most groups on the page."""
MOST_READ = 300
"""The most groups that are read, of any status."""
MOST_WEBHOOKS = 3
"""The most webhooks that a group names."""


@dataclass(frozen=True, slots=True)
class _Found:
    groups: Sequence[Group]
    """The largest that pass the filters."""
    has_more: bool
    """There are smaller ones, which are not shown."""
    counts: Mapping[DeliveryStatus, int]
    """How many deliveries of the groups that were read have each status."""
    holds: Mapping[str, Hold]
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
    groups = store.groups(webhook, MOST_READ)
    shown = [group for group in groups if status in {"", group.status.value}]
    return _Found(
        groups=shown[:MOST_GROUPS],
        has_more=len(shown) > MOST_GROUPS or len(groups) == MOST_READ,
        counts={one: sum(group.count for group in groups if group.status is one) for one in STATUSES},
        holds=store.holds(),
        is_empty=not groups and not store.delivery_page(limit=1).rows,
    )


ROUTES: Sequence[BaseRoute] = (Route(links.UNDELIVERED, undelivered),)
