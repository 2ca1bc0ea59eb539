"""The picture of the last 24 hours."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from hookctl.serve.pages.sparkline import HEIGHT, sparkline
from hookctl.store.overviews import Hour

COUNTS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=24, max_size=24)
BAR = re.compile(r"M(\d+) ([\d.]+)h4v([\d.]+)h-4z")


@given(COUNTS)
def test_each_part_is_a_bar_inside_the_picture(counts: list[tuple[int, int]]) -> None:
    picture = sparkline([Hour(3600.0 * number, *pair) for number, pair in enumerate(counts)])
    for column, path in enumerate((picture.succeeded, picture.failed)):
        bars = BAR.findall(path)
        assert "".join(f"M{x} {y}h4v{height}h-4z" for x, y, height in bars) == path
        assert [int(x) // 5 for x, _, _ in bars] == [number for number, pair in enumerate(counts) if pair[column]]
        assert all(float(y) >= 0 and float(y) + float(height) <= HEIGHT + 2.1 for _, y, height in bars)
    assert picture.width == 119


def test_the_same_in_words() -> None:
    assert sparkline([Hour(0.0)] * 24).words == "No attempts in the last 24 hours."
    assert sparkline([Hour(0.0, 3, 1), Hour(3600.0, 0, 1)]).words == (
        "Last 24 hours: 3 attempts delivered, 2 failed. The busiest hour began at 1970-01-01 00:00:00 UTC, with 4 "
        "attempts."
    )
    assert sparkline([Hour(0.0, 1, 0)]).words.startswith("Last 24 hours: 1 attempt delivered, 0 failed.")
