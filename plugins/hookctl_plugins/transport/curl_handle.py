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

from hookctl.model import CERTIFICATE_WRONG_NAME, MAX_RESPONSE_BYTES, Failure, FailureKind, Response, Timing
from hookctl.network.certificates import certificate_cause
from hookctl.network.guard import HTTPS_PORT, Network, Target
from hookctl.network.shortage import lacking, shortage_in_connect, shortage_of
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
        "_dialled",
        "_head",
        "_heads",
        "_lack",
        "_left",
        "_method",
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
        self._target: Target | None = None
        self._method = self._url = ""
        for option, value in _OPTIONS:
            self.curl.setopt(option, value)
        self.curl.setopt(
            pycurl.BUFFERSIZE, 4096
        )  # thousands are in flight at the same time, and the defaults are 16 and 64 KiB for each
        self.curl.setopt(pycurl.UPLOAD_BUFFERSIZE, 16 * 1024)
        self.curl.setopt(pycurl.MAXLIFETIME_CONN, limits.MAX_LIFETIME_SECONDS)
        self.curl.setopt(pycurl.MAXAGE_CONN, limits.MAX_IDLE_SECONDS)
        self.curl.setopt(pycurl.CAINFO, network.ca_file or certifi.where())
        # libcurl also trusts the certificate directory that it was built with, unless this is set
        self.curl.unsetopt(pycurl.CAPATH)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._write)
        self.curl.setopt(
            pycurl.HEADERFUNCTION, self._head.append
        )  # libcurl fails beyond 300 KiB of header: see result()
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def prepare(
        self, target: Target, deadline: float, *, method: str, url: str, headers: list[bytes], body: bytes | None
    ) -> None:
        """Prepare to send a request, which was vetted along with the addresses.

        ``deadline`` is in seconds of ``time.monotonic``.
        """
        self._body: list[bytes] = []
        self._body_size = 0
        self._head.clear()
        self._truncated = self._dialled = False
        self._refused = self._lack = ""
        curl = self.curl
        if target is not self._target:
            self._aim(target)
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
        addresses = [f"[{address}]" if ":" in address else address for address in target.addresses]
        if target.port == HTTPS_PORT:
            self.curl.setopt(pycurl.RESOLVE, [f"{target.host}:{HTTPS_PORT}:{','.join(addresses)}"])
            self.curl.setopt(pycurl.CONNECT_TO, [])
        else:
            self.curl.setopt(pycurl.CONNECT_TO, [f"{target.host}:{HTTPS_PORT}:{addresses[0]}:{target.port}"])
        self._target = target

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
        if code == OPERATION_TIMEDOUT:
            return Failure(FailureKind.TIMEOUT, f"no complete response within {self.timeout:g} s")
        host = self._target.host if self._target else ""
        return Failure(kind_of(code, answered=bool(self._head)), f"{host}: {message}", self._certificate_cause(code))

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
    (pycurl.PROXY, ""),  # no proxy, whatever the environment says
    (pycurl.NOPROXY, "*"),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),  # this version or newer
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),  # no test here sends HTTP/2, so it is turned off
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.HTTP_CONTENT_DECODING, 0),
)
