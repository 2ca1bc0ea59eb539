"""Requests that are too large, too slow, or not requests."""

from __future__ import annotations

from contextlib import suppress
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


def chunked(server: Any, token: str, rest: bytes) -> bytes:
    lines = f"Authorization: Bearer {token}", "Transfer-Encoding: chunked", "Connection: close"
    return head(server, "/v1/take", "POST", *lines) + b"1\r\nx\r\n" + rest


def test_trailers_do_not_become_headers(server: Any) -> None:
    token = server.token(Scope.INTAKE, name="trailing")
    trailers = b"0\r\nHost: evil.example\r\nAuthorization: Bearer other\r\n\r\n"
    answer = server.raw(chunked(server, token, trailers))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"trailing sent 1")


@pytest.mark.parametrize(
    "rest", [b"0\r\n" + b"X: y\r\n" * 300_000, b"0\r\nX: " + b"y" * 2_000_000, b"1;" + b"y" * 2_000_000]
)
def test_what_a_body_has_besides_its_content_is_limited(server: Any, rest: bytes) -> None:
    """Trailers, whether many or long, and extensions of chunks. The parser keeps them in memory."""
    with server.connect() as client, suppress(ConnectionError):
        client.sendall(chunked(server, server.token(Scope.INTAKE), rest))
        while client.recv(65536):  # TimeoutError if the server still reads
            pass
    assert server.request("GET", "/healthz").status == 200


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


@pytest.mark.parametrize(("method", "path"), [("GET", "/show/"), ("GET", "/healthz/"), ("POST", "/act/")])
def test_a_slash_at_the_end_does_not_redirect(server: Any, method: str, path: str) -> None:
    """The redirect would be to plain HTTP, also behind a proxy that ends TLS."""
    answer = server.request(method, path, Authorization=f"Bearer {server.token(Scope.OPERATE)}")
    assert (answer.status, answer.headers.get("location")) == (404, None)
