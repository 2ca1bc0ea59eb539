"""Durations on the command line: ``500ms``, ``30s``, ``5m``, ``2h``, ``1d``, or a bare number of seconds."""

from __future__ import annotations

import click

from hookctl.model import quantities

LONGEST_DAYS = 3650
"""Longer durations are refused: the system's clocks and timers do not take every number."""


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """A click callback: the option's value in seconds. Raises click.BadParameter for text that is not a duration."""
    if value is None:
        return None
    try:
        found = quantities.seconds(f"{value}s" if value[-1:].isdecimal() else value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a duration. Write a number and its unit, such as 500ms, 30s, 5m, 2h or 1d; "
            "a number without a unit is in seconds."
        ) from None
    if found > LONGEST_DAYS * 86400:
        raise click.BadParameter(f"{value!r} is too long. A duration is at most {LONGEST_DAYS}d.")
    return float(found)
