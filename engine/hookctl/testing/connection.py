"""One connection of a receiver, which reads HTTP/1.1 requests over TLS and sends answers.

It drives the TLS socket from the event loop without asyncio's TLS layer, which takes several times as long per request:
a receiver must be faster than the sender that it measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable

from hookctl.testing.answers import Answer, ReceivedRequest
from hookctl.testing.misbehaviors import SENDERS

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """Reads requests, and sends the answer that ``respond`` returns for each.

    Before it sends an answer with ``together``, it waits for ``gather``. It calls ``closed`` when the connection ends.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stream: ssl.SSLSocket,
        respond: Callable[[ReceivedRequest], tuple[Answer, bytes]],
        gather: Callable[[Answer], Awaitable[object]],
        closed: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._stream = stream
        self._respond = respond
        self._gather = gather
        self._closed = closed
        self._buffer = bytearray()
        self._handshake_done = False
        self._client_certificate: bytes | None = None
        self._sending: asyncio.Task[None] | None = None
        loop.add_reader(stream, self._readable)

    def _readable(self) -> None:
        try:
            if not self._handshake_done:
                self._stream.do_handshake()
                self._handshake_done = True
                self._client_certificate = self._stream.getpeercert(binary_form=True)
            while data := self._stream.recv(65536):
                self._buffer += data
                if not self._stream.pending():
                    break
            else:
                self.close()
                return
        except ssl.SSLWantReadError:
            pass  # the loop calls again when the rest has arrived
        except ssl.SSLError:
            if self._handshake_done:
                self.close()
            else:
                self._refuse()
            return
        except OSError:  # the client has disconnected
            self.close()
            return
        if self._sending is None:
            self._serve()

    def _refuse(self) -> None:
        """Let the client read why the handshake failed: closing at once could reset the connection before that."""
        try:
            self._stream.shutdown(socket.SHUT_WR)
        except OSError:  # the client has disconnected already
            self._end()
            return
        self._loop.add_reader(self._stream, self._drain)

    def _drain(self) -> None:
        try:
            while self._stream.recv(65536):
                pass
        except BlockingIOError:
            return
        except OSError:  # reset, which ends the connection as well
            pass
        self._end()

    def _serve(self) -> None:
        while self._sending is None and (request := self._next_request()) is not None:
            answer, wire = self._respond(request)
            last = _CLOSE.search(request.head) is not None
            if answer.source or answer.delay or answer.together or answer.misbehave or last or not self._send_now(wire):
                self._sending = self._loop.create_task(self._send_later(answer, wire, last=last))

    def _next_request(self) -> ReceivedRequest | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[:end])
        if _CHUNKED.search(head) or head.count(b" ", 0, head.find(b"\r\n")) != 2:
            self.close()  # hookctl never sends chunks, and a request line always has three words
            return None
        length = _LENGTH.search(head)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._buffer) < size:
            return None
        body = bytes(self._buffer[end + 4 : size])
        del self._buffer[:size]
        return ReceivedRequest(head, body, time.time(), self._client_certificate)

    def _send_now(self, wire: bytes) -> bool:
        """Send the answer without a task, which is the common case. Returns False if nothing was sent."""
        if len(wire) > 16384:  # more than one TLS record, of which only a part may be sent
            return False
        try:
            self._stream.send(wire)
        except ssl.SSLWantWriteError:
            return False
        except OSError:
            self.close()
        return True

    async def _send_later(self, answer: Answer, wire: bytes, *, last: bool) -> None:
        try:
            if answer.source:
                answer = await self._loop.run_in_executor(None, answer.source)
                wire = answer.wire()
            if answer.together:
                await self._gather(answer)
            if answer.delay:
                await asyncio.sleep(answer.delay)
            if answer.misbehave:
                await SENDERS[answer.misbehave](self, answer)
            else:
                await self.write(wire)
                if last:
                    self.close()
        except OSError:
            self.close()
        self._sending = None
        if self._stream.fileno() >= 0:
            self._serve()

    async def write(self, data: bytes) -> None:
        """Send all of ``data``. Raises OSError if the client has disconnected."""
        view = memoryview(data)
        while view:
            try:
                view = view[self._stream.send(view) :]
            except ssl.SSLWantWriteError:
                await self._writable()

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._stream, ready.set)
        try:
            await ready.wait()
        finally:
            if self._stream.fileno() >= 0:
                self._loop.remove_writer(self._stream)

    def close(self) -> None:
        """Close the connection with a close_notify, as TLS requires."""
        if self._stream.fileno() >= 0 and self._handshake_done:
            with contextlib.suppress(OSError, ValueError):  # sends close_notify and does not wait for the client's
                self._stream.unwrap()
        self._end()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._end()

    def _end(self) -> None:
        if self._stream.fileno() < 0:
            return
        self._loop.remove_reader(self._stream)
        self._loop.remove_writer(self._stream)
        self._stream.close()
        if self._sending is not None and self._sending is not asyncio.current_task(self._loop):
            self._sending.cancel()
        self._closed(self)
