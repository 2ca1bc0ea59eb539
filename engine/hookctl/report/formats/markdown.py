"""Markdown for a comment on a pull request, in which the text of others is never markup, a mention or a link.

Such text appears only in fences and code spans whose delimiters are longer than any run of backticks in it, and, as
escaped HTML, in the ``<code>`` of a ``<summary>``. GitHub and GitLab look for markup in none of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hookctl.report.text.printable import printable

LIMIT = 65_535
"""The most characters of a comment: GitHub refuses longer ones."""
BLOCK_LIMIT = 12_000
"""The most characters of a block's lines in a comment that would otherwise be too long."""
LINE_LIMIT = 1_000
TITLE_LIMIT = 200
GAP = "\n\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A part that can be folded: a title, and lines in a fence."""

    title: str
    lines: tuple[str, ...]
    language: str = "text"
    is_open: bool = False


Part = Callable[[], Block]
"""Makes a block when it is needed."""


def document(head: Sequence[str], parts: Sequence[Part]) -> str:
    """A comment of paragraphs and blocks, never longer than :data:`LIMIT`.

    If all of it would be longer, each block is shortened to its first and last lines, and then the blocks in the middle
    are left out, with a note. No more blocks are made than a comment can hold.

    Args:
        head: the paragraphs, in Markdown.
        parts: make the blocks.
    """
    room = LIMIT - len(_joined(head))
    whole: list[str] = []
    for part in parts:
        whole.append(_rendered(part()))
        room -= len(whole[-1]) + len(GAP)
        if room < 0:
            break
    else:
        return _joined([*head, *whole])
    first, last = _ends(parts, LIMIT - len(_joined(head)) - len(_note(len(parts))) - len(GAP))
    left_out = len(parts) - len(first) - len(last)
    return _joined([*head, *first, *([_note(left_out)] if left_out else []), *last])


def code(text: str) -> str:
    """A code span."""
    shown = _cut(printable(text), TITLE_LIMIT)
    ticks = "`" * (_longest_run(shown) + 1)
    padding = " " if shown[:1] in {"`", " ", ""} or shown[-1:] in {"`", " "} else ""
    return f"{ticks}{padding}{shown}{padding}{ticks}"


def _rendered(block: Block) -> str:
    lines = [_cut(printable(line), LINE_LIMIT) for line in block.lines]
    fence = "`" * max(3, max(map(_longest_run, lines), default=0) + 1)
    title = html.escape(_cut(printable(block.title), TITLE_LIMIT))
    return "\n".join(
        [
            f"<details{' open' if block.is_open else ''}><summary><code>{title}</code></summary>",
            "",
            f"{fence}{block.language}",
            *lines,
            fence,
            "",
            "</details>",
        ]
    )


def _shortened(block: Block) -> Block:
    """The block, without the lines in its middle if it is longer than :data:`BLOCK_LIMIT`."""
    sizes = [min(len(printable(line)), LINE_LIMIT + 3) + 1 for line in block.lines]
    if sum(sizes) <= BLOCK_LIMIT:
        return block
    first, last = _counts(sizes, BLOCK_LIMIT)
    note = f"... {len(sizes) - first - last:,} lines omitted ..."
    return Block(
        block.title, (*block.lines[:first], note, *block.lines[len(sizes) - last :]), block.language, block.is_open
    )


def _ends(parts: Sequence[Part], room: int) -> tuple[list[str], list[str]]:
    """The shortened blocks that fit, from both ends in turns."""
    first: list[str] = []
    last: list[str] = []
    while len(first) + len(last) < len(parts):
        from_head = len(first) <= len(last)
        made = _rendered(_shortened(parts[len(first) if from_head else -1 - len(last)]()))
        room -= len(made) + len(GAP)
        if room < 0:
            break
        (first if from_head else last).append(made)
    return first, last[::-1]


def _counts(sizes: Sequence[int], room: int) -> tuple[int, int]:
    """The number of lines that fit, from the beginning and from the end, taken in turns."""
    first = last = 0
    while first + last < len(sizes):
        size = sizes[first] if first <= last else sizes[-1 - last]
        if size > room:
            break
        room -= size
        first, last = (first + 1, last) if first <= last else (first, last + 1)
    return first, last


def _note(count: int) -> str:
    return f"**... {count:,} more are omitted because of the comment size limit. Run the command to see all.**"


def _joined(parts: Sequence[str]) -> str:
    return GAP.join(parts) + "\n"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "..."


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
