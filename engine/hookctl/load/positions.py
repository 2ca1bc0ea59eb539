"""Spans of a document's parts, worked out when somebody asks: most webhooks have no finding, and pay nothing."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from yaml.nodes import ScalarNode

from hookctl.load.composer import compose_again
from hookctl.model import Pointer, SourceFile, Span

if TYPE_CHECKING:
    from yaml.nodes import Node


class Lines:
    """Offsets in characters to lines and columns of one file."""

    __slots__ = ("_starts", "file")

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._starts: list[int] = []

    def span(self, start: int, end: int) -> Span:
        """The span of characters ``start`` to ``end`` (exclusive), kept within the text."""
        if not self._starts:
            self._starts = [0, *(index + 1 for index, character in enumerate(self.file.text) if character == "\n")]
        length = len(self.file.text)
        start = min(max(start, 0), length)
        end = min(max(start, end), length)
        return Span(*self._place(start), *self._place(end))

    def offset(self, line: int) -> int:
        """Where line ``line`` (from 0) begins."""
        self.span(0, 0)
        return self._starts[line]

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class DocumentPositions:
    """The positions of one document; composes it again at the first question. See :class:`hookctl.model.Positions`."""

    __slots__ = ("_end", "_lines", "_root", "_start")

    def __init__(self, lines: Lines, start: int, end: int) -> None:
        self._lines = lines
        self._start = start
        self._end = end
        self._root: Node | None = None

    def key(self, pointer: Pointer) -> Span:
        """Where the key of ``pointer`` stands; for a list item the item, for the whole document its first key."""
        key, value = self._find(pointer)
        return self._span_of(key or value)

    def value(self, pointer: Pointer) -> Span:
        """Where the value of ``pointer`` stands; for an absent or empty one its key."""
        key, value = self._find(pointer)
        empty = value.start_mark.index == value.end_mark.index
        return self._span_of(key if key is not None and empty else value)

    def within(self, pointer: Pointer, start: int, end: int) -> Span:
        """Where a part of the string at ``pointer`` stands; the whole value where escapes or folding hide it."""
        _, node = self._find(pointer)
        if isinstance(node, ScalarNode):
            found = self._in_literal(node, start, end) if node.style == "|" else self._in_line(node, start, end)
            if found is not None:
                return found
        return self.value(pointer)

    def _in_line(self, node: Node, start: int, end: int) -> Span | None:
        begin, stop = self._bounds(node)
        text = self._lines.file.text
        for quote in (0, 1):
            if text[begin + quote : stop - quote] == node.value:
                return self._lines.span(begin + quote + start, begin + quote + end)
        return None

    def _in_literal(self, node: ScalarNode, start: int, end: int) -> Span:
        begin, _ = self._bounds(node)
        first = self._lines.span(begin, begin).line  # counted from 0: the line after the header

        def place(offset: int) -> int:
            before: str = node.value[:offset]
            number = before.count("\n")
            content = node.value.split("\n")[number]
            source = self._lines.file.line(first + number + 1)
            indentation = max(0, len(source) - len(content))
            return self._lines.offset(first + number) + indentation + len(before) - (before.rfind("\n") + 1)

        return self._lines.span(place(start), place(end))

    def _span_of(self, node: Node) -> Span:
        begin, stop = self._bounds(node)
        text = self._lines.file.text
        if isinstance(node.value, list) and node.value and text[begin] not in "[{&!":
            return self._span_of(node.value[0][0] if isinstance(node.value[0], tuple) else node.value[0])  # a block: its first line says where
        if isinstance(node.value, str) and text[begin : begin + 1] in ("|", ">"):
            stop = text.find("\n", begin, stop) if "\n" in text[begin:stop] else stop  # the header stands for the block
        return self._lines.span(begin, max(begin, begin + len(text[begin:stop].rstrip())))

    def _bounds(self, node: Node) -> tuple[int, int]:
        return self._start + node.start_mark.index, self._start + node.end_mark.index

    def _find(self, pointer: Pointer) -> tuple[Node | None, Node]:
        """The key (None for a list item) and the value of ``pointer``, or of the nearest part around it."""
        if self._root is None:
            self._root = compose_again(self._lines.file.text[self._start : self._end])
        key: Node | None = None
        node: Node = self._root
        for part in pointer:
            found = _child(node, part)
            if found is None:
                break
            key, node = found
        return key, node


def _child(node: Node, part: str | int) -> tuple[Node | None, Node] | None:
    if not isinstance(node.value, list):
        return None
    for index, item in enumerate(node.value):
        if isinstance(item, tuple):
            if item[0].value == part:
                return item
        elif index == part:
            return None, item
    return None
