"""Forms that browsers send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from starlette.requests import Request
    from starlette.types import Receive

Form = ImmutableMultiDict[str, str]
MAX_BYTES = 64 * 1024
MAX_FIELDS = 1000
MEDIA_TYPE = "application/x-www-form-urlencoded"


def form_of(request: Request) -> Form:
    """The form of a browser's write, which was read when its CSRF token was checked. Empty for any other request."""
    form = getattr(request.state, "form", None)
    return form if isinstance(form, ImmutableMultiDict) else ImmutableMultiDict()


def parse_form(body: bytes) -> Form:
    """The fields of a form. Raises ValueError if it is not one, or has too many fields."""
    pairs = parse_qsl(
        body.decode(), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS
    )
    return ImmutableMultiDict(pairs)


async def read_body(receive: Receive, most: int) -> bytes | None:
    """The body of a request; None if it has more than ``most`` bytes or the client has left."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def replaying(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was read, and after it what ``receive`` has."""
    waiting = True

    async def replay() -> MutableMapping[str, Any]:
        nonlocal waiting
        if waiting:
            waiting = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
