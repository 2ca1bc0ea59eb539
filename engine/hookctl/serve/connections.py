"""What uvicorn leaves open: clients that send slowly or never finish, and headers without end.

uvicorn closes a connection that is idle between two requests, and no other. Here, a request also has to arrive in time,
and its headers have to be small. One sweep over all connections every few seconds costs requests nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0
"""From the connection, or the first byte of a further request, to the end of the headers."""
BODY_SECONDS = 30.0
"""For a body without a single byte. Each byte buys more time, see ``BYTES_PER_SECOND``."""
BYTES_PER_SECOND = 1024
"""A body that arrives more slowly than this, on average, is given up."""
MAX_HEADER_BYTES = 32 * 1024
"""Of the request line and all headers."""
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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Expect the first request, unless there are too many connections even to answer 503."""
        super().connection_made(transport)
        self._expect()
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + SPARE:
            self.give_up()

    def data_received(self, data: bytes) -> None:
        """Count what arrives, and refuse headers that are too large although they have not ended yet."""
        if self.arriving_since is None:
            self._expect()
        self.received += len(data)
        super().data_received(data)
        if self.in_headers and self.received > MAX_HEADER_BYTES and not self.transport.is_closing():
            self._refuse()

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
        super().on_headers_complete()
        self.in_headers, self.received = False, 0

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
        """Whether the request that is arriving has taken too long. Not while the handler has yet to read the body."""
        if self.arriving_since is None or self.flow.read_paused:
            return False
        allowed = HEADER_SECONDS if self.in_headers else BODY_SECONDS + self.received / BYTES_PER_SECOND
        return now - self.arriving_since > allowed

    def give_up(self) -> None:
        """Close the connection, whatever the client is still sending."""
        self.transport.abort()

    def _expect(self) -> None:
        self.arriving_since, self.in_headers, self.received = self.loop.time(), True, 0

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
