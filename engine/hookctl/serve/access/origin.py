"""Whether a browser's request comes from a page of this server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

SCHEMES = ("http://", "https://")


def names_an_origin(request: Request) -> bool:
    """Whether the browser states where the request comes from."""
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def is_same_origin(request: Request) -> bool:
    """Whether the browser states that the request comes from this server, and nothing else.

    The scheme is not compared: behind a proxy that ends TLS, this server does not know it. ``Sec-Fetch-Site`` covers
    it, and a cookie that is ``Secure`` is not sent without TLS.
    """
    origins, sites = request.headers.getlist("origin"), request.headers.getlist("sec-fetch-site")
    host = request.headers.get("host", "").lower()
    own = {scheme + host for scheme in SCHEMES}
    if not origins and not sites:
        return False
    return all(origin.lower() in own for origin in origins) and all(site == "same-origin" for site in sites)
