"""What uvicorn leaves open: clients that send or read slowly or never finish, and headers and trailers without end.

uvicorn closes a connection that is idle between two requests, and no other. Here, a request also has to arrive in time,
its answer has to be read, and its headers have to be small. One sweep over all connections every few seconds costs
requests nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

HEADER_SECONDS = 10.0
"""From the connection, or the first byte of a further request, to the end of the headers."""
BODY_SECONDS = 30.0
"""For a body without a single byte. Each byte buys more time, see ``BYTES_PER_SECOND``."""
BYTES_PER_SECOND = 1024
"""A body that arrives more slowly than this, on average, is given up."""
UNREAD_SECONDS = 30.0
"""For an answer of which the client does not read a byte. Each byte that it reads buys more time, as above."""
MAX_HEADER_BYTES = 32 * 1024
"""Of the request line and all headers; also of what a chunked body has besides its content."""
SPARE = 32
"""Connections beyond the limit that are answered with 503. Further ones are closed at once."""
SWEEP_SECONDS = 2.0
TOO_LARGE = b"The headers are too large.\n"


class Connection(HttpToolsProtocol):
    """One connection of a client, which has to send each request in time."""

    arriving_since: float | None = None
    """When the request that is arriving began, on the loop's clock; None between requests."""
    in_headers = True
    received = 0
    """Bytes of the part, headers or body, that is arriving."""
    framing = 0
    """Bytes since the last content of the body: of sizes and extensions of chunks, and of trailers."""
    running: RequestResponseCycle | None = None
    """The request that is being answered, or was last. More may have arrived after it."""
    unread_since: float | None = None
    """Since when sweeps have found something that the client has not read, on the loop's clock."""
    unread = 0
    """The size of it in the last sweep."""
    read = 0
    """How much of it the client has read since then, at least."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect the first request, unless there are too many connections even to answer 503."""
        super().connection_made(transport)
        self._expect()
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + SPARE:
            self.give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Have the handler that runs send nothing more. uvicorn does so only for the last request that has arrived."""
        super().connection_lost(exc)
        if self.running is not None:
            self.running.disconnected = True

    def data_received(self, data: bytes) -> None:
        """Count what arrives, and refuse headers that are too large although they have not ended yet."""
        if self.arriving_since is None:
            self._expect()
        self.received += len(data)
        self.framing += len(data)
        super().data_received(data)
        if self.in_headers:
            if self.received > MAX_HEADER_BYTES and not self.transport.is_closing():
                self._refuse()
        elif self.framing > MAX_HEADER_BYTES:
            self.give_up()

    def on_message_begin(self) -> None:
        """A request begins, perhaps in the middle of what arrived."""
        super().on_message_begin()
        if self.arriving_since is None:
            self._expect()

    def on_headers_complete(self) -> None:
        """The headers have arrived; what follows is the body. Raises ValueError if they are too large."""
        if self.received > MAX_HEADER_BYTES:  # or what arrived with their end is the body
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEADER_BYTES:
                raise ValueError("the headers are too large")
        if not self.url.startswith(b"/"):
            self._take_host_of_target()
        super().on_headers_complete()
        self.in_headers, self.received, self.framing = False, 0, 0
        self.headers = []  # for trailers, which must not become headers of the request

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.framing = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has arrived. The handler may take its time."""
        super().on_message_complete()
        self.arriving_since, self.in_headers, self.received = None, True, 0

    def send_400_response(self, msg: str) -> None:
        """Answer what is not a request; also for :meth:`on_headers_complete`, whose error the parser passes on."""
        if self.in_headers and self.received > MAX_HEADER_BYTES:
            self._refuse()
        else:
            super().send_400_response(msg)

    def is_too_slow(self, now: float) -> bool:
        """Whether the client takes too long to send its request, or to read an answer. To be called in each sweep.

        It need not send while the handler has yet to read the body.
        """
        if self._is_unread(now):
            return True
        if self.arriving_since is None or self.flow.read_paused:
            return False
        allowed = HEADER_SECONDS if self.in_headers else BODY_SECONDS + self.received / BYTES_PER_SECOND
        return now - self.arriving_since > allowed

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def give_up(self) -> None:
        """Close the connection, whatever the client is still sending."""
        self.transport.abort()

    def _expect(self) -> None:
        self.arriving_since, self.in_headers, self.received = self.loop.time(), True, 0

    def _is_unread(self, now: float) -> bool:
        """Whether the client reads too slowly. What the system has buffered for it counts as read."""
        size, before = self.transport.get_write_buffer_size(), self.unread
        self.unread = size
        if not size:
            self.unread_since = None
            return False
        if self.unread_since is None:
            self.unread_since, self.read = now, 0
            return False
        self.read += max(0, before - size)
        return now - self.unread_since > UNREAD_SECONDS + self.read / BYTES_PER_SECOND

    def _take_host_of_target(self) -> None:
        """Of ``GET http://name/``, the name counts, and not the one in the ``Host`` header (RFC 9112, 3.2.2)."""
        target = httptools.parse_url(self.url)
        if target.host:
            name = b"[" + target.host + b"]" if b":" in target.host else target.host
            port = b":%d" % target.port if target.port is not None else b""
            self.headers[:] = [*(one for one in self.headers if one[0] != b"host"), (b"host", name + port)]

    def _refuse(self) -> None:
        headers = b"".join(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers)
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\n" + headers + b"content-type: text/plain\r\n"
            b"connection: close\r\ncontent-length: " + str(len(TOO_LARGE)).encode() + b"\r\n\r\n" + TOO_LARGE
        )
        self.transport.close()


@asynccontextmanager
async def sweeping(connections: Iterable[object]) -> AsyncIterator[None]:
    """Inside the block, connections whose request arrives too slowly are closed."""
    task = asyncio.create_task(_sweep(connections))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(connections: Iterable[object]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        now = loop.time()
        for connection in [*connections]:
            if isinstance(connection, Connection) and connection.is_too_slow(now):
                connection.give_up()
