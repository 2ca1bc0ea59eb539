"""Durations on the command line: ``500ms``, ``30s``, ``5m``, ``2h``, ``1d``, or a bare number of seconds."""

from __future__ import annotations

import click

from hookctl.model.moments import duration_of


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """A click callback: the option's value in seconds. Raises click.BadParameter for text that is not a duration."""
    if value is None:
        return None
    try:
        return duration_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
