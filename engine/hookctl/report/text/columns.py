"""Text measured and wrapped in columns of a terminal, where a wide character takes two."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r" +|[^ ]+")


def columns(text: str) -> int:
    """Columns of a terminal that ``text`` takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def first(text: str, width: int) -> str:
    """The longest beginning of ``text`` that takes at most ``width`` columns."""
    if columns(text) <= width:
        return text
    end = taken = 0
    for end, character in enumerate(text):  # noqa: B007  # the place where it ends is what is looked for
        taken += columns(character)
        if taken > width:
            break
    return text[:end]


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns, cut between words, and inside a word that is longer than a line.

    ``width`` is at least 2, the columns of a wide character. The lines hold all of the text but the spaces at which it
    was cut.
    """
    if columns(text) <= width:
        return [text]
    lines, line = [], ""
    for word in _WORDS.findall(text):
        if columns(line) + columns(word) <= width:
            line += word
            continue
        if line.strip(" "):
            lines.append(line.rstrip(" "))
        line = "" if word.startswith(" ") else word
        while columns(line) > width:
            start = first(line, width)
            lines.append(start)
            line = line[len(start) :]
    return [*lines, line.rstrip(" ")] if line.strip(" ") else lines


def paragraph(text: str, width: int, indent: int = 0) -> str:
    """``text`` wrapped to ``width`` columns, 0 for unlimited, with ``indent`` spaces before each line."""
    start = " " * indent
    return "\n".join(start + line for line in (wrap(text, max(width - indent, 2)) if width else [text]))
