"""What operators need: metrics, health, and a log of the requests."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from hookctl.serve.operations.endpoints import healthz, metrics, readyz
from hookctl.serve.operations.request_log import RequestLog
from hookctl.serve.operations.running import Operations

__all__ = ["ROUTES", "Operations", "RequestLog"]

ROUTES: Sequence[BaseRoute] = (
    Route("/healthz", healthz, name="healthz"),
    Route("/readyz", readyz, name="readyz"),
    Route("/metrics", metrics, name="metrics"),
)
