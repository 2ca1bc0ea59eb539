"""A store on PostgreSQL, what the server has of it, and a relay that breaks connections."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from tests.postgres_server import Server, drop, schema_of, server

from hookctl.errors import StoreError
from hookctl.store.postgres.address import parse
from hookctl.store.postgres.store import PostgresStore

Open = Callable[..., PostgresStore]


@pytest.fixture
def database() -> Server:
    return server()


@pytest.fixture
def url(database: Server) -> Iterator[str]:
    url = database.url()
    yield url
    drop(url)


@pytest.fixture
def open_store(url: str) -> Iterator[Open]:
    """Opens the store, by its URL or by another one."""
    opened: list[PostgresStore] = []

    def open_one(other: str = url, **options: Any) -> PostgresStore:
        opened.append(PostgresStore(parse(other), **options))
        return opened[-1]

    yield open_one
    for store in opened:
        with suppress(StoreError):
            store.close()


@pytest.fixture
def query(url: str, database: Server) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs a statement on the store's tables."""

    def run(text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return database.execute(text, values, schema_of(url))

    return run


class Relay:
    """Passes bytes between a client and the server, until ``cut`` says that it is enough.

    ``edit`` may change what the server sends.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut: Callable[[bytes], bool] = lambda _: False
        """Whether to end the connection instead of passing on what a client has sent."""
        self.cut_answer: Callable[[bytes], bool] = lambda _: False
        """Whether to end the connection instead of passing on what the server has sent."""
        self.edit: Callable[[bytes], bytes] = lambda data: data
        self._sockets: list[socket.socket] = []
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, url: str) -> str:
        return url.replace(f":{self._to}/", f":{self.port}/")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
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
                there = socket.create_connection(("127.0.0.1", self._to))
                self._sockets += [client, there]
                for ends in ((client, there, True), (there, client, False)):
                    self._threads.append(Thread(target=self._pass, args=ends))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.cut(data) if is_client else self.cut_answer(data):
                    break
                target.sendall(data if is_client else self.edit(data))
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay(database: Server) -> Iterator[Relay]:
    relay = Relay(database.port)
    yield relay
    relay.close()
