"""Reasons of bad events, grouped."""

from __future__ import annotations

from collections import Counter

import pytest

from hookctl.delivery.events.reasons import MAX_REASONS, OTHER, count_reasons, without_values


@pytest.mark.parametrize(
    ("reason", "general"),
    [
        ("not valid JSON at column 17", "not valid JSON at column ..."),
        ('data.severity: "High" is not one of "a" or "b"', "data.severity: ... is not one of ... or ..."),
        ("unknown event type 'a\\'b'; did you mean 'x'?", "unknown event type ...; did you mean ...?"),
        ("data.sha256: -1.5e3 is too small", "data.sha256: ... is too small"),
        ("event_type is missing", "event_type is missing"),
    ],
)
def test_values_do_not_count(reason: str, general: str) -> None:
    assert without_values(reason) == general


def test_there_are_never_too_many() -> None:
    counts: Counter[str] = Counter()
    count_reasons(counts, (f"x{'y' * number} is wrong" for number in range(10 * MAX_REASONS)))
    assert (len(counts), counts[OTHER]) == (MAX_REASONS + 1, 9 * MAX_REASONS)
    count_reasons(counts, ["xy is wrong"])
    assert counts["xy is wrong"] == 2
