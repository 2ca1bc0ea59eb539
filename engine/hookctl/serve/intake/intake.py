"""Takes in the events of requests: reads them, has them stored, and makes the answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from hookctl.delivery.events.intake import BadEvent, EventGate
from hookctl.delivery.events.rules import EventRule
from hookctl.errors import ChangedError, HookctlError
from hookctl.model import Event
from hookctl.serve.intake.rates import Rates
from hookctl.serve.intake.reading import Found, Reading, only_allowed
from hookctl.serve.intake.results import CHANGED, Result, bad_events, failure, rejected, stored
from hookctl.serve.problems import ProblemError
from hookctl.store.records import RequestKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from hookctl.plugin.interfaces import EventType
    from hookctl.serve.access.identity import Identity
    from hookctl.serve.writer import EventWriter

T = TypeVar("T")
INLINE_BYTES = 64 * 1024
"""A larger body is parsed on another thread, so that other requests are answered meanwhile."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""The maximum size of a body that is stored as a whole."""
MAX_BATCH_EVENTS = 10_000
"""The maximum number of events that are stored as a whole, in one commit."""
MAX_BUFFERED_BYTES = 8 * MAX_BATCH_BYTES
"""The maximum size of all bodies that are in memory at the same time."""
MAX_KEY_LENGTH = 256
STREAM_HINT = (
    "Send the events as JSON lines with ?partial=true: they are stored while they arrive, however many they are."
)


class Intake:
    """Made once by ``hookctl serve``. Belongs to the event loop.

    Args:
        event_types: the types whose events are accepted, by name.
        writer: stores events.
        rate: the maximum number of events per second of each token; None: there is no limit.
        counts: counts events by event type and status; those that are rejected have the type "".
        refusals: counts events and requests that are refused, by the id of the rule or of the problem.
    """

    def __init__(
        self,
        event_types: Mapping[str, EventType],
        writer: EventWriter,
        rate: float | None = None,
        *,
        counts: Counter[tuple[str, str]] | None = None,
        refusals: Counter[str] | None = None,
    ) -> None:
        self.reading = Reading(EventGate(event_types), time.time)
        self.rates = Rates(rate, time.monotonic)
        self.counts: Counter[tuple[str, str]] = Counter() if counts is None else counts
        self.refusals: Counter[str] = Counter() if refusals is None else refusals
        self._writer = writer
        self._buffered = 0

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Yields what notes that so many more bytes of a body are in memory, until the block ends.

        It raises as :meth:`reserve`. Of each body, ``INLINE_BYTES`` are free, so that large ones, which may arrive
        slowly, do not keep out small ones.
        """
        size = reserved = 0

        def hold(more: int) -> None:
            nonlocal size, reserved
            size += more
            if size > INLINE_BYTES:
                self.reserve(size - INLINE_BYTES - reserved)
                reserved = size - INLINE_BYTES

        try:
            yield hold
        finally:
            self.free(reserved)

    def reserve(self, size: int) -> None:
        """Note that so many more bytes are in memory. Raises ProblemError with status 503 if there are too many."""
        if self._buffered + size > MAX_BUFFERED_BYTES:
            raise ProblemError(
                503,
                type="server-busy",
                title="The server is busy",
                detail="too many large requests are being read at the same time",
                hint="Send the request again.",
                headers={"Retry-After": "1"},
            )
        self._buffered += size

    def free(self, size: int) -> None:
        """Note that they are not any more."""
        self._buffered -= size

    async def all_or_none(
        self, found: Found, identity: Identity, key: RequestKey | None, findings: Callable[[], Iterable[str]]
    ) -> list[Result]:
        """Store all events, and return the results in their order.

        Raises ProblemError if one of them cannot be accepted, or the store cannot take them in; nothing is stored then.
        ``findings`` gives everything that the schema finds in the only event.
        """
        items = self._counted(only_allowed(found.items, identity.event_types), identity)
        bad = [(index, item) for index, item in enumerate(items) if isinstance(item, BadEvent)]
        if bad:
            is_alone = found.is_one and bad[0][1].rule == EventRule.SCHEMA
            raise bad_events(bad, len(items), findings() if is_alone else ())
        events = [item for item in items if isinstance(item, Event)]
        try:
            return await self._store(events, found.untimed, key)
        except ChangedError as error:
            if error.keys:
                raise failure(error) from error
            repeats = [(number, _changed(number)) for number in error.events]
            self._count_refused(EventRule.CHANGED, len(repeats))
            raise bad_events(repeats, len(items)) from error
        except HookctlError as error:
            raise failure(error) from error

    async def each(self, found: Found, identity: Identity, first: int = 0, stored_before: int = 0) -> list[Result]:
        """Store the events that can be accepted, and return the results of all in their order.

        Args:
            found: the events.
            identity: who sent them.
            first: the number of the first one in its request.
            stored_before: how many events of the request are stored already.

        Raises ProblemError if the store cannot take them in; none of them is stored then.
        """
        items = self._counted(only_allowed(found.items, identity.event_types, first), identity)
        good = {index: item for index, item in enumerate(items) if isinstance(item, Event)}
        bad = {index: item for index, item in enumerate(items) if isinstance(item, BadEvent)}
        results: dict[int, Result] = {}
        while good and not results:
            places = list(good)
            untimed = {number for number, index in enumerate(places) if index in found.untimed}
            try:
                made = await self._store(list(good.values()), untimed, None)
                results = dict(zip(places, made, strict=True))
            except ChangedError as error:
                self._count_refused(EventRule.CHANGED, len(error.events))
                for number in error.events:
                    del good[places[number]]
                    bad[places[number]] = _changed(first + places[number])
            except HookctlError as error:
                raise failure(error, stored_before) from error
        results |= {index: rejected(first + index, one) for index, one in bad.items()}
        return [results[index] for index in range(len(items))]

    async def _store(self, events: Sequence[Event], untimed: set[int], key: RequestKey | None) -> list[Result]:
        """Store events. An event that has only the time at which it came is the same as an earlier one with its data.

        Raises what :meth:`hookctl.serve.writer.EventWriter.store` raises.
        """
        try:
            taken = await self._writer.store(events, key)
        except ChangedError as error:
            earlier = {number: error.events[number] for number in untimed & error.events.keys()}
            if not earlier:
                raise
            events = [_at_time_of(event, earlier.get(number)) for number, event in enumerate(events)]
            taken = await self._writer.store(events, key)
        results = [stored(event, one) for event, one in zip(events, taken, strict=True)]
        for event, result in zip(events, results, strict=True):
            self.counts[event.event_type, result.status] += 1
        return results

    def _counted(self, items: Iterable[Event | BadEvent], identity: Identity) -> list[Event | BadEvent]:
        """The items, which count for the rate of the token."""
        counted = list(items)
        self.rates.count(identity.token_id, len(counted))
        for item in counted:
            if isinstance(item, BadEvent):
                self._count_refused(item.rule, 1)
        return counted

    def _count_refused(self, rule: str, events: int) -> None:
        self.counts["", "rejected"] += events
        self.refusals[rule] += events


async def off_loop(size: int, function: Callable[[], T]) -> T:
    """The result of a function whose work grows with ``size`` bytes, on another thread if they are many."""
    return function() if size <= INLINE_BYTES else await asyncio.to_thread(function)


def request_key(text: str, identity: Identity, body: bytes) -> RequestKey:
    """The idempotency key of a request, which belongs to its token. Raises ProblemError if it is not valid."""
    if not 0 < len(text) <= MAX_KEY_LENGTH or not text.isascii() or not text.isprintable():
        raise ProblemError(
            400,
            type="idempotency-key-invalid",
            title="The Idempotency-Key is not valid",
            detail=f"Idempotency-Key must be printable ASCII text of 1 to {MAX_KEY_LENGTH} characters",
        )
    return RequestKey(sha256(f"{identity.token_id}\0{text}".encode()).hexdigest(), sha256(body).hexdigest())


def _changed(index: int) -> BadEvent:
    return BadEvent(f"item {index + 1}", CHANGED, EventRule.CHANGED)


def _at_time_of(event: Event, earlier: Mapping[str, object] | None) -> Event:
    """The event with the time of an earlier one; None: as it is."""
    time = earlier and earlier.get("event_time")
    if not isinstance(time, int | float):
        return event
    return replace(event, event_time=float(time), document={**event.document, "event_time": time}, text="")
