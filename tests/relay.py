"""A relay between clients and a PostgreSQL server, which breaks connections where a test says."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: the end of the connection is a reset."""
EXECUTES = b"QE"
"""The types of messages that execute a statement."""


class Relay:
    """Passes bytes between clients and the server at a port, until ``cut`` or ``cut_answer`` says that it is enough."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut: Callable[[bytes], bool] = lambda _: False
        """Whether to reset the connection instead of passing on what a client has sent."""
        self.cut_answer: Callable[[bytes], bool] = lambda _: False
        """Whether to reset the connection instead of passing on what the server has sent."""
        self.cut_after: Callable[[bytes], int | None] = lambda _: None
        """How many bytes to pass on of what a client has sent, before the connection is reset; None: all, and go on."""
        self.edit: Callable[[bytes], bytes] = lambda data: data
        """May change what the server sends."""
        self.is_open = Event()
        """While it is not set, nothing arrives, and nobody is told."""
        self.is_open.set()
        self._sockets: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, url: str) -> str:
        return url.replace(f":{self._to}/", f":{self.port}/")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self.is_open.set()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in (self._listener, *self._sockets):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    there = socket.create_connection(("127.0.0.1", self._to))
                except OSError:  # the server is away
                    client.close()
                    continue
                self._sockets += [client, there]
                for work in (self._pass, self._pass_back):
                    self._threads.append(Thread(target=work, args=(client, there)))
                    self._threads[-1].start()

    def _pass(self, client: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self.is_open.wait()
                if self.cut(data):
                    break
                end = self.cut_after(data)
                there.sendall(data[:end])
                if end is not None:
                    break
        _end(client, there)

    def _pass_back(self, client: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while data := there.recv(65536):
                self.is_open.wait()
                if self.cut_answer(data):
                    break
                client.sendall(self.edit(data))
        _end(client, there)


def _end(client: socket.socket, there: socket.socket) -> None:
    """Reset the connection of the client; the server still gets what was sent to it."""
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.shutdown(socket.SHUT_RD)
        client.close()
    with suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)


class AtStatement:
    """For ``cut_after``: resets the connection before the statement with this number, from 1, or after it was sent."""

    def __init__(self, number: int, *, is_sent: bool) -> None:
        self.number, self._is_sent = number, is_sent
        self.count = 0

    def __call__(self, data: bytes) -> int | None:
        for start, end in _messages(data):
            if data[start] in EXECUTES:
                self.count += 1
                if self.count == self.number:
                    return end if self._is_sent else start
        return None


def _messages(data: bytes) -> list[tuple[int, int]]:
    """Where the messages in what a client has sent begin and end; nothing for a piece that is not whole messages."""
    found, start = [], 0
    while start + 5 <= len(data) and data[start] in b"BCDEFHPQSXdcf":
        end = start + 1 + int.from_bytes(data[start + 1 : start + 5])
        if end > len(data):
            break
        found.append((start, end))
        start = end
    return found
