"""Logs and counts each request. No line has a secret: of the URL, it has only the pattern of the route."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hookctl.delivery.metrics.counters import Metrics
    from hookctl.model import Json

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "other"
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""The routes that are polled. They are logged only if the answer is an error."""


class RequestLog:
    """ASGI middleware around everything else, so that it sees each answer.

    Args:
        app: answers the requests.
        metrics: counts them.
        write: writes the records of some, each with the time of its answer in epoch seconds.

    What is answered in the same pass of the event loop, such as all requests of one commit, is written together.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, write: Callable[[Sequence[tuple[float, dict[str, Json]]]], None]
    ) -> None:
        self._app, self._metrics, self._write = app, metrics, write
        self._records: list[tuple[float, dict[str, Json]]] = []
        """What is written at the end of the pass."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered, and log it, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, size = time.perf_counter(), 0, 0
        scope.setdefault("state", {})  # the same for everything that handles the request

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._note(scope, status, time.perf_counter() - started, size)

    def _note(self, scope: Mapping[str, Any], status: int, seconds: float, size: int) -> None:
        route = getattr(scope.get("route"), "path", "")
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        self._metrics.add_request(method, route, status, seconds)
        if route in PROBES and 200 <= status < 400:
            return
        client, identity = scope.get("client"), scope["state"].get("identity")
        record: dict[str, Json] = {
            "client": client[0] if client else "",
            "method": method,
            "route": route,
            "status": status or None,
            "seconds": round(seconds, 4),
            "bytes": size,
            "token": identity.name if identity else "",
        }
        self._records.append((time.time(), record))
        if len(self._records) == 1:
            asyncio.get_running_loop().call_soon(self._write_records)

    def _write_records(self) -> None:
        records, self._records = self._records, []
        self._write(records)
