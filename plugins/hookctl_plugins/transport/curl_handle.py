"""One libcurl handle, set up once for all that must hold for every request, and used for one request after another."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address
from typing import Any

import certifi
import pycurl

from hookctl.model import MAX_RESPONSE_BYTES, Failure, FailureKind, Response, Timing
from hookctl.network.guard import HTTPS_PORT, Network, Target
from hookctl.plugin.responses import is_framed
from hookctl_plugins.transport import limits
from hookctl_plugins.transport.curl_codes import OPERATION_TIMEDOUT, PARTIAL_FILE, RECV_ERROR, kind_of


class _Lent(socket.socket):
    """A socket that pycurl duplicates and then drops."""

    def __del__(self) -> None:
        self.close()


class Handle:
    """A handle and the response that it is receiving."""

    __slots__ = ("__weakref__", "_body", "_header", "_header_done", "_header_size", "_refused", "_target", "_truncated", "curl", "started", "timeout")

    def __init__(self, network: Network) -> None:
        self.curl = pycurl.Curl()
        self.started = 0.0
        self.timeout = 0.0
        self._target: Target | None = None
        for option, value in _OPTIONS:
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.BUFFERSIZE, 4096)  # thousands are under way at once: the defaults are 16 and 64 KiB for each
        self.curl.setopt(pycurl.UPLOAD_BUFFERSIZE, 16 * 1024)
        self.curl.setopt(pycurl.MAXLIFETIME_CONN, limits.MAX_LIFETIME_SECONDS)
        self.curl.setopt(pycurl.MAXAGE_CONN, limits.MAX_IDLE_SECONDS)
        self.curl.setopt(pycurl.CAINFO, network.ca_file or certifi.where())
        self.curl.setopt(pycurl.WRITEFUNCTION, self._write)
        self.curl.setopt(pycurl.HEADERFUNCTION, self._read_header)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        self._clear()

    def _clear(self) -> None:
        self._body = bytearray()
        self._header: list[bytes] = []
        self._header_size = 0
        self._header_done = False
        self._truncated = False
        self._refused = ""

    def prepare(self, target: Target, left: float, *, method: str, url: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
        """Make ready to send; ``left`` is the time to the deadline in seconds. The request was vetted, and so were the addresses."""
        self._clear()
        curl = self.curl
        if target is not self._target:
            self._aim(target)
        curl.setopt(pycurl.URL, url)
        if body is None and method == "GET":
            curl.setopt(pycurl.HTTPGET, 1)
        else:
            curl.setopt(pycurl.POSTFIELDS, body or b"")
        curl.setopt(pycurl.CUSTOMREQUEST, method)
        curl.setopt(pycurl.HTTPHEADER, _header_lines(headers))
        curl.setopt(pycurl.TIMEOUT_MS, max(int(left * 1000), 1))
        self.started = time.monotonic()

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
        """The last gate: whatever libcurl is about to dial must be among the vetted addresses."""
        family, kind, protocol, (dialled, port, *_) = address
        target = self._target
        if target is None or port != target.port or not any(ip_address(dialled) == ip_address(vetted) for vetted in target.addresses):
            self._refused = f"{dialled}:{port}"
            return pycurl.SOCKET_BAD
        return _Lent(family, kind, protocol)

    def _read_header(self, line: bytes) -> int | None:
        self._header_size += len(line)
        if self._header_size > limits.MAX_HEADER_BYTES:
            return -1
        if self._header_done:
            return None  # a trailer
        if line.startswith(b"HTTP/"):
            self._header = [line]
        elif line.strip():
            self._header.append(line)
        else:
            self._header_done = self._status >= 200
        return None

    def _write(self, piece: bytes) -> int | None:
        self._body += piece
        if len(self._body) <= MAX_RESPONSE_BYTES:
            return None
        self._truncated = True
        return -1  # libcurl closes the connection: the rest is not read

    # -- what came of it --

    @property
    def _status(self) -> int:
        try:
            return int(self._header[0].split(b" ", 2)[1])
        except (IndexError, ValueError):
            return 0

    def result(self, code: int, message: str) -> Response | Failure:
        """The response, or why there is none; ``code`` and ``message`` are libcurl's, 0 when it saw no error."""
        if self._refused:
            return Failure(FailureKind.ADDRESS_BLOCKED, f"{self._refused} is not among the addresses that were vetted; nothing was dialled")
        response = self._response() if self._header_done else None
        # A body whose end is not marked ends however the connection ends.
        unmarked = response is not None and not response.framed and code in {RECV_ERROR, PARTIAL_FILE}
        if response is not None and (code == 0 or self._truncated or unmarked):
            return response
        if code == 0:
            return Failure(FailureKind.CUT_RESPONSE, "the response ended inside its header")
        if code == OPERATION_TIMEDOUT:
            return Failure(FailureKind.TIMEOUT, f"no complete response within {self.timeout:g} s")
        host = self._target.host if self._target else ""
        return Failure(kind_of(code, answered=bool(self._header)), f"{host}: {message}")

    def _response(self) -> Response:
        status_line = self._header[0].decode("latin-1").split(None, 2)
        pairs = (line.decode("latin-1").partition(":") for line in self._header[1:])
        headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        status = self._status
        return Response(
            status=status,
            reason=status_line[2].strip() if len(status_line) > 2 else "",
            headers=headers,
            body=bytes(self._body[:MAX_RESPONSE_BYTES]),
            truncated=self._truncated,
            framed=is_framed(status, headers),
        )

    def timing(self, submitted: float) -> Timing:
        """Seconds by phase since ``submitted`` (of ``time.monotonic``). Name and connection are None where a kept connection was used."""
        info = self.curl.getinfo
        before = self.started - submitted
        connected, tls, first_byte = info(pycurl.CONNECT_TIME), info(pycurl.APPCONNECT_TIME), info(pycurl.STARTTRANSFER_TIME)
        return Timing(
            resolved=before if connected else None,
            connected=before + connected if connected else None,
            tls=before + tls if tls else None,
            first_byte=before + first_byte if first_byte else None,
            total=time.monotonic() - submitted,
        )


def _header_lines(headers: list[tuple[str, str]]) -> list[bytes]:
    lines = [f"{name}: {value}".encode("latin-1") if value else f"{name};".encode("latin-1") for name, value in headers]
    names = {name.lower() for name, _ in headers}
    lines += [removed for name, removed in _REMOVED if name not in names]
    lines.append(b"Accept-Encoding: identity")
    return lines


# libcurl's own headers, which a name with nothing after it takes away.
_REMOVED = (("accept", b"Accept:"), ("content-type", b"Content-Type:"), ("user-agent", b"User-Agent:"), ("expect", b"Expect:"))
_OPTIONS = (
    (pycurl.NOSIGNAL, 1),
    (pycurl.PROTOCOLS, pycurl.PROTO_HTTPS),
    (pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTPS),
    (pycurl.FOLLOWLOCATION, 0),
    (pycurl.PROXY, ""),  # none, whatever the environment says
    (pycurl.NOPROXY, "*"),
    (pycurl.NETRC, pycurl.NETRC_IGNORED),
    (pycurl.SSL_VERIFYPEER, 1),
    (pycurl.SSL_VERIFYHOST, 2),
    (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),  # or newer
    (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),  # HTTP/2 is sent by no test here, so it is not sent at all
    (pycurl.HTTP09_ALLOWED, 0),
    (pycurl.HTTP_CONTENT_DECODING, 0),
)
