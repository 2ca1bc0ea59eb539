"""urllib3's HTTPS connection with vetted addresses, a total deadline, and tunnels through a proxy."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from urllib3.connection import HTTPSConnection

from hookctl.errors import AddressBlockedError, ConnectError, LocalError, ProxyError, TlsError
from hookctl.network.certificates import certificate_cause, refusal_cause
from hookctl.network.guard import Target
from hookctl.network.resolver import Resolver
from hookctl.network.shortage import HINT, shortage_in_connect
from hookctl_plugins.transport import limits
from hookctl_plugins.transport.deadline_sockets import Call, DeadlineSocket, NestedSocket, StrictReader
from hookctl_plugins.transport.tunnel import open_tunnel


class StrictResponse(http.client.HTTPResponse):
    """A response that limits the header and skips interim responses; ``http.client`` takes a 103 for the final one."""

    def begin(self) -> None:
        """Read status line and header. Raises http.client.HTTPException."""
        reader = self.fp
        assert isinstance(reader, StrictReader)  # noqa: S101  # DeadlineSocket.makefile makes no other
        reader.allowance = limits.MAX_HEADER_BYTES
        super().begin()
        reader.allowance = None

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # private, and what begin() calls
            if status == http.client.CONTINUE or not 100 < status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)


class GuardedConnection(HTTPSConnection):
    """Connects only to addresses that the guard has vetted. ``begin_call`` comes before each request."""

    response_class = StrictResponse

    def __init__(
        self, *args: Any, resolver: Resolver, contexts: Callable[[str], ssl.SSLContext], current: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._resolver = resolver
        self._contexts = contexts
        self._current = current
        self._dialled_at = self._used_at = 0.0

    @property
    def is_connected(self) -> bool:
        """True if the connection may be reused; urllib3's pool asks before each reuse."""
        now = time.monotonic()
        young = now - self._dialled_at < limits.MAX_LIFETIME_SECONDS and now - self._used_at < limits.MAX_IDLE_SECONDS
        return young and super().is_connected

    def connect(self) -> None:
        """Connect, through a proxy if there is one, with a TLS handshake for the host's name. Raises TransportError."""
        call: Call = self._current.call
        call.reused = False
        target = self._resolver.resolve(self.host, call.left())
        call.resolved = time.monotonic()
        raw = _dial(target, call)
        try:
            if target.tunnel:
                raw = open_tunnel(raw, target, call, self._contexts)
            call.connected = self._dialled_at = time.monotonic()
            raw.settimeout(call.left())  # the time limit of the handshake
            self.sock = self._secured(raw)
        except BaseException:
            raw.close()
            raise
        self.is_verified = True
        call.tls = time.monotonic()

    def _secured(self, raw: socket.socket) -> Any:
        context = self.ssl_context or self._contexts(self.host)  # its own if there is a client certificate
        try:
            if isinstance(raw, DeadlineSocket):
                return NestedSocket(raw, context, self.host)
            return context.wrap_socket(raw, server_hostname=self.host)
        except ssl.SSLError as error:
            raise _tls_error(self.host, error) from error

    def request(self, *args: Any, **kwargs: Any) -> None:
        """As the base class, within the deadline of the current call."""
        self._used_at = time.monotonic()
        sock = self.sock.socket if isinstance(self.sock, NestedSocket) else self.sock
        if isinstance(sock, DeadlineSocket):
            sock.call = self._current.call
        super().request(*args, **kwargs)


def _tls_error(host: str, error: ssl.SSLError) -> TlsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"{host}: {error.verify_message or error}", cause=certificate_cause(error.verify_code))
    return TlsError(f"{host}: {error.reason or error}", cause=refusal_cause(error.reason or ""))


def _dial(target: Target, call: Call) -> socket.socket:
    """A connection to the first address that answers. Each address gets a share of the remaining time."""
    problem: OSError | None = None
    lack: str | None = None
    for number, address in enumerate(target.addresses):
        try:
            sock = socket.create_connection((address, target.port), call.left() / (len(target.addresses) - number))
        except OSError as error:
            problem = error
            lack = lack or shortage_in_connect(error.errno or 0, address)
            continue
        peer = sock.getpeername()[0]
        if ip_address(peer) != ip_address(address):
            sock.close()
            raise AddressBlockedError(f"{_dialled(target)}: {peer} answered in place of {address}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    call.left()
    if lack:
        raise LocalError(lack, hint=HINT)
    why = problem.strerror or problem if problem else "no address"
    kind = ProxyError if target.tunnel else ConnectError
    raise kind(f"{_dialled(target)} cannot be reached at {', '.join(target.addresses)}: {why}")


def _dialled(target: Target) -> str:
    return f"the proxy {target.tunnel.proxy.url}" if target.tunnel else target.host
