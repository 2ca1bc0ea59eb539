"""Every table that a command prints for people, no wider than the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import zip_longest

from hookctl.report.style import heading, styled
from hookctl.report.text.columns import columns, wrap

Cell = str | tuple[str, str]
"""Text that is safe to print, or such text and the name of its color."""
GAP = 2
"""Spaces between two columns."""
FOLDED = 2
"""Spaces by which the second line of a row is indented."""
NARROWEST = 24
"""Columns that the last column's text gets at least; with less room beside the others it goes below them."""


def table(
    rows: Sequence[Sequence[Cell]],
    *,
    headings: Sequence[str] = (),
    marks: Sequence[Cell] = (),
    numbers: Collection[int] = (),
    indent: int = 0,
    width: int,
    color: bool,
) -> list[str]:
    """The lines of a table.

    A row that is wider than the terminal is folded: the columns that do not fit go to a second line below the others,
    and so do their headings. Text of the last column wraps. No cell is shortened, so that no two names look alike.

    Args:
        rows: the cells, equally many in each row.
        headings: one for each column; none for a table without.
        marks: a symbol of one column for each row, which stands before it; none for a table without.
        numbers: the indexes of columns that are aligned to the right.
        indent: spaces before every line.
        width: columns of the terminal; 0 for unlimited, where each row is one line.
        color: whether to color cells and print headings in bold.
    """
    if not rows:
        return []
    left = indent + (2 if marks else 0)
    texts = [*([list(headings)] if headings else []), *([_text(cell) for cell in row] for row in rows)]
    natural = [max(columns(line[index]) for line in texts) for index in range(len(texts[0]))]
    folds = _fold(natural, left, width)
    top = _row_lines([*headings], folds, numbers, " " * left, color=False) if headings else []
    lines = [heading(line, color) for line in top]
    for row, mark in zip_longest(rows, marks, fillvalue=""):
        start = " " * indent + (f"{_colored(mark, color)} " if marks else "")
        lines += _row_lines(row, folds, numbers, start, color=color, left=left)
    return lines


def _fold(natural: Sequence[int], left: int, width: int) -> list[dict[int, int]]:
    """The columns of each line of a row: the room of each, by its index."""
    if not width:
        return [dict(enumerate(natural))]
    folds: list[dict[int, int]] = [{}]
    last = len(natural) - 1
    for index, room in enumerate(natural):
        free = _free(folds, left, width)
        wanted = min(room, NARROWEST) if index == last else room
        if wanted > free and folds[-1]:
            folds.append({})
            free = _free(folds, left, width)
        folds[-1][index] = min(room, max(free, 2))
    return folds


def _free(folds: Sequence[dict[int, int]], left: int, width: int) -> int:
    """Columns that are left on the last of the lines."""
    return width - left - (FOLDED if len(folds) > 1 else 0) - sum(room + GAP for room in folds[-1].values())


def _row_lines(
    row: Sequence[Cell],
    folds: Sequence[dict[int, int]],
    numbers: Collection[int],
    start: str,
    *,
    color: bool,
    left: int = 0,
) -> list[str]:
    """One row. ``start`` stands before its first line, and as many spaces as it takes before the others."""
    left = left or len(start)
    lines: list[str] = []
    for number, rooms in enumerate(folds):
        wrapped = [wrap(_text(row[index]), room) for index, room in rooms.items()]
        for parts in zip_longest(*wrapped, fillvalue=""):
            before = start if not lines else " " * (left + (FOLDED if number else 0))
            cells = (
                _aligned(part, row[index], room, right=index in numbers, color=color)
                for part, (index, room) in zip(parts, rooms.items(), strict=True)
            )
            line = (before + (" " * GAP).join(cells)).rstrip(" ")
            if line or not number:  # a row without text for a further line has none
                lines.append(line)
    return lines


def _aligned(part: str, cell: Cell, room: int, *, right: bool, color: bool) -> str:
    spaces = " " * (room - columns(part))
    shown = part if isinstance(cell, str) else _colored((part, cell[1]), color)
    return spaces + shown if right else shown + spaces


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _colored(cell: Cell, color: bool) -> str:
    if isinstance(cell, str):
        return cell
    text, hue = cell
    return styled(text, color and bool(text), fg=hue) if hue else text
