"""Points in time on the command line: ``2026-11-28``, ``2026-11-28T09:30Z``, or a time ago such as ``2h`` or ``3d``."""

from __future__ import annotations

import time

import click

from hookctl.model.moments import moment_at


def moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """A click callback: the option's value in epoch seconds. Raises click.BadParameter for text that is not a time.

    A time without a zone is in UTC, like every time that hookctl prints.
    """
    if value is None:
        return None
    try:
        return moment_at(value, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
