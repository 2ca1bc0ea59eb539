"""Reads the body of a request, in pieces or as a whole with a limit on its size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

from hookctl.serve.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import Receive

    from hookctl.errors import EventError


class ClientGoneError(Exception):
    """The client has closed the connection before the end of the body. There is nobody to answer."""


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of the body. Raises ClientGoneError."""
    more = True
    while more:
        piece, more = await _next(receive)
        yield piece


async def whole(
    receive: Receive, headers: Mapping[bytes, bytes], limit: int, hint: str, hold: Callable[[int], None]
) -> bytes:
    """The whole body. Raises ProblemError with status 413 for more than ``limit`` bytes, and ClientGoneError.

    ``hold`` is called with the size of each piece before the next one is read, and may raise ProblemError, too.
    """
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > limit:
        raise too_large(limit, hint)
    body, more = await _next(receive)
    hold(len(body))
    if not more and len(body) <= limit:
        return body
    parts, size = [body], len(body)
    while more and size <= limit:
        piece, more = await _next(receive)
        size += len(piece)
        hold(len(piece))
        parts.append(piece)
    if size > limit:
        raise too_large(limit, hint)
    return b"".join(parts)


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """The next piece, and whether there are more. How long it may take is limited for each connection."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message.get("body", b""), message.get("more_body", False)


def too_large(limit: int, hint: str) -> ProblemError:
    """The problem of a body of more than ``limit`` bytes."""
    detail = f"the body is larger than {limit >> 20} MiB"
    return ProblemError(413, type="too-large", title="The request is too large", detail=detail, hint=hint)


def too_many(limit: int, hint: str = "") -> ProblemError:
    """The problem of a body with more than ``limit`` events."""
    detail = f"more than {limit:,} events"
    return ProblemError(413, type="too-large", title="The request is too large", detail=detail, hint=hint)


def too_many_rejected(limit: int, stored: int) -> ProblemError:
    """The problem of a stream with more than ``limit`` events that are rejected, after so many that are stored."""
    return ProblemError(
        413,
        type="too-large",
        title="The request is too large",
        detail=f"more than {limit:,} events were rejected; the rest was not read",
        hint="Send some of the events alone to see what is wrong with them.",
        headers=None,
        **({"stored": stored} if stored else {}),
    )


def array_too_large(error: EventError) -> ProblemError:
    """The problem of a JSON array that is too large to be read as a whole."""
    return ProblemError(413, type="too-large", title="The request is too large", detail=error.message, hint=error.hint)
