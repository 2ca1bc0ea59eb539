"""Polls several transports as one, without busy waiting.

Most runs have one transport, which waits by itself. Transports that run on threads need not be polled: they wake the
waiting thread. Only if several transports must be polled do they take turns, in slices of a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import cast

from hookctl.delivery.attempt.apart import TransportApart
from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to
from hookctl.delivery.attempt.prepared import Transport
from hookctl.delivery.attempt.threaded_transport import ThreadedTransport
from hookctl.model import Failure, Request, Response, Timing
from hookctl.network import Network
from hookctl.plugin.interfaces import Completion, ConcurrentTransport

SLICE = 0.005
"""Seconds that each of several polled transports waits in turn."""


@dataclass(slots=True, eq=False)
class _Line:
    """A transport and its tickets in flight."""

    transport: ConcurrentTransport
    who: str
    tickets: set[int] = field(default_factory=set)

    @property
    def driven(self) -> bool:
        """Whether it makes progress only while it is polled."""
        return not isinstance(self.transport, ThreadedTransport | TransportApart)


class Transports:
    """The transports of the delivery plans. Each is opened on its first use."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lines: dict[bytes, _Line] = {}
        self._woken = Event()
        self._waiting_in: _Line | None = None

    def submit(self, kind: Transport, ticket: int, request: Request, timeout: float, sharer: str) -> None:
        """Start sending. ``sharer`` is the webhook: a transport with threads shares them fairly between webhooks.

        Raises AttemptFailedError if the transport cannot be opened or breaks its contract.
        """
        line = self._lines.get(kind.key) or self.add(kind, self.open(kind))
        with attributed_to(kind.who):
            if isinstance(line.transport, ThreadedTransport):
                line.transport.submit(ticket, request, timeout, sharer)
            else:
                line.transport.submit(ticket, request, timeout)
        line.tickets.add(ticket)

    def has(self, kind: Transport) -> bool:
        """Whether the transport is open, and has not failed."""
        line = self._lines.get(kind.key)
        if line and isinstance(line.transport, TransportApart) and line.transport.has_failed and not line.tickets:
            self._drop(line)
            return False
        return line is not None

    def open(self, kind: Transport, *, apart: bool = False) -> ConcurrentTransport:
        """A new transport, which is not used before :meth:`add`. Any thread may call this.

        ``apart``: nothing of it may run on the engine's thread. Raises AttemptFailedError.
        """
        with attributed_to(kind.who):
            adapter = kind.build(self._network)
            if not isinstance(adapter, ConcurrentTransport):
                return ThreadedTransport(kind.who, adapter, partial(kind.build, self._network), self.wake)
            concurrent = cast("ConcurrentTransport", adapter)
            return TransportApart(kind.who, concurrent, self.wake) if apart else concurrent

    def add(self, kind: Transport, transport: ConcurrentTransport) -> _Line:
        """Use ``transport`` for every delivery plan that may share it."""
        line = self._lines[kind.key] = _Line(transport, kind.who)
        return line

    def poll(self, wait: float) -> list[Completion]:
        """The requests that have ended. Waits up to ``wait`` seconds for the first, or until :meth:`wake`."""
        active = [line for line in self._lines.values() if line.tickets]
        driven = [line for line in active if line.driven]
        completions = [completion for line in active if not line.driven for completion in self._poll(line, 0)]
        if completions:
            wait = 0
        if not driven:
            self._woken.wait(wait)
        elif len(driven) == 1:
            completions += self._wait_in(driven[0], wait)
        else:
            for line in driven:
                completions += self._wait_in(line, 0 if completions else min(wait, SLICE))
        self._woken.clear()
        return completions

    def wake(self) -> None:
        """Make the current or next :meth:`poll` return at once. Any thread may call it."""
        self._woken.set()
        waiting = self._waiting_in
        if waiting is not None:
            with (
                suppress(AttemptFailedError),
                attributed_to(waiting.who),
            ):  # if this fails, the poll returns when its wait is over
                waiting.transport.wake()

    def cancel(self, ticket: int) -> None:
        """Abandon a request. :meth:`poll` returns no completion for it."""
        for line in self._lines.values():
            if ticket in line.tickets:
                line.tickets.discard(ticket)
                try:
                    with attributed_to(line.who):
                        line.transport.cancel(ticket)
                except AttemptFailedError:
                    self._break(line)

    def since(self, ticket: int) -> float | None:
        """When sending began (``time.monotonic``); 0 if at once; None while the request waits for a thread."""
        line = next((line for line in self._lines.values() if ticket in line.tickets), None)
        return line.transport.since(ticket) if line and isinstance(line.transport, ThreadedTransport) else 0.0

    def close(self) -> None:
        """Abandon all requests, and close every connection and thread."""
        for line in list(self._lines.values()):
            if isinstance(line.transport, TransportApart):
                line.transport.stop()  # so that all of them close at the same time
        for line in list(self._lines.values()):
            self._drop(line)
            with suppress(AttemptFailedError), attributed_to(line.who):
                line.transport.close()

    def _wait_in(self, line: _Line, wait: float) -> Sequence[Completion]:
        # Set before the flag is checked: a thread that sets the flag later sees this value, and wakes its transport.
        self._waiting_in = line
        try:
            return self._poll(line, 0 if self._woken.is_set() else wait)
        finally:
            self._waiting_in = None

    def _poll(self, line: _Line, wait: float) -> Sequence[Completion]:
        try:
            with attributed_to(line.who):
                completions = [
                    _checked(completion)
                    for completion in line.transport.poll(wait)
                    if completion.ticket in line.tickets
                ]
        except AttemptFailedError as error:
            completions = [Completion(ticket, error.failure, Timing()) for ticket in line.tickets]
            self._break(line)
        line.tickets.difference_update(completion.ticket for completion in completions)
        return completions

    def _break(self, line: _Line) -> None:
        """Close a transport; the next request opens a new one."""
        self._drop(line)
        if isinstance(line.transport, TransportApart):
            line.transport.stop()
            return
        # The transport is dropped in any case, and its requests in flight have failed.
        with suppress(AttemptFailedError), attributed_to(line.who):
            line.transport.close()

    def _drop(self, line: _Line) -> None:
        self._lines = {key: other for key, other in self._lines.items() if other is not line}
        line.tickets = set()


def _checked(completion: Completion) -> Completion:
    """``completion`` if it is valid. Raises TypeError."""
    result = completion.result
    if isinstance(result, Response):
        if isinstance(result.status, int) and isinstance(result.body, bytes) and isinstance(result.headers, tuple):
            return completion
    elif isinstance(result, Failure):
        return completion
    raise TypeError("a transport must return responses and failures")
