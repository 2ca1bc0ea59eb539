"""The intake of events over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from hookctl.serve.intake.get import get_event
from hookctl.serve.intake.intake import Intake
from hookctl.serve.intake.post import PostEvents

__all__ = ["ROUTES", "Intake"]

ROUTES: Sequence[BaseRoute] = (
    Route("/v1/events", PostEvents(), methods=["POST"], name="post_events"),
    Route("/v1/events/{id:path}", get_event, name="get_event"),
)
