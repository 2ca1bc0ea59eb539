"""Spans of the parts of a document, computed on demand, because most webhooks have no findings and need no spans."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING

from yaml.nodes import ScalarNode

from hookctl.config.load.composer import compose_again
from hookctl.model import Pointer, SourceFile, Span

if TYPE_CHECKING:
    from yaml.nodes import Node


class Lines:
    """Converts offsets (in characters) in a file to lines and columns."""

    __slots__ = ("_starts", "file")

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._starts: list[int] = []

    def span(self, start: int, end: int) -> Span:
        """The span of the characters ``start`` to ``end`` (exclusive), limited to the text."""
        if not self._starts:
            self._starts = [0, *accumulate(len(line) + 1 for line in self.file.text.split("\n")[:-1])]
        length = len(self.file.text)
        start = min(max(start, 0), length)
        end = min(max(start, end), length)
        return Span(*self._place(start), *self._place(end))

    def line(self, number: int) -> tuple[int, str]:
        """The offset of a line and its text without the line break.

        ``number`` counts from 0. Past the last line, the offset is the end of the file and the text is empty.
        """
        self.span(0, 0)
        if number >= len(self._starts):
            return len(self.file.text), ""
        end = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else len(self.file.text)
        return self._starts[number], self.file.text[self._starts[number] : end].rstrip("\r")

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


class DocumentPositions:
    """The positions in one document, which is parsed again on the first call. See :class:`hookctl.model.Positions`."""

    __slots__ = ("_children", "_end", "_lines", "_places", "_root", "_start")

    def __init__(self, lines: Lines, start: int, end: int) -> None:
        self._lines = lines
        self._start = start
        self._end = end
        self._root: Node | None = None
        self._places: dict[int, Callable[[int], int] | None] = {}
        self._children: dict[int, dict[str | int, tuple[Node | None, Node]]] = {}

    def key(self, pointer: Pointer) -> Span:
        """The span of the key at ``pointer``; for a list item, the item; for the whole document, its first key."""
        key, value = self._find(pointer)
        return self._span_of(key or value)

    def value(self, pointer: Pointer) -> Span:
        """The span of the value at ``pointer``; if it is empty, of its key; if it is missing, of the part around it."""
        key, value = self._find(pointer)
        empty = value.start_mark.index == value.end_mark.index
        return self._span_of(key if key is not None and empty else value)

    def within(self, pointer: Pointer, start: int, end: int) -> Span:
        """The span of a part of the string at ``pointer``; the whole value if the string has escapes or is folded."""
        _, node = self._find(pointer)
        if id(node) not in self._places:
            self._places[id(node)] = self._place_of(node) if isinstance(node, ScalarNode) else None
        place = self._places[id(node)]
        return self._lines.span(place(start), place(end)) if place else self.value(pointer)

    def _place_of(self, node: ScalarNode) -> Callable[[int], int] | None:
        """A function from an offset in a scalar's value to the offset in the file; None if they do not correspond."""
        begin, stop = self._bounds(node)
        if node.style == "|":
            return self._place_in_literal(node.value, self._lines.span(begin, begin).line)
        text = self._lines.file.text
        for quote in (0, 1):
            if text[begin + quote : stop - quote] == node.value:
                return lambda offset: begin + quote + min(offset, len(node.value))
        return None

    def _place_in_literal(self, value: str, first: int) -> Callable[[int], int]:
        """The function of :meth:`_place_of` for a literal block.

        Each line of the value is the end of a line in the file. ``first`` is the line in the file, counted from 0, of
        the first line of the value.
        """
        contents = value.split("\n")
        starts = [0, *accumulate(len(content) + 1 for content in contents[:-1])]

        def place(offset: int) -> int:
            number = bisect_right(starts, offset) - 1
            line_start, source = self._lines.line(first + number)
            return (
                line_start
                + max(0, len(source) - len(contents[number]))
                + min(offset - starts[number], len(contents[number]))
            )

        return place

    def _span_of(self, node: Node) -> Span:
        begin, stop = self._bounds(node)
        text = self._lines.file.text
        if isinstance(node.value, list) and node.value and text[begin] not in "[{&!":
            # A block collection can be long, so its first key or item marks its place.
            return self._span_of(node.value[0][0] if isinstance(node.value[0], tuple) else node.value[0])
        if isinstance(node.value, str) and text[begin : begin + 1] in ("|", ">"):
            # A block scalar can be long, so its header marks its place.
            stop = text.find("\n", begin, stop) if "\n" in text[begin:stop] else stop
        return self._lines.span(begin, max(begin, begin + len(text[begin:stop].rstrip())))

    def _bounds(self, node: Node) -> tuple[int, int]:
        return self._start + node.start_mark.index, self._start + node.end_mark.index

    def _find(self, pointer: Pointer) -> tuple[Node | None, Node]:
        """The key (None for a list item) and the value at ``pointer``, or of the nearest enclosing part."""
        if self._root is None:
            self._root = compose_again(self._lines.file.text[self._start : self._end])
        key: Node | None = None
        node: Node = self._root
        for part in pointer:
            found = self._children_of(node).get(part)
            if found is None:
                break
            key, node = found
        return key, node

    def _children_of(self, node: Node) -> dict[str | int, tuple[Node | None, Node]]:
        """The key and value of each part of a node, by key or index. The first of duplicate keys counts. Cached."""
        children = self._children.get(id(node))
        if children is None:
            children = self._children[id(node)] = {}
            for index, item in enumerate(node.value if isinstance(node.value, list) else ()):
                key, value = item if isinstance(item, tuple) else (None, item)
                part = index if key is None else key.value
                if isinstance(part, str | int):
                    children.setdefault(part, (key, value))
        return children
