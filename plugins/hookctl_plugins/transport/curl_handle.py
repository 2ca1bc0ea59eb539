"""A libcurl handle with the options that every request needs, reused for one request after another."""

from __future__ import annotations

import contextlib
import math
import os
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import certifi
import pycurl

from hookctl.model import (
    CERTIFICATE_WRONG_NAME,
    MAX_RESPONSE_BYTES,
    ClientCertificate,
    Failure,
    FailureKind,
    Response,
    Timing,
)
from hookctl.network.certificates import certificate_cause, refusal_cause
from hookctl.network.guard import HTTPS_PORT, Network, Target
from hookctl.network.proxy import refusal
from hookctl.network.shortage import lacking, shortage_in_connect, shortage_of
from hookctl.plugin.responses import failure_of_transport
from hookctl_plugins.transport import limits
from hookctl_plugins.transport.curl_codes import (
    COULDNT_CONNECT,
    OPERATION_TIMEDOUT,
    OUT_OF_MEMORY,
    PARTIAL_FILE,
    PEER_FAILED_VERIFICATION,
    RECV_ERROR,
    kind_of,
)
from hookctl_plugins.transport.curl_head import Heads

SUPPRESS_CONNECT_HEADERS = 265
"""The number of an option of libcurl that pycurl has no name for."""


_OF_TARGET = frozenset({FailureKind.TLS, FailureKind.TIMEOUT})
"""Kinds of failures that are the target's once the proxy has accepted a tunnel, even if no request was sent."""


class _Lent(socket.socket):
    """A socket that pycurl duplicates and then closes."""

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # there was no descriptor for it
            self.close()


class Handle:
    """A handle and the response that it is receiving."""

    __slots__ = (
        "__weakref__",
        "_body",
        "_body_size",
        "_ca_file",
        "_certificate",
        "_dialled",
        "_head",
        "_heads",
        "_lack",
        "_left",
        "_method",
        "_network",
        "_opened",
        "_refused",
        "_target",
        "_truncated",
        "_url",
        "curl",
        "started",
        "timeout",
    )

    def __init__(self, network: Network, heads: Heads, opened: Callable[[], None]) -> None:
        """``opened`` is called whenever libcurl opens a socket."""
        self.curl = pycurl.Curl()
        self.started = 0.0
        self.timeout = 0.0
        self._heads = heads
        self._head: list[bytes] = []
        self._opened = opened
        self._network = network
        self._target: Target | None = None
        self._ca_file = ""
        self._certificate: ClientCertificate | None = None
        self._method = self._url = ""
        for option, value in _OPTIONS:
            self.curl.setopt(option, value)
        self.curl.setopt(
            pycurl.BUFFERSIZE, 4096
        )  # thousands are in flight at the same time, and the defaults are 16 and 64 KiB for each
        self.curl.setopt(pycurl.UPLOAD_BUFFERSIZE, 16 * 1024)
        self.curl.setopt(pycurl.MAXLIFETIME_CONN, limits.MAX_LIFETIME_SECONDS)
        self.curl.setopt(pycurl.MAXAGE_CONN, limits.MAX_IDLE_SECONDS)
        # libcurl also trusts the certificate directory that it was built with, unless this is set
        self.curl.unsetopt(pycurl.CAPATH)
        self.curl.unsetopt(pycurl.PROXY_CAPATH)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._write)
        self.curl.setopt(
            pycurl.HEADERFUNCTION, self._head.append
        )  # libcurl fails beyond 300 KiB of header: see result()
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def prepare(
        self,
        target: Target,
        deadline: float,
        *,
        method: str,
        url: str,
        headers: list[bytes],
        body: bytes | None,
        certificate: ClientCertificate | None = None,
    ) -> None:
        """Prepare to send a request, which was vetted along with the addresses.

        ``deadline`` is in seconds of ``time.monotonic``. ``certificate`` is for the target, never for the proxy.
        """
        self._body: list[bytes] = []
        self._body_size = 0
        self._head.clear()
        self._truncated = self._dialled = False
        self._refused = self._lack = ""
        curl = self.curl
        if target is not self._target:
            self._aim(target)
        if certificate is not self._certificate:
            self._present(certificate)
        if url != self._url:
            curl.setopt(pycurl.URL, url)
            self._url = url
        if body is None and method == "GET":
            curl.setopt(pycurl.HTTPGET, 1)
        else:
            curl.setopt(pycurl.POSTFIELDS, body or b"")
        if method != self._method:
            curl.setopt(pycurl.CUSTOMREQUEST, method)
            self._method = method
        curl.setopt(pycurl.HTTPHEADER, headers)
        self.started = now = time.monotonic()
        self._left = deadline - now
        curl.setopt(pycurl.TIMEOUT_MS, max(math.ceil(self._left * 1000), 1))

    def _aim(self, target: Target) -> None:
        curl, tunnel = self.curl, target.tunnel
        port = tunnel.port if tunnel else target.port
        dialled = (tunnel.proxy.host, tunnel.proxy.port) if tunnel else (target.host, port)
        addresses = ",".join(f"[{address}]" if ":" in address else address for address in target.addresses)
        curl.setopt(pycurl.RESOLVE, [f"{dialled[0]}:{dialled[1]}:{addresses}"])
        is_moved = port != HTTPS_PORT
        curl.setopt(pycurl.CONNECT_TO, [f"{target.host}:{HTTPS_PORT}:{target.host}:{port}"] if is_moved else [])
        # an empty text keeps libcurl from using a proxy of the environment
        curl.setopt(pycurl.PROXY, tunnel.proxy.url if tunnel else "")
        curl.setopt(pycurl.NOPROXY, "" if tunnel else "*")
        if tunnel:
            if tunnel.credentials:  # always or never, because there is one proxy
                curl.setopt(pycurl.PROXYUSERNAME, tunnel.credentials[0].encode())
                curl.setopt(pycurl.PROXYPASSWORD, tunnel.credentials[1].encode())
            curl.setopt(pycurl.PROXY_CAINFO, self._network.authorities(tunnel.proxy.host) or certifi.where())
        ca_file = self._network.authorities(target.host) or certifi.where()
        if ca_file != self._ca_file:
            curl.setopt(pycurl.CAINFO, ca_file)
            self._ca_file = ca_file
        self._target = target

    def _present(self, certificate: ClientCertificate | None) -> None:
        """Use ``certificate`` from now on. libcurl reuses a connection only for the same certificate."""
        chain, key = certificate.reveal() if certificate else (None, None)
        for option, data in ((pycurl.SSLCERT_BLOB, chain), (pycurl.SSLKEY_BLOB, key)):
            if data is None:
                self.curl.unsetopt(option)
            else:
                self.curl.setopt(option, data)
        self._certificate = certificate

    # -- callbacks of libcurl --

    def _open_socket(self, _: int, address: Any) -> Any:
        """The final check: libcurl may connect only to one of the vetted addresses."""
        family, kind, protocol, (dialled, port, *_) = address
        target = self._target
        if (
            target is None
            or port != target.port
            or not any(ip_address(dialled) == ip_address(vetted) for vetted in target.addresses)
        ):
            self._refused = f"{dialled}:{port}"
            return pycurl.SOCKET_BAD
        try:
            lent = _Lent(family, kind, protocol)
            os.close(os.dup(lent.fileno()))  # pycurl duplicates it, and does not report why if it cannot
        except (OSError, MemoryError) as error:
            self._lack = shortage_of(error) or "no socket could be opened"
            return pycurl.SOCKET_BAD
        self._dialled = True
        self._opened()
        return lent

    def _write(self, piece: bytes) -> int | None:
        try:
            self._body.append(piece)
        except MemoryError as error:
            self._lack = shortage_of(error) or ""
            return -1
        self._body_size += len(piece)
        if self._body_size <= MAX_RESPONSE_BYTES:
            return None
        self._truncated = True
        return -1  # libcurl closes the connection without reading the rest

    # -- the result --

    def result(self, code: int, message: str) -> Response | Failure:
        """The response, or why there is none. ``code`` and ``message`` are libcurl's, 0 if it reported no error."""
        if (ours := self._own_failure(code)) is not None:
            return ours
        if self.curl.getinfo(pycurl.HEADER_SIZE) > limits.MAX_HEADER_BYTES:
            return Failure(
                FailureKind.CUT_RESPONSE, f"the response's header is longer than {limits.MAX_HEADER_BYTES} bytes"
            )
        head = self._heads.read(self._head)
        if head is not None:
            status, reason, headers, framed = head
            # If its end is not marked, a body ends with the connection, for whatever reason that ends.
            if code == 0 or self._truncated or (not framed and code in {RECV_ERROR, PARTIAL_FILE}):
                body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                return Response(status, reason, headers, body[:MAX_RESPONSE_BYTES], self._truncated, framed)
        if code == 0:
            return Failure(FailureKind.CUT_RESPONSE, "the response ended inside its header")
        return self._proxy_failure(code, message) or self._target_failure(code, message)

    def _target_failure(self, code: int, message: str) -> Failure:
        if code == OPERATION_TIMEDOUT:
            return Failure(FailureKind.TIMEOUT, f"no complete response within {self.timeout:g} s")
        host = self._target.host if self._target else ""
        if not self._head and (cause := refusal_cause(message)):  # in TLS 1.3, it arrives after the handshake
            return Failure(FailureKind.TLS, f"{host}: {message}", cause)
        return Failure(kind_of(code, answered=bool(self._head)), f"{host}: {message}", self._certificate_cause(code))

    def _proxy_failure(self, code: int, message: str) -> Failure | None:
        """The failure of the proxy; None once it has opened a tunnel, or without one."""
        target = self._target
        if target is None or target.tunnel is None or not self._dialled:
            return None
        status = int(self.curl.getinfo(pycurl.HTTP_CONNECTCODE))
        accepted = 200 <= status < 300
        # an accepted CONNECT may still break before TLS with the target begins
        if accepted and (self.curl.getinfo(pycurl.APPCONNECT_TIME) or kind_of(code, answered=False) in _OF_TARGET):
            return None
        proxy = target.tunnel.proxy
        if code == OPERATION_TIMEDOUT:
            message = f"the proxy {proxy.url} opened no connection to {target.host} within {self.timeout:g} s"
            return Failure(FailureKind.TIMEOUT, message)
        if status and not accepted:
            return failure_of_transport(refusal(proxy, target.host, target.tunnel.port, status))
        return Failure(FailureKind.PROXY, f"the proxy {proxy.url} opened no connection to {target.host}: {message}")

    def _certificate_cause(self, code: int) -> str:
        """What is wrong with the target's certificate, by OpenSSL's verify code; empty where it is not known.

        libcurl compares the name itself, after OpenSSL has accepted the certificate. It has no verify code for a name
        that does not match: the code is then the one that libcurl begins with, which is 1, or OpenSSL's 0.
        """
        if code != PEER_FAILED_VERIFICATION:
            return ""
        verify_code = self.curl.getinfo(pycurl.SSL_VERIFYRESULT)
        return CERTIFICATE_WRONG_NAME if verify_code in {0, 1} else certificate_cause(verify_code)

    def _own_failure(self, code: int) -> Failure | None:
        """The failure on this side: the address was refused before it was dialled, or this machine lacks something."""
        if self._refused:
            message = f"{self._refused} is not one of the checked addresses, so no connection was made"
            return Failure(FailureKind.ADDRESS_BLOCKED, message)
        lack = self._shortage(code) if code else None
        return Failure(FailureKind.LOCAL, lack) if lack else None

    def _shortage(self, code: int) -> str | None:
        """What this machine lacks, when that is why libcurl has failed with ``code``; None when it is not."""
        if self._lack:
            return self._lack
        if code == COULDNT_CONNECT and self._target is not None:
            return shortage_in_connect(int(self.curl.getinfo(pycurl.OS_ERRNO)), "".join(self._target.addresses))
        waited_in_vain = (
            not self._dialled and not self.curl.getinfo(pycurl.REQUEST_SIZE) and self._left > self.timeout / 2
        )
        if code == OPERATION_TIMEDOUT and waited_in_vain:
            return "this machine reached its limit of open connections, and none became free in time"
        if code == OUT_OF_MEMORY:
            return lacking() or "this machine is out of memory"
        return None

    def timing(self, submitted: float) -> Timing:
        """Seconds by phase since ``submitted`` (of ``time.monotonic``).

        Name and connection are None where a kept connection was used, and the first byte where none came.
        """
        info = self.curl.getinfo
        before = self.started - submitted
        first_byte = info(pycurl.STARTTRANSFER_TIME) if self._head else 0.0  # libcurl sets it for some failures too
        connected, tls = (info(pycurl.CONNECT_TIME), info(pycurl.APPCONNECT_TIME)) if self._dialled else (0.0, 0.0)
        return Timing(
            before if connected else None,
            before + connected if connected else None,
            before + tls if tls else None,
            before + first_byte if first_byte else None,
            time.monotonic() - submitted,
        )


_OPTIONS = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTPS),
    (pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (SUPPRESS_CONNECT_HEADERS, 1),  # the header of a response is the target's
    (pycurl.PROXYAUTH, pycurl.HTTPAUTH_BASIC),
    (pycurl.HEADEROPT, pycurl.HEADER_SEPARATE),  # no header of a webhook is for the proxy
    (pycurl.PROXY_SSL_VERIFYPEER, 1),
    (pycurl.PROXY_SSL_VERIFYHOST, 2),
    (pycurl.PROXY_SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),  # this version or newer
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),  # no test here sends HTTP/2, so it is turned off
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.HTTP_CONTENT_DECODING, 0),
)
