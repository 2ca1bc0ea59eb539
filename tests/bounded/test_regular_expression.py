"""RE2 with a bound: what a pattern finds, what it costs, and where an error in one is."""

from __future__ import annotations

import pytest

from hookctl.bounded import RESPONSE_STEPS, Budget
from hookctl.bounded.regular_expression import MAX_PATTERN, PatternError, compile_pattern
from hookctl.errors import BudgetError


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b+", "abbc", "bb"),
        ("é", "caf\u00e9", "é"),
        ("^b", "ab", None),
        ("b$", "b\n", None),  # the end of the text, not of a line
        ("(?m)^b$", "a\nb\nc", "b"),
        ("a.b", "a\nb", None),
        ("(?s)a.b", "a\nb", "a\nb"),
        ("(?i)ERROR", "an error", "error"),
        (r"\p{L}+", "1漢字2", "漢字"),
        ("", "a", ""),
        ("x", "\ud800x", "x"),  # half a surrogate pair
    ],
)
def test_what_is_found(pattern: str, text: str, found: str | None) -> None:
    assert compile_pattern(pattern).find(text, Budget(1000)) == found


@pytest.mark.parametrize(
    ("pattern", "part", "hint"),
    [
        ("ok(", "ok(", "syntax of RE2"),
        ("a(?=b)", "(?=", "no lookahead"),
        (r"(a)\1", r"\1", "no lookahead"),
        ("ab**", "**", "syntax of RE2"),
        ("x[z-a]", "z-a", "syntax of RE2"),
        ("\ud800", "\ud800", ""),
    ],
)
def test_an_error_has_its_place(pattern: str, part: str, hint: str) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(pattern)
    error = raised.value
    assert pattern[error.start : error.end] == part
    assert hint in error.hint
    assert not error.is_too_large


@pytest.mark.parametrize("pattern", ["a{1001}", r"(\p{L}{10}){10}", "a" * (MAX_PATTERN + 1)])
def test_a_pattern_that_is_too_large(pattern: str) -> None:
    with pytest.raises(PatternError) as raised:
        compile_pattern(pattern)
    assert raised.value.is_too_large


def test_nested_repetition_is_cheap() -> None:
    budget = Budget(RESPONSE_STEPS)
    assert compile_pattern("^(a+)+$").find("a" * 60_000 + "!", budget) is None
    assert budget.left > RESPONSE_STEPS / 2


def test_the_cost_grows_with_the_text_and_with_the_pattern() -> None:
    def cost(pattern: str, text: str) -> int:
        budget = Budget(RESPONSE_STEPS)
        compile_pattern(pattern).is_all_of(text, budget)
        return budget.limit - budget.left

    assert cost("ab", "x" * 20_000) > 1.9 * cost("ab", "x" * 10_000)
    assert cost("[ab]{40}", "x" * 10_000) > 5 * cost("[ab]{4}", "x" * 10_000)
    with pytest.raises(BudgetError):
        cost("(?:.*a){60}", "ab" * 32_000)
