from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from hookctl.model import Response
from hookctl.network import Network
from hookctl.plugin.host import load_plugins
from hookctl.plugin.responses import from_requests
from hookctl.testing.receiver import Receiver

URL = "https://siem.example.com/ingest"


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    """One receiver for a whole module, as new."""
    shared.reset()
    return shared


@pytest.fixture(params=["curl", "requests"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Build = Callable[[Network], BaseAdapter]


@pytest.fixture
def build(kind: str) -> Iterator[Build]:
    """Builds transports of the kind under test, and closes them."""
    built: list[BaseAdapter] = []
    transport_type = load_plugins().transports[kind]

    def build(network: Network) -> BaseAdapter:
        built.append(transport_type.build({}, network))
        return built[-1]

    yield build
    for adapter in built:
        adapter.close()


class Sender:
    """Sends through one transport, as an attempt does."""

    def __init__(self, adapter: BaseAdapter) -> None:
        self.adapter = adapter

    def raw(
        self, method: str = "POST", url: str = URL, body: bytes | None = b'{"n":1}', timeout: float = 10, **headers: str
    ) -> requests.Response:
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url, prepared.body = method, url, body
        prepared.headers = requests.structures.CaseInsensitiveDict(headers)
        return self.adapter.send(prepared, timeout=timeout)

    def __call__(self, *args: Any, **kwargs: Any) -> Response:
        return from_requests(self.raw(*args, **kwargs))


@pytest.fixture
def send(build: Build, receiver: Receiver) -> Sender:
    """Sends to the receiver."""
    return Sender(build(receiver.network()))


@pytest.fixture
def sender(build: Build) -> Callable[[Network], Sender]:
    """Sends through any network."""
    return lambda network: Sender(build(network))


@pytest.fixture
def resolver() -> Callable[..., Any]:
    """A stand-in for ``socket.getaddrinfo`` that gives the addresses that it is told."""

    def answering(*addresses: str) -> Any:
        def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
            return [
                (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        return getaddrinfo

    return answering
