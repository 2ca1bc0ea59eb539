"""Tables: as wide as the terminal at most, with everything in them."""

from __future__ import annotations

import re

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from hookctl.report.text.columns import columns, first, fitted, paragraph, wrap
from hookctl.report.text.table import table

HEADINGS = ("NAME", "COUNT", "STATUS", "REASON")
ROWS = [
    ("SiemAnomalies", "12", ("dead", "red"), "HTTP 503 Service Unavailable, and the target answered with a long text"),
    ("日本語の名前", "1,000", ("delivered", "green"), ""),
]
CELLS = st.text(st.sampled_from("ab é日\u0301.-"), max_size=70)


@pytest.mark.parametrize("width", [0, 30, 60, 80, 120])
def test_widths(width: int, snapshot: SnapshotAssertion) -> None:
    lines = table(ROWS, headings=HEADINGS, marks=["●", "○"], numbers=[1], width=width, color=False)
    assert all(columns(line) <= width for line in lines) or not width
    assert "\n".join(lines) == snapshot


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(24, 100), st.booleans())
def test_nothing_is_lost_and_nothing_is_too_wide(rows: list[tuple[str, ...]], width: int, marked: bool) -> None:
    lines = table(rows, marks=["!"] * len(rows) if marked else (), indent=2, width=width, color=False)
    assert all(columns(line) <= width for line in lines)
    letters = sorted("".join(cell for row in rows for cell in row).replace(" ", ""))
    assert sorted("".join(lines).replace(" ", "").replace("!", "")) == letters


def test_color_changes_no_column() -> None:
    for width in (0, 40):
        plain, colored = (table(ROWS, headings=HEADINGS, width=width, color=color) for color in (False, True))
        assert [click.unstyle(line) for line in colored] == plain
        assert colored[0].startswith("\x1b[1m")
        assert any("\x1b[31mdead\x1b[0m" in line for line in colored)


def test_no_rows_make_no_table() -> None:
    assert table([], headings=HEADINGS, width=80, color=False) == []


@given(CELLS, st.integers(2, 80))
def test_wrapped_text_is_the_text(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(columns(line) <= width for line in lines)
    assert re.sub(" +", "", "".join(lines)) == re.sub(" +", "", text)


@given(CELLS, st.integers(0, 80))
def test_the_first_columns(text: str, width: int) -> None:
    begun = first(text, width)
    assert text.startswith(begun)
    assert columns(begun) <= width
    assert begun == text or columns(text[: len(begun) + 1]) > width


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three four", ["one two", "  three four"]),
        ("    a: bb, ccc", ["    a: bb,", "      ccc"]),
        ("  + one two three", ["  + one two", "    three"]),
        ("short\n- one two three", ["short", "- one two", "  three"]),
        ("a https://example.com/a/b c", ["a", "  https://example.com/a/b", "  c"]),
        ("\x1b[31m  + one two three\x1b[0m", ["\x1b[31m  + one two\x1b[0m", "\x1b[31m    three\x1b[0m"]),
        ("one \x1b[1mtwo\x1b[0m three four", ["one \x1b[1mtwo\x1b[0m", "  three four"]),
    ],
)
def test_lines_are_fitted_with_a_hanging_indentation(text: str, lines: list[str]) -> None:
    assert fitted(text, 12).split("\n") == lines
    assert fitted(text, 0) == text


@given(st.text(alphabet="ab +:漢\n", max_size=60), st.integers(min_value=8, max_value=30))
def test_a_fitted_text_has_the_same_words_and_only_single_words_are_wider(text: str, width: int) -> None:
    shown = fitted(text, width)
    assert shown.split() == text.split()
    assert all(columns(line) <= width or len(line.split()) == 1 for line in shown.split("\n"))


def test_paragraphs() -> None:
    assert paragraph("one two three", 9, 2) == "  one two\n  three"
    assert paragraph("one two three", 0, 2) == "  one two three"
