"""What a request gets instead of what it asked for: problems for programs, the sign-in page for browsers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hookctl.serve.problems import problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.access.identity import Identity, Scope

SIGN_IN = "/sign-in"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="hookctl"'}
HOW_TO_GET_ONE = "Create one with `hookctl tokens create`, and send it as `Authorization: Bearer TOKEN`."


class NotAllowedError(HTTPException):
    """403 for a browser that asks for a page: a page shows it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(403, message)
        self.message, self.hint = message, hint


def unauthorized(request: Request) -> Response:
    """401 for a program; for a browser that wants a page, a redirect to where one can sign in."""
    if not is_for_page(request):
        return no_token()
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if from_elsewhere(request) and request.headers.get("sec-fetch-mode") == "navigate":
        # A browser keeps a SameSite=Strict cookie back after a click on another site. The next request has it.
        return go_to(request, path)
    return RedirectResponse(f"{SIGN_IN}?next={quote(path, safe='')}", 303)


def no_token() -> Response:
    """401: there is no token."""
    return problem(
        401,
        type="token-missing",
        title="A token is required",
        detail="the request has no bearer token",
        hint=HOW_TO_GET_ONE,
        headers=CHALLENGE,
    )


def refused(detail: str) -> Response:
    """401: there is a token, but it is not accepted."""
    challenge = {"WWW-Authenticate": f'{CHALLENGE["WWW-Authenticate"]}, error="invalid_token"'}
    hint = "`hookctl tokens list` shows the tokens that are accepted."
    return problem(
        401, type="token-refused", title="The token is not accepted", detail=detail, hint=hint, headers=challenge
    )


def forbidden(request: Request, scope: Scope, identity: Identity) -> Response:
    """403: the identity lacks a scope. Raises NotAllowedError where a browser asks for a page."""
    who = f"{identity.name} does not have the scope {scope}"
    hint = f"Create a token that has it: `hookctl tokens create NAME --scope {scope}`."
    if is_for_page(request):
        raise NotAllowedError(who, hint)
    return problem(403, type="scope-missing", title="The token lacks a scope", detail=who, hint=hint, scope=str(scope))


def cross_site(detail: str) -> Response:
    """403: a write that does not come from a page of this server."""
    return problem(
        403,
        type="cross-site-write",
        title="The request does not come from a page of this server",
        detail=detail,
        hint="Open the page again and repeat the action. Programs send a bearer token instead of a cookie.",
    )


def too_many_failures(seconds: int) -> Response:
    """429: too many tokens or links that are not accepted."""
    return problem(
        429,
        type="too-many-failures",
        title="Too many tokens were not accepted",
        detail="too many tokens or sign-in links that are not accepted were tried from this address",
        hint=f"Try again in {seconds} s. Tokens that were accepted before are still accepted.",
        headers={"Retry-After": str(seconds)},
    )


def too_large(most: int) -> Response:
    """413: the body has too many bytes. The connection ends, because the rest of the body is not read."""
    return problem(
        413,
        type="body-too-large",
        title="The body is too large",
        detail=f"the body has more than {most} bytes",
        hint="Send less at once.",
        headers={"Connection": "close"},
    )


def unavailable() -> Response:
    """503: the store or a secret cannot be read now. The log has the reason: it may name files, and anyone may ask."""
    return problem(
        503,
        type="access-unavailable",
        title="Access cannot be checked",
        detail="the store, or the secret of a signature, cannot be read now",
        hint="Send the request again. The log of the server has a line `trouble` with the reason.",
        headers={"Retry-After": "5"},
    )


def go_to(request: Request, path: str) -> Response:
    """Send the browser to a path of this server, as a request of this server's own page if another site led here."""
    if not from_elsewhere(request):
        return RedirectResponse(path, 303)
    url = escape(path)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>hookctl</title>'
        f'<meta http-equiv="refresh" content="0; url={url}"><p><a href="{url}">Continue</a></p></html>\n'
    )


def is_for_page(request: Request) -> bool:
    """Whether a browser asks for a page."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


def from_elsewhere(request: Request) -> bool:
    """Whether the browser states that another site led to this request."""
    return request.headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}
