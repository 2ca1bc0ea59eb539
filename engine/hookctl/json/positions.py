"""Finds the parts of a JSON text by their place in its value."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # typeshed does not list it
from typing import NamedTuple

from hookctl.model import Pointer

_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class Place(NamedTuple):
    """Offsets in a text; ends are exclusive. The key of an item, or of the whole value, is the value itself."""

    key_start: int
    key_end: int
    start: int
    end: int


def locate(text: str, pointer: Pointer) -> Place:
    """The place of a value in a JSON text that was parsed before; of the nearest enclosing value, if it is not there.

    Takes time in proportion to the text, for each step of the pointer.
    """
    start = _skip(text, 0)
    found = Place(start, _decode(text, start)[1], start, _decode(text, start)[1])
    for step in pointer:
        inner = _member(text, found.start, str(step)) if text[found.start] == "{" else _item(text, found.start, step)
        if inner is None:
            return found
        found = inner
    return found


def _member(text: str, start: int, name: str) -> Place | None:
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, key_end = scanstring(text, at + 1, True)  # the function is written in C
        value = _skip(text, _skip(text, key_end) + 1)
        end = _decode(text, value)[1]
        if key == name:
            return Place(at, key_end, value, end)
        at = _next(text, end)
    return None


def _item(text: str, start: int, step: str | int) -> Place | None:
    if text[start] != "[" or not isinstance(step, int):
        return None
    at, number = _skip(text, start + 1), 0
    while text[at] != "]":
        end = _decode(text, at)[1]
        if number == step:
            return Place(at, end, at, end)
        at, number = _next(text, end), number + 1
    return None


def _next(text: str, end: int) -> int:
    """The offset of what follows a value: the next one, or the closing bracket."""
    at = _skip(text, end)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
