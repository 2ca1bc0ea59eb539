"""Reads events and delivers them at the same time, on one thread."""

from __future__ import annotations

import fcntl
import io
import os
import select
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import BinaryIO, Protocol

from hookctl.delivery.events.intake import BadEvent, EventReader
from hookctl.delivery.events.reasons import count_reasons
from hookctl.delivery.runner.patience import Patience
from hookctl.delivery.runner.runner import Runner
from hookctl.errors import EventError, IntakeRefusedError, StateError, StateLockedError, StoreError, StoreGoneError
from hookctl.model import Event
from hookctl.store.interface import Queue

CHUNK_BYTES = 256 * 1024
COMMIT_EVENTS = 500
"""The maximum number of events in one commit."""
PAUSE = 0.1
"""The maximum number of seconds until hookctl notices a request to stop, new input, or the work of another process."""
STORE_SECONDS = 0.25
"""Seconds between two commits of events while there is enough to deliver. Events that are stored but cannot be
delivered at once must be read from the store again.
"""
EVENTS_SECONDS = 0.003
"""The minimum number of seconds between the starts of two commits of events, so that one commit stores several. This is
the longest that an event waits for others; the first one after a pause does not wait.
"""
READ_SECONDS = 0.01
"""Seconds that one step waits for attempts in flight before it looks for new input."""

MAX_PROBLEMS = 1000
"""The maximum number of bad events that one ``send`` describes. More are only counted, because a stream may have any
number.
"""


@dataclass(slots=True)
class Intake:
    """The events that were read."""

    read: int = 0
    accepted: int = 0
    """The number of new events that were stored."""
    seen_before: int = 0
    bad: int = 0
    problems: list[BadEvent] = field(default_factory=list)
    """The first ``MAX_PROBLEMS`` of the bad events."""
    reasons: Counter[str] = field(default_factory=Counter)
    """How many events are bad for each reason, without the values in it."""
    rejected: Callable[[Sequence[BadEvent]], None] = lambda _: None
    """Called with the bad events of each batch."""
    unreceived: Counter[str] = field(default_factory=Counter)
    """The accepted events that no active webhook receives, by type."""
    has_ended: bool = False
    """True after the last byte was read."""
    refused: str = ""
    """Why some events were not taken in; empty if all were."""
    refused_from: str = ""
    """The id of the first event that was not taken in. All events before it were, and none after it."""


class Acceptor(Protocol):
    """Stores events: a runner, or a producer that leaves their deliveries to one."""

    def accept(self, events: Sequence[Event]) -> list[bool]:
        """See :meth:`hookctl.delivery.runner.runner.Runner.accept`."""
        ...

    def receives(self, event_type: str) -> bool:
        """Whether any active webhook receives events of this type."""
        ...


class Source:
    """A stream of bytes. Reading does not block if the system can tell whether there is anything to read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        try:
            self._file: int | None = stream.fileno()
        except (OSError, io.UnsupportedOperation):
            self._file = None
        else:
            _enlarge_pipe(self._file)

    def read(self, wait: float) -> bytes | None:
        """The next bytes; empty at the end; None if none came within ``wait`` seconds. Raises EventError."""
        try:
            if self._file is None:
                return self._stream.read(CHUNK_BYTES)
            ready, _, _ = select.select([self._file], [], [], wait)
            return os.read(self._file, CHUNK_BYTES) if ready else None
        except OSError as error:
            hint = (
                "The events read so far are stored. Send the input again: an event with a known id is not sent twice."
            )
            raise unreadable(self._stream, error, hint) from error


def _enlarge_pipe(file: int) -> None:
    """Let a pipe hold a whole chunk, so that one commit can store more than the 64 KiB that a pipe usually holds."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # not a pipe, or the user's pipes hold as much as they may
            fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)


def unreadable(stream: BinaryIO, error: OSError, hint: str) -> EventError:
    """The error for an events file, or standard input, that cannot be read."""
    name = "standard input" if stream.fileno() == 0 else stream.name
    return EventError(f"{name} cannot be read: {error.strerror}", hint=hint)


class InputEvents:
    """The events of an input, read piece by piece."""

    def __init__(self, source: Source, reader: EventReader, intake: Intake) -> None:
        self._source, self._reader, self._intake = source, reader, intake
        self._found: Iterator[Event | BadEvent] = iter(())

    def take(self, most: int) -> list[Event | BadEvent]:
        """The next events from the bytes read so far, and the bad ones; at most ``COMMIT_EVENTS``."""
        return list(islice(self._found, min(most, COMMIT_EVENTS)))

    def read(self, wait: float) -> bool:
        """Read more, once all events were taken. False if nothing came within ``wait`` seconds."""
        chunk = self._source.read(wait)
        if chunk is None:
            return False
        self._found = self._reader.feed(chunk) if chunk else self._reader.finish()
        self._intake.has_ended = not chunk
        return True


def send(
    source: Source,
    reader: EventReader,
    runner: Runner,
    queue: Queue,
    *,
    wait: float,
    stopping: Callable[[], bool],
    progress: Callable[[Intake], None],
    stalled: Callable[[StateError], None] = lambda _: None,
    rejected: Callable[[Sequence[BadEvent]], None] = lambda _: None,
) -> Intake:
    """Store the input's events and deliver everything due, with retries until ``wait`` seconds after the last event.

    Ends early once ``stopping()`` is true; the caller stops the runner. ``progress`` is called often with the events
    read so far. If the store is full, waiting deliveries are made first. If there is still no room then, reading ends,
    and the intake names the first event that was not taken in.

    Waits while another process keeps the store busy; ``stalled`` is called when that begins. ``rejected`` is called
    with the bad events of each batch.

    Raises:
        EventError: the input cannot be read.
        StateLockedError: the store stays busy for too long, or until ``stopping()`` is true.
    """
    intake = Intake(rejected=rejected)
    patience = Patience(runner, stopping, failed=stalled)
    events = InputEvents(source, reader, intake)

    def drain() -> bool:
        deliver(runner, queue, wait=wait, stopping=stopping, progress=lambda: progress(intake), stalled=stalled)
        return not stopping()

    stored_at = time.monotonic()
    while not stopping():
        capacity = runner.intake_capacity()
        if poll := _intake_pause(runner, capacity, time.monotonic() - stored_at):
            pass  # more events may join the next commit
        elif batch := events.take(capacity or COMMIT_EVENTS):
            stored_at = time.monotonic()
            if not take_in(batch, patience, runner, intake, drain):
                return intake
            poll = 0.0
        elif intake.has_ended:
            break
        elif events.read(0.0 if runner.in_flight else patience.while_busy(lambda: _until_next(runner))):
            continue
        else:
            poll = READ_SECONDS
        patience.while_busy(partial(runner.step, poll, is_taking_in=True))
        progress(intake)
    store_all(events, patience, runner, intake)  # asked to stop: events from a pipe exist nowhere else
    if intake.has_ended:
        drain()
    return intake


def deliver(
    runner: Runner,
    queue: Queue,
    *,
    wait: float,
    stopping: Callable[[], bool],
    progress: Callable[[], None],
    stalled: Callable[[StateError], None] = lambda _: None,
) -> None:
    """Deliver everything due within ``wait`` seconds, including retries. Ends early once ``stopping()`` is true.

    Waits for a busy store as :func:`send` does, and raises StateLockedError as it does.
    """
    patience = Patience(runner, stopping, failed=stalled)
    until = time.monotonic() + wait  # not the wall clock, which may be set during the wait
    while not stopping():
        works = patience.while_busy(lambda: runner.step(PAUSE))
        progress()
        if works:
            continue
        due_in = patience.while_busy(runner.due_in)
        if due_in is not None and time.monotonic() + due_in <= until:
            time.sleep(_pause(due_in))
        elif queue.claimed_elsewhere() and time.monotonic() < until:
            time.sleep(PAUSE)
        else:
            return


def run(
    runner: Runner,
    *,
    stopping: Callable[[], bool],
    failed: Callable[[StateError], None],
    recovered: Callable[[float], None],
    stepped: Callable[[StateError | None], None] = lambda _: None,
) -> None:
    """Deliver what is due until ``stopping()`` is true; the caller stops the runner.

    While the store fails, its work is tried again. ``failed`` is called with the first error of each such period, and
    ``recovered`` with its length in seconds. ``stepped`` is called after each step, with the error if the store failed.
    An error that lasts longer than ``STORE_PATIENCE`` is raised. StoreGoneError is raised at once, because waiting does
    not restore a store that was deleted, renamed or replaced.
    """
    patience = Patience(runner, stopping, failed=failed, recovered=recovered)
    while not stopping():
        try:
            if not runner.step(PAUSE):
                runner.wakeup.sleep(_until_next(runner))
            patience.note_success()
            stepped(None)
        except StoreGoneError:
            raise
        except (StoreError, StateLockedError) as error:
            stepped(error)
            patience.note_failure(error)
            time.sleep(PAUSE)


def _intake_pause(runner: Runner, capacity: int, since: float) -> float:
    """Seconds for which attempts in flight continue before the next commit of events; 0 if it may start now.

    ``since`` is the number of seconds since the last one started. Sleeps if nothing is in flight.
    """
    if not capacity and since < STORE_SECONDS:
        return READ_SECONDS  # the targets have enough to do
    left = max(0.0, EVENTS_SECONDS - since)
    if not left or runner.in_flight:
        return left
    time.sleep(left)
    return 0.0


def _until_next(runner: Runner) -> float:
    """Seconds until something is due, at most ``PAUSE``."""
    return _pause(runner.due_in())


def _pause(due_in: float | None) -> float:
    return PAUSE if due_in is None else min(PAUSE, max(0.01, due_in))


def take_in(
    batch: Sequence[Event | BadEvent],
    patience: Patience,
    acceptor: Acceptor,
    intake: Intake,
    drain: Callable[[], bool],
) -> bool:
    """Store a batch; False if there was not enough room for it.

    ``drain`` makes room in a full store by delivering what waits, and returns False when it is time to stop.
    """
    rest = _store(batch, patience, acceptor, intake)
    while rest and drain():
        before, rest = rest, _store(rest, patience, acceptor, intake)
        if len(rest) == len(before):
            break
    return not rest


def store_all(events: InputEvents, patience: Patience, acceptor: Acceptor, intake: Intake) -> None:
    """Store everything that was read, as far as there is room."""
    while batch := events.take(COMMIT_EVENTS):
        if _store(batch, patience, acceptor, intake):
            return


def _store(
    batch: Sequence[Event | BadEvent], patience: Patience, acceptor: Acceptor, intake: Intake
) -> Sequence[Event | BadEvent]:
    """Store a batch as far as there is room. Returns the rest, from the first event that does not fit."""
    intake.refused = intake.refused_from = ""
    events = [one for one in batch if isinstance(one, Event)]
    try:
        flags = patience.while_busy(lambda: acceptor.accept(events)) if events else []
    except IntakeRefusedError as error:
        first = events[error.fits]
        end = next(place for place, one in enumerate(batch) if one is first)
        rest = [*_store(batch[:end], patience, acceptor, intake), *batch[end:]]
        if not intake.refused:
            intake.refused, intake.refused_from = error.message, first.id
        return rest
    intake.read += len(batch)
    bad = [one for one in batch if isinstance(one, BadEvent)]
    intake.bad += len(bad)
    intake.problems += bad[: MAX_PROBLEMS - len(intake.problems)]
    count_reasons(intake.reasons, (one.reason for one in bad))
    intake.rejected(bad)
    for event, is_new in zip(events, flags, strict=True):
        if not is_new:
            intake.seen_before += 1
            continue
        intake.accepted += 1
        if not acceptor.receives(event.event_type):
            intake.unreceived[event.event_type] += 1
    return ()
