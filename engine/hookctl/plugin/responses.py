"""Translates responses, failures and timeouts from ``requests`` into hookctl's records, for transports and the engine.

A transport that reads responses itself attaches its data to the ``requests.Response`` (:func:`attach`), and
:func:`from_requests` returns that data. Responses of other adapters are read here, up to the limit. ``requests`` is
slow to import, so it is imported only inside functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hookctl.errors import (
    AddressBlockedError,
    ConnectError,
    CutResponseError,
    DeadlineError,
    LocalError,
    NameNotFoundError,
    ProxyError,
    TlsError,
    TransportError,
)
from hookctl.model import MAX_RESPONSE_BYTES, Failure, FailureKind, Response, Timing, known_cause
from hookctl.network.certificates import certificate_cause
from hookctl.network.shortage import causes, shortage_of
from hookctl.plugin.raised import on_purpose

if TYPE_CHECKING:
    import requests
    from requests.adapters import BaseAdapter

DEFAULT_TIMEOUT = 15.0
"""The default timeout in seconds for callers of an adapter that pass none, so that nothing waits forever."""
_ATTRIBUTE = "hookctl_exchange"
_ERRORS = {
    error.kind: error
    for error in (
        NameNotFoundError,
        AddressBlockedError,
        ConnectError,
        TlsError,
        ProxyError,
        DeadlineError,
        CutResponseError,
        LocalError,
    )
}


def attach(response: requests.Response, received: Response, timing: Timing) -> requests.Response:
    """``response`` with the body bytes as received, and data for which ``requests`` has no field."""
    response._content = received.body  # noqa: SLF001  # the one way to give a Response the body that was read
    response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001  # as above; the stubs lack it
    setattr(response, _ATTRIBUTE, (received, timing))
    return response


def to_requests(
    received: Response, timing: Timing, request: requests.PreparedRequest, adapter: BaseAdapter
) -> requests.Response:
    """A ``requests.Response`` for a response that a transport read itself. It has no cookies."""
    import requests
    from urllib3 import HTTPHeaderDict

    response = requests.Response()
    response.status_code = received.status
    response.reason = received.reason
    response.headers = requests.structures.CaseInsensitiveDict(HTTPHeaderDict(received.headers))
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.request = request
    response.connection = adapter  # type: ignore[assignment]  # as HTTPAdapter does, for auths that send again
    return attach(response, received, timing)


def from_requests(response: requests.Response) -> Response:
    """The response as hookctl records it. A response of a third-party adapter is read up to the limit and closed.

    Raises the exceptions of reading: see :func:`failure_from`.
    """
    exchange = getattr(response, _ATTRIBUTE, None)
    if exchange is not None:
        received: Response = exchange[0]
        return received
    body = bytearray()
    for piece in [response.content or b""] if response.raw is None else response.iter_content(8192):
        body += piece
        if len(body) > MAX_RESPONSE_BYTES:
            break
    response.close()
    headers = tuple((str(name), str(value)) for name, value in response.headers.items())
    return Response(
        status=response.status_code,
        reason=response.reason or "",
        headers=headers,
        body=bytes(body[:MAX_RESPONSE_BYTES]),
        truncated=len(body) > MAX_RESPONSE_BYTES,
        framed=is_framed(response.status_code, headers),
    )


def timing_of(response: requests.Response) -> Timing | None:
    """The timing by phase, if the transport measured it."""
    exchange = getattr(response, _ATTRIBUTE, None)
    return None if exchange is None else exchange[1]


def is_framed(status: int, headers: tuple[tuple[str, str], ...]) -> bool:
    """True if the end of a response's body is known: by its length, by chunks, or because it cannot have a body."""
    if status in {204, 304}:
        return True
    return any(
        name.lower() == "content-length" or (name.lower() == "transfer-encoding" and "chunked" in value.lower())
        for name, value in headers
    )


def total_seconds(timeout: Any) -> float:
    """One total deadline in seconds for the ``timeout`` argument of ``requests``.

    A number is used as it is, a (connect, read) pair as its sum, and None as the default.
    """
    if timeout is None:
        return DEFAULT_TIMEOUT
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    return sum(float(part) for part in parts if part is not None) or DEFAULT_TIMEOUT


def failure_from(error: BaseException) -> Failure | None:
    """The failure for an exception from a transport: an error of hookctl, ``requests`` or urllib3.

    None for any other exception. The message quotes no third-party text, which could contain a URL or a header.
    """
    import requests
    import urllib3

    chain = list(causes(error))
    for cause in chain:
        if isinstance(cause, TransportError):
            return failure_of_transport(cause)
    if lack := shortage_of(error):
        return Failure(FailureKind.LOCAL, lack)
    known = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError, ValueError)
    if not isinstance(error, known):
        return None
    reason = next(
        (
            text
            for cause in chain
            if isinstance(cause, OSError)
            and not isinstance(cause, requests.RequestException)
            and type(text := cause.strerror) is str
        ),
        "",
    )
    message = f"{type(error).__name__}: {reason}" if reason else type(error).__name__
    return Failure(_foreign_kind(chain), message, _certificate_cause(chain))


def error_of(failure: Failure) -> TransportError:
    """The exception that corresponds to ``failure``."""
    return _ERRORS.get(failure.kind.value, TransportError)(failure.message, cause=failure.cause)


def failure_of_transport(error: TransportError) -> Failure:
    """The failure for ``error``.

    The kind becomes ``transport`` if a plugin invented its own; an unknown cause is dropped.
    """
    known = on_purpose(error)
    if not isinstance(known, TransportError):
        return Failure(FailureKind.TRANSPORT, type(error).__name__)
    kind = FailureKind(known.kind) if known.kind in set(FailureKind) else FailureKind.TRANSPORT
    return Failure(kind, known.message, known_cause(known.cause))


def _certificate_cause(chain: list[BaseException]) -> str:
    import ssl

    codes = (getattr(cause, "verify_code", 0) for cause in chain if isinstance(cause, ssl.SSLCertVerificationError))
    code = next(codes, 0)
    return certificate_cause(code if type(code) is int else 0)


def _foreign_kind(chain: list[BaseException]) -> FailureKind:
    import http.client
    import socket
    import ssl

    from requests import exceptions as of_requests
    from urllib3 import exceptions as of_urllib3

    by_kind: tuple[tuple[FailureKind, tuple[type[BaseException], ...]], ...] = (
        (FailureKind.PROXY, (of_urllib3.ProxyError, of_requests.ProxyError)),
        (FailureKind.NAME_NOT_FOUND, (socket.gaierror, of_urllib3.NameResolutionError)),
        (FailureKind.TIMEOUT, (of_requests.Timeout, of_urllib3.TimeoutError, TimeoutError)),
        (FailureKind.TLS, (ssl.SSLError, of_urllib3.SSLError, of_requests.SSLError)),
        (FailureKind.CONNECT, (of_urllib3.NewConnectionError, http.client.RemoteDisconnected, ConnectionError)),
        (
            FailureKind.CUT_RESPONSE,
            (
                of_urllib3.ProtocolError,
                of_urllib3.DecodeError,
                of_requests.ChunkedEncodingError,
                of_requests.ContentDecodingError,
            ),
        ),
        (FailureKind.CUT_RESPONSE, (http.client.HTTPException,)),
        (FailureKind.CONNECT, (of_requests.ConnectionError,)),
    )
    for kind, classes in by_kind:
        if any(isinstance(cause, classes) for cause in chain):
            return kind
    return FailureKind.TRANSPORT
