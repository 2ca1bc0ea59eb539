"""Durations as they are written on the command line."""

from __future__ import annotations

import click
import pytest

from hookctl.cli.durations import seconds

CONTEXT = click.Context(click.Command("test"))
OPTION = click.Option(["--wait"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0.0), ("90", 90.0), ("500ms", 0.5), ("1.5s", 1.5), ("5m", 300.0), ("2h", 7200.0), ("1d", 86400.0)],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(CONTEXT, OPTION, text) == expected


def test_none_is_none() -> None:
    assert seconds(CONTEXT, OPTION, None) is None


@pytest.mark.parametrize("text", ["", "s", "-1s", "1w", "1h30m", "1 s", "1e3", "inf", "٣s"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(click.BadParameter):
        seconds(CONTEXT, OPTION, text)
