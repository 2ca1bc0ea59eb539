"""Clients that never finish a request, or send it too slowly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hookctl.serve import connections


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Limits that a test can wait for. It comes before the server."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(connections, "BYTES_PER_SECOND", 1_000_000)
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


def test_a_request_whose_handler_takes_its_time_is_not_given_up(server: Any) -> None:
    with server.connect() as client:
        client.sendall(f"GET /slow HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        client.settimeout(20)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
