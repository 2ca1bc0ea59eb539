"""Groups the reasons why events are bad, so that thousands of them can be summarized."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

MAX_REASONS = 100
"""The maximum number of reasons that are counted apart; a stream may have any number."""
OTHER = "other reasons"
_VARYING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|(?<![\w.])-?\d[\d.eE+-]*(?!\w)')
"""Values of the event, and numbers such as columns."""


def without_values(reason: str) -> str:
    """``reason`` with ``...`` in place of quoted text and numbers: equal for events that are bad in the same way."""
    return _VARYING.sub("...", reason)


def count_reasons(counts: Counter[str], reasons: Iterable[str]) -> None:
    """Add ``reasons``, without their values, to ``counts``."""
    for reason in reasons:
        general = without_values(reason)
        counts[general if general in counts or len(counts) < MAX_REASONS else OTHER] += 1
