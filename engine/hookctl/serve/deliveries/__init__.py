"""Pages about deliveries and events, and what operators do to them: replay, cancel, hold and resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hookctl.serve.deliveries import acting, delivery, event, listing, undelivered

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

ROUTES: Sequence[BaseRoute] = (*listing.ROUTES, *delivery.ROUTES, *event.ROUTES, *undelivered.ROUTES, *acting.ROUTES)
