"""What every transport keeps, over real TLS sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from hookctl.errors import ConnectError, CutResponseError, DeadlineError, NameNotFoundError, TlsError, TransportError
from hookctl.model import MAX_RESPONSE_BYTES
from hookctl.network import Network
from hookctl.plugin.responses import timing_of
from hookctl.testing.answers import Answer, Misbehavior
from hookctl.testing.misbehaviors import _bomb
from hookctl.testing.receiver import Receiver
from hookctl_plugins.transport import limits

URL = "https://siem.example.com/ingest"
SLOW = 0.3
"""A deadline for targets that would take for ever."""

Send = Any
SenderOf = Callable[[Network], Send]


def test_the_request_arrives_as_it_was_made_and_nothing_is_added(receiver: Receiver, send: Send) -> None:
    body = bytes(range(256))
    response = send(
        url="https://siem.example.com/in/%2F?q=a%20b&x=1",
        body=body,
        **{"X-Source": "hookctl", "User-Agent": "hookctl/1", "X-Empty": "", "X-Latin": "\xe9"},
    )
    assert (response.status, response.reason, response.body, response.truncated, response.framed) == (
        200,
        "OK",
        b'{"status":"accepted"}',
        False,
        True,
    )
    assert response.headers == (("Content-Type", "application/json"), ("Content-Length", "21"))
    (request,) = receiver.requests
    assert (request.method, request.target, request.body) == ("POST", "/in/%2F?q=a%20b&x=1", body)
    assert sorted(request.headers) == sorted(
        [
            ("Host", "siem.example.com"),
            ("X-Source", "hookctl"),
            ("User-Agent", "hookctl/1"),
            ("X-Empty", ""),
            ("X-Latin", "\xe9"),
            ("Content-Length", "256"),
            ("Accept-Encoding", "identity"),
        ]
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [None, b"", b"x" * 2_000_000], ids=["none", "empty", "large"])
def test_methods_and_bodies(receiver: Receiver, send: Send, method: str, body: bytes | None) -> None:
    assert send(method, body=body).status == 200
    (request,) = receiver.requests
    assert (request.method, request.body) == (method, body or b"")
    if body is None:
        assert request.header("Content-Length") == (None if method == "GET" else "0")
    assert request.header("User-Agent") is None
    assert request.header("Expect") is None


def test_a_handle_that_is_used_again_keeps_nothing_of_the_last_request(receiver: Receiver, send: Send) -> None:
    send("PUT", body=b"secret", Authorization="Bearer secret")
    send("GET", body=None)
    assert receiver.requests[1].method == "GET"
    assert receiver.requests[1].body == b""
    assert receiver.requests[1].header("Authorization") is None


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 404, 410, 429, 500, 503, 599])
def test_every_status_is_a_response(receiver: Receiver, send: Send, status: int) -> None:
    receiver.default = Answer(status, headers=(("Retry-After", "7"), ("X-Twice", "a"), ("X-Twice", "b")))
    response = send()
    assert response.status == status
    assert response.headers[:3] == (("Retry-After", "7"), ("X-Twice", "a"), ("X-Twice", "b"))
    assert response.framed
    assert response.body == (b"" if status in {204, 304} else b'{"status":"accepted"}')


def test_chunks(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(body=bytes(range(256)) * 100, chunked=True)
    response = send()
    assert (response.body, response.framed, response.truncated) == (bytes(range(256)) * 100, True, False)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [MAX_RESPONSE_BYTES, MAX_RESPONSE_BYTES + 1, 100_000])
def test_a_body_over_the_cap_is_cut_there(receiver: Receiver, send: Send, size: int, chunked: bool) -> None:
    receiver.answer("/ingest", Answer(body=b"x" * size, chunked=chunked), Answer())
    response = send()
    assert len(response.body) == min(size, MAX_RESPONSE_BYTES)
    assert response.truncated == (size > MAX_RESPONSE_BYTES)
    assert send().body == b'{"status":"accepted"}'  # what was not read is not taken for the next response


def test_gzip_is_not_unpacked(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(misbehave=Misbehavior.GZIP_BOMB)
    response = send()
    assert (response.body, response.truncated) == (_bomb(), False)
    assert len(response.body) < MAX_RESPONSE_BYTES


def test_a_huge_body_is_not_read_on(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(misbehave=Misbehavior.HUGE_BODY)
    response = send()
    assert (len(response.body), response.truncated) == (MAX_RESPONSE_BYTES, True)


@pytest.mark.parametrize("misbehavior", [Misbehavior.UNFRAMED, Misbehavior.UNFRAMED_RESET])
def test_a_body_whose_end_is_not_marked_says_so(receiver: Receiver, send: Send, misbehavior: Misbehavior) -> None:
    receiver.default = Answer(misbehave=misbehavior)
    response = send()
    assert (response.status, response.body, response.framed) == (200, b'{"status":"accepted"}', False)


@pytest.mark.parametrize(
    ("misbehavior", "errors"),
    [
        (Misbehavior.TRICKLE_HEADERS, DeadlineError),
        (Misbehavior.TRICKLE_BODY, DeadlineError),
        (Misbehavior.ENDLESS_CONTINUE, DeadlineError),
        (Misbehavior.NO_ANSWER, DeadlineError),
        (Misbehavior.ENDLESS_HEADERS, CutResponseError),
        (
            Misbehavior.CUT_STATUS,
            (CutResponseError, ConnectError),
        ),  # libcurl does not count half a status line as a beginning
        (Misbehavior.CUT_HEADERS, CutResponseError),
        (Misbehavior.CUT_BODY, CutResponseError),
        (Misbehavior.CUT_CHUNKS, CutResponseError),
        (Misbehavior.RESET_BODY, CutResponseError),
        (Misbehavior.NOT_HTTP, CutResponseError),
        (Misbehavior.CLOSE, ConnectError),
        (Misbehavior.RESET, ConnectError),
    ],
)
def test_no_complete_response(receiver: Receiver, send: Send, misbehavior: Misbehavior, errors: Any) -> None:
    receiver.default = Answer(misbehave=misbehavior)
    with pytest.raises(errors) as caught:
        send(url=f"{URL}?token=canary", timeout=SLOW, Authorization="Bearer canary")
    assert "canary" not in str(caught.value)
    assert receiver.count == 1
    receiver.default = Answer()
    assert send().status == 200


def test_endless_continue_at_full_speed(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(misbehave=Misbehavior.ENDLESS_CONTINUE, pace=0.0)
    with pytest.raises((DeadlineError, CutResponseError)):
        send(timeout=SLOW)


@pytest.fixture
def wire(receiver: Receiver) -> Iterator[Callable[[bytes], None]]:
    """Makes the receiver answer with these very bytes."""

    def put(answer: bytes) -> None:
        assert isinstance(receiver.default, Answer)
        receiver._wires[receiver.default] = answer

    yield put
    receiver._wires.clear()


def test_an_interim_response_is_not_the_response(send: Send, wire: Callable[[bytes], None]) -> None:
    wire(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + Answer().wire())
    response = send()
    assert (response.status, response.headers[0]) == (200, ("Content-Type", "application/json"))


def test_a_trailer_is_no_header(send: Send, wire: Callable[[bytes], None]) -> None:
    wire(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Trailer: 1\r\n\r\n")
    response = send()
    assert (response.status, response.headers, response.body) == (200, (("Transfer-Encoding", "chunked"),), b"x")


def test_a_header_is_bounded_as_a_whole(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(headers=tuple((f"X-{number}", "x" * 20_000) for number in range(12)))
    assert len(send().headers) == 13
    receiver.default = Answer(headers=tuple((f"X-{number}", "x" * 20_000) for number in range(14)))
    with pytest.raises(CutResponseError):
        send()


def test_an_answer_after_the_deadline_is_none(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(delay=30)
    with pytest.raises(DeadlineError):
        send(timeout=SLOW)


def test_a_target_that_accepts_and_says_nothing(sender: SenderOf, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        network = Network(connect_to={"siem.example.com": deaf.getsockname()}, ca_file=receiver.ca_file)
        with pytest.raises(DeadlineError):
            sender(network)(timeout=SLOW)


def test_a_resolver_that_does_not_answer(sender: SenderOf) -> None:
    over = Event()

    def hangs(*_: Any, **__: Any) -> Any:
        over.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    try:
        with pytest.raises(DeadlineError):
            sender(Network(getaddrinfo=hangs))(timeout=SLOW)
    finally:
        over.set()


def test_a_name_that_does_not_resolve(sender: SenderOf) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(NameNotFoundError, match=r"siem\.example\.com does not resolve"):
        sender(Network(getaddrinfo=unknown))()


def test_refused(sender: SenderOf) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with pytest.raises(ConnectError):
        sender(Network(connect_to={"siem.example.com": address}))()


@pytest.mark.parametrize(
    ("options", "cause"),
    [({"certificate_for": "other.example"}, "certificate_wrong_name"), ({"expired": True}, "certificate_expired")],
    ids=["wrong name", "expired"],
)
def test_a_certificate_that_does_not_hold(sender: SenderOf, options: dict[str, Any], cause: str) -> None:
    with Receiver(**options) as other:
        with pytest.raises(TlsError, match=r"siem\.example\.com") as raised:
            sender(other.network())()
        assert raised.value.cause == cause
        assert other.count == 0


def test_an_authority_that_is_not_trusted(sender: SenderOf, receiver: Receiver) -> None:
    untrusting = sender(Network(connect_to=receiver.connect_to))
    with pytest.raises(TlsError) as raised:
        untrusting()
    assert raised.value.cause == "certificate_untrusted"
    with pytest.raises(TlsError):
        untrusting.adapter.send(_prepared(), timeout=5, verify=False)  # a caller cannot switch it off
    assert receiver.count == 0


def _prepared() -> Any:
    import requests

    return requests.Request("POST", URL, data=b"{}").prepare()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, send: Send, status: int) -> None:
    receiver.default = Answer.redirect("https://login.example.com/other", status)
    response = send()
    assert (response.status, response.headers[0], receiver.count) == (
        status,
        ("Location", "https://login.example.com/other"),
        1,
    )


def test_cookies_are_not_replayed(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(headers=(("Set-Cookie", "session=1; Path=/"),))
    send()
    send()
    assert [request.header("Cookie") for request in receiver.requests] == [None, None]


def test_netrc_and_proxies_of_the_environment_are_not_used(
    receiver: Receiver, send: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine siem.example.com login a password canary\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    send()
    send(Authorization="Bearer own")
    assert [request.header("Authorization") for request in receiver.requests] == [None, "Bearer own"]


def test_a_connection_is_kept(receiver: Receiver, send: Send) -> None:
    timings = [timing_of(send.raw()) for _ in range(3)]
    assert (receiver.count, receiver.connections) == (3, 1)
    first, second, _ = timings
    assert first is not None
    assert second is not None
    assert first.connected is not None
    assert first.tls is not None
    assert first.first_byte is not None
    assert first.connected <= first.tls <= first.first_byte <= first.total
    assert (second.connected, second.tls) == (None, None)
    assert second.first_byte is not None


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(receiver: Receiver, send: Send) -> None:
    receiver.default = Answer(misbehave=Misbehavior.CLOSE_AFTER)
    assert [send().status for _ in range(3)] == [200, 200, 200]
    assert receiver.count == 3


@pytest.mark.parametrize("limit", ["MAX_LIFETIME_SECONDS", "MAX_IDLE_SECONDS"])
def test_a_connection_is_not_kept_for_ever(
    receiver: Receiver, sender: SenderOf, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(limits, limit, 1)
    send = sender(receiver.network())
    send()
    time.sleep(2.1)  # libcurl counts whole seconds
    send()
    assert receiver.connections == 2


@pytest.mark.parametrize("misbehavior", [Misbehavior.CLOSE, Misbehavior.RESET])
def test_a_kept_connection_that_ends_under_the_request_is_tried_once_more(
    receiver: Receiver, send: Send, misbehavior: Misbehavior
) -> None:
    receiver.answer("/ingest", Answer(), Answer(misbehave=misbehavior), Answer(201))
    assert [send().status, send().status] == [200, 201]
    assert (receiver.count, receiver.connections) == (3, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nX-Injected: 1"),
        ("X-A", "a\nX-Injected: 1"),
        ("X-A", "a\r"),
        ("X-A", "a\0b"),
        ("X-A", "\u20ac"),
        ("X-A\r\nX-Injected", "1"),
        ("X A", "1"),
        ("X-A:", "1"),
        ("", "1"),
        ("X-\xe9", "1"),
        ("Transfer-Encoding", "chunked"),
        ("Host", "other.example"),
    ],
)
def test_headers_that_are_not_safe_are_refused_before_anything_is_sent(
    receiver: Receiver, send: Send, name: str, value: str
) -> None:
    with pytest.raises(TransportError, match="header") as caught:
        send(**{name: value})
    assert type(caught.value) is TransportError
    assert (receiver.count, receiver.connections) == (0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://siem.example.com/",
        "https://siem.example.com:8443/",
        "https://127.0.0.1/",
        "https://siem.example.com/a b",
        "https://siem.example.com/\r\nX: 1",
        "https://127.0.0.1\\@siem.example.com/",
        "file:///etc/passwd",
        "",
    ],
)
def test_urls_that_are_not_safe_are_refused_before_anything_is_sent(receiver: Receiver, send: Send, url: str) -> None:
    with pytest.raises(TransportError, match="URL"):
        send(url=url)
    assert receiver.connections == 0


@pytest.mark.parametrize("method", ["HEAD", "POST\r\nX: 1", "post", ""])
def test_methods_that_are_none_are_refused(receiver: Receiver, send: Send, method: str) -> None:
    with pytest.raises(TransportError, match="method"):
        send(method)
    assert receiver.connections == 0


def test_headers_of_the_connection_are_the_transports_own(receiver: Receiver, send: Send) -> None:
    send(**{"Content-Length": "999", "Accept-Encoding": "gzip", "Connection": "keep-alive", "Host": "siem.example.com"})
    (request,) = receiver.requests
    assert [request.header(name) for name in ("Content-Length", "Accept-Encoding", "Connection")] == [
        "7",
        "identity",
        None,
    ]
    assert len([name for name, _ in request.headers if name.lower() == "host"]) == 1


def test_no_session_keys_are_written(
    receiver: Receiver,
    sender: SenderOf,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a program that uses a transport by itself, too."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    sender(receiver.network())()
    assert receiver.count == 1
    assert not (tmp_path / "keys.log").exists()
