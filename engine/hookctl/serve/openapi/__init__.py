"""``GET /v1/openapi.json``: the description of the API for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hookctl.serve.access import Scope, requires
from hookctl.serve.openapi.document import make_document

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.context import Context


@requires(Scope.READ)
async def get_openapi(request: Request) -> Response:
    """The document. It names event types, which are not for everyone."""
    context: Context = request.app.state.context
    document = make_document({name: one.schema for name, one in context.intake.event_types().items()})
    return Response(msgspec.json.encode(document), media_type="application/json")


ROUTES: Sequence[BaseRoute] = (Route("/v1/openapi.json", get_openapi, name="get_openapi"),)
