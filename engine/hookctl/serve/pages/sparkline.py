"""A small picture of the attempts of the last 24 hours, for inline SVG, and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl.model.quantities import counted
from hookctl.report.text.moments import shown

if TYPE_CHECKING:
    from hookctl.store.overviews import Hour

STEP, WIDTH, HEIGHT = 5, 4, 24
"""Of a bar, in the units of the picture: 24 bars are 119 wide."""
LEAST = 2.0
"""The height of a part that is not empty, however small its share is."""


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The picture as paths of SVG."""

    succeeded: str
    """Empty if there were no such attempts; so is ``failed``."""
    failed: str
    total: str
    """How many attempts there were, as a sentence."""
    busiest: Hour | None
    """The hour with the most attempts; None without any."""
    width: int
    height: int = HEIGHT

    @property
    def most(self) -> str:
        """How many attempts the busiest hour had, with their noun; empty without any."""
        return counted(self.busiest.succeeded + self.busiest.failed, "attempt") if self.busiest else ""

    @property
    def words(self) -> str:
        """The same as the picture, for those who do not see it."""
        if self.busiest is None:
            return self.total
        return f"{self.total} The busiest hour began at {shown(self.busiest.start)}, with {self.most}."


def sparkline(hours: Sequence[Hour]) -> Sparkline:
    """A bar for each hour, oldest first: failed attempts on top of those that delivered."""
    most = max((hour.succeeded + hour.failed for hour in hours), default=0)
    good: list[str] = []
    bad: list[str] = []
    for number, hour in enumerate(hours):
        x, top = number * STEP, float(HEIGHT)
        for paths, attempts in ((good, hour.succeeded), (bad, hour.failed)):
            if attempts:
                height = max(LEAST, attempts / most * (HEIGHT - LEAST))
                top -= height
                paths.append(f"M{x} {max(top, 0):.1f}h{WIDTH}v{height:.1f}h-{WIDTH}z")
    busiest = max(hours, key=lambda hour: hour.succeeded + hour.failed) if most else None
    width = max(len(hours) * STEP - STEP + WIDTH, WIDTH)
    return Sparkline("".join(good), "".join(bad), _total(hours), busiest, width)


def _total(hours: Sequence[Hour]) -> str:
    succeeded, failed = sum(hour.succeeded for hour in hours), sum(hour.failed for hour in hours)
    if not succeeded + failed:
        return "No attempts in the last 24 hours."
    return f"Last 24 hours: {succeeded:,} {'attempt' if succeeded == 1 else 'attempts'} delivered, {failed:,} failed."
