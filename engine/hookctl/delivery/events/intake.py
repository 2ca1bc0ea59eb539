"""Intake: reads events from bytes.

Input that is not an acceptable event is reported with its place and the reason; the events around it are taken in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from hookctl.delivery.events.rules import EventRule
from hookctl.errors import EventError
from hookctl.json.kinds import described, is_number
from hookctl.json.paths import field_text
from hookctl.json.quick import parse_quickly
from hookctl.json.strict import MAX_DEPTH, AmbiguousJsonError, parse
from hookctl.model import Event, Json, TraceContext
from hookctl.model.nearest import nearest
from hookctl.plugin.contain import is_interrupt
from hookctl.plugin.raised import text_of

if TYPE_CHECKING:
    import jsonschema_rs

    from hookctl.plugin.interfaces import EventType

MAX_EVENT_BYTES = 1024 * 1024
MAX_ARRAY_BYTES = 64 * 1024 * 1024
"""The maximum size of an array, which is read as a whole. Lines are read one by one, so their number is not limited."""
MAX_ID_LENGTH = 256
MAX_FINDINGS = 20
"""The maximum number of findings about one event."""
MAX_REASON_LENGTH = 300
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BadEvent:
    """A part of the input that is not an acceptable event."""

    place: str
    """``line 7`` or ``item 3``."""
    reason: str
    rule: str = ""
    """The id of the rule that it breaks: a value of :class:`hookctl.delivery.events.rules.EventRule`."""


class EventGate:
    """Accepts texts that are events of a known type and valid against its schema. Validators are built when needed."""

    def __init__(self, event_types: Mapping[str, EventType], trace: TraceContext | None = None) -> None:
        """``trace`` is the trace that comes with every event."""
        self._event_types, self._trace = event_types, trace
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def parse(self, text: bytes, trace: TraceContext | None = None) -> Event:
        """The event in ``text``, with a trace of its own or the gate's. Raises EventError with the reason."""
        document, kept = _parse(text)
        if not isinstance(document, dict):
            raise EventError(f"not a JSON object but {described(document)}", rule=EventRule.NOT_OBJECT)
        name = self._known_type(document)
        validator = self._validator(name)
        if not validator.is_valid(document):
            raise EventError(_described(next(iter(validator.iter_errors(document)))), rule=EventRule.SCHEMA)
        return Event(_checked_id(document), name, _checked_time(document), document, kept, trace or self._trace)

    def findings(self, text: bytes) -> list[str]:
        """What the schema of its type finds in an event, at most ``MAX_FINDINGS``; empty for other errors."""
        try:
            document, _ = _parse(text)
            validator = self._validator(self._known_type(document)) if isinstance(document, dict) else None
        except EventError:
            return []
        return (
            [_described(error) for error in islice(validator.iter_errors(document), MAX_FINDINGS)] if validator else []
        )

    def _known_type(self, document: Mapping[str, Json]) -> str:
        if "event_type" not in document:
            raise EventError("event_type is missing", rule=EventRule.UNKNOWN_TYPE)
        name = document["event_type"]
        if isinstance(name, str) and name in self._event_types:
            return name
        near = nearest(name, self._event_types)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(self._event_types))}"
        raise EventError(_short(f"unknown event type {name!r}; {known}"), rule=EventRule.UNKNOWN_TYPE)

    def _validator(self, name: str) -> jsonschema_rs.Validator:
        if name not in self._validators:
            import jsonschema_rs

            try:
                self._validators[name] = jsonschema_rs.validator_for(
                    dict(self._event_types[name].schema),
                    offline=True,  # a schema must not make hookctl send a request
                )
            except (
                BaseException
            ) as error:  # the library may panic over a plugin's schema; other events must still be taken in
                if is_interrupt(error):
                    raise
                message = _short(f"the schema of the event type {name!r} is not a JSON Schema: {text_of(error)}")
                raise EventError(message, hint="Fix or uninstall the plugin that adds it.") from error
        return self._validators[name]


class EventReader:
    """Finds the events in a stream of bytes: JSON lines, or one JSON array."""

    def __init__(self, gate: EventGate, trace: TraceContext | None = None) -> None:
        self._gate, self._trace = gate, trace
        self._rest = b""
        """The beginning of a line that has not been read to its end."""
        self._line = 0
        self._skipping = False
        self._depth = 0
        """The brackets that are open in a value over several lines, which is skipped."""
        self._has_explained = False
        self._begun = False
        self._array: list[bytes] = []
        """The pieces of the array read so far; empty if the input consists of lines."""
        self._array_size = 0

    @property
    def held(self) -> int:
        """The number of bytes that were read and belong to an event, or an array, that is not complete."""
        return self._array_size or len(self._rest)

    def feed(self, data: bytes) -> Iterator[Event | BadEvent]:
        """The events that these bytes complete. Raises EventError if an array is too large."""
        if self._array:
            self._grow(data)
            return
        self._rest += data
        if not self._begun and self._begin() and self._rest.startswith(b"["):
            self._grow(self._rest)
        elif self._begun:
            yield from self._lines()

    def finish(self) -> Iterator[Event | BadEvent]:
        """The events that remain at the end of the stream."""
        if self._array:
            self._rest = b"".join(self._array)
            if not first_line_is_whole(self._rest):
                yield from self._items()
                return
        if self._begun or self._rest != BYTE_ORDER_MARK:
            self._rest += b"\n"
            yield from self._lines()

    def _begin(self) -> bool:
        """Skip a byte order mark and blank lines. False while the input contains nothing else."""
        if self._line == 0:
            if BYTE_ORDER_MARK.startswith(self._rest):
                return False
            self._rest = self._rest.removeprefix(BYTE_ORDER_MARK)
        start = self._rest.lstrip()
        self._line += self._rest.count(b"\n", 0, len(self._rest) - len(start))
        self._rest = start
        self._begun = bool(start)
        return self._begun

    def _grow(self, data: bytes) -> None:
        self._array.append(data)
        self._array_size += len(data)
        if self._array_size > MAX_ARRAY_BYTES:
            raise EventError(
                f"a JSON array of more than {MAX_ARRAY_BYTES >> 20} MiB",
                rule=EventRule.TOO_LARGE,
                hint="Write one event per line: lines are read one by one.",
            )

    def _lines(self) -> Iterator[Event | BadEvent]:
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._line += 1
            if self._skipping:
                self._skipping = False
            elif line.strip() and not self._continues(line):
                yield self._explained(self._parse(line, f"line {self._line}"), line)
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > MAX_EVENT_BYTES:
            self._skipping, self._rest = True, b""
            yield BadEvent(f"line {self._line + 1}", _TOO_LARGE, EventRule.TOO_LARGE)

    def _explained(self, found: Event | BadEvent, line: bytes) -> Event | BadEvent:
        """What was found, or for the first line of a value over several lines, that it is one.

        What to do is in the reason of the first such value of the stream only.
        """
        self._depth = 0
        if isinstance(found, Event) or not _BEGINS.fullmatch(line):
            return found
        self._depth = max(0, _opened(line))
        if not self._depth:
            return found
        hint = "" if self._has_explained else ". Write each event on one line, for example with `jq -c .`"
        self._has_explained = True
        return BadEvent(found.place, f"JSON over several lines{hint}", EventRule.NOT_JSON)

    def _continues(self, line: bytes) -> bool:
        """Whether a line is a further one of a value over several lines: it is indented, a key, or a bracket."""
        if not self._depth or line[:1] not in _CONTINUATIONS:
            return False
        self._depth = max(0, self._depth + _opened(line))
        return True

    def _items(self) -> Iterator[Event | BadEvent]:
        number = 1
        try:
            for item in _array_items(self._rest):
                yield self._parse(item, f"item {number}")
                number += 1
        except EventError as error:
            yield BadEvent(f"item {number}", f"{error.message}; the rest was not read", EventRule.INCOMPLETE)

    def _parse(self, text: bytes, place: str) -> Event | BadEvent:
        try:
            return self._gate.parse(text, self._trace)
        except EventError as error:
            return BadEvent(place, error.message, error.rule)


_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_BEGINS = re.compile(rb"\s*[\[{](?:.*[\[{,])?\s*", re.DOTALL)
"""The first line of a value over several lines, as programs write it."""
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_CONTINUATIONS = frozenset({b" ", b"\t", b'"', b"}", b"]"})
"""What a line begins with that continues a value, as programs write it."""
_SPACE = re.compile(rb"[ \t\r\n]*+")
_TOO_LARGE = f"larger than {MAX_EVENT_BYTES >> 20} MiB"


def _parse(text: bytes) -> tuple[Json, str]:
    """The document of an event, and the JSON to store for it ("" if the store writes it itself). Raises EventError."""
    if len(text) > MAX_EVENT_BYTES:
        raise EventError(_TOO_LARGE, rule=EventRule.TOO_LARGE)
    quick = parse_quickly(text)
    return (quick[0], quick[1].decode()) if quick else (parse_strictly(text), "")


def parse_strictly(text: bytes, max_depth: int = MAX_DEPTH) -> Json:
    """The value of JSON that every parser reads alike. Raises EventError for anything else."""
    try:
        return parse(text.decode(), any_integer=True, max_depth=max_depth)
    except UnicodeDecodeError as error:
        raise EventError(f"not UTF-8 at byte {error.start + 1}", rule=EventRule.NOT_JSON) from error
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise EventError(f"not valid JSON at {line}column {error.colno}", rule=EventRule.NOT_JSON) from error
    except AmbiguousJsonError as error:
        raise EventError(_short(str(error)), rule=EventRule.AMBIGUOUS) from error


def _opened(line: bytes) -> int:
    """The brackets that a line opens, less those that it closes, outside of quotes."""
    bare = _TEXT.sub(b"", line)
    return bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")


def first_line_is_whole(data: bytes) -> bool:
    """Whether an input consists of lines of JSON: the first one is JSON, and others follow."""
    first, _, rest = data.lstrip().partition(b"\n")
    if len(first) > MAX_EVENT_BYTES or not rest.strip():
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _array_items(data: bytes) -> Iterator[bytes]:
    """The text of each item, found only by brackets and quotes, so that a large item is not parsed here.

    Raises EventError if the array is incomplete or followed by other text.
    """
    at = _skip(data, data.index(b"[") + 1)
    goes_on = data[at : at + 1] != b"]"
    while goes_on:
        end = _end(data, at)
        if end < 0:
            raise EventError("the array is not complete")
        yield data[at:end].rstrip()
        at = _skip(data, end)
        if data[at : at + 1] not in {b",", b"]"}:
            raise EventError("the array is not complete: a comma or ] is missing after the previous item")
        goes_on = data[at : at + 1] == b","
        at = _skip(data, at + 1) if goes_on else at
    if data[at + 1 :].strip():
        raise EventError("there is text after the end of the array")


def _end(data: bytes, start: int) -> int:
    """The offset after an item's closing bracket, or before a comma or a bracket; -1 if the data ends first."""
    at, depth = start, 0
    if data[at : at + 1] not in {b"[", b"{"}:
        at = _TO_COMMA.match(data, at).end()  # type: ignore[union-attr]  # it matches anything
    while at < len(data):
        if data[at] in b"[{" and (depth or at == start):
            depth += 1
        elif data[at] in b"]}" and depth:
            depth -= 1
            if depth == 0:
                return at + 1
        else:
            return at
        at = _TO_BRACKET.match(data, at + 1).end()  # type: ignore[union-attr]  # as above
    return -1


def _skip(data: bytes, at: int) -> int:
    return _SPACE.match(data, at).end()  # type: ignore[union-attr]  # as above


def _checked_id(document: Mapping[str, Json]) -> str:
    if "id" not in document:
        raise EventError("id is missing", rule=EventRule.ID)
    name = document["id"]
    if not isinstance(name, str) or not name or len(name) > MAX_ID_LENGTH or not name.isprintable():
        raise EventError(f"id: must be printable text of 1 to {MAX_ID_LENGTH} characters", rule=EventRule.ID)
    return name


def _checked_time(document: Mapping[str, Json]) -> float:
    time: Any = document.get("event_time")
    if not is_number(time) or abs(time) > 1e12:
        raise EventError("event_time: must be a number of seconds since 1970", rule=EventRule.TIME)
    return float(time)


def _described(error: jsonschema_rs.ValidationError) -> str:
    """What the schema finds, with its place in the event."""
    path = field_text(error.instance_path)
    return _short(f"{path}: {error.message}" if path else error.message)


def _short(text: str) -> str:
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 3] + "..."
