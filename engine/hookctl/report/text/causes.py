"""Why deliveries are dead letters, in groups."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hookctl.model import FailureKind

MOST_CAUSES = 3
LONGEST = 60
"""Characters of a cause. Reasons can quote responses, which differ."""
_SCHEDULE = re.compile(r"; schedule used up after [0-9]+ attempts?\Z")
_STATUS = re.compile(r"HTTP [0-9]{3}\b")


def cause_of(reason: str) -> str:
    """What the reason of a dead letter has in common with that of others: ``HTTP 404``, ``timeout``.

    For any other reason, it is the reason itself, shortened.
    """
    whole = _SCHEDULE.sub("", reason)
    if status := _STATUS.match(whole):
        return status[0]
    kind = whole.partition(":")[0]
    if kind in set(FailureKind):
        return kind
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 3]}..."


def causes_text(reasons: Sequence[str], total: int) -> str:
    """The most frequent causes with their numbers: ``12 HTTP 404, 3 timeout``.

    Args:
        reasons: of the newest dead letters.
        total: how many there are.
    """
    counts = Counter(cause_of(reason) for reason in reasons)
    shown = counts.most_common(MOST_CAUSES)
    parts = [f"{number:,} {cause or 'without a reason'}" for cause, number in shown]
    others = len(reasons) - sum(number for _, number in shown)
    text = ", ".join([*parts, *([f"{others:,} for other reasons"] if others > 0 else [])])
    return f"of the newest {len(reasons):,}, {text}" if len(reasons) < total else text
