"""Makes text from outside safe for a terminal and for the log of a CI system."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control characters, invisible ones that reorder text, lone surrogates, and line breaks that only some readers see."""

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
    """The value as JSON in ASCII without control characters; without ``indent``, in one line and without spaces.

    All other characters are written as escapes, so that no terminal, log or editor acts on them. A parser gets the same
    value.
    """
    separators = None if indent else (",", ":")
    return json.dumps(value, indent=indent, separators=separators).replace("\x7f", "\\u007f")


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
