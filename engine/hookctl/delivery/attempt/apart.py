"""Drives a third-party ``ConcurrentTransport`` on a thread of its own, so that none of its calls delays the runner."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread
from typing import Any

from hookctl.delivery.attempt.failures import AttemptFailedError, attributed_to
from hookctl.errors import PluginError
from hookctl.model import Request, Timing
from hookctl.plugin import contain
from hookctl.plugin.interfaces import Completion, ConcurrentTransport
from hookctl.threads import CLOSE_GRACE

POLL_SECONDS = 0.25
"""The longest poll, in seconds: how long a request waits if the transport's ``wake`` fails."""

PAUSE_SECONDS = 0.002
"""The pause after a poll without a result, in seconds; a new request ends it."""


class TransportApart:
    """Passes requests to the thread that drives the transport, and collects what has ended.

    The engine's thread calls every method but :meth:`wake`, and none of them waits for the transport, except
    :meth:`close`. If the transport fails, all its requests fail, and it is closed. While one of its calls hangs,
    requests that are in flight end by their deadlines, and new ones are refused.
    """

    def __init__(self, who: str, transport: ConcurrentTransport, ready: Callable[[], None]) -> None:
        """``who`` names the transport in messages. ``ready`` is called, on any thread, if :meth:`poll` has a result.

        Raises RuntimeError or MemoryError if no thread can be started.
        """
        self._who, self._transport, self._ready = who, transport, ready
        self._lock = Lock()
        self._asked: list[Callable[[], None]] = []
        self._live: set[int] = set()
        """Requests that were passed to the transport. Only its thread uses this."""
        self._ended: list[Completion] = []
        self._failed: AttemptFailedError | None = None
        self._call = "", 0.0
        """The function of the transport that is running, and when it must have returned (``time.monotonic``)."""
        self._is_stopped = False
        self._has_work, self._wake_wanted = Event(), Event()
        self._thread = Thread(target=self._drive, name="hookctl-drive", daemon=True)
        self._thread.start()
        Thread(target=self._wake_transport, name="hookctl-drive-wake", daemon=True).start()

    @property
    def has_failed(self) -> bool:
        """Whether the transport is closed because it failed."""
        return self._failed is not None

    def submit(self, ticket: int, request: Request, timeout: float) -> None:
        """Start sending. Raises PluginError while an earlier call of the transport hangs."""
        name, until = self._call
        if name and time.monotonic() > until:
            raise PluginError(
                f"{self._who}: an earlier call of {name} has not returned",
                hint="Fix or uninstall the plugin; `hookctl --debug` shows where it fails.",
            )
        self._ask(partial(self._submit, ticket, request, timeout))

    def poll(self, wait: float) -> Sequence[Completion]:
        """What has ended since the last call; never waits. Raises AttemptFailedError if the transport has failed."""
        del wait
        if self._failed is not None:
            raise self._failed
        with self._lock:
            ended, self._ended = self._ended, []
        return ended

    def wake(self) -> None:
        """Nothing: :meth:`poll` never waits."""

    def cancel(self, ticket: int) -> None:
        """Abandon a request."""
        self._ask(partial(self._cancel, ticket))

    def stop(self) -> None:
        """Abandon all requests. The thread closes the transport and ends, as soon as its current call returns."""
        self._is_stopped = True
        self._ask(lambda: None)

    def close(self) -> None:
        """As :meth:`stop`, but wait briefly until the transport is closed."""
        self.stop()
        self._thread.join(CLOSE_GRACE)

    def _ask(self, what: Callable[[], None]) -> None:
        with self._lock:
            self._asked.append(what)
        self._has_work.set()
        self._wake_wanted.set()

    # -- the transport's thread

    def _drive(self) -> None:
        try:
            while not self._is_stopped:
                if not self._live:
                    self._has_work.wait()
                self._has_work.clear()
                with self._lock:
                    asked, self._asked = self._asked, []
                for what in asked:
                    what()
                if self._live:
                    ended = self._made("poll", POLL_SECONDS)
                    self._end(ended)
                    if not ended:  # a `poll` that never waits must not take the processor from the runner
                        self._has_work.wait(PAUSE_SECONDS)
        except AttemptFailedError as error:
            self._failed = error
            self._ready()
        finally:
            self._is_stopped = True
            self._wake_wanted.set()  # ends the other thread
            with suppress(AttemptFailedError):
                self._made("close")

    def _submit(self, ticket: int, request: Request, timeout: float) -> None:
        try:
            self._made("submit", ticket, request, timeout)
        except AttemptFailedError as error:
            self._end([Completion(ticket, error.failure, Timing())])
        else:
            self._live.add(ticket)

    def _cancel(self, ticket: int) -> None:
        if ticket in self._live:
            self._live.discard(ticket)
            self._made("cancel", ticket)

    def _end(self, completions: Sequence[Completion]) -> None:
        if not completions:
            return
        self._live.difference_update(completion.ticket for completion in completions)
        with self._lock:
            self._ended += completions
        self._ready()

    def _made(self, name: str, *args: Any) -> Any:
        """The result of a function of the transport. Raises AttemptFailedError."""
        wait = args[0] if name == "poll" else 0.0
        self._call = name, time.monotonic() + contain.CALL_SECONDS + wait
        try:
            with attributed_to(self._who):
                return getattr(self._transport, name)(*args)
        finally:
            self._call = "", 0.0

    # -- the thread that wakes it

    def _wake_transport(self) -> None:
        while not self._is_stopped:
            self._wake_wanted.wait()
            self._wake_wanted.clear()
            with suppress(AttemptFailedError), attributed_to(self._who):  # it then polls until its wait is over
                self._transport.wake()
