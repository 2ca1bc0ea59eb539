"""A fast path for templates of only text and paths, as most are: no tags, filters or backslashes.

Without backslashes, every quote begins or ends a string, so counting quotes shows whether an expression is inside a
string. Without tags, there is one path through the template, so one run of a JSON parser over the text, with a number
for each value, proves the structure. The full parser handles every other template, and reports the errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Never

from hookctl.model import Json
from hookctl.model.secret import REFERENCE_IN_BODY, Resolve
from hookctl.template.language.parser import MAX_CHARACTERS
from hookctl.template.language.values import MAX_OUTPUT, MISSING, Value, escape, quote, to_json
from hookctl.template.proof.references import may_have_reference
from hookctl.template.proof.structure import MAX_NESTING
from hookctl.template.rendering.evaluation import raise_missing, raise_too_large
from hookctl.template.rendering.revealed import reveal

_EXPRESSION = re.compile(r"\{\{[ \t]*((?:data|event_type|event_time|id)(?:\.[A-Za-z_]\w*)*)[ \t]*\}\}", re.ASCII)
_OTHER_SYNTAX = ("\\", "{%", "{#", "{{{")
_END_OF_KEY = re.compile(r'[^"]*"[ \t\n\r]*:')


def _no_constant(name: str) -> Never:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Json]]) -> None:
    """An object in a proof, which only records whether it has a key twice."""
    if len(pairs) > 1 and len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("repeated key")


_decode: Callable[[str], Json] = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_object).decode


@dataclass(frozen=True, slots=True)
class Plain:
    """A template of text and paths that is proved to give JSON: text, path, text, path, ..., text."""

    literals: list[str]
    paths: list[str]
    """The paths as written in the template."""
    in_string: list[int]
    """For each path: 1 if it is inside a string, 0 if it is in value position."""


@lru_cache(maxsize=16)  # cached, because a checked template is usually compiled next
def split_plain(text: str) -> Plain | None:
    """The template, if it is plain and its structure is valid; None if the full parser must check it."""
    if len(text) > MAX_CHARACTERS or _has_other_syntax(text):
        return None
    pieces = _EXPRESSION.split(text)
    literals, paths = pieces[::2], pieces[1::2]
    in_string: list[int] = []
    inside = 0
    filled = literals[0]
    for literal, following in pairwise(literals):
        inside ^= literal.count('"') & 1
        if inside and _END_OF_KEY.match(following):  # keys that come from an event are checked in the rendered body
            return None
        in_string.append(inside)
        filled += following if inside else " 0 " + following
    if may_have_reference(text) and not _references_in_strings(literals):
        return None
    if "{{" in filled or filled.count("{") + filled.count("[") > MAX_NESTING:
        return None
    try:
        filled.encode()  # the full parser reports half a surrogate pair
        _decode(filled)
    except (ValueError, RecursionError):
        return None
    return Plain(literals, paths, in_string)


def _references_in_strings(literals: list[str]) -> bool:
    """Whether every secret reference is in a string that is not a key."""
    inside = 0
    for literal in literals:
        for match in REFERENCE_IN_BODY.finditer(literal):
            is_inside = inside ^ (literal.count('"', 0, match.start()) & 1)
            if not is_inside or _END_OF_KEY.match(literal, match.end()):
                return False
        inside ^= literal.count('"') & 1
    return True


def plain_paths(text: str) -> list[str] | None:
    """The paths in a template of only text and paths, whether it is JSON or not; None for any other template."""
    if _has_other_syntax(text):
        return None
    pieces = _EXPRESSION.split(text)
    return None if any("{{" in literal for literal in pieces[::2]) else pieces[1::2]


def _has_other_syntax(text: str) -> bool:
    return any(mark in text for mark in _OTHER_SYNTAX)  # split takes a third of the time of a regular expression


def offsets(text: str, plain: Plain, path: str, in_string: int) -> list[int]:
    """The offset of each use of a path in a plain template: those inside strings, or those in value position."""
    places = zip(_EXPRESSION.finditer(text), plain.in_string, strict=True)
    return [match.start(1) for match, inside in places if match.group(1) == path and inside == in_string]


def _trimmed(plain: Plain) -> tuple[list[str], list[bool]]:
    """The literals without the quotes around expressions that are all of a string, and which expressions are."""
    literals, wholes = list(plain.literals), list[bool]()
    for number, inside in enumerate(plain.in_string):
        wholes.append(bool(inside) and literals[number].endswith('"') and literals[number + 1].startswith('"'))
        if wholes[-1]:
            literals[number : number + 2] = literals[number][:-1], literals[number + 1][1:]
    return literals, wholes


def compile_plain(plain: Plain, resolve: Resolve | None = None) -> Callable[[Mapping[str, Json]], list[str]]:
    """A function that returns the pieces of a plain template's body for a document. It raises RenderError.

    Secret references become secrets, or ``***`` without ``resolve``.

    If an expression is all of a string, the quotes come with the value instead of the surrounding text. A single loop
    without a frame takes half the time of the general renderer, and most templates are plain.
    """
    literals, wholes = _trimmed(plain)
    if any(map(may_have_reference, literals)):
        literals = [reveal(literal, resolve, partial(escape, depth=1)) for literal in literals]
    parts: list[tuple[str, str, list[str], int, bool]] = []
    for literal, path, inside, is_whole in zip(literals, plain.paths, plain.in_string, wholes, strict=False):
        root, *rest = path.split(".")
        parts.append((literal, root, rest, inside, is_whole))
    tail = literals[-1]

    def render(document: Mapping[str, Json]) -> list[str]:
        pieces: list[str] = []
        room = MAX_OUTPUT
        for literal, root, rest, inside, is_whole in parts:
            value: Value = document.get(root, MISSING)
            for step in rest:
                value = value.get(step, MISSING) if type(value) is dict else MISSING
            if type(value) is str:
                text = quote(value)[1:-1] if inside and not is_whole else quote(value)
            elif value is MISSING:
                raise_missing(".".join((root, *rest)))
            else:
                text = escape(to_json(value), inside)
                if is_whole:
                    text = f'"{text}"'
            room -= len(text)
            if room < 0:
                raise_too_large()
            pieces += (literal, text)
        pieces.append(tail)
        return pieces

    return render
