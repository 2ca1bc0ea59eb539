"""Checks the signature of a request, and makes of the request what intake takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from hookctl.errors import HookctlError
from hookctl.serve.access.answers import too_large, unavailable
from hookctl.serve.access.form import read_body, replaying
from hookctl.serve.access.signed import (
    EVENTS,
    MAX_BYTES,
    PREFIX,
    SCHEMES,
    NotAnEventError,
    event_of,
    headers_for_intake,
    is_signed,
    mismatch,
    read_payload,
)
from hookctl.serve.problems import problem
from hookctl.signatures import Mismatch

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive

    from hookctl.model.token import Token
    from hookctl.serve.access.rules import Access
    from hookctl.store.interface import Store

JSON = "application/json"


async def check_signed(
    request: Request, receive: Receive, token: Token, access: Access
) -> tuple[Response | None, Receive]:
    """An answer if the request lacks the signature that its token requires; and how to receive the body from now on.

    ``/v1/inbound/ID`` becomes ``/v1/events``, and the body an event if the token wraps it.
    """
    headers = dict(request.headers)
    if not is_signed(token, headers):
        return _not_signed(token, Mismatch.NO_SIGNATURE), receive
    body = await read_body(receive, MAX_BYTES)
    if body is None:
        return too_large(MAX_BYTES), receive
    try:
        why = await run_in_threadpool(mismatch, token, headers, body, access.read_secret)
        if why is not None:
            return _not_signed(token, why), receive
        if token.wrap:
            body = await _event(token, request, headers, body, access)
    except HookctlError as error:  # the secret or the store cannot be read
        access.report(error)
        return unavailable(), receive
    except NotAnEventError as error:
        return _not_wrapped(token, str(error)), receive
    access.tokens.note_used(token)
    scope = request.scope
    scope["headers"] = headers_for_intake(scope["headers"], body)
    if scope["path"].startswith(PREFIX):
        scope["path"], scope["raw_path"], scope["query_string"] = EVENTS, EVENTS.encode(), b""
    return None, replaying(body, receive)


async def _event(token: Token, request: Request, headers: dict[str, str], body: bytes, access: Access) -> bytes:
    """The event that a signed body becomes, which is the same each time. Raises NotAnEventError, StoreError and others.

    A payload without a time gets that of its arrival, and when it comes again that of the event in the store, so that
    intake finds no difference.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON and not media_type.endswith("+json"):
        raise NotAnEventError(f"the Content-Type is not {JSON}")
    payload = read_payload(token, headers, body)
    at = payload.at
    if at is None:
        first = await access.stores.call(_time_of, payload.event_id)
        at = round(time.time(), 3) if first is None else first
    request.scope["headers"] = [
        (name, JSON.encode() if name == b"content-type" else value) for name, value in request.scope["headers"]
    ]
    return event_of(token, payload, at)


def _time_of(store: Store, event_id: str) -> float | None:
    event = store.event(event_id)
    return None if event is None else event.event_time


def _not_signed(token: Token, why: Mismatch) -> Response:
    return problem(
        401,
        type="signature-refused",
        title="The signature is not accepted",
        detail=f"{why} ({token.signature}: {SCHEMES[token.signature].recipe.header})",
        hint="Compare the secret of the sender with the one that the token refers to, and the clocks of both machines.",
        headers={"WWW-Authenticate": "Signature"},
    )


def _not_wrapped(token: Token, why: str) -> Response:
    return problem(
        422,
        type="payload-invalid",
        title="The payload cannot become an event",
        detail=why,
        hint=f"Have the sender send JSON: the token {token.name} makes it the data of an event {token.wrap}.",
    )
