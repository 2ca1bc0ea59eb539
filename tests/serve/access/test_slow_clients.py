"""Clients that never finish a request, or send it too slowly."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

import pytest

from hookctl.model.token import Scope
from hookctl.serve import connections
from hookctl.serve.server import serving

LARGE = 20_000_000
"""More than the system buffers for a client. The route is in ``conftest.py``."""


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Limits that a test can wait for. It comes before the server."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BYTES_PER_SECOND", 100_000_000)
    yield
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("start", "drip"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n"),
        (b"\r\n", b"\r\n"),
        (b"POST /v1/take HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"POST /v1/take HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_a_client_that_drips_is_given_up(server: Any, start: bytes, drip: bytes) -> None:
    with server.connect() as client:
        client.sendall(start)
        deadline = time.monotonic() + 20
        closed = False
        while not closed:
            assert time.monotonic() < deadline, "the server still waits"
            try:
                client.sendall(drip)
                client.settimeout(0.05)
                closed = client.recv(65536) == b""
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
    assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("lines", ["Connection: close", "X: y"])
def test_a_client_that_does_not_read_is_given_up(server: Any, lines: str) -> None:
    """Also when the server has nothing more to send, and closes the connection once all is read."""
    request = f"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n\r\n"
    with serving(server.application, "127.0.0.1", 0, 2) as (_, port), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(request.encode() * 3)
        other = replace(server, port=port)
        seen = {other.request("GET", "/healthz").status}
        deadline = time.monotonic() + 20
        while seen != {503, 200}:
            assert time.monotonic() < deadline, "the server still waits"
            time.sleep(0.05)
            seen.add(other.request("GET", "/healthz").status)


def test_a_client_that_reads_slowly_gets_everything(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BYTES_PER_SECOND", 1000)
    size = 0
    with server.connect() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        while received := client.recv(1_000_000):
            size += len(received)
            time.sleep(0.02)
    assert size > LARGE


@pytest.mark.parametrize("body", [b"", b"x" * 400_000])
def test_a_request_whose_handler_takes_its_time_is_not_given_up(server: Any, body: bytes) -> None:
    """Neither before its answer, nor while the handler does not read the body, which then waits in the client."""
    token = server.token(Scope.READ)
    answer = server.request("POST", "/slow", body, Authorization=f"Bearer {token}")
    assert answer.body == "at last"


def test_too_many_connections_are_refused_and_then_closed(server: Any) -> None:
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(connections, "SPARE", 1)
        patch.setattr(connections, "HEADER_SECONDS", 60.0)
        served = serving(server.application, "127.0.0.1", 0, 2)
        port = stack.enter_context(served)[1]
        request = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(4)]
        with suppress(ConnectionError):
            assert clients[3].recv(65536) == b""
        clients[2].sendall(request)
        assert clients[2].recv(65536)[9:12] == b"503"
