from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Self

import pytest

from hookctl.testing.answers import Answer, Misbehavior, ReceivedRequest
from hookctl.testing.misbehaviors import SENDERS
from hookctl.testing.receiver import Receiver
from hookctl.testing.tokens import TokenEndpoint


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def connect(receiver: Receiver, host: str = "siem.example.com") -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=receiver.ca_file)
    raw = socket.create_connection((receiver.address, receiver.port), timeout=10)
    return context.wrap_socket(
        raw, server_hostname=host, suppress_ragged_eofs=False
    )  # an end without a close_notify raises


def read_all(stream: ssl.SSLSocket) -> bytes:
    received = b""
    while data := stream.recv(65536):
        received += data
    return received


class Client:
    """Several requests over one connection."""

    def __init__(self, receiver: Receiver) -> None:
        self.connection = http.client.HTTPSConnection(receiver.host)
        self.connection.sock = connect(receiver)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def test_what_arrived_is_recorded_as_it_was(receiver: Receiver) -> None:
    with Client(receiver) as client:
        assert client.ask("PUT", "/in?x=1", b'{"a":1}', **{"X-Case": "One Two"}) == (200, b'{"status":"accepted"}')
    (request,) = receiver.requests
    assert (request.method, request.target, request.path, request.body, request.json()) == (
        "PUT",
        "/in?x=1",
        "/in",
        b'{"a":1}',
        {"a": 1},
    )
    assert ("X-Case", "One Two") in request.headers
    assert request.header("x-case") == "One Two"
    assert request.header("absent") is None


def test_answers_in_turn_and_the_last_repeats_over_one_connection(receiver: Receiver) -> None:
    receiver.answer("/x", Answer(503), Answer.json({"n": 2}), lambda request: Answer(body=request.body))
    with Client(receiver) as client:
        assert [client.ask("POST", "/x", b"hey") for _ in range(4)] == [
            (503, b'{"status":"accepted"}'),
            (200, b'{"n": 2}'),
            (200, b"hey"),
            (200, b"hey"),
        ]
        assert client.ask("POST", "/y")[0] == 200
    assert (receiver.count, receiver.connections) == (5, 1)


def test_delay_chunks_and_large_bodies(receiver: Receiver) -> None:
    large = bytes(range(256)) * 8000
    receiver.answer(
        "/x",
        Answer(delay=0.01),
        Answer(body=large, chunked=True),
        Answer(body=large),
        Answer(204),
        lambda request: Answer(body=request.body),
    )
    with Client(receiver) as client:
        assert client.ask("POST", "/x") == (200, b'{"status":"accepted"}')
        assert client.ask("POST", "/x") == (200, large)
        assert client.ask("POST", "/x") == (200, large)
        assert client.ask("POST", "/x") == (204, b"")
        assert client.ask("POST", "/x", large) == (200, large)


@pytest.mark.parametrize("host", ["siem.example.com", "login.example.com", "any.other.example"])
def test_a_certificate_for_whatever_name_is_asked_for(receiver: Receiver, host: str) -> None:
    with connect(receiver, host):
        pass


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"certificate_for": "other.example"}, "Hostname mismatch"), ({"expired": True}, "certificate has expired")],
)
def test_certificates_that_do_not_hold(options: dict[str, Any], reason: str) -> None:
    with Receiver(**options) as receiver, pytest.raises(ssl.SSLCertVerificationError, match=reason):
        connect(receiver)


def test_every_misbehavior_has_its_play() -> None:
    assert set(SENDERS) == set(Misbehavior)


ENDS = {
    Misbehavior.CUT_STATUS: b"HTTP/1.1 200",
    Misbehavior.CUT_HEADERS: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n",
    Misbehavior.CUT_BODY: b'Content-Length: 42\r\n\r\n{"status":"accepted"}',
    Misbehavior.CUT_CHUNKS: b'chunked\r\n\r\n15\r\n{"status":"accepted"}\r\n',
    Misbehavior.UNFRAMED: b'Connection: close\r\n\r\n{"status":"accepted"}',
    Misbehavior.CLOSE: b"",
    Misbehavior.NOT_HTTP: b"SSH-2.0-OpenSSH_9.6\r\n",
    Misbehavior.CLOSE_AFTER: b'Content-Length: 21\r\n\r\n{"status":"accepted"}',
}
GOES_ON = {
    Misbehavior.TRICKLE_HEADERS: b"X-Slow: 1\r\nX-Slow",
    Misbehavior.TRICKLE_BODY: b"Content-Length: 1000000\r\n\r\n     ",
    Misbehavior.ENDLESS_HEADERS: b"X-Endless: 0123456789\r\n" * 1000,
    Misbehavior.ENDLESS_CONTINUE: b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    Misbehavior.GZIP_BOMB: b"Content-Encoding: gzip\r\n",
    Misbehavior.HUGE_BODY: b"x" * 300_000,
}


@pytest.mark.parametrize("misbehavior", ENDS)
def test_misbehaviors_that_end(receiver: Receiver, misbehavior: Misbehavior) -> None:
    receiver.default = Answer(misbehave=misbehavior, pace=0.0)
    with connect(receiver) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received = read_all(stream)
        assert received.endswith(ENDS[misbehavior])
        assert received or misbehavior is Misbehavior.CLOSE


@pytest.mark.parametrize("misbehavior", GOES_ON)
def test_misbehaviors_that_go_on(receiver: Receiver, misbehavior: Misbehavior) -> None:
    receiver.default = Answer(misbehave=misbehavior, pace=0.0)
    with connect(receiver) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received = b""
        while GOES_ON[misbehavior] not in received:
            received += stream.recv(65536)


@pytest.mark.parametrize("misbehavior", [Misbehavior.RESET, Misbehavior.RESET_BODY, Misbehavior.UNFRAMED_RESET])
def test_resets(receiver: Receiver, misbehavior: Misbehavior) -> None:
    receiver.default = Answer(misbehave=misbehavior, pace=0.0)
    with connect(receiver) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(
            OSError, match=r"reset|EOF occurred in violation of protocol"
        ):  # the second is how OpenSSL tells of the first
            read_all(stream)


def test_no_answer_ends_when_the_client_goes(receiver: Receiver) -> None:
    receiver.default = Answer(misbehave=Misbehavior.NO_ANSWER)
    with connect(receiver) as stream:
        stream.sendall(b"GET / HTTP/1.1\r\n\r\n")
        stream.settimeout(0.05)
        with pytest.raises(TimeoutError):
            stream.recv(1)
    receiver.default = Answer()
    with Client(receiver) as client:
        assert client.ask("GET", "/")[0] == 200


def test_tokens_are_issued_checked_and_expire(receiver: Receiver) -> None:
    form = "grant_type=client_credentials&scope=ingest.write"
    basic = {"Authorization": "Basic " + base64.b64encode(b"client:secret").decode()}
    receiver.require_token("/ingest")
    with Client(receiver) as client:
        status, body = client.ask("POST", "/oauth/token", form.encode(), **basic)
        token = json.loads(body)
        assert (status, token) == (
            200,
            {"access_token": "token-1", "token_type": "Bearer", "expires_in": 3600, "scope": "ingest.write"},
        )
        assert client.ask("POST", "/oauth/token", f"{form}&client_id=client&client_secret=secret".encode())[0] == 200
        assert client.ask("POST", "/oauth/token", f"{form}&client_id=client&client_secret=wrong".encode()) == (
            401,
            b'{"error": "invalid_client"}',
        )
        assert client.ask("POST", "/oauth/token", b"grant_type=password", **basic) == (
            400,
            b'{"error": "unsupported_grant_type"}',
        )
        assert (receiver.tokens.issued, receiver.tokens.refused, receiver.tokens.scopes) == (
            2,
            2,
            ["ingest.write", "ingest.write"],
        )
        assert client.ask("POST", "/ingest")[0] == 401
        assert client.ask("POST", "/ingest", Authorization="Bearer token-1")[0] == 200
        receiver.tokens.revoke_all()
        assert client.ask("POST", "/ingest", Authorization="Bearer token-1")[0] == 401


def test_a_token_that_has_expired_is_not_accepted() -> None:
    endpoint = TokenEndpoint(expires_in=0.0)
    request = ReceivedRequest(
        b"POST /oauth/token HTTP/1.1", b"grant_type=client_credentials&client_id=client&client_secret=secret", 0.0
    )
    assert endpoint.answer(request).status == 200
    assert not endpoint.accepts(ReceivedRequest(b"POST / HTTP/1.1\r\nAuthorization: Bearer token-1", b"", 0.0))


def test_the_latest_requests_are_kept() -> None:
    with Receiver(keep=2) as receiver, Client(receiver) as client:
        for number in range(5):
            client.ask("GET", f"/{number}")
        assert ([request.path for request in receiver.requests], receiver.count) == (["/3", "/4"], 5)


def test_a_client_that_does_not_trust_it_does_no_harm(receiver: Receiver) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(
            socket.create_connection((receiver.address, receiver.port)), server_hostname="siem.example.com"
        )
    with socket.create_connection((receiver.address, receiver.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.settimeout(10)
        with contextlib.suppress(ConnectionResetError):  # an alert or a reset, whichever arrives first
            assert b"HTTP" not in plain.recv(1000)
    with Client(receiver) as client:
        assert client.ask("GET", "/")[0] == 200
