"""The short way for templates that are only text and paths, as most are: no tag, no filter, no backslash.

Without a backslash a string begins and ends at each quote, so counting quotes tells where an expression stands, and without tags there is one
way through the template, so one run of a JSON parser over the text with a number for each value proves the structure. What this module
does not take goes through the full parser, which also says what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from hookctl.model import Json
from hookctl.template.evaluation import Frame, raise_missing
from hookctl.template.expressions import Path
from hookctl.template.values import MISSING, Missing, Value, escape, to_json, to_text

_EXPRESSION = re.compile(r"\{\{[ \t]*((?:data|event_type|event_time|id)(?:\.[A-Za-z_]\w*)*)[ \t]*\}\}", re.ASCII)
_OTHER_SYNTAX = re.compile(r"\{[%#]|\{\{\{|\\")


def _no_constant(name: str) -> Never:
    raise ValueError(name)


_decode: Callable[[str], Json] = json.JSONDecoder(parse_constant=_no_constant).decode


@dataclass(frozen=True, slots=True)
class Plain:
    """A template of text and paths that is proved to give JSON: text, path, text, path, ..., text."""

    literals: list[str]
    paths: list[str]
    """As they stand in the template."""
    in_string: list[int]
    """For each path: 1 when it stands in a string, 0 in value position."""


def split_plain(text: str) -> Plain | None:
    """The template when it is plain and its structure holds; None when the full parser must look at it."""
    if _OTHER_SYNTAX.search(text):
        return None
    pieces = _EXPRESSION.split(text)
    literals, paths = pieces[::2], pieces[1::2]
    in_string: list[int] = []
    inside = 0
    filled = literals[0]
    for literal, following in zip(literals, literals[1:], strict=False):
        inside ^= literal.count('"') & 1
        in_string.append(inside)
        filled += following if inside else " 0 " + following
    if "{{" in filled:
        return None
    try:
        _decode(filled)
    except (ValueError, RecursionError):
        return None
    return Plain(literals, paths, in_string)


def offsets(text: str, plain: Plain, path: str, in_string: int) -> list[int]:
    """Where a path that stands in strings, or in value position, begins in a plain template: each time."""
    places = zip(_EXPRESSION.finditer(text), plain.in_string, strict=True)
    return [match.start(1) for match, inside in places if match.group(1) == path and inside == in_string]


def compile_plain(plain: Plain) -> Callable[[Frame], None]:
    """A function that writes a plain template's body to a frame. It raises RenderError."""
    parts = [(literal, tuple(path.split(".")), inside) for literal, path, inside in zip(plain.literals, plain.paths, plain.in_string, strict=False)]
    tail = plain.literals[-1]

    def write(frame: Frame) -> None:
        for literal, steps, inside in parts:
            value: Value = frame.values
            for step in steps:
                if type(value) is not dict:
                    value = MISSING
                    break
                value = value.get(step, MISSING)
            if isinstance(value, Missing):
                path = ".".join(steps)
                raise_missing(Path(steps[0], (), 0, len(path)), path)
            frame.write(literal)
            frame.write(escape(to_text(value), 1) if inside else to_json(value))
        frame.write(tail)

    return write
