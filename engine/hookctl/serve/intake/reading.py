"""Finds the events in the body of a request, whatever its form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from hookctl.delivery.events.intake import (
    BYTE_ORDER_MARK,
    MAX_EVENT_BYTES,
    BadEvent,
    EventGate,
    EventReader,
    parse_strictly,
)
from hookctl.delivery.events.rules import EventRule
from hookctl.errors import EventError
from hookctl.json.strict import MAX_DEPTH
from hookctl.model import Event, Json, TraceContext, read_trace
from hookctl.serve.intake import cloudevents
from hookctl.serve.intake.forms import Form

PIECE_BYTES = 1 << 20


@dataclass(slots=True)
class Found:
    """The events of a body, or of a part of it."""

    items: list[Event | BadEvent] = field(default_factory=list)
    """In the order in which they came."""
    untimed: set[int] = field(default_factory=set)
    """The numbers of the items that are CloudEvents without a time: they have the time at which they came."""
    is_one: bool = False
    """Whether the form of the body is that of one event, so that its result is not in a list."""


class Reading:
    """Reads events with one gate. May be used on several threads.

    ``clock`` returns epoch seconds.
    """

    def __init__(self, gate: EventGate, clock: Callable[[], float]) -> None:
        self._gate, self._clock = gate, clock

    def whole(self, form: Form, headers: Mapping[bytes, bytes], body: bytes, most: int) -> Found:
        """The events of a whole body; only the first ``most``, since what is not read costs neither time nor memory."""
        if form is Form.LINES or (form is Form.JSON and body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"["):
            return Found([*islice(self._several(headers, body), most)])
        if form is Form.JSON:
            return self._event(headers, body.removeprefix(BYTE_ORDER_MARK))
        if form is Form.BATCH:
            return self._batch(headers, body, most)
        try:
            return self._cloud_events(headers, [_one(form, headers, body)], is_one=True)
        except EventError as error:
            return Found([BadEvent("the body", error.message, error.rule)], is_one=True)

    def lines(self, headers: Mapping[bytes, bytes]) -> EventReader:
        """A reader of JSON lines, for a body that is read in pieces."""
        return EventReader(self._gate, trace_of(headers))

    def findings(self, form: Form, body: bytes) -> list[str]:
        """Everything that the schema finds in a body that is one event; empty for other errors."""
        return self._gate.findings(body) if form is Form.JSON else []

    def _several(self, headers: Mapping[bytes, bytes], body: bytes) -> Iterator[Event | BadEvent]:
        """The events of an array or of JSON lines. A large body is read in pieces, so that few lines exist at once."""
        reader = self.lines(headers)
        for start in range(0, len(body), PIECE_BYTES):
            yield from reader.feed(body[start : start + PIECE_BYTES])
        yield from reader.finish()

    def _batch(self, headers: Mapping[bytes, bytes], body: bytes, most: int) -> Found:
        try:
            clouds = parse_strictly(body, max_depth=MAX_DEPTH + 1)
        except EventError as error:
            return Found([BadEvent("the body", error.message, error.rule)])
        if not isinstance(clouds, list):
            return Found([BadEvent("the body", "a batch must be a JSON array", EventRule.NOT_OBJECT)])
        return self._cloud_events(headers, clouds[:most])

    def _cloud_events(self, headers: Mapping[bytes, bytes], clouds: Sequence[Json], *, is_one: bool = False) -> Found:
        found, trace = Found(is_one=is_one), trace_of(headers)
        for number, cloud in enumerate(clouds):
            try:
                event, is_timed = cloudevents.to_event(cloud, self._clock())
                text = msgspec.json.encode(event)
                found.items.append(self._gate.parse(text, cloudevents.trace_of(cloud) or trace))
            except EventError as error:
                found.items.append(BadEvent(f"item {number + 1}", error.message, error.rule))
                continue
            if not is_timed:
                found.untimed.add(number)
        return found

    def _event(self, headers: Mapping[bytes, bytes], text: bytes) -> Found:
        try:
            return Found([self._gate.parse(text, trace_of(headers))], is_one=True)
        except EventError as error:
            return Found([BadEvent("the body", error.message, error.rule)], is_one=True)


def trace_of(headers: Mapping[bytes, bytes]) -> TraceContext | None:
    """The trace in the headers of a request; None if there is none, or it is not valid."""
    parent = headers.get(b"traceparent")
    if parent is None:
        return None
    return read_trace(parent.decode("latin-1"), headers.get(b"tracestate", b"").decode("latin-1"))


def _one(form: Form, headers: Mapping[bytes, bytes], body: bytes) -> Json:
    """The one CloudEvent of a body. Raises EventError."""
    if len(body) > MAX_EVENT_BYTES:
        raise EventError(f"larger than {MAX_EVENT_BYTES >> 20} MiB", rule=EventRule.TOO_LARGE)
    return cloudevents.binary(headers, body) if form is Form.BINARY else parse_strictly(body)


def only_allowed(
    items: Iterable[Event | BadEvent], allowed: Collection[str] | None, first: int = 0
) -> Iterator[Event | BadEvent]:
    """The same items, where an event of a type that is not allowed is a bad one; None: every type is allowed.

    ``first`` is the number of the first one in its request.
    """
    for number, item in enumerate(items, first + 1):
        if allowed is not None and isinstance(item, Event) and item.event_type not in allowed:
            reason = f"this token may not send events of the type {item.event_type!r}"
            yield BadEvent(f"item {number}", reason, EventRule.TYPE_FORBIDDEN)
        else:
            yield item
