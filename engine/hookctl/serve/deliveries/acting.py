"""Replay, cancel, hold and resume: a page that shows what is meant and asks for a reason, and the action itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.datastructures import ImmutableMultiDict
from starlette.responses import RedirectResponse
from starlette.routing import Route

from hookctl.delivery.past.batches import batches
from hookctl.delivery.past.bulk import MOST, SAMPLE, audit_entry, cancel_reason
from hookctl.report.text.printable import printable
from hookctl.report.text.selection import options_text, quoted
from hookctl.serve.access import Scope, form_of, requires
from hookctl.serve.access.form import MAX_BYTES, parse_form, read_body
from hookctl.serve.deliveries import links
from hookctl.serve.deliveries.choosing import LONGEST_REASON, Chosen, Wanted, choose, wanted
from hookctl.serve.deliveries.done import OF_WEBHOOKS, WORDS, done_parameters
from hookctl.serve.deliveries.showing import show
from hookctl.serve.pages.failures import not_found, page
from hookctl.serve.stores import in_store
from hookctl.store.records import UNENDED

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from hookctl.store.history import AuditEntry
    from hookctl.store.interface import Store

PATH = "/actions/{action}"
NO_REASON = "Give a reason: it is kept in the audit log, with your name."
MORE_NOW = "There are more now than you have seen. Check them, and confirm again."


@requires(Scope.OPERATE)
@page
async def confirm(request: Request) -> Response:
    """What an action would change: how many, the newest five, and a form that asks for the reason."""
    action = request.path_params["action"]
    if action not in WORDS:
        return not_found(request, printable(f"There is no action {action}"))
    asked = wanted(action, request.query_params, time.time())
    return await in_store(request, _ask, request, asked, status=200 if asked.is_clear else 400)


@requires(Scope.OPERATE)
@page
async def act(request: Request) -> Response:
    """Change what was confirmed, as far as it is still as it was; then a redirect to a page that shows the result."""
    action = request.path_params["action"]
    if action not in WORDS:
        return not_found(request, printable(f"There is no action {action}"))
    asked = wanted(action, await _form(request), time.time())
    return await in_store(request, _answer, request, asked)


def _answer(store: Store, request: Request, asked: Wanted) -> Response:
    if not asked.is_clear:
        return _ask(store, request, asked, status=400)
    if not asked.reason:
        return _ask(store, request, asked, status=422, problem=NO_REASON)
    done = _act(store, asked, request.state.identity.name)
    if done is None:
        return _ask(store, request, asked, status=409, problem=MORE_NOW)
    return RedirectResponse(_after(asked, *done), 303)


async def _form(request: Request) -> ImmutableMultiDict[str, str]:
    """The form of a session, or of a program that shows a token; empty if there is none that can be read."""
    form = form_of(request)
    if form:
        return form
    body = await read_body(request.receive, MAX_BYTES)
    try:
        return parse_form(body or b"")
    except ValueError:
        return ImmutableMultiDict()


def _ask(store: Store, request: Request, asked: Wanted, *, status: int, problem: str = "") -> Response:
    chosen = choose(store, asked, SAMPLE) if asked.is_clear else None
    return show(
        request,
        "confirm.html",
        status=status,
        asked=asked,
        chosen=chosen,
        count=chosen.count(asked.action) if chosen else 0,
        of_webhooks=asked.action in OF_WEBHOOKS,
        sample=SAMPLE,
        most=MOST,
        longest_reason=LONGEST_REASON,
        problem=problem,
        fields=_fields(asked, chosen) if chosen else (),
        command_text=_command(asked, chosen) if chosen else "",
        back=_back(asked),
    )


def _fields(asked: Wanted, chosen: Chosen) -> Sequence[tuple[str, str]]:
    """The hidden fields with which the form asks for the same again."""
    count = ("count", str(chosen.count(asked.action)))
    if asked.ids:
        seen = sorted({one.status.value for one in chosen.deliveries})
        return [count, *(("id", name) for name in asked.ids), *(("seen", one) for one in seen)]
    pinned = asked.query.texts if asked.names_a_webhook else asked.query.pinned(time.time())
    return [count, *pinned.items()]


def _command(asked: Wanted, chosen: Chosen) -> str:
    """The command that does the same; empty where there is none."""
    reason = "--reason TEXT"
    if asked.action == "hold" or asked.query.group:
        return ""
    if asked.action == "resume":
        names = chosen.webhooks
        return f"hookctl deliveries resume {quoted(names[0])} {reason}" if len(names) == 1 else ""
    which = " ".join(asked.ids) if asked.ids else options_text(asked.query.selection)
    then = " --as-planned" if asked.as_planned else ""
    return f"hookctl deliveries {asked.action} {which}{then} {reason}"


def _act(store: Store, asked: Wanted, who: str) -> tuple[int, int] | None:
    """Do it; returns how many were changed, and how many were left alone. None if more are selected than were shown."""
    chosen = choose(store, asked)
    if chosen.count(asked.action) > asked.count:
        return None
    audit = audit_entry(who, asked.action, chosen.what, asked.reason)
    changed = ACTIONS[asked.action](store, asked, chosen, audit) if chosen.count(asked.action) else 0
    return changed, max(0, asked.count - changed)


def _replay(store: Store, asked: Wanted, chosen: Chosen, audit: AuditEntry) -> int:
    replayed = 0
    for batch in batches([one.id for one in chosen.deliveries]):
        replayed += len(
            store.replay(batch, time.time(), as_planned=asked.as_planned, statuses=chosen.statuses, audit=audit)
        )
    store.reconcile(store.read_state())  # for webhooks that are held, inactive or gone
    store.wake_runners()
    return replayed


def _cancel(store: Store, _: Wanted, chosen: Chosen, audit: AuditEntry) -> int:
    why, statuses, cancelled = cancel_reason(audit), chosen.statuses or UNENDED, 0
    for batch in batches([one.id for one in chosen.deliveries]):
        cancelled += len(store.cancel(batch, time.time(), why, audit, statuses=statuses))
    return cancelled


def _hold(store: Store, _: Wanted, chosen: Chosen, audit: AuditEntry) -> int:
    plans = store.read_state().plans
    reason = f"by {audit.who}: {audit.reason}"
    return sum(store.hold(plans[name], reason, time.time(), audit) for name in chosen.webhooks if name in plans)


def _resume(store: Store, _: Wanted, chosen: Chosen, audit: AuditEntry) -> int:
    resumed = sum(store.resume(name, audit) for name in chosen.webhooks)
    store.wake_runners()
    return resumed


def _back(asked: Wanted) -> str:
    """The page from which the action was probably chosen."""
    if len(asked.ids) == 1:
        return links.delivery(asked.ids[0])
    if asked.names_a_webhook:
        return links.webhook(asked.query.selection.webhook or "")
    return links.DELIVERIES if asked.ids else asked.query.url(links.DELIVERIES)


def _after(asked: Wanted, changed: int, left: int) -> str:
    """The page that shows the result: without the filters that what was changed does not pass any more."""
    done = done_parameters(asked.action, changed, left)
    if asked.ids or asked.names_a_webhook:
        return f"{_back(asked)}?{urlencode(done)}"
    return asked.query.url(links.DELIVERIES, status=None, cause=None, plan=None, group=None, **done)


ACTIONS: Mapping[str, Callable[[Store, Wanted, Chosen, AuditEntry], int]] = {
    "replay": _replay,
    "cancel": _cancel,
    "hold": _hold,
    "resume": _resume,
}
ROUTES: Sequence[BaseRoute] = (Route(PATH, confirm, methods=["GET"]), Route(PATH, act, methods=["POST"]))
