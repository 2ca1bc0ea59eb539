"""Opens third-party transports on threads, because building one may take long."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hookctl.delivery.attempt.failures import AttemptFailedError
from hookctl.delivery.attempt.prepared import Transport
from hookctl.delivery.attempt.threads import Call, Lanes
from hookctl.delivery.attempt.transports import Transports
from hookctl.model import Failure
from hookctl.plugin.interfaces import ConcurrentTransport

Then = Callable[[Failure | None], None]
"""Called when the transport is open, or with the reason why it is not."""


class Openings:
    """Opens each transport once, however many attempts wait for it."""

    def __init__(self, transports: Transports, lanes: Lanes) -> None:
        self._transports, self._lanes = transports, lanes
        self._waiting: dict[bytes, list[Then]] = {}

    def open(self, kind: Transport, then: Then) -> None:
        """Call ``then``, on the engine's thread, as soon as the transport is open."""
        waiting = self._waiting.setdefault(kind.key, [])
        waiting.append(then)
        if len(waiting) == 1:
            call = partial(self._transports.open, kind, apart=True)
            self._lanes.run(kind.key, Call(kind.who, call, partial(self._done, kind), partial(self._failed, kind)))

    def _done(self, kind: Transport, transport: ConcurrentTransport) -> None:
        self._transports.add(kind, transport)
        for then in self._waiting.pop(kind.key):
            then(None)

    def _failed(self, kind: Transport, error: AttemptFailedError) -> None:
        for then in self._waiting.pop(kind.key):
            then(error.failure)
