"""urllib3's HTTPS connection with vetted addresses and a total deadline. It rejects truncated headers."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from urllib3.connection import HTTPSConnection

from hookctl.errors import AddressBlockedError, ConnectError, DeadlineError, LocalError, TlsError
from hookctl.network.certificates import certificate_cause
from hookctl.network.guard import Target
from hookctl.network.resolver import Resolver
from hookctl.network.shortage import HINT, shortage_in_connect
from hookctl_plugins.transport import limits


@dataclass(slots=True)
class Call:
    """A request in progress: its deadline, and when each phase ended, in seconds of ``time.monotonic``."""

    started: float
    deadline: float
    reused: bool = False
    resolved: float | None = None
    connected: float | None = None
    tls: float | None = None
    first_byte: float | None = None

    def left(self) -> float:
        """Seconds to the deadline. Raises DeadlineError if it has passed."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineError(f"no complete response within {self.deadline - self.started:g} s")
        return left


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket on which every wait ends at the deadline of its call, so that slow bytes cannot extend it."""

    call: Call | None = None

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """As the base class; raises TimeoutError or DeadlineError at the deadline.

        A reset inside a response counts as its end.
        """
        self._arm()
        try:
            count = super().recv_into(*args, **kwargs)
        # only Python 3.13 and newer distinguish it from an end; the response shows whether it is complete
        except ConnectionResetError:
            if self.call is None or self.call.first_byte is None:
                raise
            return 0
        if self.call and count and self.call.first_byte is None:
            self.call.first_byte = time.monotonic()
        return count

    def send(self, *args: Any, **kwargs: Any) -> int:
        """As the base class; raises TimeoutError or DeadlineError at the deadline."""
        self._arm()
        return super().send(*args, **kwargs)

    def makefile(self, *_: Any, **__: Any) -> StrictReader:  # type: ignore[override]  # http.client alone calls it, for reading
        """The stream that ``http.client`` reads responses from."""
        return StrictReader(super().makefile("rb", buffering=0), 65536)

    def _arm(self) -> None:
        if self.call:
            self.settimeout(self.call.left())


class StrictReader(io.BufferedReader):
    """A reader that rejects a line without a line break. ``http.client`` would take it for the end of the header."""

    allowance: int | None = None
    """The remaining number of bytes for lines; None for no limit."""

    def readline(self, size: int | None = -1) -> bytes:
        """As the base class. Raises http.client.HTTPException for a truncated line, and for too many bytes."""
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size and (line or self.allowance != limits.MAX_HEADER_BYTES):
            raise http.client.IncompleteRead(line)
        if self.allowance is not None:
            self.allowance -= len(line)
            if self.allowance < 0:
                raise http.client.LineTooLong("header")
        return line


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

    def __init__(self, *args: Any, resolver: Resolver, current: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resolver = resolver
        self._current = current
        self._dialled_at = self._used_at = 0.0

    @property
    def is_connected(self) -> bool:
        """True if the connection may be reused; urllib3's pool asks before each reuse."""
        now = time.monotonic()
        young = now - self._dialled_at < limits.MAX_LIFETIME_SECONDS and now - self._used_at < limits.MAX_IDLE_SECONDS
        return young and super().is_connected

    def _new_conn(self) -> socket.socket:
        call: Call = self._current.call
        target = self._resolver.resolve(self.host, call.left())
        call.resolved = time.monotonic()
        sock = _dial(target, call)
        call.connected = self._dialled_at = time.monotonic()
        return sock

    def connect(self) -> None:
        """Connect, with a TLS handshake for the host's name. Raises TransportError."""
        call: Call = self._current.call
        call.reused = False
        try:
            super().connect()
        except ssl.SSLError as error:
            raise _tls_error(self.host, error) from error
        call.tls = time.monotonic()

    def request(self, *args: Any, **kwargs: Any) -> None:
        """As the base class, within the deadline of the current call."""
        self._used_at = time.monotonic()
        if isinstance(self.sock, DeadlineSocket):
            self.sock.call = self._current.call
        super().request(*args, **kwargs)


def _tls_error(host: str, error: ssl.SSLError) -> TlsError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"{host}: {error.verify_message or error}", cause=certificate_cause(error.verify_code))
    return TlsError(f"{host}: {error.reason or error}")


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
            raise AddressBlockedError(f"{target.host}: {peer} answered in place of {address}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(call.left())  # the time limit of the handshake
        return sock
    call.left()
    if lack:
        raise LocalError(lack, hint=HINT)
    why = problem.strerror or problem if problem else "no address"
    raise ConnectError(f"{target.host} cannot be reached at {', '.join(target.addresses)}: {why}")
