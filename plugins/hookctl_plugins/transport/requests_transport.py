"""The ``requests`` transport: a ``requests`` adapter over urllib3, with guarded connections."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from functools import lru_cache, partial
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.response import BaseHTTPResponse
from urllib3.util import SKIP_HEADER, Timeout

from hookctl.errors import ConnectError, CutResponseError, DeadlineError, LocalError, TlsError, TransportError
from hookctl.model import MAX_RESPONSE_BYTES, ClientCertificate, Response, Timing
from hookctl.network import Network
from hookctl.network.certificates import refusal_cause
from hookctl.network.outgoing import vet_request
from hookctl.network.resolver import Resolver
from hookctl.network.shortage import HINT, causes, shortage_of
from hookctl.plugin.client_certificates import sent_with
from hookctl.plugin.responses import attach, total_seconds
from hookctl_plugins.transport.deadline_sockets import Call
from hookctl_plugins.transport.guarded_connection import GuardedConnection
from hookctl_plugins.transport.tls_context import tls_context

POOLS = 64
"""The maximum number of hosts with kept connections."""
KEPT_PER_HOST = 16
HOSTS_WITHOUT_THEIR_OWN = ""
"""Not a host: stands for all hosts that have no authorities of their own."""


class GuardedPool(HTTPSConnectionPool):
    """The maximum number of connections to one host."""

    ConnectionCls = GuardedConnection


class RequestsTransport(HTTPAdapter):
    """Sends one request at a time in each thread. It ignores the arguments of ``send`` other than the timeout.

    A target may close a kept connection just as a request is sent. If the connection ends before the first byte of a
    response, the request is sent once more on another one, within the same deadline. The target may then receive it
    twice, with the same ``webhook-id``, which at-least-once delivery allows.
    """

    def __init__(self, network: Network) -> None:
        self._resolver = Resolver(network)
        self._network = network
        self._context = lru_cache(maxsize=POOLS)(tls_context)
        self._context_for(HOSTS_WITHOUT_THEIR_OWN)  # an authority file that cannot be used is reported now
        self._current = threading.local()
        super().__init__(pool_connections=POOLS, pool_maxsize=KEPT_PER_HOST, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_: Any) -> None:
        """Pools of guarded connections, only for HTTPS."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block)
        self.poolmanager.pool_classes_by_scheme = {
            "https": partial(GuardedPool, resolver=self._resolver, contexts=self._context_for, current=self._current)
        }

    def _context_for(self, host: str, certificate: ClientCertificate | None = None) -> ssl.SSLContext:
        """How to speak TLS with ``host``, which may be the proxy. Raises LocalError, or TlsError for a certificate."""
        return self._context(self._network.authorities(host) or certifi.where(), certificate)

    def send(  # noqa: D417, PLR0917  # the parameters are those of requests; the others are ignored
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The response, with its body read up to the limit.

        Args:
            request: The request to send.
            timeout: The total deadline in seconds; a pair counts as its sum.
            cert: A ClientCertificate, or None.

        Raises:
            TransportError: No complete response was received, or the request is not safe to send.
        """
        del stream, verify, proxies
        certificate = sent_with(cert)
        started = time.monotonic()
        call = self._current.call = Call(started, started + total_seconds(timeout))
        host, headers = vet_request(request.method or "", request.url or "", request.headers.items())
        while True:
            try:
                raw = self._exchange(host, request, headers, call, certificate)
                return self._received(request, raw, call)
            except TransportError:
                raise
            except Exception as error:  # any exception of the libraries below means the same to the caller
                if not (call.reused and call.first_byte is None and _is_cut(error)):
                    raise _meaning(error, host, call) from error
                call.left()

    def _exchange(
        self,
        host: str,
        request: requests.PreparedRequest,
        headers: list[tuple[str, str]],
        call: Call,
        certificate: ClientCertificate | None,
    ) -> BaseHTTPResponse:
        call.reused = True  # None until a connection is opened
        # the context is part of the pool's key, so webhooks with different certificates never share a connection
        context = {"ssl_context": self._context_for(host, certificate)} if certificate else None
        pool = self.poolmanager.connection_from_host(host, 443, "https", context)
        sent = dict(headers)
        sent.setdefault("User-Agent", SKIP_HEADER)
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is None and request.method != "GET":
            body = b""
        raw: BaseHTTPResponse = pool.urlopen(
            request.method or "",
            request.path_url,
            body=body,
            headers=sent,
            redirect=False,
            retries=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            timeout=Timeout(total=call.left()),
        )
        return raw

    def _received(self, request: requests.PreparedRequest, raw: BaseHTTPResponse, call: Call) -> requests.Response:
        framed = getattr(raw, "chunked", False) or raw.length_remaining is not None
        body = b""
        try:
            while len(body) <= MAX_RESPONSE_BYTES and (
                piece := raw.read(MAX_RESPONSE_BYTES + 1 - len(body), decode_content=False)
            ):
                body += piece
        except BaseException:
            raw.close()
            raise
        if len(body) > MAX_RESPONSE_BYTES:
            raw.close()
        else:
            raw.release_conn()
        received = Response(
            status=raw.status,
            reason=raw.reason or "",
            headers=tuple(raw.headers.items()),
            body=body[:MAX_RESPONSE_BYTES],
            truncated=len(body) > MAX_RESPONSE_BYTES,
            framed=framed,
        )
        return attach(self.build_response(request, raw), received, _timing(call))

    def close(self) -> None:
        """Close the kept connections."""
        super().close()
        self._resolver.close()


def _timing(call: Call) -> Timing:
    def since(moment: float | None) -> float | None:
        return None if moment is None else moment - call.started

    return Timing(
        since(call.resolved),
        since(call.connected),
        since(call.tls),
        since(call.first_byte),
        time.monotonic() - call.started,
    )


def _is_cut(error: Exception) -> bool:
    """True if the connection ended, as opposed to a timeout."""
    return any(isinstance(cause, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes(error))


def _meaning(error: Exception, host: str, call: Call) -> TransportError:
    chain = list(causes(error))
    known = next((cause for cause in chain if isinstance(cause, TransportError)), None)
    if known is None and (lack := shortage_of(error)):
        known = LocalError(lack, hint=HINT)
    known = known or _refusal(chain, host, call)
    if known is not None:
        return known
    if time.monotonic() >= call.deadline or any(isinstance(cause, TimeoutError) for cause in chain):
        return DeadlineError(f"no complete response within {call.deadline - call.started:g} s")
    if call.tls is None and not call.reused:
        return TlsError(f"{host}: the connection ended inside the TLS handshake")
    if call.first_byte is None and _is_cut(error):
        return ConnectError(f"{host} closed the connection before it answered")
    if any(
        isinstance(cause, (http.client.HTTPException, OSError, requests.exceptions.ChunkedEncodingError))
        for cause in chain
    ):
        return CutResponseError(f"the response of {host} is truncated, or is not HTTP ({type(chain[-1]).__name__})")
    return TransportError(f"sending to {host} failed: {type(error).__name__}")


def _refusal(chain: list[BaseException], host: str, call: Call) -> TlsError | None:
    """The target's refusal of the client's certificate, which arrives after the handshake in TLS 1.3."""
    reasons = (cause.reason for cause in chain if isinstance(cause, ssl.SSLError) and cause.reason)
    reason = next(reasons, "") if call.first_byte is None else ""
    cause = refusal_cause(reason)
    return TlsError(f"{host}: {reason}", cause=cause) if cause else None
