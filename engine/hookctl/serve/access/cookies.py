"""The cookie of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookctl.serve.access.hosts import host_name, is_loopback
from hookctl.serve.access.sessions import MAX_SECONDS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

NAME = "hookctl"


def cookie_of(request: Request) -> str:
    """The value of the session's cookie; empty without one."""
    return request.cookies.get(_name(request), "") if "cookie" in request.headers else ""


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Have the browser keep a session."""
    secure = needs_tls(request)
    response.set_cookie(
        _name(request), value, max_age=MAX_SECONDS, path="/", httponly=True, samesite="strict", secure=secure
    )


def delete_cookie(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(_name(request), path="/", httponly=True, samesite="strict", secure=needs_tls(request))


def needs_tls(request: Request) -> bool:
    """Whether cookies are for TLS only: unless the browser is on this machine, or at the end of a tunnel to it."""
    return not is_loopback(host_name(request.headers.get("host", "")))


def _name(request: Request) -> str:
    """The port is in the name, because browsers share cookies between all ports of a host.

    With TLS, ``__Host-`` has the browser check that no other host or path has set the cookie.
    """
    if needs_tls(request):
        return f"__Host-{NAME}"
    return f"{NAME}-{(request.scope.get('server') or ('', 0))[1]}"
