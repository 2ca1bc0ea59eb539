"""Text measured and wrapped in columns of a terminal, where a wide character takes two."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r" +|[^ ]+")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""What :func:`click.style` writes before and after a text; it takes no columns."""
_PLAIN = "\x1b[0m"
"""Ends every style."""
_START = re.compile(r" *(?:[-+~#✓✗●○] +)?")
"""The indentation of a line, with its sign or bullet."""


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


def fitted(text: str, width: int) -> str:
    """``text`` with each line that is wider than ``width`` columns, 0 for unlimited, cut between words.

    What follows is indented: to the text after a sign or a bullet, or else by two more columns than the line. A word
    that is wider than the room for it, such as a URL or a path, stays whole, so that it can be copied.
    """
    if not width or all(len(line) <= width and line.isascii() for line in text.split("\n")):
        return text
    return "\n".join(_hanging(line, width) for line in text.split("\n"))


def _hanging(line: str, width: int) -> str:
    plain = _STYLE.sub("", line)
    start = _START.match(plain)
    if columns(plain) <= width or start is None:
        return line
    line = line.rstrip(" ")
    hang = min(len(start[0]) + (0 if start[0].strip() else 2), width // 2)
    lines, taken, is_empty, style = [""], 0, True, ""
    for word in _WORDS.findall(line):
        wide = columns(_STYLE.sub("", word))
        if taken + wide > width and not is_empty and not word.isspace():
            lines[-1] = lines[-1].rstrip(" ") + (_PLAIN if style else "")
            lines.append(style + " " * hang)  # again on each line: a pager ends a style with its line
            taken = hang
        lines[-1] += word
        taken += wide
        is_empty = is_empty and taken <= len(start[0])
        for code in _STYLE.findall(word):
            style = "" if code == _PLAIN else style + code
    return "\n".join(lines)
