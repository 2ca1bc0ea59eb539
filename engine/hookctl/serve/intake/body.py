"""Reads the body of a request, in pieces or as a whole, with limits on its size and on the time between two pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

from hookctl.serve.problems import ProblemError

if TYPE_CHECKING:
    from starlette.types import Receive

    from hookctl.errors import EventError

SILENCE_SECONDS = 30.0
"""The maximum number of seconds between two pieces of a body."""


class ClientGoneError(Exception):
    """The client has closed the connection before the end of the body. There is nobody to answer."""


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of the body. Raises ProblemError with status 408, and ClientGoneError."""
    more = True
    while more:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await receive()
        except TimeoutError as error:
            detail = f"no part of the body came for {SILENCE_SECONDS:.0f} seconds"
            raise ProblemError(
                408,
                type="timeout",
                title="The body did not come in time",
                detail=detail,
                headers={"Connection": "close"},
            ) from error
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def whole(receive: Receive, headers: Mapping[bytes, bytes], limit: int, hint: str) -> bytes:
    """The whole body. Raises ProblemError with status 413 for more than ``limit`` bytes, and as :func:`pieces`."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > limit:
        raise too_large(limit, hint)
    parts, size = [], 0
    async for piece in pieces(receive):
        size += len(piece)
        if size > limit:
            raise too_large(limit, hint)
        parts.append(piece)
    return b"".join(parts)


def too_large(limit: int, hint: str) -> ProblemError:
    """The problem of a body of more than ``limit`` bytes."""
    detail = f"the body is larger than {limit >> 20} MiB"
    return ProblemError(413, type="too-large", title="The request is too large", detail=detail, hint=hint)


def too_many(events: int, limit: int, hint: str = "") -> ProblemError:
    """The problem of a body with more than ``limit`` events."""
    detail = f"{events:,} events; the limit is {limit:,}"
    return ProblemError(413, type="too-large", title="The request is too large", detail=detail, hint=hint)


def array_too_large(error: EventError) -> ProblemError:
    """The problem of a JSON array that is too large to be read as a whole."""
    return ProblemError(413, type="too-large", title="The request is too large", detail=error.message, hint=error.hint)
