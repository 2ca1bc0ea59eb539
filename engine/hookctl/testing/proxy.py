"""A real HTTP proxy on loopback that opens tunnels with CONNECT, with or without TLS and credentials.

::

    with Receiver() as receiver, ConnectProxy(receiver) as proxy:
        ...  # send to https://siem.example.com/ingest through proxy.network()
        assert proxy.asked == ["siem.example.com:443"]
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from base64 import b64decode
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import trustme

from hookctl.network import Network
from hookctl.network.proxy import Proxy
from hookctl.testing.receiver import ADDRESS, Receiver, shared_file

HOST = "proxy.example.com"
MAX_HEADER = 64 * 1024


class ConnectProxy:
    """Serves in its own thread while it is used as a context manager. Attributes can be read at any time."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        tls: bool = False,
        credentials: tuple[str, str] | None = None,
        targets: Mapping[str, tuple[str, int]] | None = None,
        answer: bytes | None = None,
        client_authorities: bytes = b"",
    ) -> None:
        """Configure the proxy. It opens nothing before it is entered.

        Args:
            receiver: the receiver that ``siem.example.com:443`` and its other names lead to.
            tls: whether connections to the proxy use TLS, with a certificate for ``proxy.example.com``.
            credentials: the user name and password that it requires; None: none.
            targets: the address and port for each ``host:port`` that it connects to; None: all names of the receiver
                with port 443. It answers 502 for others.
            answer: what it sends instead of a tunnel; empty: nothing, while the connection stays open.
            client_authorities: PEM certificates of authorities. If given, it asks clients for a certificate, which they
                may leave out.
        """
        self.asked: list[str] = []
        """The ``host:port`` of each CONNECT."""
        self.headers: list[bytes] = []
        """The complete header of each request."""
        self.client_certificates: list[bytes | None] = []
        """The certificate that the client of each request presented, as DER; None if there was none."""
        self.credentials = credentials
        self.answer = answer
        self.port = 0
        self._receiver = receiver
        self._tls = tls
        self._targets = targets
        self._client_authorities = client_authorities.decode("ascii")
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def targets(self) -> Mapping[str, tuple[str, int]]:
        """Where each ``host:port`` leads to."""
        if self._targets is not None:
            return self._targets
        return {f"{host}:443": address for host, address in self._receiver.connect_to.items()}

    @property
    def ca_file(self) -> str:
        """The path of a PEM file with the authority of its certificate."""
        return self._ca_file

    @property
    def url(self) -> str:
        """The URL for ``--proxy``, without credentials. With TLS, the certificate is for this address, too."""
        return f"{'https' if self._tls else 'http'}://{ADDRESS}:{self.port}"

    def network(self, credentials: Callable[[], tuple[str, str]] | None = None) -> Network:
        """A network that goes through this proxy, and trusts its authority and the receiver's."""
        proxy = Proxy(ADDRESS, self.port, is_tls=self._tls, credentials=credentials)
        return Network(ca_file=self._receiver.ca_file, ca_files={ADDRESS: self.ca_file}, proxy=proxy)

    def __enter__(self) -> Self:
        authority = trustme.CA()
        self._ca_file, self._remove_ca_file = shared_file(authority.cert_pem.bytes())
        context: ssl.SSLContext | None = None
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(HOST, ADDRESS).configure_cert(context)
            if self._client_authorities:
                context.verify_mode = ssl.CERT_OPTIONAL
                context.load_verify_locations(cadata=self._client_authorities)
        self._loop = asyncio.new_event_loop()
        starting = asyncio.start_server(self._serve, ADDRESS, 0, ssl=context)
        self._server = self._loop.run_until_complete(starting)
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._remove_ca_file()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close their sockets

    # -- one connection --

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._tunnel(reader, writer)
        finally:
            self._close(writer)

    def _close(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        self._open.discard(writer)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readuntil(b"\r\n\r\n")
        method, authority, *_ = header.decode("latin-1").split(" ")
        self.headers.append(header)
        self.asked.append(authority)
        stream = writer.get_extra_info("ssl_object")
        self.client_certificates.append(stream and stream.getpeercert(binary_form=True))
        if self.answer is not None:
            writer.write(self.answer)
            await (reader.read() if not self.answer else writer.drain())
            return
        target = self.targets.get(authority)
        if self.credentials and _credentials(header) != self.credentials:
            writer.write(b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n')
        elif method != "CONNECT" or target is None:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry")
        else:
            from_target, to_target = await asyncio.open_connection(*target)
            self._open.add(to_target)
            writer.write(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
            try:
                await asyncio.gather(_copy(reader, to_target), _copy(from_target, writer))
            finally:
                self._close(to_target)
            return
        await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    writer.close()


def _credentials(header: bytes) -> tuple[str, str] | None:
    for line in header.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "proxy-authorization":
            user, _, password = b64decode(value.removeprefix("Basic ")).decode().partition(":")
            return user, password
    return None
