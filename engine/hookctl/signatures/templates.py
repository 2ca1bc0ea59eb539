"""The two small templates of a recipe: ``content``, which is signed, and ``format``, the value of the header.

Both are closed: a name in braces is one of a fixed set, and there is no other syntax in ``content``. In ``format``,
text in square brackets is repeated for each further signature: ``t={timestamp},v1={signature}[,v1={signature}]``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hookctl.errors import TemplateError
from hookctl.model.nearest import nearest

CONTENT_NAMES = {
    "id": "the delivery's id, as in `webhook-id`",
    "timestamp": "the time of the attempt in seconds since 1970, as in `webhook-timestamp`",
    "method": "the method in upper case",
    "url": "the whole URL, as it is sent",
    "body": "the body, byte for byte; nothing if there is none",
    "body_sha256": "the SHA-256 of the body, in hexadecimal",
    "parameters": "of a form: the name and value of each field, sorted, without repetitions; nothing for other bodies",
}
"""The names that ``content`` may use, and what each stands for."""
FORMAT_NAMES = ("signature", "timestamp", "id")
"""The names that ``format`` may use."""
_BRACE = re.compile(r"\{([A-Za-z0-9_]*)\}|[{}]")
_FURTHER = re.compile(r"([^\[\]]*)(?:\[([^\[\]]+)\])?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Name:
    """A place that a value is put in."""

    text: str


Parts = tuple[str | Name, ...]
"""Fixed text and names, in order."""


@dataclass(frozen=True, slots=True)
class Format:
    """The value of a header: ``first`` has the first signature, ``further`` is repeated for each of the others."""

    first: Parts
    further: Parts
    """Empty if the header carries only one signature."""


def parse_content(text: str) -> Parts:
    """The parts of a ``content``. Raises TemplateError with the place of what is wrong."""
    return _parts(text, tuple(CONTENT_NAMES), 0)


def parse_format(text: str) -> Format:
    """The parts of a ``format``. Raises TemplateError with the place of what is wrong."""
    found = _FURTHER.fullmatch(text)
    if found is None:
        start = text.find("[") if "[" in text else text.find("]")
        hint = "Put what is repeated for each further signature in one pair of brackets, at the end."
        raise TemplateError("the brackets in format are not one pair at its end", hint=hint, start=start, end=len(text))
    first = _parts(found[1], FORMAT_NAMES, 0)
    _check_signature(first, 0, found.end(1))
    if not found[2]:
        return Format(first, ())
    further = _parts(found[2], FORMAT_NAMES, found.start(2))
    _check_signature(further, found.start(2), found.end(2))
    if not (isinstance(further[0], str) and further[0][0] in ", ;"):
        hint = "Begin it with a comma, a space or a semicolon, such as [,v1={signature}]."
        message = "in format, a further signature does not begin with a separator"
        raise TemplateError(message, hint=hint, start=found.start(2), end=found.end(2))
    return Format(first, further)


def _check_signature(parts: Parts, start: int, end: int) -> None:
    if parts.count(Name("signature")) != 1:
        hint = "Write {signature} once, and once more in the brackets if there are any."
        raise TemplateError("format does not contain {signature} exactly once", hint=hint, start=start, end=end)


def _parts(text: str, names: tuple[str, ...], offset: int) -> Parts:
    parts: list[str | Name] = []
    position = 0
    for found in _BRACE.finditer(text):
        name = found[1]
        if name not in names:
            place = (offset + found.start(), offset + found.end())
            raise _unknown(name, names, place)
        if found.start() > position:
            parts.append(text[position : found.start()])
        parts.append(Name(name))
        position = found.end()
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def _unknown(name: str | None, names: tuple[str, ...], place: tuple[int, int]) -> TemplateError:
    known = ", ".join(f"{{{known}}}" for known in names)
    if name is None:
        return TemplateError("this brace does not enclose a name", hint=f"Use {known}.", start=place[0], end=place[1])
    near = nearest(name, names)
    meant = f"Did you mean {{{near[0]}}}? " if near else ""
    return TemplateError(f"unknown name {{{name}}}", hint=f"{meant}Use {known}.", start=place[0], end=place[1])
