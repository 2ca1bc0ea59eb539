"""HTTP over Unix sockets, as an adapter of requests.

A webhook file gives only the name of a socket. The machine's owner decides which sockets exist under such names, by
what is in one directory: otherwise a webhook file could reach every service of the machine, such as Docker's.
"""

from __future__ import annotations

import io
import os
import socket
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from hookctl.errors import ConnectError, CutResponseError, DeadlineError, TransportError
from hookctl.model import MAX_RESPONSE_BYTES
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict

from hookctl_unix_socket import URL

DIRECTORY = "/run/hookctl"
"""Where the sockets are, unless UNIX_SOCKET_DIRECTORY names another directory."""
SECONDS = 15.0
"""The deadline of a request that comes without one."""


class _Socket(socket.socket):
    """A socket with one deadline for everything, where the timeout of Python's own is for each wait."""

    until: float

    def wait_until(self, until: float) -> None:
        self.until = until
        self._use_what_is_left()

    def _use_what_is_left(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def connect(self, address: Any, /) -> None:  # noqa: ANN401  # as the class of Python has it
        self._use_what_is_left()
        super().connect(address)

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ANN401
        self._use_what_is_left()
        super().sendall(data, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0, /) -> int:  # noqa: ANN401
        self._use_what_is_left()
        return super().recv_into(buffer, nbytes, flags)


class UnixSocket(BaseAdapter):
    """Sends each request over a connection of its own. It keeps nothing, so threads can share it."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401  # requests defines the parameters
        verify: Any = True,  # noqa: ANN401
        cert: Any = None,  # noqa: ANN401
        proxies: Any = None,  # noqa: ANN401
    ) -> Response:
        """The answer to a request, whose body is read up to hookctl's limit. Raises subclasses of TransportError."""
        match = URL.fullmatch(request.url or "")
        if not match:
            raise ConnectError("the URL does not name a socket", hint="Write unix://NAME/PATH.")
        if cert:
            raise TransportError("a Unix socket has no client certificate", hint="Remove the auth that sets one.")
        name = match["name"]
        path = Path(os.environ.get("UNIX_SOCKET_DIRECTORY") or DIRECTORY, f"{name}.sock")
        until = time.monotonic() + (timeout if isinstance(timeout, int | float) else SECONDS)
        connection = HTTPConnection(name)
        try:
            connection.sock = _connected(path, until)
            connection.request(request.method or "POST", match["target"] or "/", request.body, dict(request.headers))
            return _response(request, *_read(connection.getresponse()))
        except TimeoutError:
            raise DeadlineError(f"the service on {path} did not answer in time") from None
        except (HTTPException, ConnectionError) as error:
            raise CutResponseError(f"the answer of the service on {path} broke off, or is not HTTP") from error
        finally:
            connection.close()

    def close(self) -> None:
        """Nothing is open between requests."""


def _connected(path: Path, until: float) -> _Socket:
    """A connection to a socket. Raises TimeoutError, or ConnectError, after which hookctl tries again."""
    connection = _Socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.wait_until(until)
        connection.connect(str(path))
    except TimeoutError:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        hint = "Start the service, and link its socket there, or set UNIX_SOCKET_DIRECTORY."
        raise ConnectError(f"{path} cannot be connected to: {error.strerror or error}", hint=hint) from error
    return connection


def _read(answer: HTTPResponse) -> tuple[HTTPResponse, bytes]:
    """An answer and its body, of which a byte more than the limit is read, so that hookctl sees that it is longer."""
    body = answer.read(MAX_RESPONSE_BYTES + 1)
    if answer.length and len(body) <= MAX_RESPONSE_BYTES:
        raise CutResponseError("the answer ended before its Content-Length")
    return answer, body


def _response(request: PreparedRequest, answer: HTTPResponse, body: bytes) -> Response:
    response = Response()
    response.status_code, response.reason = answer.status, answer.reason
    response.headers = CaseInsensitiveDict(HTTPHeaderDict(answer.getheaders()))
    response.url, response.request = str(request.url), request
    response.raw = io.BytesIO(body)
    return response
