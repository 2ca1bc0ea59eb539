"""Decoded views of a text, and the place in the text that each decoded byte comes from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]
"""Start and end, in bytes."""
Piece = tuple[int, int, int, int, int]
"""A part of a view: ``(at, start, end, width, per)``. From offset ``at`` on, the view was decoded from
``parent[start:end]``: each ``per`` bytes of the view come from ``width`` bytes of the parent, 1 from 1 for unchanged
text, 3 from 4 for base64. If ``width`` is 0, only all of ``parent[start:end]`` together has a meaning, as in an escape.
"""


class View:
    """The result of decoding a text, or another view, in one step."""

    __slots__ = ("at_end", "data", "parent", "pieces")

    def __init__(
        self, data: bytes, parent: View | None = None, pieces: list[Piece] | None = None, *, at_end: bool
    ) -> None:
        """``at_end``: the view ends where the original ends, so only its end can be truncated."""
        self.data = data
        self.parent = parent
        self.pieces = pieces or []
        self.at_end = at_end

    def original(self, start: int, end: int) -> Span:
        """The span of the original that ``data[start:end]`` was decoded from. ``start`` must be less than ``end``."""
        view = self
        while view.parent is not None:
            first = view.pieces[bisect_right(view.pieces, start, key=_at) - 1]
            last = view.pieces[bisect_right(view.pieces, end - 1, key=_at) - 1]
            start, end = _start(first, start), _end(last, end)
            view = view.parent
        return start, end


def rewritten(parent: View, decoded: Iterable[tuple[int, int, bytes]]) -> View | None:
    """The view with each ``parent.data[start:end]`` replaced by the given bytes, in order; None if there are none."""
    data, out, pieces, at, done = parent.data, [], list[Piece](), 0, 0
    for start, end, text in decoded:
        if start > done:
            out.append(data[done:start])
            pieces.append((at, done, start, 1, 1))
            at += start - done
        out.append(text)
        pieces.append((at, start, end, 0, 1))
        at += len(text)
        done = end
    if not pieces:
        return None
    if done < len(data):
        out.append(data[done:])
        pieces.append((at, done, len(data), 1, 1))
    return View(b"".join(out), parent, pieces, at_end=parent.at_end)


def gathered(parent: View, parts: Iterable[tuple[int, int, int, int, bytes]]) -> View | None:
    """A view of the given parts, one line each: ``(start, end, width, per, bytes)``. None without parts."""
    out, pieces, at, end = list[bytes](), list[Piece](), 0, 0
    for start, end, width, per, text in parts:
        out.append(text)
        pieces.append((at, start, end, width, per))
        at += len(text) + 1
    if not out:
        return None
    at_end = parent.at_end and not parent.data[end:].strip(b"= \t\r\n")  # a line break may follow a line of base64
    return View(b"\n".join(out), parent, pieces, at_end=at_end)


def _at(piece: Piece) -> int:
    return piece[0]


def _start(piece: Piece, start: int) -> int:
    at, begin, _, width, per = piece
    return begin + (start - at) * width // per if width else begin


def _end(piece: Piece, end: int) -> int:
    at, begin, finish, width, per = piece
    return (
        min(finish, begin - (at - end) * width // per) if width else finish
    )  # the two minus signs make the division round up
