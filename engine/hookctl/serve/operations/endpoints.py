"""``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

from hookctl.serve.access import Scope, public, requires

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.operations.running import Operations

RETRY_SECONDS = "5"


@public
async def healthz(_: Request) -> Response:
    """That the process answers; nothing else, since anyone may ask."""
    return PlainTextResponse("ok\n")


@public
async def readyz(request: Request) -> Response:
    """Whether events are accepted and delivered: 200, or 503 with a word that says why not."""
    trouble = _operations(request).trouble()
    if not trouble:
        return PlainTextResponse("ok\n")
    return PlainTextResponse(f"{trouble}\n", 503, {"Retry-After": RETRY_SECONDS})


@public
async def metrics(request: Request) -> Response:
    """The metrics: for everyone while only this machine can reach the server, otherwise for those who may read."""
    return await (_metrics if _operations(request).is_open else _metrics_for_readers)(request)


async def _metrics(request: Request) -> Response:
    body, content_type = await _operations(request).scrape(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})


_metrics_for_readers = requires(Scope.READ)(_metrics)


def _operations(request: Request) -> Operations:
    operations: Operations = request.app.state.context.operations
    return operations
