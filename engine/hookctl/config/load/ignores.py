"""Finds the comments in which authors ignore warnings, and the lines that each covers.

YAML's parsers drop comments, so they are found in the text: a ``#`` after whitespace, outside of every scalar. In a
block scalar such as ``body_template: |``, a ``#`` is text, except on the line of the ``|``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from yaml.nodes import ScalarNode

from hookctl.config.load.positions import Lines
from hookctl.model import Ignore

if TYPE_CHECKING:
    from yaml.nodes import Node

MAX_IGNORES = 100
"""Comments of one document that are read, and ids in each of them. A webhook has about twenty fields."""
_WORD = "hookctl:"
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*hookctl:[ \t]*ignore(?![\w-])[^\r\n]*", re.MULTILINE)
_FORM = re.compile(r"#[ \t]*hookctl:[ \t]*ignore[ \t]*\[([^\]]*)\]:?(.*)")
_ID = re.compile(r"[^\s,]+")


def find_ignores(lines: Lines, start: int, end: int, root: Node) -> tuple[Ignore, ...]:
    """The comments of one document, in order; one more than ``MAX_IGNORES`` at most.

    Args:
        lines: of the file.
        start: the offset in the file at which the document begins.
        end: the offset at which it ends.
        root: the document's node. Its offsets count from ``start``.
    """
    text = lines.file.text[start:end]
    if _WORD not in text:
        return ()
    entries = _Entries(text, root)
    found = [*islice(_comments(text, entries.scalars), MAX_IGNORES + 1)]
    following = _following(text) if found else []
    first = lines.span(start, start).line
    ignores = []
    for match in found:
        line = lines.span(start + match.start(), start + match.start()).line
        covered = (line, line)
        if _stands_alone(text, match.start()):
            below = following[line - first]
            covered = first + below, first + entries.last_lines.get(below, -1)
        ignores.append(_ignore(lines, start, match, covered))
    return tuple(ignores)


def _comments(text: str, scalars: Sequence[tuple[int, int]]) -> Iterator[re.Match[str]]:
    for match in _COMMENT.finditer(text):
        at = bisect_right(scalars, (match.start(), len(text))) - 1
        if at < 0 or match.start() >= scalars[at][1]:
            yield match


def _ignore(lines: Lines, start: int, match: re.Match[str], covered: tuple[int, int]) -> Ignore:
    form = _FORM.fullmatch(match.group())
    begin = start + match.start()
    span = lines.span(begin, start + match.end())
    if form is None:
        return Ignore((), "", span, *covered)
    at = begin + form.start(1)
    named = islice(_ID.finditer(form[1]), MAX_IGNORES + 1)
    ids = tuple((one[0], lines.span(at + one.start(), at + one.end())) for one in named)
    return Ignore(ids, form[2].strip(), span, *covered)


def read_comment(text: str) -> tuple[tuple[str, ...], str]:
    """The ids of rules in a comment, and its reason; no ids if it does not have the form."""
    form = _FORM.fullmatch(text)
    if form is None:
        return (), ""
    return tuple(one[0] for one in islice(_ID.finditer(form[1]), MAX_IGNORES + 1)), form[2].strip()


def _stands_alone(text: str, offset: int) -> bool:
    """Whether there is only whitespace before a comment on its line."""
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def _following(text: str) -> list[int]:
    """For each line (from 0) the next line below it that is not a comment."""
    following: list[int] = []
    contents = text.split("\n")
    below = len(contents)
    for number in range(len(contents) - 1, -1, -1):
        following.append(below)
        if not contents[number].lstrip().startswith("#"):
            below = number
    return following[::-1]


class _Entries:
    """The scalars of a document, and the lines of its entries: fields, and items of lists."""

    def __init__(self, text: str, root: Node) -> None:
        self.scalars: list[tuple[int, int]] = []
        """Where the text of each scalar begins and ends, in order."""
        self.last_lines: dict[int, int] = {}
        """For each line (from 0) the last line of the outermost entry that begins on it."""
        self._text = text
        self._seen: set[int] = set()
        self._end_of(root)
        self.scalars.sort()

    def _end_of(self, node: Node) -> int:
        """The last line of a node, after its entries have been taken in."""
        if isinstance(node, ScalarNode) or id(node) in self._seen:  # an alias, which is an error, leads to a node again
            return self._end_of_scalar(node)
        self._seen.add(id(node))
        last: int = node.start_mark.line
        if self._text[node.start_mark.index : node.start_mark.index + 1] in {"[", "{"}:
            last = node.end_mark.line
        for item in node.value:
            parts = item if isinstance(item, tuple) else (item,)
            line = parts[0].start_mark.line
            is_outermost = line not in self.last_lines
            self.last_lines.setdefault(line, line)
            end = max(map(self._end_of, parts))
            if is_outermost:
                self.last_lines[line] = end
            last = max(last, end)
        return last

    def _end_of_scalar(self, node: Node) -> int:
        begin, end = node.start_mark.index, node.end_mark.index
        content = self._text[begin:end].rstrip()
        if isinstance(node, ScalarNode):
            is_block = node.style in {"|", ">"}
            header = self._text.find("\n", begin, end) if is_block else begin
            self.scalars.append((header if header >= 0 else end, end))
        last: int = node.start_mark.line + content.count("\n")
        return last
