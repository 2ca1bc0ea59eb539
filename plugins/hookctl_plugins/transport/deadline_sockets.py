"""TLS sockets on which every wait ends at the deadline of a call, and a reader that rejects truncated headers."""

from __future__ import annotations

import http.client
import io
import ssl
import time
from dataclasses import dataclass
from typing import Any

from urllib3.util.ssltransport import SSLTransport

from hookctl.errors import DeadlineError
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

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        """As the base class; raises TimeoutError or DeadlineError at the deadline."""
        self._arm()
        return super().recv(*args, **kwargs)

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


class NestedSocket(SSLTransport):
    """TLS inside the TLS connection to a proxy, with the deadlines and the reader of :class:`DeadlineSocket`."""

    socket: DeadlineSocket

    def recv_into(self, *args: Any, **kwargs: Any) -> Any:
        """As for :class:`DeadlineSocket`."""
        call = self.socket.call
        try:
            count = super().recv_into(*args, **kwargs)
        except ConnectionResetError:
            if call is None or call.first_byte is None:
                raise
            return 0
        if call and count and call.first_byte is None:
            call.first_byte = time.monotonic()
        return count

    def makefile(self, *_: Any, **__: Any) -> StrictReader:
        """The stream that ``http.client`` reads responses from."""
        return StrictReader(super().makefile("rb", buffering=0), 65536)  # type: ignore[arg-type]  # an io.RawIOBase


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
