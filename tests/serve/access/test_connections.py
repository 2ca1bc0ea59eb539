"""Requests that are too large, too slow, or not requests."""

from __future__ import annotations

from typing import Any

import pytest

from hookctl.model.token import Scope
from hookctl.serve import connections


def head(server: Any, path: str = "/healthz", method: str = "GET", *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *lines, "", "")).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"POST /v1/take HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/take HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/take HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_what_is_not_a_request_is_refused_and_the_connection_closed(server: Any, data: bytes) -> None:
    answer = server.raw(data)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401"))
    assert answer.count(b"HTTP/1.1 ") == 1  # nothing after it was taken for another request
    assert b"content-security-policy" in answer
    assert server.request("GET", "/healthz").status == 200


@pytest.mark.parametrize("chunk", [512, 1_000_000])
def test_headers_without_end_are_refused(server: Any, chunk: int) -> None:
    long = f"X-Long: {'x' * connections.MAX_HEADER_BYTES}"
    for data in (head(server, "/healthz", "GET", long), head(server, "/" + "x" * connections.MAX_HEADER_BYTES)):
        answer = server.raw(data, chunk=chunk)
        assert answer.startswith(b"HTTP/1.1 431")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"content-security-policy" in answer
    short = f"X-Long: {'x' * (connections.MAX_HEADER_BYTES - 500)}"
    assert server.raw(head(server, "/healthz", "GET", short, "Connection: close"), chunk=chunk).startswith(
        b"HTTP/1.1 200"
    )


def test_a_large_body_is_not_taken_for_headers(server: Any) -> None:
    token = server.token(Scope.INTAKE, name="long")
    body = "x" * 200_000
    answer = server.request("POST", "/v1/take", body, Authorization=f"Bearer {token}")
    assert answer.body == "long sent 200000"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../../etc/passwd",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static//etc/passwd",
        "/static/..\\..\\secrets",
        "/static/%00",
        "/static/style.css%00.png",
        "/static/",
        "/../show",
        "//show",
    ],
)
def test_no_path_leads_out(server: Any, path: str) -> None:
    answer = server.raw(head(server, path, "GET", "Connection: close"))
    assert answer.split(b" ")[1] in {b"404", b"400"}
    assert b"root:" not in answer
