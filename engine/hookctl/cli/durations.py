"""Durations on the command line: ``500ms``, ``30s``, ``5m``, ``2h``, ``1d``, or a bare number of seconds."""

from __future__ import annotations

import click

from hookctl.model import quantities

LONGEST_DAYS = 3650
"""Longer durations are refused: the clocks and timers of the system do not take every number."""


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """An option's callback: its value in seconds. Raises click.BadParameter for what is not a duration."""
    if value is None:
        return None
    try:
        found = quantities.seconds(value if value[-1:].isalpha() else f"{value}s")
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a duration. Write a number and its unit, such as 500ms, 30s, 5m, 2h or 1d."
        ) from None
    if found > LONGEST_DAYS * 86400:
        raise click.BadParameter(f"{value!r} is too long. A duration is at most {LONGEST_DAYS}d.")
    return found
