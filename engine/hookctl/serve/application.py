"""The ASGI application: the routes of every part, and what all requests pass through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware

from hookctl.serve import deliveries, intake, openapi, operations, pages
from hookctl.serve.access import AccessControl, check_declared
from hookctl.serve.pages.failures import not_allowed, unknown_address, unknown_method

if TYPE_CHECKING:
    from hookctl.serve.context import Context


def make_application(context: Context) -> Starlette:
    """The application; its handlers find ``context`` in ``request.app.state.context``.

    Raises TypeError if a route does not declare who may use it.
    """
    routes = [*intake.ROUTES, *openapi.ROUTES, *operations.ROUTES, *pages.ROUTES, *deliveries.ROUTES]
    check_declared(routes)
    application = Starlette(
        routes=routes,
        middleware=[Middleware(AccessControl, access=context.access)],
        exception_handlers={403: not_allowed, 404: unknown_address, 405: unknown_method},
    )
    # Its redirects would have the scheme http, also behind a proxy that ends TLS, and be followed with the token.
    application.router.redirect_slashes = False
    application.state.context = context
    return application
