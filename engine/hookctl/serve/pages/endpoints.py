"""The endpoints of the pages about webhooks and their history."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hookctl.delivery.past.bulk import audit_entry
from hookctl.model import Status
from hookctl.serve.access import Scope, requires
from hookctl.serve.pages import history, test_result, webhook, webhook_list
from hookctl.serve.pages.failures import not_found, page
from hookctl.serve.pages.rendering import render
from hookctl.serve.pages.state import pages_of
from hookctl.serve.stores import in_store

if TYPE_CHECKING:
    from starlette.requests import Request

    from hookctl.serve.context import Context
    from hookctl.store.history import AuditEntry
    from hookctl.store.interface import Store

WAIT_SECONDS = 1.5
"""How long the answer to a test waits for its result. Slower tests show theirs when they have it."""


@requires(Scope.READ)
@page
async def webhooks(request: Request) -> Response:
    """Every applied webhook."""
    pages = pages_of(request)

    def show(store: Store) -> Response:
        found = webhook_list.find(store, pages, webhook_list.query_of(request.query_params))
        return render(request, "webhooks.html", **found)

    return await in_store(request, show)


@requires(Scope.READ)
@page
async def one_webhook(request: Request) -> Response:
    """One webhook."""
    pages = pages_of(request)

    def show(store: Store) -> Response:
        found = webhook.find(store, _context(request), pages, request.path_params["name"])
        return render(request, "webhook.html", **found)

    return await in_store(request, show)


@requires(Scope.READ)
@page
async def patch(request: Request) -> Response:
    """A patch that makes a webhook active or inactive."""
    name, wanted = request.path_params["name"], request.query_params.get("status")
    pages = pages_of(request)
    if wanted not in set(Status):
        return not_found(request, "There is no such patch", "The status is active or inactive.")

    def make(store: Store) -> Response:
        webhook.find_plan(store, pages, name)
        text = pages.files.status_patch(name, Status(wanted))
        if not text:
            return not_found(
                request,
                "There is no such patch",
                f"The file of {name} was not found here, has the status {wanted}, or is written in another way. Edit "
                "it by hand.",
            )
        headers = {"Content-Disposition": f'attachment; filename="{name.replace(" ", "_")}-{wanted}.patch"'}
        return Response(text, media_type="text/x-diff", headers=headers)

    return await in_store(request, make)


@requires(Scope.OPERATE)
@page
async def start_test(request: Request) -> Response:
    """Sends the mock event to a webhook, as it is applied."""
    name = request.path_params["name"]
    plan = await in_store(request, webhook.find_plan, pages_of(request), name)
    event_type = _context(request).plugins.event_types.get(plan.event)
    if event_type is None:
        return not_found(request, f"The event type {plan.event} is not known to this server", "See `hookctl plugins`.")
    tests, who = pages_of(request).tests, request.state.identity.name
    test = tests.reserve(plan, who)
    if test is None:
        return render(
            request,
            "error.html",
            status=503,
            message="Too many tests are running",
            hint="Try again when one of them has ended.",
        )
    try:  # nothing is sent that is not in the audit log
        await in_store(request, _record, audit_entry(who, "test", name, None))
    except BaseException as error:
        test.result.set_exception(error)
        raise
    tests.send(test, event_type.mock)
    await asyncio.wait([asyncio.wrap_future(test.result)], timeout=WAIT_SECONDS)
    return RedirectResponse(request.url_for("test", name=name, id=test.id).path, 303)


def _record(store: Store, audit: AuditEntry) -> None:
    store.record(audit)


@requires(Scope.READ)
@page
async def show_test(request: Request) -> Response:
    """The result of a test."""
    test = pages_of(request).tests.get(request.path_params["id"])
    if test is None or test.plan.name != request.path_params["name"]:
        hint = "Results are kept until the server stops, and only the newest. Test the webhook again."
        return not_found(request, "This test is not kept any more", hint)
    return render(request, "test.html", **test_result.found(test))


@requires(Scope.READ)
@page
async def whole_history(request: Request) -> Response:
    """Every apply, and every action of an operator."""

    def show(store: Store) -> Response:
        found = history.find(store, history.query_of(request.query_params, time.time()))
        return render(request, "history.html", **found)

    return await in_store(request, show)


@requires(Scope.READ)
@page
async def one_apply(request: Request) -> Response:
    """One apply, with what it changed."""
    given, pages = request.path_params["serial"], pages_of(request)
    serial = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0  # no apply has 0

    def show(store: Store) -> Response:
        applied = pages.catalog.read(store)
        found = history.find_apply(store, applied, serial, request.query_params.get("after", ""))
        if found is None:
            return not_found(request, f"There is no apply with the serial {given}", "See the history.")
        return render(request, "apply.html", **found)

    return await in_store(request, show)


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


ROUTES = (
    Route("/", webhooks, methods=["GET"]),
    Route("/webhooks/{name}", one_webhook, methods=["GET"]),
    Route("/webhooks/{name}/patch", patch, methods=["GET"]),
    Route("/webhooks/{name}/test", start_test, methods=["POST"]),
    Route("/webhooks/{name}/tests/{id}", show_test, methods=["GET"], name="test"),
    Route("/history", whole_history, methods=["GET"]),
    Route("/history/{serial}", one_apply, methods=["GET"]),
)
