"""Between requests and hookctl: what any adapter may return or raise."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from typing import Any

import pytest
import requests
import urllib3

from hookctl.errors import AddressBlockedError, TlsError, TransportError
from hookctl.model import MAX_RESPONSE_BYTES, Failure, FailureKind, Response, Timing
from hookctl.plugin.responses import (
    DEFAULT_TIMEOUT,
    error_of,
    failure_from,
    from_requests,
    timing_of,
    to_requests,
    total_seconds,
)

RECEIVED = Response(
    201, "Created", (("Content-Type", "text/plain; charset=utf-8"), ("X-A", "1"), ("X-A", "2")), "é".encode()
)


def test_there_and_back() -> None:
    prepared = requests.Request("POST", "https://a.example/").prepare()
    response = to_requests(RECEIVED, Timing(total=1.5), prepared, requests.adapters.HTTPAdapter())
    assert (response.status_code, response.reason, response.text, response.headers["x-a"], response.url) == (
        201,
        "Created",
        "é",
        "1, 2",
        "https://a.example/",
    )
    assert response.request is prepared
    assert (from_requests(response), timing_of(response)) == (RECEIVED, Timing(total=1.5))


def _foreign(body: bytes, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = 200, "OK"
    response.headers.update(headers)
    response.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
    return response


@pytest.mark.parametrize("size", [0, MAX_RESPONSE_BYTES, MAX_RESPONSE_BYTES + 1])
def test_what_another_adapter_returned_is_read_up_to_the_cap(size: int) -> None:
    response = _foreign(b"x" * size, **{"Content-Length": str(size)})
    assert from_requests(response) == Response(
        200,
        "OK",
        (("Content-Length", str(size)),),
        b"x" * min(size, MAX_RESPONSE_BYTES),
        truncated=size > MAX_RESPONSE_BYTES,
        framed=True,
    )
    assert timing_of(response) is None


class Endless(io.RawIOBase):
    """A body that never ends."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        assert 0 < size < 1_000_000
        self.given += size
        assert self.given < 2 * MAX_RESPONSE_BYTES
        return b"x" * size


def test_what_another_adapter_returned_is_not_read_beyond_the_cap() -> None:
    response = _foreign(b"")
    response.raw = urllib3.HTTPResponse(Endless(), preload_content=False)
    received = from_requests(response)
    assert (len(received.body), received.truncated) == (MAX_RESPONSE_BYTES, True)


def test_a_foreign_body_without_a_marked_end() -> None:
    assert not from_requests(_foreign(b"x")).framed


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(None, DEFAULT_TIMEOUT), (3, 3.0), ((1, 2), 3.0), ((1, None), 1.0), ((None, None), DEFAULT_TIMEOUT), (0.25, 0.25)],
)
def test_total_seconds(timeout: object, seconds: float) -> None:
    assert total_seconds(timeout) == seconds


def _after(cause: Exception, error: Exception) -> Exception:
    error.__cause__ = cause
    return error


POOL = urllib3.HTTPSConnectionPool("a.example")
CANARY = "https://a.example/?token=canary"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TlsError("no"), FailureKind.TLS),
        (TransportError("no"), FailureKind.TRANSPORT),
        (_after(AddressBlockedError("no"), requests.ConnectionError("no")), FailureKind.ADDRESS_BLOCKED),
        (requests.ConnectTimeout(CANARY), FailureKind.TIMEOUT),
        (requests.ReadTimeout(CANARY), FailureKind.TIMEOUT),
        (requests.exceptions.SSLError(CANARY), FailureKind.TLS),
        (
            requests.ConnectionError(urllib3.exceptions.MaxRetryError(POOL, CANARY, ssl.SSLError(1, "bad"))),
            FailureKind.TLS,
        ),
        (
            requests.ConnectionError(
                urllib3.exceptions.MaxRetryError(POOL, CANARY, ConnectionRefusedError(111, "Connection refused"))
            ),
            FailureKind.CONNECT,
        ),
        (
            requests.ConnectionError(urllib3.exceptions.MaxRetryError(POOL, CANARY, socket.gaierror(-2, "unknown"))),
            FailureKind.NAME_NOT_FOUND,
        ),
        (
            requests.ConnectionError(
                urllib3.exceptions.ProtocolError("aborted", http.client.RemoteDisconnected("gone"))
            ),
            FailureKind.CONNECT,
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("broken", http.client.IncompleteRead(b""))),
            FailureKind.CUT_RESPONSE,
        ),
        (requests.exceptions.ChunkedEncodingError(CANARY), FailureKind.CUT_RESPONSE),
        (requests.exceptions.ContentDecodingError(CANARY), FailureKind.CUT_RESPONSE),
        (requests.ConnectionError(CANARY), FailureKind.CONNECT),
        (requests.exceptions.InvalidURL(CANARY), FailureKind.TRANSPORT),
        (requests.exceptions.InvalidHeader(CANARY), FailureKind.TRANSPORT),
        (requests.TooManyRedirects(CANARY), FailureKind.TRANSPORT),
        (urllib3.exceptions.LocationParseError(CANARY), FailureKind.TRANSPORT),
        (urllib3.exceptions.ReadTimeoutError(POOL, CANARY, "late"), FailureKind.TIMEOUT),
        (UnicodeEncodeError("latin-1", CANARY, 0, 1, "no"), FailureKind.TRANSPORT),
        (ValueError(CANARY), FailureKind.TRANSPORT),
        (TimeoutError(CANARY), FailureKind.TIMEOUT),
        (OSError(113, "No route to host"), FailureKind.TRANSPORT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_whatever_sending_raises_has_a_meaning_and_no_secret(error: Exception, kind: FailureKind) -> None:
    failure = failure_from(error)
    assert failure is not None
    assert failure.kind is kind
    assert "canary" not in failure.message


def test_the_reason_of_the_system_is_told() -> None:
    failure = failure_from(
        requests.ConnectionError(
            urllib3.exceptions.MaxRetryError(POOL, CANARY, ConnectionRefusedError(111, "Connection refused"))
        )
    )
    assert failure == Failure(FailureKind.CONNECT, "ConnectionError: Connection refused")


def test_what_no_transport_should_raise_is_none() -> None:
    assert failure_from(KeyError("x")) is None
    assert failure_from(ZeroDivisionError()) is None


def test_every_requests_exception_has_a_meaning() -> None:
    classes = [
        value
        for value in vars(requests.exceptions).values()
        if isinstance(value, type) and issubclass(value, requests.RequestException)
    ]
    assert len(classes) > 15
    for raised in classes:
        error = raised.__new__(raised)
        assert failure_from(error) is not None, raised


@pytest.mark.parametrize("kind", FailureKind)
def test_a_failure_and_its_error_say_the_same(kind: FailureKind) -> None:
    error = error_of(Failure(kind, "why", "certificate_expired"))
    assert (error.message, error.cause) == ("why", "certificate_expired")
    assert error.kind in {kind.value, "transport"}


@pytest.mark.parametrize(
    ("cause", "known"),
    [("certificate_untrusted", "certificate_untrusted"), ("url", "url"), ("my own", ""), (None, ""), ([], "")],
)
def test_a_cause_of_a_plugins_own_is_left_out(cause: Any, known: str) -> None:
    failure = failure_from(TlsError("why", cause=cause))
    assert failure == Failure(FailureKind.TLS, "why", known)


@pytest.mark.parametrize(
    ("code", "cause"),
    [(10, "certificate_expired"), (20, "certificate_untrusted"), (62, "certificate_wrong_name"), (1, "")],
)
def test_the_verify_code_of_another_adapter_is_a_cause(code: int, cause: str) -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_code = code
    failure = failure_from(requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(POOL, CANARY, refused)))
    assert failure is not None
    assert (failure.kind, failure.cause) == (FailureKind.TLS, cause)
