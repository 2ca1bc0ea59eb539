"""The answers of a receiver: responses, and the ways in which a hostile or broken target fails to respond."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from hookctl.model import Json


class Misbehavior(StrEnum):
    """Ways in which a hostile or broken target answers, after it has read the whole request."""

    TRICKLE_HEADERS = "trickle-headers"
    """An endless header, one byte every ``pace`` seconds."""
    TRICKLE_BODY = "trickle-body"
    """The header at once, then a body that does not end, one byte every ``pace`` seconds."""
    ENDLESS_HEADERS = "endless-headers"
    """An endless series of header lines, as fast as the client reads them."""
    ENDLESS_CONTINUE = "endless-continue"
    """An endless series of ``100 Continue`` responses, one every ``pace`` seconds."""
    CUT_STATUS = "cut-status"
    """``HTTP/1.1 200``, then the connection closes."""
    CUT_HEADERS = "cut-headers"
    """The status line and the header without its last line, then the connection closes."""
    CUT_BODY = "cut-body"
    """Half of the body that Content-Length announces, then the connection closes."""
    CUT_CHUNKS = "cut-chunks"
    """One chunk, then the connection closes without the last chunk."""
    UNFRAMED = "unframed"
    """A body without Content-Length or chunks, which ends when the connection closes."""
    UNFRAMED_RESET = "unframed-reset"
    """The same as ``unframed``, but the connection ends with a TCP reset."""
    GZIP_BOMB = "gzip-bomb"
    """58 kB of gzip that decompress to 60 MB."""
    HUGE_BODY = "huge-body"
    """A body of 1 GiB, as fast as the client reads it."""
    NO_ANSWER = "no-answer"
    """Nothing, until the client disconnects."""
    CLOSE = "close"
    """The connection closes without an answer."""
    RESET = "reset"
    """A TCP reset without an answer."""
    RESET_BODY = "reset-body"
    """A TCP reset in the middle of the body."""
    NOT_HTTP = "not-http"
    """Bytes that are not HTTP."""
    CLOSE_AFTER = "close-after"
    """The whole answer, then the connection closes although the answer did not announce it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, or a misbehavior in its place."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    body: bytes = b'{"status":"accepted"}'
    delay: float = 0.0
    """Seconds to wait before the answer begins."""
    together: int = 0
    """Wait until this many requests that get this answer have arrived. ``delay`` starts after that. 0: do not wait."""
    chunked: bool = False
    """Send the body in chunks of at most 1,000 bytes instead of with a Content-Length."""
    misbehave: Misbehavior | None = None
    pace: float = 0.02
    """Seconds between the pieces of a slow misbehavior."""
    source: Callable[[], Answer] | None = None
    """Gives the answer to send in place of this one. It is called on a thread of its own, so it may block."""

    @classmethod
    def json(cls, value: Json, status: int = 200, **rest: float) -> Answer:
        """An answer whose body is ``value`` as JSON. ``rest`` are further fields of the class."""
        return cls(status, body=json.dumps(value).encode(), **rest)  # type: ignore[arg-type]  # delay or pace, by name

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Answer:
        """A redirect to ``location``."""
        return cls(status, headers=(("Location", location),), body=b"")

    @property
    def reason(self) -> str:
        """The reason phrase of the status; "Unassigned" if it has none."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unassigned"

    def head(self, *framing: tuple[str, str]) -> bytes:
        """The status line and headers, ``framing`` last, up to and including the empty line."""
        lines = [
            f"HTTP/1.1 {self.status} {self.reason}",
            *(f"{name}: {value}" for name, value in (*self.headers, *framing)),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def wire(self) -> bytes:
        """The bytes of the whole response without misbehavior."""
        if self.status in {204, 304}:
            return self.head()
        if self.chunked:
            pieces = [self.body[at : at + 1000] for at in range(0, len(self.body), 1000)]
            return self.head(("Transfer-Encoding", "chunked")) + b"".join(
                b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""]
            )
        return self.head(("Content-Length", str(len(self.body)))) + self.body


class ReceivedRequest:
    """One complete request."""

    __slots__ = ("at", "body", "client_certificate", "head", "method", "target")

    def __init__(self, head: bytes, body: bytes, at: float, client_certificate: bytes | None = None) -> None:
        self.head = head
        self.body = body
        self.at = at
        """When the request was complete, in epoch seconds."""
        self.client_certificate = client_certificate
        """The certificate with which the client authenticated on the connection, as DER; None if it had none."""
        self.method, self.target = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")[:2]

    @property
    def path(self) -> str:
        """The request target without its query."""
        return self.target.partition("?")[0]

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Header names and values, in their original order and spelling."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))

    def header(self, name: str) -> str | None:
        """The value of the first header with that name, ignoring case; None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Json:
        """The value of the JSON body. Raises ValueError if it is not JSON."""
        value: Json = json.loads(self.body)
        return value

    def __repr__(self) -> str:
        return f"<{self.method} {self.target}, {len(self.body)} bytes>"


Respond = Answer | Callable[[ReceivedRequest], Answer]
"""An answer, or a function that returns the answer to a request."""
