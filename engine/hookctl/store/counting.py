"""What stores have in common in how they count attempts for pages."""

from __future__ import annotations

from hookctl.store.overviews import HOURS

HOUR = 3600.0
MAX_HEADS = 200
"""Causes with the same result. Further ones are counted together."""
NEVER_TRIED = 1_000
"""Dead letters from the start that are given a cause at a time."""


def window(now: float) -> dict[str, int]:
    """The first and the last of the hours that are counted, in hours since the epoch.

    The last one is the next hour: another machine's clock may be ahead.
    """
    hour = int(now // HOUR)
    return {"first": hour - HOURS + 1, "last": hour + 1}


def hours_until(now: float) -> list[int]:
    """The hours that pages show, in hours since the epoch, the current one last."""
    first = window(now)["first"]
    return [*range(first, first + HOURS)]
