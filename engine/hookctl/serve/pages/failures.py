"""What pages show when something cannot be shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from hookctl.errors import HookctlError, StateError, UnknownWebhookError
from hookctl.serve.pages.rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

Endpoint = Callable[["Request"], Awaitable["Response"]]


def page(endpoint: Endpoint) -> Endpoint:
    """The endpoint of a page: an error that hookctl raises becomes a page that says what to do."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except UnknownWebhookError as error:
            return not_found(request, error.message, error.hint)
        except StateError as error:  # the store fails or is busy
            return render(request, "error.html", status=503, message=error.message, hint=error.hint)
        except HookctlError as error:
            return render(request, "error.html", status=500, message=error.message, hint=error.hint)

    return answer


def not_found(request: Request, message: str, hint: str = "") -> Response:
    """The page for something that does not exist."""
    return render(request, "not_found.html", status=404, message=message, hint=hint)
