"""What each route requires. A route that declares nothing keeps the server from starting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Literal, TypeVar

from starlette.routing import BaseRoute, Mount, Route

from hookctl.serve.access.answers import forbidden, unauthorized

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from hookctl.serve.access.identity import Scope

    Endpoint = Callable[[Request], Awaitable[Response]]

E = TypeVar("E")
DECLARED = "hookctl_requires"
"""The attribute of an endpoint with what it requires: a scope, or ``PUBLIC``."""
PUBLIC: Literal["public"] = "public"


def requires(scope: Scope) -> Callable[[Endpoint], Endpoint]:
    """Decorates an endpoint that only those with a scope may use; it finds them in ``request.state.identity``.

    Others get 401, or the sign-in page where a browser asks for a page, and 403 if they lack only the scope.
    """

    def decorate(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def guarded(request: Request) -> Response:
            answer = refusal(request, scope)
            return await endpoint(request) if answer is None else answer

        setattr(guarded, DECLARED, scope)
        return guarded

    return decorate


def refusal(request: Request, scope: Scope) -> Response | None:
    """The answer to those who lack a scope; None for those who have it."""
    identity = request.state.identity
    if identity is None:
        return unauthorized(request)
    return None if identity.may(scope) else forbidden(request, scope, identity)


def public(endpoint: E) -> E:
    """Declares that anyone may use an endpoint, or everything below a mounted application, without an identity."""
    setattr(endpoint, DECLARED, PUBLIC)
    return endpoint


def required_scope(route: BaseRoute) -> Scope | None:
    """The scope that a route requires; None for a public one. Raises TypeError if it declares nothing."""
    endpoint = route.endpoint if isinstance(route, Route) else getattr(route, "app", None)
    declared: Scope | Literal["public"] | None = getattr(endpoint, DECLARED, None)
    if declared is None:
        raise TypeError(f"the route {getattr(route, 'path', route)} declares neither requires(...) nor public(...)")
    return None if declared == PUBLIC else declared


def check_declared(routes: Iterable[BaseRoute]) -> None:
    """Raise TypeError if a route does not declare what it requires."""
    for route in every_route(routes):
        required_scope(route)


def every_route(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes, with those within a mount in its place, unless the mount declares something for all of them."""
    for route in routes:
        if isinstance(route, Mount) and route.routes and not hasattr(route.app, DECLARED):
            yield from every_route(route.routes)
        else:
            yield route
