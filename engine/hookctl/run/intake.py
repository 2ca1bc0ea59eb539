"""Intake: bytes in, events out. What is no acceptable event is named with its place and reason, and the rest goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from hookctl.errors import EventError
from hookctl.model import Event, Json
from hookctl.plugin.contain import is_interrupt, text_of

if TYPE_CHECKING:
    import jsonschema_rs

    from hookctl.plugin.interfaces import EventType

MAX_EVENT_BYTES = 1024 * 1024
MAX_ARRAY_BYTES = 64 * 1024 * 1024
"""An array is read whole; lines are not, so there may be any number of them."""
MAX_DEPTH = 64
MAX_ID_LENGTH = 256
MAX_REASON_LENGTH = 300
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPACE = " \t\r\n"


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
            raise EventError(f"not a JSON object but {_kind(document)}")
        name = self._known_type(document)
        validator = self._validator(name)
        if not validator.is_valid(document):
            error = next(iter(validator.iter_errors(document)))
            path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path).lstrip(".")
            raise EventError(_short(f"{path}: {error.message}" if path else error.message))
        return Event(_checked_id(document), name, _checked_time(document), document, kept)

    def _known_type(self, document: Mapping[str, Json]) -> str:
        if "event_type" not in document:
            raise EventError("event_type is missing")
        name = document["event_type"]
        if isinstance(name, str) and name in self._event_types:
            return name
        close = get_close_matches(str(name), self._event_types, n=1)
        known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(self._event_types))}"
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
                raise EventError(message, hint="Repair or uninstall the plugin that adds it.") from error
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
            raise EventError(f"a JSON array of more than {MAX_ARRAY_BYTES >> 20} MiB", hint="Write one event per line: lines are read one by one.")

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
        except (ValueError, RecursionError):  # whatever it is, the strict parser finds words for it, or can read it after all
            return _parse_strictly(text), ""
        if kept.count(b'"') == text.count(b'"'):
            return document, kept.decode()
    return _parse_strictly(text), ""


def _parse_strictly(text: bytes) -> Json:
    """JSON without what JSON parsers disagree on. Raises EventError."""
    if len(text) > MAX_EVENT_BYTES:
        raise EventError(_TOO_LARGE)
    decoded = _decode(text)
    try:
        document: Json = json.loads(decoded, object_pairs_hook=_unique, parse_constant=_not_a_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise EventError(f"not JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise EventError(f"nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:  # int() refuses what would take it too long
        raise EventError("a number with more digits than can be read") from error
    if decoded.count("{") + decoded.count("[") > MAX_DEPTH and _depth(document) > MAX_DEPTH:
        raise EventError(f"nested deeper than {MAX_DEPTH}")
    if "\\ud" in decoded or "\\uD" in decoded:
        _refuse_lone_surrogates(document)
    return document


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise EventError(f"not UTF-8 at byte {error.start + 1}") from error


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise EventError(_short(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in one object"))
    return found


def _not_a_number(text: str) -> NoReturn:
    raise EventError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise EventError(f"the number {_short(text)} is too large")
    return number


def _depth(document: Json) -> int:
    """How many objects and lists lie in one another, counted without recursion."""
    depth, level = 0, [document]
    while level := [value for value in level if isinstance(value, dict | list)]:
        depth += 1
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
    return depth


def _refuse_lone_surrogates(document: Json) -> None:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise EventError("half of a surrogate pair stands alone") from error


def _first_line_is_whole(data: bytes) -> bool:
    """True when the input begins with ``[`` and yet is lines: the first one is JSON by itself, and more follow."""
    first, _, rest = data.lstrip().partition(b"\n")
    if not rest.strip():
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _array_items(data: bytes) -> Iterator[bytes]:
    """The text of each item, found without looking at what it means. Raises EventError where the array ends or breaks off wrongly."""
    text = _decode(data)
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    at = _skip(text, text.index("[") + 1)
    follows = text[at : at + 1] != "]"
    while follows:
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise EventError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
        except RecursionError as error:
            raise EventError(f"nested deeper than {MAX_DEPTH}") from error
        yield text[at:end].encode()
        at = _skip(text, end)
        if text[at : at + 1] not in {",", "]"}:
            raise EventError("the array breaks off: neither a comma nor its end follows the item before")
        follows = text[at] == ","
        at = _skip(text, at + 1) if follows else at
    if text[at + 1 :].strip():
        raise EventError("more follows the end of the array")


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in SPACE:
        at += 1
    return at


def _checked_id(document: Mapping[str, Json]) -> str:
    if "id" not in document:
        raise EventError("id is missing")
    name = document["id"]
    if not isinstance(name, str) or not name or len(name) > MAX_ID_LENGTH or not name.isprintable():
        raise EventError(f"id: must be a printable text of 1 to {MAX_ID_LENGTH} characters")
    return name


def _checked_time(document: Mapping[str, Json]) -> float:
    time: Any = document.get("event_time")
    if isinstance(time, bool) or not isinstance(time, int | float) or abs(time) > 1e12:
        raise EventError("event_time: must be a number of seconds since 1970")
    return float(time)


def _kind(document: Json) -> str:
    kinds: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(document), "a number")


def _short(text: str) -> str:
    return text if len(text) <= MAX_REASON_LENGTH else text[: MAX_REASON_LENGTH - 3] + "..."
