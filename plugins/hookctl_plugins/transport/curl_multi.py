"""Many libcurl transfers at once, driven by one thread that waits for sockets, timers and names in one place."""

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
"""Idle ones included, which are closed for new ones. A handshake costs as much as ten requests: as many are kept as may
be under way at once."""
OTHER_FILES = 128
"""Files that the process may open beside its connections."""
MAX_IDLE_HANDLES = 256
LAUNCHES = 64
"""Requests that begin between two looks at the sockets: a handshake that waits for two thousand others to begin holds
more memory."""
MAX_EVENTS = 64
"""Sockets that are served between two looks at the time: handshakes take long, and deadlines must not wait for a
thousand of them."""
_READ, _WRITE = select.POLLIN, select.POLLOUT  # the same numbers for poll and for epoll
_INTEREST = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE}


class _Flight(Struct, eq=False):
    """One request that was submitted; ``handle`` is None until it is launched."""

    ticket: int
    request: Request
    host: str
    headers: list[bytes]
    submitted: float
    timeout: float
    handle: Handle | None = None


class Multi:
    """The face of a ``ConcurrentTransport`` over libcurl's multi interface."""

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
        """Those that the poller knows: what is waited for, and the generation in which it was said."""
        self._generation = 0
        """Goes up when a socket is opened: its number may be that of one that was closed unheard."""
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

    # -- the face --

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Begin to send. A request that cannot be sent ends with a failure, as any other."""
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
        """What has ended since the last call; waits up to ``wait`` seconds for the first."""
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
        with contextlib.suppress(OSError):  # full, so that it wakes already; or closed, so that nobody waits
            self._wake_sender.send(b"!")

    def cancel(self, ticket: int) -> None:
        """Give up a request; it has no completion."""
        flight = self._flights.pop(ticket, None)
        self._unresolved.pop(ticket, None)
        if flight is not None and flight.handle is not None:
            self._land(flight.handle)
        self._ended = [completion for completion in self._ended if completion.ticket != ticket]

    def close(self) -> None:
        """Give up everything, and close every connection."""
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
            self._poller.close()  # now: callbacks of libcurl keep this object alive until Python looks for cycles

    # -- names --

    def _name_answered(self, ticket: int, answer: Target | BaseException) -> None:
        """On a thread of the resolver's."""
        self._resolved.append((ticket, answer if isinstance(answer, Target) else _failure(answer)))
        self.wake()

    def _take_resolved(self) -> None:
        while self._resolved:
            ticket, answer = self._resolved.popleft()
            flight = self._unresolved.pop(ticket, None)
            if flight is None:
                continue  # given up meanwhile
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
            if self._flights.get(flight.ticket) is flight:  # else it was given up meanwhile
                self._launch(flight, target)

    def _launch(self, flight: _Flight, target: Target) -> None:
        try:
            self._begin(flight, target)
        except (
            pycurl.error,
            MemoryError,
            OSError,
        ) as error:  # the request was vetted: it is libcurl that lacks something
            if flight.handle is not None:
                self._by_curl.pop(flight.handle.curl, None)
            lack = shortage_of(error) or lacking() or f"libcurl could not begin the request: {error}"
            self._fail(flight, Failure(FailureKind.LOCAL, lack))

    def _begin(self, flight: _Flight, target: Target) -> None:
        handle = flight.handle = (
            self._idle.pop() if self._idle else Handle(self._network, self._heads, self._socket_opened)
        )
        request = flight.request
        handle.timeout = flight.timeout
        deadline = flight.submitted + flight.timeout
        handle.prepare(
            target, deadline, method=request.method, url=request.url, headers=flight.headers, body=request.body
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
        """Wait once for a socket, the timer or a wake, and let libcurl work. True when woken."""
        woken = False
        for descriptor, events in self._wait_for_sockets(self._bounded(wait)):
            if descriptor in self._watched:
                action = (pycurl.CSELECT_IN if events & ~_WRITE else 0) | (pycurl.CSELECT_OUT if events & _WRITE else 0)
                self._multi.socket_action(descriptor, action)
            elif descriptor == self._wake_receiver.fileno():
                self._wake_receiver.recv(4096)
                woken = True
            else:  # an idle connection is being closed: libcurl sees that when it wants to use it
                self._unregister(descriptor)
        if self._timer_at is not None and self._timer_at <= time.monotonic():
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return woken

    def _bounded(self, wait: float) -> float:
        """``wait``, or less when libcurl's timer or a name's deadline comes first; never negative."""
        moments = [flight.submitted + flight.timeout for flight in self._unresolved.values()]
        if self._timer_at is not None:
            moments.append(self._timer_at)
        if moments:
            wait = min(wait, min(moments) - time.monotonic())
        return max(wait, 0.0)

    def _set_timer(self, milliseconds: int) -> None:
        """Called by libcurl: when it wants to work next."""
        self._timer_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _watch(self, what: int, descriptor: int, *_: object) -> None:
        """Called by libcurl: what to wait for on a socket.

        One that it does not wait for any longer stays registered: it is a connection that the next request uses,
        mostly.
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
        except OSError:  # not registered, or no longer: closing a socket ends that
            self._poller.register(descriptor, interest)
        self._registered[descriptor] = interest, self._generation

    def _socket_opened(self) -> None:
        self._generation += 1

    def _unregister(self, descriptor: int) -> None:
        del self._registered[descriptor]
        with contextlib.suppress(OSError):  # closed meanwhile, and so no longer registered
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
