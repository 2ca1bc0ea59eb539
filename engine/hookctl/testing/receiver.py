"""A real HTTPS receiver on loopback, with its own certificate authority and configurable answers.

::

    with Receiver() as receiver:
        receiver.answer("/ingest", Answer(503), Answer())  # a 503 first, then always a 200
        ...  # send to https://siem.example.com/ingest through receiver.network()
        assert receiver.requests[0].json() == {...}
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

from hookctl.network import Network
from hookctl.testing import tokens
from hookctl.testing.answers import Answer, ReceivedRequest, Respond
from hookctl.testing.connection import Connection
from hookctl.testing.tokens import TokenEndpoint

ADDRESS = "127.0.0.1"
HOST = "siem.example.com"


class Receiver:
    """Serves in its own thread between ``start`` and ``stop``, or while it is used as a context manager.

    Answers can be set and attributes can be read at any time.
    """

    def __init__(
        self,
        *,
        hosts: Sequence[str] = (HOST, "login.example.com"),
        port: int = 0,
        certificate_for: str | None = None,
        expired: bool = False,
        keep: int | None = None,
        token_endpoint: TokenEndpoint | None = None,
        client_authorities: bytes = b"",
        seen: Callable[[ReceivedRequest, Answer], None] | None = None,
    ) -> None:
        """Configure the receiver. It opens nothing before :meth:`start`.

        Args:
            hosts: the names that ``connect_to`` maps to this receiver. It has a certificate for every name.
            port: the TCP port; 0 uses a free one.
            certificate_for: the name in every certificate, whatever name the client asks for; None: the requested name.
            expired: use certificates that expired yesterday.
            keep: the number of latest requests in ``requests``; None: all.
            token_endpoint: answers requests to ``/oauth/token``; None: a new endpoint.
            client_authorities: PEM certificates of authorities. If given, clients must present a certificate that one
                of them has issued; see ``ReceivedRequest.client_certificate``.
            seen: called with each request and its answer, in the receiver's thread.
        """
        self.host = hosts[0]
        self.address = ADDRESS
        self.port = port
        self.requests: deque[ReceivedRequest] = deque(maxlen=keep)
        self.count = 0
        """Number of complete requests."""
        self.connections = 0
        """Number of accepted TCP connections."""
        self.tokens = token_endpoint or TokenEndpoint()
        self.default: Respond = Answer()
        """The answer for paths without their own answers."""
        self._hosts = tuple(hosts)
        self._certificate_for = certificate_for
        self._expired = expired
        self._client_authorities = client_authorities.decode("ascii")
        self._seen = seen
        self._answers: dict[str, deque[Respond]] = {tokens.PATH: deque([self.tokens.answer])}
        self._protected: set[str] = set()
        self._wires: dict[Answer, bytes] = {}
        self._gathered: dict[Answer, asyncio.Barrier] = {}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._open: set[Connection] = set()

    # -- answers --

    def answer(self, path: str, *answers: Respond) -> None:
        """Answer requests to ``path`` (without query) with ``answers``, in order. The last one repeats."""
        self._answers[path] = deque(answers)

    def require_token(self, path: str) -> None:
        """Answer requests to ``path`` with 401 if they have no valid token from the token endpoint."""
        self._protected.add(path)

    def reset(self) -> None:
        """Clear answers, requests and counts. Tokens stay valid."""
        self._answers = {tokens.PATH: deque([self.tokens.answer])}
        self._protected.clear()
        self._gathered.clear()
        self.default = Answer()
        self.requests.clear()
        self.count = self.connections = 0

    def _respond(self, request: ReceivedRequest) -> tuple[Answer, bytes]:
        self.count += 1
        self.requests.append(request)
        path = request.path
        if path in self._protected and not self.tokens.accepts(request):
            answer = Answer.json({"error": "invalid_token"}, 401)
        else:
            script = self._answers.get(path)
            respond = self.default if not script else script.popleft() if len(script) > 1 else script[0]
            answer = respond if isinstance(respond, Answer) else respond(request)
        wire = self._wires.get(answer)
        if wire is None:
            wire = answer.wire()
            if (
                answer.source is None and len(self._wires) < 1000
            ):  # a function may return a different answer for each request
                self._wires[answer] = wire
        if self._seen and answer.source is None:  # whoever gives such an answer knows when it is there
            self._seen(request, answer)
        return answer, wire

    def _gather(self, answer: Answer) -> Awaitable[object]:
        """Wait until ``answer.together`` requests with this answer wait."""
        return self._gathered.setdefault(answer, asyncio.Barrier(answer.together)).wait()

    # -- addresses --

    @property
    def ca_file(self) -> str:
        """The path of the PEM file of its certificate authority.

        Only this user can read it, while the receiver runs.
        """
        return self._ca_file

    @property
    def connect_to(self) -> Mapping[str, tuple[str, int]]:
        """The value for ``Network.connect_to`` that maps each host to the address and port of this receiver."""
        return dict.fromkeys(self._hosts, (self.address, self.port))

    def network(self) -> Network:
        """A network that connects its hosts to this receiver and trusts its certificate authority."""
        return Network(connect_to=self.connect_to, ca_file=self.ca_file)

    def url(self, path: str = "/") -> str:
        """The URL of ``path`` on its first host."""
        return f"https://{self.host}{path}"

    # -- starting and stopping --

    def start(self) -> Self:
        """Listen, and serve in a thread. Raises OSError if the port is in use."""
        self._authority = trustme.CA()
        self._listener = socket.create_server((ADDRESS, self.port), backlog=1024)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._ca_file, self._remove_ca_file = shared_file(self._authority.cert_pem.bytes())
        self._context = self._context_for(self.host)
        self._context.sni_callback = self._choose_certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close all connections and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._remove_ca_file()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        self._loop.add_reader(self._listener, self._accept)
        try:
            self._loop.run_forever()
        finally:
            self._listener.close()
            for connection in tuple(self._open):
                connection.close()
            self._loop.run_until_complete(asyncio.sleep(0))  # lets cancelled tasks end
            self._loop.close()

    def _accept(self) -> None:
        try:
            raw, _ = self._listener.accept()
        except BlockingIOError:
            return  # the client has disconnected already
        self.connections += 1
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            stream = self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        except OSError:  # reset already
            raw.close()
            return
        self._open.add(Connection(self._loop, stream, self._respond, self._gather, self._open.discard))

    # -- certificates --

    def _choose_certificate(self, stream: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        stream.context = self._context_for(name or self.host)

    def _context_for(self, name: str) -> ssl.SSLContext:
        name = self._certificate_for or name
        context = self._contexts.get(name)
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            yesterday = datetime.now(UTC) - timedelta(days=1)
            issue = self._authority.issue_cert
            certificate = (
                issue(name, not_before=yesterday - timedelta(days=1), not_after=yesterday)
                if self._expired
                else issue(name)
            )
            certificate.configure_cert(context)
            if self._client_authorities:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(cadata=self._client_authorities)
            self._contexts[name] = context
        return context


def shared_file(data: bytes) -> tuple[str, Callable[[], None]]:
    """The path of a file with ``data`` that other processes of this user can read, and a function that removes it.

    If the system supports it, the file is in memory, so it disappears with this process, however the process ends.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("hookctl-ca.pem")
        os.write(descriptor, data)
        return f"/proc/{os.getpid()}/fd/{descriptor}", partial(os.close, descriptor)
    directory = tempfile.TemporaryDirectory(prefix="hookctl-receiver-")
    path = Path(directory.name, "ca.pem")
    path.write_bytes(data)
    return str(path), directory.cleanup
