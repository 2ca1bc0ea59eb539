"""Reads YAML and JSON of other tools, with the place of every value, at a bounded cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import AliasEvent, NodeEvent, ScalarEvent, SequenceStartEvent

from hookctl.errors import HookctlError
from hookctl.model import Json, Pointer
from hookctl.model.source import SourceFile, Span

MAX_BYTES = 1024 * 1024
"""The size of a source."""
MAX_VALUES = 100_000
"""The values in a source, where those behind an alias count each time."""
MAX_DEPTH = 64
"""The nesting of a source."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{0,17}")
_CONSTANTS: dict[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}


class SourceError(HookctlError):
    """A source that is not what the import reads, with its place if it is known."""

    def __init__(self, message: str, hint: str, span: Span | None = None) -> None:
        super().__init__(message, hint=hint)
        self.span = span
        self.source: SourceFile | None = None
        """The source that is meant, where there are several."""


@dataclass(slots=True)
class Tree:
    """A value, and where its parts are."""

    value: Json
    spans: dict[Pointer, Span] = field(default_factory=dict)

    def span(self, *pointer: str | int) -> Span | None:
        """The place of a part, or of the nearest part around it whose place is known."""
        for length in range(len(pointer), -1, -1):
            if found := self.spans.get(pointer[:length]):
                return found
        return None


def read_json(text: str) -> Tree:
    """The value of a JSON text. Raises SourceError."""
    try:
        value = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        column = getattr(error, "colno", 1)
        place = Span(line, column, line, column + 1)
        raise SourceError(
            "the file is not valid JSON", "Export it again, or correct it at this place.", place
        ) from None
    except RecursionError:
        raise _too_large() from None
    try:
        return Tree(value, _Reader(text.replace("\t", " ")).read().spans)
    except SourceError as error:
        if error.span is None:  # it is too large
            raise
        return Tree(value)  # only the places are missing: YAML has a few rules that JSON has not


def read_yaml(text: str) -> Tree:
    """The value of a YAML text: the first document. Raises SourceError."""
    return _Reader(text).read()


def _too_large() -> SourceError:
    return SourceError(
        f"the file has more than {MAX_VALUES:,} values, or is nested more than {MAX_DEPTH} levels deep",
        "Split it into several files.",
    )


class _Reader:
    """Builds values from the events of a YAML parser, without recursion of the parser."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Any] = iter(())
        self._spans: dict[Pointer, Span] = {}
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._left = MAX_VALUES

    def read(self) -> Tree:
        try:
            self._events = (
                event for event in yaml.parse(self._text, Loader=_LOADER) if isinstance(event, (NodeEvent, *_ENDS))
            )
            first = next(self._events, None)
            return Tree(None if first is None else self._value(first, ()), self._spans)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            span = Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else Span(1, 1, 1, 2)
            raise SourceError("the file is not valid YAML", "Correct it at this place.", span) from None

    def _value(self, event: Any, pointer: Pointer) -> Json:
        start, end = self._marks(event)
        self._spans.setdefault(pointer, Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1))
        if isinstance(event, AliasEvent):
            value, cost = self._anchors.get(event.anchor or "", (None, 1))
            self._spend(cost)
            return value
        before = self._left
        self._spend(1)
        if len(pointer) > MAX_DEPTH:
            raise _too_large()
        if isinstance(event, ScalarEvent):
            value = _scalar(event.value) if event.implicit[0] else event.value
        elif isinstance(event, SequenceStartEvent):
            value = [self._value(item, (*pointer, number)) for number, item in enumerate(self._until_end())]
        else:
            value = self._mapping(pointer)
        if event.anchor:
            self._anchors[event.anchor] = (value, before - self._left)
        return value

    def _mapping(self, pointer: Pointer) -> Json:
        found: dict[str, Json] = {}
        merged: dict[str, Json] = {}
        for event in self._until_end():
            key = event.value if isinstance(event, ScalarEvent) else str(self._value(event, (*pointer, "")))
            if isinstance(event, ScalarEvent):
                mark, end = self._marks(event)
                self._spans[*pointer, key] = Span(mark.line + 1, mark.column + 1, end.line + 1, end.column + 1)
            value = self._value(next(self._events), (*pointer, key))
            if key == "<<" and isinstance(value, dict):
                merged = {**value, **merged}
            else:
                found[key] = value
        return {**merged, **found}

    def _until_end(self) -> Iterator[Any]:
        for event in self._events:
            if isinstance(event, _ENDS):
                return
            yield event

    @staticmethod
    def _marks(event: Any) -> tuple[Any, Any]:
        return event.start_mark, event.end_mark

    def _spend(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise _too_large()


_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def _scalar(text: str) -> Json:
    """A plain scalar: what Go's YAML and YAML 1.2 read alike."""
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
