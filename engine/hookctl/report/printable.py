"""Text of others, made safe for a terminal."""

from __future__ import annotations

import unicodedata

UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control characters, invisible ones that reorder text, lone surrogates, and line breaks that only some readers see."""

SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    r"""The text with every character that could move the cursor, hide or reorder others written as ``\u....``. Line breaks and tabs too."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if unicodedata.category(character) in UNSAFE else character for character in text)


def _escaped(character: str) -> str:
    if character in SHORT:
        return SHORT[character]
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"
