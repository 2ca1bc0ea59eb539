"""Reading events and delivering at the same time, on one thread."""

from __future__ import annotations

import io
import os
import select
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from hookctl.delivery.events.intake import BadEvent, EventReader
from hookctl.delivery.runner.runner import Runner
from hookctl.errors import EventError, IntakeRefusedError, StateError, StateLockedError, StoreError, StoreGoneError
from hookctl.model import Event
from hookctl.store.interface import Queue

CHUNK_BYTES = 256 * 1024
COMMIT_EVENTS = 500
"""Events that are stored in one commit, at most."""
PAUSE = 0.1
"""Seconds that may pass before a request to stop, new input or another process's work is noticed."""
STORE_SECONDS = 0.25
"""Between two commits of events, at most, while there is enough to deliver: what is stored and not at once delivered is read from the store again."""
READ_SECONDS = 0.01
"""For so long new input waits for requests that are under way."""

MAX_PROBLEMS = 1000
"""Bad events of one ``send`` that are described; more are counted, however many a stream has."""
STORE_PATIENCE = 60.0
"""Seconds for which a runner that is to go on forever goes on with a store that fails."""


@dataclass(slots=True)
class Intake:
    """What was read."""

    read: int = 0
    accepted: int = 0
    """On disk, and new."""
    seen_before: int = 0
    bad: int = 0
    problems: list[BadEvent] = field(default_factory=list)
    """The first ``MAX_PROBLEMS`` of the bad events."""
    unreceived: Counter[str] = field(default_factory=Counter)
    """Accepted events that no active webhook is for, by type."""
    has_ended: bool = False
    """True once the last byte was read."""
    refused: str = ""
    """Why not everything was taken in; empty when it was."""
    refused_from: str = ""
    """The id of the first event that was not. All before it were, and nothing after it."""


class Source:
    """A stream of bytes that is read without waiting for it, where the system can tell."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        try:
            self._file: int | None = stream.fileno()
        except (OSError, io.UnsupportedOperation):
            self._file = None

    def read(self, wait: float) -> bytes | None:
        """The next bytes; empty at the end; None when none have come within ``wait`` seconds. Raises EventError."""
        try:
            if self._file is None:
                return self._stream.read(CHUNK_BYTES)
            ready, _, _ = select.select([self._file], [], [], wait)
            return os.read(self._file, CHUNK_BYTES) if ready else None
        except OSError as error:
            hint = "What was read before is stored. Send the input again: an event whose id was seen is not sent twice."
            raise unreadable(self._stream, error, hint) from error


def unreadable(stream: BinaryIO, error: OSError, hint: str) -> EventError:
    """The error for a file of events, or standard input, that cannot be read."""
    name = "standard input" if stream.fileno() == 0 else stream.name
    return EventError(f"{name} cannot be read: {error.strerror}", hint=hint)


def send(
    source: Source,
    reader: EventReader,
    runner: Runner,
    queue: Queue,
    *,
    wait: float,
    stopping: Callable[[], bool],
    progress: Callable[[Intake], None],
) -> Intake:
    """Store what is read, deliver it and whatever else is due, and retry what falls due within ``wait`` seconds after the last event.

    Ends early once ``stopping()`` is true; the caller stops the runner. ``progress`` is called often with what was read so far.
    When the store is full, what waits is delivered first. If there is still no room then, nothing more is read, and the intake says from where on.
    Raises EventError when the input cannot be read on.
    """
    intake = Intake()
    found: Iterator[Event | BadEvent] = iter(())

    def drain() -> bool:
        deliver(runner, queue, wait=wait, stopping=stopping, progress=lambda: progress(intake))
        return not stopping()

    stored_at = time.monotonic()
    while not stopping():
        takes = runner.intake_capacity()
        batch = []
        if takes or time.monotonic() - stored_at >= STORE_SECONDS:
            batch = list(islice(found, min(takes or COMMIT_EVENTS, COMMIT_EVENTS)))
            if batch:
                if not _take_in(batch, runner, intake, drain):
                    return intake
                stored_at = time.monotonic()
            elif intake.has_ended:
                break
            else:
                chunk = source.read(0.0 if runner.in_flight else _until_next(runner))
                if chunk is not None:
                    found = reader.feed(chunk) if chunk else reader.finish()
                    intake.has_ended = not chunk
                    continue
        runner.step(0.0 if batch else READ_SECONDS)
        progress(intake)
    _store_all(found, runner, intake)  # stopped: what came out of a pipe is nowhere else
    if intake.has_ended:
        drain()
    return intake


def deliver(
    runner: Runner, queue: Queue, *, wait: float, stopping: Callable[[], bool], progress: Callable[[], None]
) -> None:
    """Deliver all that is due within ``wait`` seconds, retries too; ends early once ``stopping()`` is true."""
    until = time.monotonic() + wait  # a wall clock that is set makes the wait no longer and no shorter
    while not stopping():
        works = runner.step(PAUSE)
        progress()
        if works:
            continue
        due_in = runner.due_in()
        if due_in is not None and time.monotonic() + due_in <= until:
            time.sleep(_until_next(runner))
        elif queue.claimed_elsewhere() and time.monotonic() < until:
            time.sleep(PAUSE)
        else:
            return


def run(runner: Runner, *, stopping: Callable[[], bool], failed: Callable[[StateError], None]) -> None:
    """Deliver what is due whenever it is, until ``stopping()`` is true; the caller stops the runner.

    A store that fails is tried again; ``failed`` is told of the first error of each such time, and after :data:`STORE_PATIENCE` it is raised.
    A store that was deleted, renamed or replaced is not: StoreGoneError is raised at once.
    """
    failing_since: float | None = None
    while not stopping():
        try:
            if not runner.step(PAUSE):
                time.sleep(_until_next(runner))
            failing_since = None
        except StoreGoneError:  # waiting does not bring it back, and what is in another file's place is not ours
            raise
        except (StoreError, StateLockedError) as error:
            if failing_since is None:
                failing_since = time.monotonic()
                failed(error)
            if time.monotonic() - failing_since > STORE_PATIENCE:
                raise
            runner.collect(0.0)
            time.sleep(PAUSE)


def _until_next(runner: Runner) -> float:
    """How long there is nothing to do, and at most ``PAUSE`` seconds."""
    due_in = runner.due_in()
    return PAUSE if due_in is None else min(PAUSE, max(0.01, due_in))


def _take_in(
    batch: Sequence[Event | BadEvent],
    runner: Runner,
    intake: Intake,
    drain: Callable[[], bool],
) -> bool:
    """Store a batch, and give False when not all of it could be.

    ``drain`` makes room in a full store by delivering what waits. It gives False when it is time to stop.
    """
    rest = _store(batch, runner, intake)
    while rest and drain():
        before, rest = rest, _store(rest, runner, intake)
        if len(rest) == len(before):
            break
    return not rest


def _store_all(found: Iterator[Event | BadEvent], runner: Runner, intake: Intake) -> None:
    """Store what was found, as far as there is room."""
    while batch := list(islice(found, COMMIT_EVENTS)):
        if _store(batch, runner, intake):
            return


def _store(batch: Sequence[Event | BadEvent], runner: Runner, intake: Intake) -> Sequence[Event | BadEvent]:
    """Take in a batch, as far as there is room; gives the rest, from the first event that does not fit."""
    intake.refused = intake.refused_from = ""
    events = [one for one in batch if isinstance(one, Event)]
    try:
        flags = runner.accept(events) if events else []
    except IntakeRefusedError as error:
        first = events[error.fits]
        end = next(place for place, one in enumerate(batch) if one is first)
        rest = [*_store(batch[:end], runner, intake), *batch[end:]]
        if not intake.refused:
            intake.refused, intake.refused_from = error.message, first.id
        return rest
    intake.read += len(batch)
    bad = [one for one in batch if isinstance(one, BadEvent)]
    intake.bad += len(bad)
    intake.problems += bad[: MAX_PROBLEMS - len(intake.problems)]
    for event, is_new in zip(events, flags, strict=True):
        if not is_new:
            intake.seen_before += 1
            continue
        intake.accepted += 1
        if not runner.receives(event.event_type):
            intake.unreceived[event.event_type] += 1
    return ()
