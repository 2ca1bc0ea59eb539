"""Whether a receiver of the old body can read the new one.

A missing field or another type breaks it; a new field does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from hookctl.config.effects.requests import RequestChange, Side
from hookctl.config.effects.structure import INSIDE, ITEM, JsonText, Marker, Masked, Opened, Path
from hookctl.json.kinds import kind


class Payload(StrEnum):
    """What a change means for who reads the body."""

    SAME = "same"
    COMPATIBLE = "compatible"
    """Values differ or fields come."""
    BREAKING = "breaking"


@dataclass(frozen=True, slots=True)
class Break:
    """A field that a receiver may miss."""

    path: Path
    """In the body, with ``ITEM`` for the items of a list."""
    before: str
    """The types that it had: ``string``, ``null or number``."""
    after: str
    """The types that it has; empty: it is gone."""


_FORMATS = {"ndjson": "lines of JSON", "text": "lines of text", "xml": "XML", "form": "a form"}
"""Bodies that are not JSON: to the reader of one, another format is another type."""
_Types = dict[Path, set[str]]


def payload_of(changes: Iterable[RequestChange]) -> tuple[Payload, tuple[Break, ...]]:
    """The class of a change, and what breaks. Only events for which both sides make a request count."""
    result = Payload.SAME
    breaks: dict[Path, Break] = {}
    for change in changes:
        if isinstance(change.before.value, Marker) or isinstance(change.after.value, Marker):
            continue
        if any(not step.same and step.path[:1] == ("body",) for step in change.steps):
            result = Payload.COMPATIBLE
        for found in _breaks(_types(change.before), _types(change.after)):
            breaks.setdefault(found.path, found)
    return (Payload.BREAKING, tuple(breaks.values())) if breaks else (result, ())


def _breaks(before: _Types, after: _Types) -> Iterator[Break]:
    broken: set[Path] = set()
    for path, types in before.items():  # the outer ones first; what lies in a broken one is broken with it
        if path and path[:-1] in broken:
            broken.add(path)
        elif not after.get(path, set()) <= types or path not in after:
            broken.add(path)
            yield Break(path, _named(types), _named(after.get(path, ())))


def _types(side: Side) -> _Types:
    found: _Types = {}
    if isinstance(side.value, dict) and "body" in side.value:
        _collect(side.value["body"], (), found)
        if "body_format" in side.value:
            found[()] = {_FORMATS[str(side.value["body_format"])]}
    return found


def _collect(value: Opened, path: Path, found: _Types) -> None:
    found.setdefault(path, set()).add(_kind(value))
    if isinstance(value, JsonText):
        _collect(value.value, (*path, INSIDE), found)
    elif isinstance(value, dict):
        for key, item in value.items():
            _collect(item, (*path, key), found)
    elif isinstance(value, list):
        for item in value:
            _collect(item, (*path, ITEM), found)


def _kind(value: Opened) -> str:
    if isinstance(value, JsonText):
        return "JSON text"
    return "string" if isinstance(value, Masked) else kind(value)


def _named(types: Iterable[str]) -> str:
    return " or ".join(sorted(types))
