"""Signing in with the one-time link or with a token, and signing out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from hookctl.errors import StateError
from hookctl.serve.access import public
from hookctl.serve.access.answers import SIGN_IN, cross_site, go_to, too_large
from hookctl.serve.access.control import client_address
from hookctl.serve.access.cookies import cookie_of, delete_cookie, needs_tls, set_cookie
from hookctl.serve.access.form import MAX_BYTES, parse_form, read_body
from hookctl.serve.access.origin import is_same_origin
from hookctl.serve.pages.rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from hookctl.serve.access import Access

LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
"""A path of this server. What browsers would read as another host does not match."""
WAIT = "Too many tokens or links that are not accepted were tried. Try again in {} s."
NOT_ACCEPTED = "This token is not accepted, or it has neither the scope read nor the scope operate."
LINK_OVER = "This link is not accepted: it was used already, is older than ten minutes, or was replaced by a newer one."
ENDED = "Your session has ended. Sign in again."
STORE_FAILS = "The store cannot be used now. The log of the server has a line trouble with the reason."
PLAIN_HTTP = (
    "This page came over plain HTTP, so anyone on the network could read your token. Open it through a proxy that adds "
    "TLS, or through a tunnel: ssh -L 8080:127.0.0.1:8080 SERVER, then http://127.0.0.1:8080."
)


@public
async def sign_in(request: Request) -> Response:
    """The form. With ``?code=``, the one-time link: starts a session and goes to the first page."""
    code = request.query_params.get("code")
    if code is None or request.method != "GET":
        has_ended = cookie_of(request) and request.state.identity is None
        return _form(request, ENDED if has_ended else "")
    cookie, wait = _access(request).sign_in_with_link(code, client_address(request))
    if cookie is None:
        return _refused(request, wait, LINK_OVER)
    return _signed_in(request, cookie)


@public
async def sign_in_with_token(request: Request) -> Response:
    """Starts a session for whoever has a token that may read or operate."""
    if not is_same_origin(request):
        return cross_site("the Origin or Sec-Fetch-Site header is missing or names another site")
    if needs_tls(request) and request.headers.get("origin", "").startswith("http://"):
        return _form(request, PLAIN_HTTP, 403)
    body = await read_body(request.receive, MAX_BYTES)
    if body is None:
        return too_large(MAX_BYTES)
    try:
        cookie, wait = await _start(request, body)
    except ValueError as error:
        return _form(request, f"The form cannot be read: {error}.", 400)
    except StateError as error:
        _access(request).report(error)
        return _form(request, STORE_FAILS, 503)
    return _signed_in(request, cookie) if cookie else _refused(request, wait, NOT_ACCEPTED)


async def _start(request: Request, body: bytes) -> tuple[str | None, int]:
    token = parse_form(body).get("token", "")
    return await _access(request).sign_in_with_token(token, client_address(request))


@public
async def sign_out(request: Request) -> Response:
    """Ends the session. Its CSRF token was checked, as for every write."""
    _access(request).sessions.end(cookie_of(request))
    response = RedirectResponse(SIGN_IN, 303)
    delete_cookie(request, response)
    return response


def _signed_in(request: Request, cookie: str) -> Response:
    _access(request).sessions.end(cookie_of(request))
    wanted = request.query_params.get("next", "/")
    response = go_to(request, wanted if LOCAL.fullmatch(wanted) else "/")
    set_cookie(request, response, cookie)
    return response


def _refused(request: Request, wait: int, message: str) -> Response:
    if not wait:
        return _form(request, message, 403)
    response = _form(request, WAIT.format(wait), 429)
    response.headers["Retry-After"] = str(wait)
    return response


def _form(request: Request, message: str = "", status: int = 200) -> Response:
    wanted = request.query_params.get("next", "")
    return render(request, "sign_in.html", status=status, message=message, wanted=wanted)


def _access(request: Request) -> Access:
    access: Access = request.app.state.context.access
    return access


ROUTES = (
    Route(SIGN_IN, sign_in, methods=["GET"]),
    Route(SIGN_IN, sign_in_with_token, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
)
