"""The answers of a receiver: a response, or one of many ways to misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from hookctl.model import Json


class Misbehaviour(StrEnum):
    """The ways in which a hostile or broken target answers. Each reads the whole request first."""

    TRICKLE_HEADERS = "trickle-headers"
    """The header byte by byte, one each ``pace`` seconds, endlessly."""
    TRICKLE_BODY = "trickle-body"
    """The whole header, then the body byte by byte, endlessly."""
    ENDLESS_HEADERS = "endless-headers"
    """Header after header, as fast as the client reads."""
    ENDLESS_CONTINUE = "endless-continue"
    """``100 Continue`` again and again, one each ``pace`` seconds."""
    CUT_STATUS = "cut-status"
    """``HTTP/1.1 200``, then the end."""
    CUT_HEADERS = "cut-headers"
    """The status line and half of the header, then the end."""
    CUT_BODY = "cut-body"
    """Half of the body that Content-Length promises, then the end."""
    CUT_CHUNKS = "cut-chunks"
    """One chunk, but no last chunk."""
    UNFRAMED = "unframed"
    """A body without length or chunks, which ends with the connection."""
    UNFRAMED_RESET = "unframed-reset"
    """As ``unframed``, but the connection ends by a TCP reset."""
    GZIP_BOMB = "gzip-bomb"
    """58 kB that decompress to 60 MB."""
    HUGE_BODY = "huge-body"
    """1 GiB of body, as fast as the client reads."""
    NO_ANSWER = "no-answer"
    """Nothing, until the client closes the connection."""
    CLOSE = "close"
    """The connection ends instead of an answer."""
    RESET = "reset"
    """As ``close``, by a TCP reset."""
    RESET_BODY = "reset-body"
    """A TCP reset in the middle of the body."""
    NOT_HTTP = "not-http"
    """Bytes that are not HTTP."""
    CLOSE_AFTER = "close-after"
    """A complete answer that promises to keep the connection, and then the end of the connection."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    body: bytes = b'{"status":"accepted"}'
    delay: float = 0.0
    """Seconds before the answer begins."""
    together: int = 0
    """Wait until this many requests for this answer have arrived; then apply ``delay`` to all of them at once."""
    chunked: bool = False
    """Send the body in chunks of at most 1,000 bytes instead of with a Content-Length."""
    misbehave: Misbehaviour | None = None
    pace: float = 0.02
    """Seconds between the pieces of a slow misbehaviour."""

    @classmethod
    def json(cls, value: Json, status: int = 200, **rest: float) -> Answer:
        """An answer whose body is ``value`` as JSON; ``rest`` are other fields of the class."""
        return cls(status, body=json.dumps(value).encode(), **rest)  # type: ignore[arg-type]  # delay and pace, by name

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Answer:
        """A redirect to ``location``."""
        return cls(status, headers=(("Location", location),), body=b"")

    @property
    def reason(self) -> str:
        """The reason phrase of the status."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unassigned"

    def head(self, *framing: tuple[str, str]) -> bytes:
        """Status line and header up to the empty line, with ``framing`` after the headers of the answer."""
        lines = [
            f"HTTP/1.1 {self.status} {self.reason}",
            *(f"{name}: {value}" for name, value in (*self.headers, *framing)),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def wire(self) -> bytes:
        """The complete response as bytes, if it does not misbehave."""
        if self.status in {204, 304}:
            return self.head()
        if self.chunked:
            pieces = [self.body[at : at + 1000] for at in range(0, len(self.body), 1000)]
            return self.head(("Transfer-Encoding", "chunked")) + b"".join(
                b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""]
            )
        return self.head(("Content-Length", str(len(self.body)))) + self.body


class ReceivedRequest:
    """One request that arrived completely."""

    __slots__ = ("at", "body", "head", "method", "target")

    def __init__(self, head: bytes, body: bytes, at: float) -> None:
        self.head = head
        self.body = body
        self.at = at
        """The time when it arrived, in epoch seconds."""
        self.method, self.target = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")[:2]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values, in order and as they were sent."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))

    def header(self, name: str) -> str | None:
        """The value of the first header with that name, in any case; None if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Json:
        """The parsed body. Raises ValueError if it is not JSON."""
        value: Json = json.loads(self.body)
        return value

    def __repr__(self) -> str:
        return f"<{self.method} {self.target}, {len(self.body)} bytes>"


Respond = Answer | Callable[[ReceivedRequest], Answer]
"""An answer, or a function that makes one for a request."""
