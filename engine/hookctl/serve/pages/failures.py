"""What pages show when something cannot be shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from hookctl.errors import HookctlError, StateError, UnknownWebhookError
from hookctl.serve.access.answers import NotAllowedError, is_for_page
from hookctl.serve.pages.rendering import render
from hookctl.serve.problems import problem

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


async def unknown_address(request: Request, _: Exception) -> Response:
    """The answer where there is no route: a page for a browser, or else a problem."""
    if is_for_page(request):
        return not_found(request, "There is no page at this address")
    return problem(404, type="not-found", title="There is nothing at this address", detail="the path is unknown")


async def unknown_method(_: Request, error: Exception) -> Response:
    """The answer to a method that a path does not have."""
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem(
        405,
        type="method-not-allowed",
        title="The path does not have this method",
        detail="the header Allow lists the methods of this path",
        headers=headers,
    )


async def not_allowed(request: Request, error: Exception) -> Response:
    """The page for something that the reader's scopes do not allow."""
    message, hint = (error.message, error.hint) if isinstance(error, NotAllowedError) else ("Not allowed", "")
    return render(request, "not_allowed.html", status=403, message=message, hint=hint)


def not_found(request: Request, message: str, hint: str = "") -> Response:
    """The page for something that does not exist."""
    return render(request, "not_found.html", status=404, message=message, hint=hint)
