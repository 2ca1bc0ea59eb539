"""Renders the pages of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookctl.serve.access import Scope
from hookctl.serve.deliveries import links
from hookctl.serve.pages.rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


def show(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """The page of a template, which also finds links, and whether the reader may act."""
    return render(
        request,
        name,
        status=status,
        links=links,
        may_act=request.state.identity.may(Scope.OPERATE),
        **values,
    )
