"""Points in time on the command line: ``2026-11-28``, ``2026-11-28T09:30Z``, or a time ago such as ``2h`` or ``3d``."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from hookctl.cli.durations import seconds


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A click callback: the option's value in epoch seconds. Raises click.BadParameter for text that is not a time.

    A time without a zone is in UTC, like every time that hookctl prints.
    """
    if value is None:
        return None
    if "-" not in value:  # every date has one, and no duration
        ago = _ago(ctx, param, value)
        return time.time() - ago
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise _not_a_time(value) from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _ago(ctx: click.Context, param: click.Parameter, value: str) -> float:
    try:
        return seconds(ctx, param, value) or 0.0
    except click.BadParameter as error:
        if "too long" in error.message:
            raise
        raise _not_a_time(value) from None


def _not_a_time(value: str) -> click.BadParameter:
    return click.BadParameter(
        f"{value!r} is not a time. Write a date, such as 2026-11-28 or 2026-11-28T09:30Z, or how long ago it was, "
        "such as 30m, 2h or 3d."
    )
