"""Durations as they are written on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from hookctl.cli.command_list import COMMANDS
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


def options(command: click.Command) -> Iterator[click.Option]:
    """The options of a command that take a duration, and those of its subcommands."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from options(inner)
    yield from (one for one in command.params if isinstance(one, click.Option) and one.metavar == "DURATION")


@pytest.mark.parametrize(
    "option",
    [one for name in COMMANDS for one in options(import_module(f"hookctl.cli.commands.{name}").command)],
    ids=lambda option: option.opts[0],
)
def test_every_duration_may_be_a_number_of_seconds(option: click.Option) -> None:
    given = [option.process_value(CONTEXT, text) for text in ("5", "5s", "5.0s")]
    assert given == [5.0, 5.0, 5.0]


def test_the_options_that_take_a_duration() -> None:
    found = [one for name in COMMANDS for one in options(import_module(f"hookctl.cli.commands.{name}").command)]
    assert {one.opts[0] for one in found} == {
        "--wait",
        "--grace",
        "--lock-timeout",
        "--tolerance",
        "--expires",
        "--due-within",
    }
