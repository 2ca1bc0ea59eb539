"""``POST /v1/events``: an ASGI application of its own, because a request object costs a tenth of a small request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

import msgspec
from starlette.requests import Request

from hookctl.errors import EventError, StateError
from hookctl.serve.access import Scope
from hookctl.serve.access.requirements import DECLARED, refusal
from hookctl.serve.intake.body import ClientGoneError, array_too_large, pieces, too_many, too_many_rejected, whole
from hookctl.serve.intake.dry_run import dry_run
from hookctl.serve.intake.forms import Form, form_of
from hookctl.serve.intake.intake import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, STREAM_HINT, off_loop, request_key
from hookctl.serve.intake.reading import Found
from hookctl.serve.intake.results import counted, failure, revoked
from hookctl.serve.problems import ProblemError
from hookctl.serve.writer import COMMIT_EVENTS

if TYPE_CHECKING:
    from starlette.types import Receive, Send
    from starlette.types import Scope as AsgiScope

    from hookctl.delivery.events.intake import BadEvent
    from hookctl.model import Event
    from hookctl.serve.access import Identity
    from hookctl.serve.context import Context

JSON = (b"content-type", b"application/json")
ENCODER = msgspec.json.Encoder()
PARAMETERS = frozenset({"partial", "dry_run"})
FLAGS = {"true": True, "false": False}
MAX_REJECTED = 100_000
"""The number of events of a stream that may be rejected. Their results can be much larger than they are."""
SPOOL_BYTES = 1 << 20
"""The size above which the results of a stream are kept in a file."""


KEY_WITH_PARTIAL = ProblemError(
    400,
    type="idempotency-key-invalid",
    title="The Idempotency-Key is not valid",
    detail="Idempotency-Key cannot be used with ?partial=true",
    hint="Leave it out: an event whose id was stored before is not sent twice.",
)


class PostEvents:
    """The application."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            identity = scope["state"]["identity"]
            if identity is None or not identity.may(Scope.INTAKE):
                answer = refusal(Request(scope), Scope.INTAKE)
                if answer is not None:
                    await answer(scope, receive, send)
                return
            context: Context = scope["app"].state.context
            await _take_in(context, identity, scope, receive, send)
        except ClientGoneError:
            return
        except ProblemError as error:
            if not error.is_of_events:  # the events were counted, each by its rule
                context.intake.refusals[error.type] += 1
            await error.response(scope, receive, send)


setattr(PostEvents, DECLARED, Scope.INTAKE)


async def _take_in(context: Context, identity: Identity, scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Store the events of a request and send the answer. Raises ProblemError and ClientGoneError."""
    intake = context.intake
    intake.rates.check(identity.token_id)
    headers: dict[bytes, bytes] = dict(scope["headers"])
    form = form_of(headers)
    is_partial, is_dry = _flags(scope["query_string"]) if scope["query_string"] else (False, False)
    key = headers.get(b"idempotency-key")
    if is_partial and key is not None:
        raise KEY_WITH_PARTIAL
    if is_partial and form is Form.LINES and not is_dry:
        await _stream(context, identity, headers, receive, send)
        return
    with intake.holding() as hold:
        body = await whole(receive, headers, MAX_BATCH_BYTES, STREAM_HINT, hold)
        found = await off_loop(len(body), lambda: intake.reading.whole(form, headers, body, MAX_BATCH_EVENTS + 1))
        if len(found.items) > MAX_BATCH_EVENTS:
            raise too_many(MAX_BATCH_EVENTS, STREAM_HINT)
        kept = request_key(key.decode("latin-1"), identity, body) if key is not None else None
        if is_dry:
            await _send(send, 200, await dry_run(context, identity, found))
            return
        if is_partial:
            results = await intake.each(found, identity)
        else:
            results = await intake.all_or_none(found, identity, kept, lambda: intake.reading.findings(form, body))
    if found.is_one and results[0].status != "rejected":
        location = f"/v1/events/{quote(results[0].id or '', safe='')}".encode()
        await _send(send, 202, results[0], (b"location", location))
        return
    summary = counted(results)
    await _send(send, _status(summary.accepted + summary.duplicate, summary.rejected), summary)


def _status(stored: int, rejected: int) -> int:
    """202 if every event is stored, 207 if some are, 422 if none is."""
    return 202 if not rejected else 207 if stored else 422


async def _stream(
    context: Context, identity: Identity, headers: Mapping[bytes, bytes], receive: Receive, send: Send
) -> None:
    """Store the events of a body of any length while it arrives, and send the results once all are stored.

    Memory is bounded: many results are kept in a temporary file. So is the size of what the store does not bound:
    results of events that are rejected.
    """
    intake = context.intake
    reader = intake.reading.lines(headers)
    tally, held = Counter[str](), 0
    with SpooledTemporaryFile(SPOOL_BYTES) as file:

        async def store(events: Iterator[Event | BadEvent], size: int) -> None:
            while items := await off_loop(size, lambda: [*islice(events, COMMIT_EVENTS)]):
                await asyncio.sleep(max(0.0, intake.rates.wait(identity.token_id)))
                await _check_stream(context, identity, tally)
                results = await intake.each(Found(items), identity, tally.total(), tally.total() - tally["rejected"])
                for one in results:
                    file.write(b",\n" if tally else b"\n")
                    file.write(ENCODER.encode(one))
                    tally[one.status] += 1

        try:
            async for piece in pieces(receive):
                await store(reader.feed(piece), len(piece) + reader.held)
                intake.reserve(reader.held - held)
                held = reader.held
            await store(reader.finish(), held)
        except EventError as error:
            raise array_too_large(error) from error
        finally:
            intake.free(held)
        await _send_results(send, file, tally)


async def _check_stream(context: Context, identity: Identity, tally: Counter[str]) -> None:
    """Raise ProblemError if a stream may not go on: its token was revoked, or too many of its events were rejected."""
    before = tally.total() - tally["rejected"]
    if tally["rejected"] > MAX_REJECTED:
        raise too_many_rejected(MAX_REJECTED, before)
    try:
        is_usable = await context.access.is_usable(identity.token_id)
    except StateError as error:
        raise failure(error, before) from error
    if not is_usable:
        raise revoked(before)


async def _send_results(send: Send, file: SpooledTemporaryFile[bytes], tally: Counter[str]) -> None:
    counts = {status: tally[status] for status in ("accepted", "duplicate", "rejected")}
    begin, end = ENCODER.encode(counts)[:-1] + b',"events":[', b"]}"
    length = str(len(begin) + file.tell() + len(end)).encode()
    status = _status(tally["accepted"] + tally["duplicate"], tally["rejected"])
    file.seek(0)
    await send({"type": "http.response.start", "status": status, "headers": [JSON, (b"content-length", length)]})
    await send({"type": "http.response.body", "body": begin, "more_body": True})
    while part := file.read(SPOOL_BYTES):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": end})


def _flags(query: bytes) -> tuple[bool, bool]:
    """The values of ``partial`` and ``dry_run``. Raises ProblemError for other parameters and values."""
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    values = {name: FLAGS.get(texts[0]) if len(texts) == 1 else None for name, texts in given.items()}
    wrong = [name for name, value in values.items() if name not in PARAMETERS or value is None]
    if wrong:
        raise ProblemError(
            400,
            type="parameter-invalid",
            title="A query parameter is not valid",
            detail=f"the query parameter {wrong[0][:60]!r} or its value is not known, or it comes twice",
            hint="The parameters are partial and dry_run, and their values are true and false.",
        )
    return bool(values.get("partial")), bool(values.get("dry_run"))


async def _send(send: Send, status: int, document: object, *headers: tuple[bytes, bytes]) -> None:
    body = ENCODER.encode(document)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})
