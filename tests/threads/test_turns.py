"""Whose call is made next: shares, by a clock that the test moves."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl import threads
from hookctl.threads import SLOW_SECONDS, Pace, Turn, Turns

LIMIT = 16


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def nothing() -> None:
    """A call."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(LIMIT, 1, clock)


def begin_all(turns: Turns) -> list[Turn]:
    """Begin every call that may be made now."""
    begun = []
    while (turn := turns.next()) is not None:
        begun.append(turn)
    return begun


def make(turns: Turns, clock: Clock, *keys: str, seconds: float = 0.0) -> None:
    """A call for each key, one after another, of this length."""
    for key in keys:
        turns.add(key, nothing)
        turn = turns.next()
        assert turn is not None
        clock.now += seconds
        turns.ended(turn)


def test_the_calls_of_one_key_are_made_one_after_another(turns: Turns) -> None:
    for _ in range(3):
        turns.add("a", nothing)
    (turn,) = begin_all(turns)
    turns.ended(turn)
    assert len(begin_all(turns)) == 1


def test_keys_take_turns(turns: Turns) -> None:
    for key in "aaabbc":
        turns.add(key, nothing)
    order = []
    first = begin_all(turns)
    while first:
        turn = first.pop(0)
        order.append(turn.key)
        turns.ended(turn)
        first += begin_all(turns)
    assert order == ["a", "b", "c", "a", "b", "a"]


def test_what_hangs_leaves_room_for_what_was_quick(turns: Turns, clock: Clock) -> None:
    """Any number of unknown keys hang: they get three quarters, and the fast keys get the rest at once."""
    make(turns, clock, "quick")
    for number in range(10 * LIMIT):
        turns.add(f"hangs-{number}", nothing)
    assert len(begin_all(turns)) == LIMIT * 3 // 4
    turns.add("quick", nothing)
    assert [turn.key for turn in begin_all(turns)] == ["quick"]


def test_what_was_slow_leaves_room_for_what_is_new(turns: Turns, clock: Clock) -> None:
    slow = [f"slow-{number}" for number in range(10 * LIMIT)]
    make(turns, clock, *slow, seconds=SLOW_SECONDS)
    for key in slow:
        turns.add(key, nothing)
    assert len(begin_all(turns)) == LIMIT // 2
    turns.add("new", nothing)
    assert [turn.key for turn in begin_all(turns)] == ["new"]


def test_a_key_that_is_quick_again_is_no_longer_slow(turns: Turns, clock: Clock) -> None:
    make(turns, clock, "a", seconds=SLOW_SECONDS)
    make(turns, clock, "a")
    turns.add("a", nothing)
    (turn,) = begin_all(turns)
    assert turn.pace is Pace.QUICK


def test_a_slow_key_gets_one_at_a_time(clock: Clock) -> None:
    turns = Turns(LIMIT, 4, clock)
    for _ in range(10):
        turns.add("a", nothing)
    begun = begin_all(turns)
    assert len(begun) == 4
    clock.now += SLOW_SECONDS
    for turn in begun[1:]:  # the first is still at it
        turns.ended(turn)
    assert begin_all(turns) == []
    turns.ended(begun[0])
    assert len(begin_all(turns)) == 1


def test_a_call_that_could_not_be_made_is_made_before_the_others_of_its_key(turns: Turns) -> None:
    made: list[str] = []
    turns.add("a", lambda: made.append("first"))
    turns.add("a", lambda: made.append("second"))
    for _ in range(2):
        turn = turns.next()
        assert turn is not None
        turns.put_back(turn)
    while (turn := turns.next()) is not None:
        turn.call()
        turns.ended(turn)
    assert made == ["first", "second"]


def test_what_is_known_of_keys_is_bounded(turns: Turns, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_KNOWN", 10)
    turns.add("waits", nothing)
    waits = turns.next()
    assert waits is not None
    make(turns, clock, *map(str, range(100)))
    assert len(turns._lines) <= 11
    turns.ended(waits)


STEPS = st.lists(st.tuples(st.sampled_from(["add", "end", "wait"]), st.integers(0, 30)), max_size=200)


@given(steps=STEPS, each=st.integers(1, 3))
def test_limits_hold_and_every_call_is_made(steps: list[tuple[str, int]], each: int) -> None:
    """Whatever happens: the limits hold, nothing is forgotten, and no call that may be made is left waiting."""
    clock = Clock()
    turns = Turns(8, each, clock)
    begun: list[Turn] = []
    made: Counter[object] = Counter()
    added: Counter[object] = Counter()
    for step, number in [*steps, *[("end", 0)] * 300]:
        if step == "add":
            turns.add(number % 12, nothing)
            added[number % 12] += 1
        elif step == "wait":
            clock.now += number / 10
        elif begun:
            turn = begun.pop(number % len(begun))
            turns.ended(turn)
            made[turn.key] += 1
        begun += begin_all(turns)
        paces = Counter(turn.pace for turn in begun)
        assert paces.total() <= 8
        assert paces[Pace.NEW] + paces[Pace.SLOW] <= 6
        assert paces[Pace.SLOW] <= 4
        assert max(Counter(turn.key for turn in begun).values(), default=0) <= each
    assert made == added
