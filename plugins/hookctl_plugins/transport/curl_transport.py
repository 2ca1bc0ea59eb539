"""The ``curl`` transport: a ``requests`` adapter for each thread, or one thread that sends many requests at once.

If a reused connection ends before the first byte of a response, libcurl sends the request again on another connection.
The target may then receive it twice, with the same ``webhook-id``, which at-least-once delivery allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import pycurl
import requests
from requests.adapters import BaseAdapter

from hookctl.errors import LocalError
from hookctl.model import Failure, Request
from hookctl.network import Network
from hookctl.network.outgoing import as_text
from hookctl.network.resolver import Resolver
from hookctl.network.shortage import HINT, lacking
from hookctl.plugin import Completion
from hookctl.plugin.client_certificates import sent_with
from hookctl.plugin.responses import error_of, to_requests, total_seconds
from hookctl_plugins.transport.curl_handle import Handle
from hookctl_plugins.transport.curl_head import Heads
from hookctl_plugins.transport.curl_multi import Multi
from hookctl_plugins.transport.memory import keep_large_blocks_apart


class CurlTransport(BaseAdapter):
    """Both interfaces over one guard.

    ``send`` is safe in any thread, and so is ``wake``; the others belong to one thread.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        keep_large_blocks_apart()
        self._network = network
        self._resolver = Resolver(network)
        self._own = threading.local()
        self._handles: WeakSet[Handle] = WeakSet()  # a connection that its thread has closed already needs no closing
        self._heads = Heads()
        try:
            self._multi = Multi(network, self._resolver, self._heads)
        except pycurl.error as error:
            raise LocalError(lacking() or f"libcurl cannot be used: {error}", hint=HINT) from error

    def send(  # noqa: D417, PLR0917  # the parameters are those of requests; the others are ignored
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The response, with its body read up to the limit.

        Args:
            request: The request to send.
            timeout: The total deadline in seconds; a pair counts as its sum.
            cert: A ClientCertificate, or None.

        Raises:
            TransportError: No complete response was received, or the request is not safe to send.
        """
        del stream, verify, proxies
        started = time.monotonic()
        seconds = total_seconds(timeout)
        method, url = request.method or "", request.url or ""
        host = self._heads.host(method, url)
        headers = self._heads.lines([(as_text(name), as_text(value)) for name, value in request.headers.items()], host)
        target = self._resolver.resolve(host, seconds)
        handle = self._own_handle()
        body = request.body.encode() if isinstance(request.body, str) else request.body
        handle.timeout = seconds
        certificate = sent_with(cert)
        handle.prepare(
            target, started + seconds, method=method, url=url, headers=headers, body=body, certificate=certificate
        )
        code, message = 0, ""
        try:
            handle.curl.perform()
        except pycurl.error as error:
            code, message = int(error.args[0]), handle.curl.errstr()
        result = handle.result(code, message)
        if isinstance(result, Failure):
            raise error_of(result)
        return to_requests(result, handle.timing(started), request, self)

    def _own_handle(self) -> Handle:
        handle: Handle | None = getattr(self._own, "handle", None)
        if handle is None:
            try:
                handle = self._own.handle = Handle(self._network, self._heads, lambda: None)
            except pycurl.error as error:
                raise LocalError(lacking() or f"libcurl cannot be used: {error}", hint=HINT) from error
            self._handles.add(handle)
        return handle

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Start sending; see :class:`hookctl.plugin.ConcurrentTransport`."""
        self._multi.submit(ticket, request, timeout)

    def poll(self, wait: float) -> Sequence[Completion]:
        """The requests that have ended; see :class:`hookctl.plugin.ConcurrentTransport`."""
        return self._multi.poll(wait)

    def wake(self) -> None:
        """Make :meth:`poll` return at once."""
        self._multi.wake()

    def cancel(self, ticket: int) -> None:
        """Abandon a request. :meth:`poll` returns no completion for it."""
        self._multi.cancel(ticket)

    def close(self) -> None:
        """Abandon all requests, and close every connection. No ``send`` may be in progress."""
        self._multi.close()
        for handle in tuple(self._handles):
            handle.curl.close()
        self._own = threading.local()
        self._resolver.close()
