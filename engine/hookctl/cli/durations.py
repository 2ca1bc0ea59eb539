"""Durations on the command line: ``500ms``, ``30s``, ``5m``, ``2h``, ``1d``, or a bare number of seconds."""

from __future__ import annotations

import re

import click

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
FORM = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)(ms|s|m|h|d|)", re.ASCII)
LONGEST_DAYS = 3650
"""Longer durations are refused: the clocks and timers of the system do not take every number."""


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """An option's callback: its value in seconds; fails the command line for what is no duration."""
    if value is None:
        return None
    match = FORM.fullmatch(value)
    if match is None:
        raise click.BadParameter(
            f"{value!r} is not a duration. Write a number and its unit, such as 500ms, 30s, 5m, 2h or 1d."
        )
    found = float(match[1]) * UNITS[match[2]]
    if found > LONGEST_DAYS * UNITS["d"]:
        raise click.BadParameter(f"{value!r} is too long. A duration is at most {LONGEST_DAYS}d.")
    return found
