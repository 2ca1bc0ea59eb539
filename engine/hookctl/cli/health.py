"""The health check of ``hookctl run --health``: a file, or an HTTP server for supervisors on this machine."""

from __future__ import annotations

import errno
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from hookctl.errors import FileError, FileMissingError, FileTooLargeError, SettingsError
from hookctl.files import read_plain, write_file

if TYPE_CHECKING:
    from hookctl.errors import StateError

BEAT_SECONDS = 2.0
"""Seconds between two looks at the queue, and between two writes of the file."""
STALE_SECONDS = 15.0
"""Seconds without a step after which a runner counts as unhealthy."""
REQUEST_SECONDS = 5.0
"""Seconds that a client may take for its request and the answer together."""
MAX_CLIENTS = 64
"""Connections that may be open at the same time. Each needs a thread and a file of the runner's process."""
REPORT_START, REPORT_BYTES = b'{"healthy": ', 4096
"""How every report begins, and more than it ever needs."""
ADDRESS = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<host>[^/:\[\]]+)):(?P<port>\d{1,5})")
UNIX = "unix:"


class Health:
    """What a health check reports. The runner's thread calls :meth:`beat`; any thread may read :meth:`report`.

    ``oldest_due`` returns when the next delivery is due, in epoch seconds; None if nothing waits.
    """

    def __init__(self, oldest_due: Callable[[], float | None]) -> None:
        self._oldest_due = oldest_due
        self._beat_at = float("-inf")
        self._report: dict[str, Any] = {"healthy": False, "time": time.time(), "store": "starting", "oldest_due": None}
        self.written: Callable[[str], None] = lambda _: None
        """Called with each healthy report."""

    def beat(self, error: StateError | None) -> None:
        """Note a step of the runner, and the error of the store if it failed."""
        now = time.monotonic()
        if error is None and self._report["healthy"] and now - self._beat_at < BEAT_SECONDS:
            return
        due = self._oldest_due() if error is None else None
        waits = due is not None and due <= time.time()
        self._report = {
            "healthy": error is None,
            "time": round(time.time(), 3),
            "store": "ok" if error is None else error.message,
            "oldest_due": round(due, 3) if due is not None and waits else None,
        }
        self._beat_at = now
        if error is None:
            self.written(json.dumps(self._report) + "\n")

    def report(self) -> tuple[bool, str]:
        """Whether the runner is healthy, and the report as JSON."""
        found = self._report
        if time.monotonic() - self._beat_at > STALE_SECONDS:
            found = found | {"healthy": False}
        return found["healthy"], json.dumps(found) + "\n"


@contextmanager
def reporting(target: str, oldest_due: Callable[[], float | None]) -> Iterator[Callable[[StateError | None], None]]:
    """Inside the block, publish the health: in a file, or by HTTP at ``HOST:PORT`` or ``unix:PATH``.

    Yields :meth:`Health.beat`. ``oldest_due`` is as for :class:`Health`.

    Raises SettingsError if the address or the file cannot be used.
    """
    health = Health(oldest_due)
    if target.startswith(UNIX) or ADDRESS.fullmatch(target):
        with _serving(target, health):
            yield health.beat
    elif ":" in target and "/" not in target:
        raise SettingsError(
            f"--health: {target} is not an address",
            hint="Write HOST:PORT, such as 127.0.0.1:9100. Write a file whose name contains a colon as ./NAME.",
        )
    else:
        path = Path(target)

        def write(text: str) -> None:
            with suppress(FileError):  # the file is out of date then, which is what a supervisor looks at
                write_file(path, text, mode=0o644)

        try:
            _refuse_foreign(path)
            write_file(path, health.report()[1], mode=0o644)  # an error is reported at the start
            path.unlink()
        except FileError as error:
            hint = "Name a new file in a directory that exists."
            raise SettingsError(f"--health: {target}: {error.message}", hint=hint) from error
        health.written = write
        try:
            yield health.beat
        finally:
            with suppress(OSError):  # deleted already, or its directory belongs to someone else now
                path.unlink()


def _refuse_foreign(path: Path) -> None:
    """Raise FileError for a file that no health check has written: it would be replaced, and deleted at the end."""
    try:
        content = read_plain(str(path), REPORT_BYTES)
    except FileMissingError:
        return
    except FileTooLargeError:
        content = b"not a report"
    if content and not content.startswith(REPORT_START):
        raise FileError("this file exists, and it is not a health report", hint="")


@contextmanager
def _serving(target: str, health: Health) -> Iterator[None]:
    try:
        server = _open(target, health)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SettingsError(
            f"--health: {target} cannot be listened on: {reason}",
            hint="Choose another address, or stop the process that uses it.",
        ) from error
    thread = Thread(target=server.serve_forever, name="hookctl-health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        if target.startswith(UNIX):
            Path(target.removeprefix(UNIX)).unlink(missing_ok=True)


def _open(target: str, health: Health) -> ThreadingHTTPServer:
    handler = partial(_Handler, health)
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
    """Answers every GET and HEAD, whatever its path."""

    timeout = REQUEST_SECONDS
    server_version, sys_version = "hookctl", ""

    def __init__(self, health: Health, *given: Any) -> None:
        self._health = health
        super().__init__(*given)

    def do_GET(self) -> None:
        """Send the report: 200 if the runner is healthy, otherwise 503."""
        healthy, text = self._health.report()
        body = text.encode()
        self.send_response(200 if healthy else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, *_: Any) -> None:
        """Log nothing: the log of `run` has one line for each outcome."""
