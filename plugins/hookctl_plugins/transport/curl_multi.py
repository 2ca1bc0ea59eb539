"""Many libcurl transfers at the same time. One thread waits for sockets, timers and names in one place."""

from __future__ import annotations

import contextlib
import math
import resource
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pycurl
from msgspec import Struct

from hookctl.errors import TransportError
from hookctl.model import Failure, FailureKind, Request, Timing
from hookctl.network import Network, Target
from hookctl.network.resolver import NO_THREAD, Resolver
from hookctl.network.shortage import lacking, shortage_of
from hookctl.plugin import Completion
from hookctl.plugin.responses import failure_from, failure_of_transport
from hookctl_plugins.transport.curl_handle import Handle
from hookctl_plugins.transport.curl_head import Heads

MAX_CONNECTIONS = 4096
"""The maximum number of connections, including idle ones, which are closed to make room. A handshake costs as much as
ten requests, so as many connections are kept as may be in flight.
"""
OTHER_FILES = 128
"""The number of files that the process may open besides its connections."""
MAX_IDLE_HANDLES = 256
LAUNCHES = 64
"""The maximum number of requests that start before sockets are served again. Otherwise handshakes wait for thousands of
others to start, and hold more memory.
"""
MAX_EVENTS = 64
"""The maximum number of sockets that are served before deadlines are checked again, because handshakes take long."""
_READ, _WRITE = select.POLLIN, select.POLLOUT  # poll and epoll use the same numbers
_INTEREST = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE}


class _Flight(Struct, eq=False):
    """One submitted request. ``handle`` is None until it is launched."""

    ticket: int
    request: Request
    host: str
    headers: list[bytes]
    submitted: float
    timeout: float
    handle: Handle | None = None


class Multi:
    """A ``ConcurrentTransport`` over libcurl's multi interface."""

    def __init__(self, network: Network, resolver: Resolver, heads: Heads) -> None:
        self._network = network
        self._resolver = resolver
        self._heads = heads
        self._flights: dict[int, _Flight] = {}
        self._unresolved: dict[int, _Flight] = {}
        self._ready: deque[tuple[_Flight, Target]] = deque()
        self._by_curl: dict[pycurl.Curl, _Flight] = {}
        self._idle: list[Handle] = []
        self._ended: list[Completion] = []
        self._resolved: deque[tuple[int, Target | Failure]] = deque()
        self._timer_at: float | None = None
        self._watched: set[int] = set()
        """The sockets that libcurl waits for."""
        self._registered: dict[int, tuple[int, int]] = {}
        """The sockets that are registered with the poller: the events, and the generation of the registration."""
        self._generation = 0
        """Increases when a socket is opened, because it may reuse the number of a socket that was closed unnoticed."""
        self._wait_for_sockets, self._poller = _open_poller()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._poller.register(self._wake_receiver.fileno(), _READ)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _most_connections())
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, _most_connections())

    # -- the ConcurrentTransport interface --

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Start sending. A request that cannot be sent ends with a failure, like any other."""
        now = time.monotonic()
        try:
            host = self._heads.host(request.method, request.url)
            headers = self._heads.lines(request.headers, host)
        except TransportError as error:
            self._ended.append(Completion(ticket, failure_of_transport(error), Timing()))
            return
        flight = self._flights[ticket] = _Flight(ticket, request, host, headers, now, timeout)
        target = self._resolver.kept(host, now)
        if target is not None:
            self._ready.append((flight, target))
        else:
            self._unresolved[ticket] = flight
            self._resolver.begin(host).add_done_callback(
                lambda done: self._name_answered(ticket, done.exception() or done.result())
            )

    def poll(self, wait: float) -> Sequence[Completion]:
        """The requests that have ended since the last call. Waits up to ``wait`` seconds for the first."""
        until = time.monotonic() + wait
        woken = False
        while True:
            self._take_resolved()
            self._launch_ready()
            woken = self._turn(0.0 if self._ended or self._ready or woken else until - time.monotonic()) or woken
            self._take_resolved()
            self._collect()
            self._expire_unresolved()
            if self._ended or woken or time.monotonic() >= until:
                ended, self._ended = self._ended, []
                return ended

    def wake(self) -> None:
        """Make :meth:`poll` return at once. Safe in any thread."""
        with contextlib.suppress(OSError):  # full, so poll wakes anyway; or closed, so nobody waits
            self._wake_sender.send(b"!")

    def cancel(self, ticket: int) -> None:
        """Abandon a request. :meth:`poll` returns no completion for it."""
        flight = self._flights.pop(ticket, None)
        self._unresolved.pop(ticket, None)
        if flight is not None and flight.handle is not None:
            self._land(flight.handle)
        self._ended = [completion for completion in self._ended if completion.ticket != ticket]

    def close(self) -> None:
        """Abandon all requests, and close every connection."""
        for ticket in tuple(self._flights):
            self.cancel(ticket)
        self._ended.clear()
        for handle in self._idle:
            handle.curl.close()
        self._idle.clear()
        self._multi.close()
        self._wake_sender.close()
        self._wake_receiver.close()
        if isinstance(self._poller, select.epoll):
            # now: otherwise libcurl's callbacks keep this object alive until the garbage collector runs
            self._poller.close()

    # -- names --

    def _name_answered(self, ticket: int, answer: Target | BaseException) -> None:
        """Called on a thread of the resolver."""
        self._resolved.append((ticket, answer if isinstance(answer, Target) else _failure(answer)))
        self.wake()

    def _take_resolved(self) -> None:
        while self._resolved:
            ticket, answer = self._resolved.popleft()
            flight = self._unresolved.pop(ticket, None)
            if flight is None:
                continue  # abandoned in the meantime
            if isinstance(answer, Failure):
                self._fail(flight, answer)
            else:
                self._ready.append((flight, answer))

    def _expire_unresolved(self) -> None:
        if not self._unresolved:
            return
        now = time.monotonic()
        for flight in [flight for flight in self._unresolved.values() if flight.submitted + flight.timeout <= now]:
            del self._unresolved[flight.ticket]
            if self._resolver.has_begun(flight.host):
                message = f"the name was not resolved within {flight.timeout:g} s"
                self._fail(flight, Failure(FailureKind.TIMEOUT, message))
            else:
                self._fail(flight, Failure(FailureKind.LOCAL, NO_THREAD))

    def _fail(self, flight: _Flight, failure: Failure) -> None:
        del self._flights[flight.ticket]
        self._ended.append(Completion(flight.ticket, failure, Timing(total=time.monotonic() - flight.submitted)))

    # -- transfers --

    def _launch_ready(self) -> None:
        for _ in range(min(LAUNCHES, len(self._ready))):
            flight, target = self._ready.popleft()
            if self._flights.get(flight.ticket) is flight:  # else it was abandoned in the meantime
                self._launch(flight, target)

    def _launch(self, flight: _Flight, target: Target) -> None:
        try:
            self._begin(flight, target)
        except (
            pycurl.error,
            MemoryError,
            OSError,
        ) as error:  # the request was vetted, so libcurl lacks a resource
            if flight.handle is not None:
                self._by_curl.pop(flight.handle.curl, None)
            lack = shortage_of(error) or lacking() or f"libcurl could not start the request: {error}"
            self._fail(flight, Failure(FailureKind.LOCAL, lack))

    def _begin(self, flight: _Flight, target: Target) -> None:
        handle = flight.handle = (
            self._idle.pop() if self._idle else Handle(self._network, self._heads, self._socket_opened)
        )
        request = flight.request
        handle.timeout = flight.timeout
        deadline = flight.submitted + flight.timeout
        handle.prepare(
            target,
            deadline,
            method=request.method,
            url=request.url,
            headers=flight.headers,
            body=request.body,
            certificate=request.certificate,
        )
        self._by_curl[handle.curl] = flight
        self._multi.add_handle(handle.curl)

    def _land(self, handle: Handle) -> None:
        self._multi.remove_handle(handle.curl)
        del self._by_curl[handle.curl]
        if len(self._idle) < MAX_IDLE_HANDLES:
            self._idle.append(handle)
        else:
            handle.curl.close()

    def _collect(self) -> None:
        left = 1
        while left:
            left, succeeded, failed = self._multi.info_read()
            for curl in succeeded:
                self._complete(curl, 0, "")
            for curl, code, message in failed:
                self._complete(curl, code, message)

    def _complete(self, curl: pycurl.Curl, code: int, message: str) -> None:
        flight = self._by_curl[curl]
        handle = flight.handle
        assert handle is not None  # noqa: S101  # it is in _by_curl
        self._ended.append(Completion(flight.ticket, handle.result(code, message), handle.timing(flight.submitted)))
        del self._flights[flight.ticket]
        self._land(handle)

    # -- waiting --

    def _turn(self, wait: float) -> bool:
        """Wait once for a socket, the timer or a wake, and let libcurl work. True if woken."""
        woken = False
        for descriptor, events in self._wait_for_sockets(self._bounded(wait)):
            if descriptor in self._watched:
                action = (pycurl.CSELECT_IN if events & ~_WRITE else 0) | (pycurl.CSELECT_OUT if events & _WRITE else 0)
                self._multi.socket_action(descriptor, action)
            elif descriptor == self._wake_receiver.fileno():
                self._wake_receiver.recv(4096)
                woken = True
            else:  # the peer closes an idle connection: libcurl notices when it wants to reuse it
                self._unregister(descriptor)
        if self._timer_at is not None and self._timer_at <= time.monotonic():
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return woken

    def _bounded(self, wait: float) -> float:
        """``wait``, or less if libcurl's timer or a name's deadline comes first; never negative."""
        moments = [flight.submitted + flight.timeout for flight in self._unresolved.values()]
        if self._timer_at is not None:
            moments.append(self._timer_at)
        if moments:
            wait = min(wait, min(moments) - time.monotonic())
        return max(wait, 0.0)

    def _set_timer(self, milliseconds: int) -> None:
        """Called by libcurl with the time until it wants to work next."""
        self._timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _watch(self, what: int, descriptor: int, *_: object) -> None:
        """Called by libcurl with the events to wait for on a socket.

        A socket without events remains registered, because the next request usually reuses its connection.
        """
        interest = _INTEREST.get(what)
        if interest is None:
            self._watched.discard(descriptor)
            return
        self._watched.add(descriptor)
        if self._registered.get(descriptor) == (interest, self._generation):
            return
        try:
            self._poller.modify(descriptor, interest)
        except OSError:  # not registered any more: closing a socket removes it
            self._poller.register(descriptor, interest)
        self._registered[descriptor] = interest, self._generation

    def _socket_opened(self) -> None:
        self._generation += 1

    def _unregister(self, descriptor: int) -> None:
        del self._registered[descriptor]
        with contextlib.suppress(OSError):  # closed in the meantime, and so no longer registered
            self._poller.unregister(descriptor)


def _most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft - OTHER_FILES))


def _open_poller() -> tuple[Callable[[float], list[tuple[int, int]]], Any]:
    """A function that waits (in seconds) for sockets, and the object to register them with: epoll, or else poll."""
    if hasattr(select, "epoll"):
        epoll = select.epoll()
        return partial(epoll.poll, maxevents=MAX_EVENTS), epoll
    poller = select.poll()
    return lambda seconds: poller.poll(math.ceil(seconds * 1000)), poller


def _failure(error: BaseException) -> Failure:
    failure = failure_from(error) if isinstance(error, Exception) else None
    return failure or Failure(FailureKind.TRANSPORT, f"the name could not be resolved: {type(error).__name__}")
