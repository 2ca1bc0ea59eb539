"""The buckets in which every store counts how long attempts took."""

from __future__ import annotations

BOUNDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.035, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0),
)
"""Seconds. They are about one and a half times apart where most attempts end."""
LE = tuple(f"le_{number}" for number in range(len(BOUNDS)))
"""The columns: each counts the attempts that took at most the bound with the same place."""
COUNTS = ("succeeded", "failed", *LE)
"""Everything that is counted of attempts."""


def at_most(share: int) -> str:
    """The duration that this many percent of the attempts take at most, as an SQL expression of the columns."""
    bounds = " ".join(
        f"WHEN {name} * 100 >= (succeeded + failed) * {share} THEN {bound}"
        for name, bound in zip(LE, BOUNDS, strict=True)
    )
    return f"CASE {bounds} ELSE {BOUNDS[-1]} END"
