"""The circuit breaker, result by result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.delivery.runner.circuit import MAX_OPEN_SECONDS, MINIMUM, OPEN_SECONDS, WINDOW_SECONDS, Breaker

FULL = 64


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(MINIMUM):
        breaker.failure(now, "HTTP 500")
    assert breaker.state == "open"
    return breaker


def test_a_few_failures_say_nothing() -> None:
    breaker = Breaker()
    for _ in range(MINIMUM - 1):
        breaker.failure(0.0, "HTTP 500")
    assert (breaker.state, breaker.look(0.0)) == ("closed", None)


@pytest.mark.parametrize(("good", "state"), [(MINIMUM, "open"), (MINIMUM + 1, "closed")])
def test_it_opens_at_a_share_of_failures(good: int, state: str) -> None:
    breaker = Breaker()
    for _ in range(good):
        breaker.success(0.0, FULL)
    for _ in range(MINIMUM):
        breaker.failure(0.0, "HTTP 500")
    assert breaker.state == state


def test_what_is_long_ago_does_not_count() -> None:
    breaker = Breaker()
    for _ in range(MINIMUM - 1):
        breaker.failure(0.0, "HTTP 500")
    breaker.failure(2 * WINDOW_SECONDS, "HTTP 500")
    assert breaker.state == "closed"
    for _ in range(MINIMUM - 1):
        breaker.failure(2 * WINDOW_SECONDS, "HTTP 500")
    assert breaker.state == "open"


def test_one_probe_and_then_the_load_doubles_with_each_round() -> None:
    breaker = opened()
    assert (breaker.look(OPEN_SECONDS - 0.1), breaker.look(OPEN_SECONDS)) == (0, 1)
    assert breaker.state == "half-open"
    rounds = []
    while (limit := breaker.look(OPEN_SECONDS)) is not None:
        rounds.append(limit)
        for _ in range(limit):
            breaker.success(OPEN_SECONDS, FULL)
    assert rounds == [1, 2, 4, 8, 16, 32]


def test_each_probe_that_fails_doubles_the_wait() -> None:
    breaker, now, waits = opened(), 0.0, []
    for _ in range(8):
        waits.append(breaker.until - now)
        now = breaker.until
        assert breaker.look(now) == 1
        breaker.failure(now, "HTTP 503")
    assert waits == [10, 20, 40, 80, 160, 300, 300, 300]
    assert (breaker.reason, breaker.since, max(waits)) == ("HTTP 503", 0.0, MAX_OPEN_SECONDS)


def test_a_failure_on_the_way_up_halves_the_load() -> None:
    breaker = opened()
    breaker.look(OPEN_SECONDS)
    for _ in range(9):
        breaker.success(OPEN_SECONDS, FULL)
    breaker.failure(OPEN_SECONDS, "HTTP 500")
    assert breaker.look(OPEN_SECONDS) == 5
    for _ in range(3):
        breaker.failure(OPEN_SECONDS, "HTTP 500")
    assert breaker.look(OPEN_SECONDS) == 0


def test_what_began_before_it_opened_does_not_count_while_it_is_open() -> None:
    breaker = opened()
    breaker.success(1.0, FULL)
    breaker.failure(1.0, "HTTP 500")
    assert (breaker.look(1.0), breaker.until) == (0, OPEN_SECONDS)


@given(
    st.lists(st.tuples(st.sampled_from(["good", "bad", "look"]), st.floats(0, 400)), max_size=200), st.integers(1, 100)
)
def test_it_never_stays_open_for_good(steps: list[tuple[str, float]], full: int) -> None:
    breaker, now = Breaker(), 0.0
    for what, passed in steps:
        now += passed
        if what == "good":
            breaker.success(now, full)
        elif what == "bad":
            breaker.failure(now, "HTTP 500")
        limit = breaker.look(now)
        assert limit is None or 0 <= limit < max(2, full)
        assert breaker.until <= now + MAX_OPEN_SECONDS
    assert breaker.look(now + MAX_OPEN_SECONDS) != 0
