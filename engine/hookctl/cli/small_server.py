"""A small HTTP server for supervisors and monitoring: it answers GET at a port or a Unix socket, one thread each."""

from __future__ import annotations

import errno
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import Any, NamedTuple, cast

from hookctl.errors import SettingsError

REQUEST_SECONDS = 5.0
"""Seconds that a client may take for its request and the answer together."""
MAX_CLIENTS = 64
"""Connections that may be open at the same time. Each needs a thread and a file of the runner's process."""
ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^/:\[\]]+)):(?P<port>\d{1,5})")
UNIX = "unix:"


log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """What is sent for a GET."""

    status: int
    content_type: str
    body: bytes


Answer = Callable[[str, Mapping[str, str]], Reply]
"""Makes the reply for a path and the headers of a request, whose names are in lower case. Called on any thread."""


def is_address(target: str) -> bool:
    """Whether a text is ``HOST:PORT`` or ``unix:PATH``."""
    return target.startswith(UNIX) or ADDRESS.fullmatch(target) is not None


@contextmanager
def serving(target: str, option: str, answer: Answer) -> Iterator[None]:
    """Inside the block, answer at ``target``, an address. Raises SettingsError that names ``option`` if it cannot."""
    try:
        server = _open(target, answer)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(
            f"{option}: {target} cannot be listened on: {reason}",
            hint="Choose another address, or stop the process that uses it.",
        ) from error
    thread = Thread(target=server.serve_forever, name=f"hookctl-{option.strip('-')}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        if target.startswith(UNIX):
            Path(target.removeprefix(UNIX)).unlink(missing_ok=True)


def _open(target: str, answer: Answer) -> ThreadingHTTPServer:
    handler = partial(_Handler, answer)
    match = ADDRESS.fullmatch(target)
    if match and not target.startswith(UNIX):
        kind = _Server6 if match["v6"] else _Server
        return kind((match["v6"] or match["host"], int(match["port"])), handler)
    path = target.removeprefix(UNIX)
    with suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as other:
        other.connect(path)
        raise OSError(errno.EADDRINUSE, "another process listens on it")
    if Path(path).is_socket():  # of a runner that was killed
        Path(path).unlink()
    return _UnixServer(cast("Any", path), handler)


class _Server(ThreadingHTTPServer):
    """One thread for each request, so that a slow client delays no other."""

    daemon_threads = True
    request_queue_size = MAX_CLIENTS

    def __init__(self, *given: Any) -> None:
        self._began: dict[socket.socket, float] = {}
        """When each open connection began, the oldest first."""
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread. If too many connections are open, the oldest makes room."""
        self._began[request] = time.monotonic()
        for oldest in list(self._began)[:-MAX_CLIENTS]:
            self._hang_up(oldest)
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End the connections of slow clients; runs twice a second. The handler's timeout is only for each read."""
        for request, began in list(self._began.items()):
            if time.monotonic() - began > REQUEST_SECONDS:
                self._hang_up(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._began.pop(request, None)
        super().shutdown_request(request)

    def _hang_up(self, request: socket.socket) -> None:
        """Wake the thread of a connection, which then closes it."""
        self._began.pop(request, None)
        with suppress(OSError):  # the thread has closed it at this moment
            request.shutdown(socket.SHUT_RDWR)

    def server_bind(self) -> None:
        """Bind the socket, without a look-up of the host's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that leaves or sends nonsense."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _UnixServer(_Server):
    address_family = socket.AF_UNIX

    allow_reuse_address = False

    def server_bind(self) -> None:
        """Bind the socket; only its user can connect."""
        super().server_bind()
        Path(str(self.server_address)).chmod(0o600)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection; its client has no address."""
        return self.socket.accept()[0], ("local", 0)


class _Handler(BaseHTTPRequestHandler):
    """Answers every GET and HEAD."""

    timeout = REQUEST_SECONDS
    server_version, sys_version = "hookctl", ""

    def __init__(self, answer: Answer, *given: Any) -> None:
        self._answer = answer
        super().__init__(*given)

    def do_GET(self) -> None:
        """Send the reply."""
        status, content_type, body = self._answer(
            self.path, {name.lower(): value for name, value in self.headers.items()}
        )
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, *_: Any) -> None:
        """Log nothing: the log of `run` has one line for each outcome."""
