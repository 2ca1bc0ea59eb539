"""Makes text from outside safe for a terminal and for the log of a CI system."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control characters, invisible ones that reorder text, lone surrogates, and line breaks that only some readers see."""

COMPACT = json.JSONEncoder(separators=(",", ":"))
"""``json.dumps`` would make one for each call."""
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""The text with every character that could move the cursor, hide or reorder others written as ``\u....``.

    Line breaks and tabs too.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        _escaped(character) if unicodedata.category(character) in UNSAFE else character for character in text
    )


def printable_lines(text: str) -> str:
    """The text with each of its lines as :func:`printable` has it; its line feeds stay."""
    return "\n".join(map(printable, text.split("\n")))


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """The value as JSON in ASCII without control characters; without ``indent``, on one line and without spaces.

    All other characters are written as escapes, so that no terminal, log or editor acts on them. A parser gets the same
    value.
    """
    import msgspec  # every command imports this module, and few write JSON

    text = COMPACT.encode(value).replace("\x7f", "\\u007f")
    if not indent:
        return text
    try:
        return msgspec.json.format(text, indent=indent)  # json's own indentation takes ten times as long
    except msgspec.DecodeError:  # a lone surrogate, which json writes and msgspec does not read
        return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def json_chunks(document: Mapping[str, Any | Iterator[Any]]) -> Iterator[str]:
    """A JSON object as :func:`json_text` writes it, piece by piece; an iterator among its values is an array."""
    before = "{\n"
    for key, value in document.items():
        yield f"{before}  {json_text(key)}: "
        if isinstance(value, Iterator):
            yield from _array_chunks(value)
        else:
            yield json_text(value).replace("\n", "\n  ")
        before = ",\n"
    yield "\n}\n"


def _array_chunks(items: Iterator[Any]) -> Iterator[str]:
    before = "[\n"
    for item in items:
        yield before + "    " + json_text(item).replace("\n", "\n    ")  # no string in JSON holds a line break
        before = ",\n"
    yield "[]" if before == "[\n" else "\n  ]"


_AT_START = re.compile(r"(?:\A|(?<=[\r\n]))([^\S\r\n]*):(?=:)")
_ANYWHERE = re.compile(r"##(?=[A-Za-z]*\[)")


def inert(text: str) -> str:
    r"""The text without anything that a CI system takes for a command when it is printed, and nothing else changed.

    GitHub's runner obeys ``::error::`` and the like at the start of a line, after spaces, and ``##[group]`` anywhere in
    one; Azure Pipelines and TeamCity have ``##vso[`` and ``##teamcity[``. The first character of each is written as
    an escape, ``\u003a`` or ``\u0023``, which inside of JSON stands for the same text.
    """
    if "::" not in text and "##" not in text:
        return text
    return _ANYWHERE.sub(r"\\u0023#", _AT_START.sub(r"\1\\u003a", text))


def _escaped(character: str) -> str:
    if character in SHORT:
        return SHORT[character]
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"
