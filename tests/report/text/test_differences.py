"""Differences of requests as lines."""

from __future__ import annotations

from hookctl.config.effects.structure import ABSENT, Masked, Step
from hookctl.report.text.differences import difference_lines


def test_a_masked_value_is_quoted_inside_an_object_only() -> None:
    token = Masked("Bearer ***", "Bearer ${env:T}")
    steps = [Step(("headers",), ABSENT, {"A": token, "B": "c"}), Step(("headers", "A"), ABSENT, token)]
    assert list(difference_lines(steps)) == [
        ("+", 'headers: {"A": "Bearer ***", "B": "c"}'),
        ("+", "headers.A: Bearer ***"),
    ]
