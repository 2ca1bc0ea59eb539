"""Pairs the items of two lists at a bounded cost: difflib alone takes up to cubic time in the lists' length."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from hookctl.bounded.budget import Budget

MAX_PAIRS = 40_000
"""The maximum product of the two lengths for which unchanged items are searched for. Longer lists are compared only
from both ends.
"""
MAX_ALL_PAIRS = 400_000
"""The same maximum, for all lists in one value together."""

Run = tuple[bool, int, int, int, int]
"""A part of two lists: whether it is equal in both, its start and end before, and its start and end after."""


def pairs() -> Budget:
    """The budget of the comparison of one value with another."""
    return Budget(MAX_ALL_PAIRS)


def aligned(
    before: Sequence[Hashable], after: Sequence[Hashable], room: Budget
) -> Iterator[tuple[bool, int | None, int | None]]:
    """The items of two lists in pairs: whether the two are equal, and the index before and after.

    Items that both lists have in the same order are unchanged. The items between them are paired in order; an item that
    is left over has None as its other index. Equal items must have equal hashes.
    """
    for same, start, end, start_after, end_after in runs(before, after, room):
        count = min(end - start, end_after - start_after)
        yield from ((same, start + number, start_after + number) for number in range(count))
        yield from ((False, index, None) for index in range(start + count, end))
        yield from ((False, None, index) for index in range(start_after + count, end_after))


def runs(before: Sequence[Hashable], after: Sequence[Hashable], room: Budget) -> Iterator[Run]:
    """The parts of two lists in order, equal ones and others. Empty parts are left out."""
    start, end = common_ends(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if start:
        yield True, 0, start, 0, start
    if (old or new) and (not old or not new or len(old) * len(new) > min(MAX_PAIRS, room.left)):
        yield False, start, start + len(old), start, start + len(new)
    elif old:
        from difflib import SequenceMatcher  # imported here, because it is needed only for lists that differ

        room.spend(len(old) * len(new))
        for tag, *places in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
            first, last, first_after, last_after = (start + place for place in places)
            yield tag == "equal", first, last, first_after, last_after
    if end:
        yield True, len(before) - end, len(before), len(after) - end, len(after)


def common_ends(before: Sequence[Hashable], after: Sequence[Hashable]) -> tuple[int, int]:
    """The number of equal items at the start, and of the remaining ones at the end."""
    shorter = min(len(before), len(after))
    start = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    end = next((index for index in range(shorter - start) if before[-1 - index] != after[-1 - index]), shorter - start)
    return start, end
