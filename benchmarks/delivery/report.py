"""The table, and how the figures stand to what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from delivery.measure import Turn

WANTED = (
    ("hookctl", "celery", 20.0),
    ("hookctl", "celery-session", 20.0),
    ("hookctl", "alertmanager", 1.5),
    ("hookctl", "alertmanager-plain", 1.5),
    ("hookctl", "pycurl", 0.25),
    ("hookctl-2", "hookctl", 1.5),
    ("hookctl-2", "graphile-worker", 1.5),
    ("hookctl-2", "bullmq", 1.5),
)
"""One way's deliveries a second as so many times those of another."""
WANTED_P99 = 0.05
"""Seconds, at half load."""


@dataclass(slots=True)
class Row:
    """All turns of one way."""

    name: str
    fast: list[Turn] = field(default_factory=list)
    paced: list[Turn] = field(default_factory=list)
    failed: str = ""

    def add(self, turn: Turn | str) -> None:
        if isinstance(turn, str):
            self.failed = turn
        elif turn.is_paced:
            self.paced.append(turn)
        else:
            self.fast.append(turn)

    @property
    def rate(self) -> float:
        return median(turn.rate for turn in self.fast) if self.fast else 0.0

    @property
    def whole_rate(self) -> float | None:
        rates = [turn.whole_rate for turn in self.fast if turn.whole_rate]
        return median(rates) if rates else None

    @property
    def lost(self) -> int:
        return sum(turn.lost for turn in (*self.fast, *self.paced))

    @property
    def duplicates(self) -> int:
        return sum(turn.duplicates for turn in (*self.fast, *self.paced))

    def latency(self, share: float) -> float | None:
        """The seconds within which this share of all deliveries at half load arrived."""
        times = sorted(time for turn in self.paced for time in turn.latencies)
        return times[min(len(times) - 1, int(share * len(times)))] if times else None

    def cells(self) -> list[str]:
        if not self.fast:
            return [self.name, "-", "-", "-", "-", "-", "-", "-", "-"]
        p50, p99 = self.latency(0.5), self.latency(0.99)
        return [
            self.name,
            f"{self.rate:,.0f}",
            f"{self.whole_rate:,.0f}" if self.whole_rate else "",
            f"{median(turn.cpu for turn in self.fast):,.0f}",
            f"{1000 * p50:.1f}" if p50 is not None else "-",
            f"{1000 * p99:.1f}" if p99 is not None else "-",
            f"{max(turn.peak for turn in self.fast) / 1e6:.0f}",
            str(self.lost),
            str(self.duplicates),
        ]


HEADINGS = ["way", "deliveries/s", "whole process/s", "CPU us", "p50 ms", "p99 ms", "MB", "lost", "twice"]


def table(rows: Mapping[str, Row]) -> str:
    """Markdown: one line a way."""
    lines = [HEADINGS, *(row.cells() for row in rows.values())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| "
        + " | ".join(
            cell.ljust(width) if not n else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in lines
    )


def verdicts(rows: Mapping[str, Row]) -> Iterator[str]:
    """What is wanted, and what is so."""
    for name, other, wanted in WANTED:
        if name in rows and other in rows and rows[name].rate and rows[other].rate:
            is_so = rows[name].rate / rows[other].rate
            yield f"{name} is {is_so:.2f} times {other}, wanted {wanted:g}: {'yes' if is_so >= wanted else 'NO'}"
    for name in ("hookctl", "hookctl-2"):
        p99 = rows[name].latency(0.99) if name in rows else None
        if p99 is not None:
            reached = "yes" if p99 < WANTED_P99 else "NO"
            yield (
                f"{name} has a p99 of {1000 * p99:.0f} ms at half load, "
                f"wanted less than {1000 * WANTED_P99:.0f}: {reached}"
            )
    yield from (f"{row.name}: {row.failed}" for row in rows.values() if row.failed)
