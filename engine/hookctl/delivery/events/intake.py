"""Intake: bytes in, events out. What is no acceptable event is named with its place and reason, and the rest goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from hookctl.errors import EventError
from hookctl.json.kinds import described, is_number
from hookctl.json.paths import field_text
from hookctl.json.strict import MAX_DEPTH, AmbiguousJsonError, parse
from hookctl.model import Event, Json
from hookctl.model.nearest import nearest
from hookctl.plugin.contain import is_interrupt, text_of

if TYPE_CHECKING:
    import jsonschema_rs

    from hookctl.plugin.interfaces import EventType

MAX_EVENT_BYTES = 1024 * 1024
MAX_ARRAY_BYTES = 64 * 1024 * 1024
"""An array is read whole; lines are not, so there may be any number of them."""
MAX_ID_LENGTH = 256
MAX_REASON_LENGTH = 300
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BadEvent:
    """Something in the input that is no acceptable event."""

    place: str
    """``line 7`` or ``item 3``."""
    reason: str


class EventGate:
    """Tells which texts are events of a known type, valid by its schema. Validators are built when first needed."""

    def __init__(self, event_types: Mapping[str, EventType]) -> None:
        self._event_types = event_types
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def parse(self, text: bytes) -> Event:
        """The event that ``text`` holds. Raises EventError, its message a reason for people, for anything else."""
        document, kept = _parse(text)
        if not isinstance(document, dict):
            raise EventError(f"not a JSON object but {described(document)}")
        name = self._known_type(document)
        validator = self._validator(name)
        if not validator.is_valid(document):
            error = next(iter(validator.iter_errors(document)))
            path = field_text(error.instance_path)
            raise EventError(_short(f"{path}: {error.message}" if path else error.message))
        return Event(_checked_id(document), name, _checked_time(document), document, kept)

    def _known_type(self, document: Mapping[str, Json]) -> str:
        if "event_type" not in document:
            raise EventError("event_type is missing")
        name = document["event_type"]
        if isinstance(name, str) and name in self._event_types:
            return name
        near = nearest(name, self._event_types)
        known = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(self._event_types))}"
        raise EventError(_short(f"unknown event type {name!r}; {known}"))

    def _validator(self, name: str) -> jsonschema_rs.Validator:
        if name not in self._validators:
            import jsonschema_rs

            try:
                self._validators[name] = jsonschema_rs.validator_for(dict(self._event_types[name].schema))
            except BaseException as error:  # a library may panic over a plugin's schema; other events still come in
                if is_interrupt(error):
                    raise
                message = _short(f"the schema of the event type {name!r} is not a JSON Schema: {text_of(error)}")
                raise EventError(message, hint="Fix or uninstall the plugin that adds it.") from error
        return self._validators[name]


class EventReader:
    """Finds the events in a stream of bytes: JSON lines, or one JSON array."""

    def __init__(self, gate: EventGate) -> None:
        self._gate = gate
        self._rest = b""
        """What is read of a line that has not ended yet."""
        self._line = 0
        self._skipping = False
        self._begun = False
        self._array: list[bytes] = []
        """The array so far, in pieces; empty when the input is lines."""
        self._array_size = 0

    def feed(self, data: bytes) -> Iterator[Event | BadEvent]:
        """What has become complete with these bytes. Raises EventError when they are more than an array may hold."""
        if self._array:
            self._grow(data)
            return
        self._rest += data
        if not self._begun and self._begin() and self._rest.startswith(b"["):
            self._grow(self._rest)
        elif self._begun:
            yield from self._lines()

    def finish(self) -> Iterator[Event | BadEvent]:
        """What is left at the end of the stream."""
        if self._array:
            self._rest = b"".join(self._array)
            if not _first_line_is_whole(self._rest):
                yield from self._items()
                return
        if self._begun or self._rest != BYTE_ORDER_MARK:
            self._rest += b"\n"
            yield from self._lines()

    def _begin(self) -> bool:
        """Pass over a byte order mark and blank lines; False while there is nothing else."""
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
                hint="Write one event per line: lines are read one by one.",
            )

    def _lines(self) -> Iterator[Event | BadEvent]:
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._line += 1
            if self._skipping:
                self._skipping = False
            elif line.strip():
                yield self._parse(line, f"line {self._line}")
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > MAX_EVENT_BYTES:
            self._skipping, self._rest = True, b""
            yield BadEvent(f"line {self._line + 1}", _TOO_LARGE)

    def _items(self) -> Iterator[Event | BadEvent]:
        number = 1
        try:
            for item in _array_items(self._rest):
                yield self._parse(item, f"item {number}")
                number += 1
        except EventError as error:
            yield BadEvent(f"item {number}", f"{error.message}; nothing after it was read")

    def _parse(self, text: bytes, place: str) -> Event | BadEvent:
        try:
            return self._gate.parse(text)
        except EventError as error:
            return BadEvent(place, error.message)


_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^"\[\]{},]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_TOO_LARGE = f"larger than {MAX_EVENT_BYTES >> 20} MiB"


def _parse(text: bytes) -> tuple[Json, str]:
    """The document and the JSON to keep of it; "" where that is for others to make. Raises EventError as :func:`_parse_strictly`, which this is short for.

    A key that stands twice in an object is dropped by the parser, and with it two quotation marks: every other one comes out again, as it
    came or as a backslash and the mark, unless it was written as a number.
    """
    if len(text) <= MAX_EVENT_BYTES and text.count(b"{") + text.count(b"[") <= MAX_DEPTH and b"\\u0022" not in text:
        try:
            document: Json = msgspec.json.decode(text)
            kept = msgspec.json.encode(document)
        except (
            ValueError,
            RecursionError,
        ):  # whatever it is, the strict parser finds words for it, or can read it after all
            return _parse_strictly(text), ""
        if kept.count(b'"') == text.count(b'"'):
            return document, kept.decode()
    return _parse_strictly(text), ""


def _parse_strictly(text: bytes) -> Json:
    """JSON without what JSON parsers disagree on. Raises EventError."""
    if len(text) > MAX_EVENT_BYTES:
        raise EventError(_TOO_LARGE)
    try:
        return parse(text.decode(), any_integer=True)
    except UnicodeDecodeError as error:
        raise EventError(f"not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise EventError(f"not JSON: {error.msg} at column {error.colno}") from error
    except AmbiguousJsonError as error:
        raise EventError(_short(str(error))) from error


def _first_line_is_whole(data: bytes) -> bool:
    """True when the input begins with ``[`` and yet is lines: the first one is JSON by itself, and more follow."""
    first, _, rest = data.lstrip().partition(b"\n")
    if len(first) > MAX_EVENT_BYTES or not rest.strip():
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _array_items(data: bytes) -> Iterator[bytes]:
    """The text of each item, found by its brackets and quotes alone: an item of any size makes no value here.

    Raises EventError where the array ends or breaks off wrongly.
    """
    at = _skip(data, data.index(b"[") + 1)
    goes_on = data[at : at + 1] != b"]"
    while goes_on:
        end = _end(data, at)
        if end < 0:
            raise EventError("the array breaks off")
        yield data[at:end].rstrip()
        at = _skip(data, end)
        if data[at : at + 1] not in {b",", b"]"}:
            raise EventError("the array breaks off: neither a comma nor its end follows the item before")
        goes_on = data[at : at + 1] == b","
        at = _skip(data, at + 1) if goes_on else at
    if data[at + 1 :].strip():
        raise EventError("more follows the end of the array")


def _end(data: bytes, start: int) -> int:
    """Where an item ends: behind the bracket that closes it, or before a comma or a bracket; -1 when the data ends first."""
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
        raise EventError("id is missing")
    name = document["id"]
    if not isinstance(name, str) or not name or len(name) > MAX_ID_LENGTH or not name.isprintable():
        raise EventError(f"id: must be a printable text of 1 to {MAX_ID_LENGTH} characters")
    return name


def _checked_time(document: Mapping[str, Json]) -> float:
    time: Any = document.get("event_time")
    if not is_number(time) or abs(time) > 1e12:
        raise EventError("event_time: must be a number of seconds since 1970")
    return float(time)


def _short(text: str) -> str:
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 3] + "..."
