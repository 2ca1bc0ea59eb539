"""What two lists have in common, found at a bounded cost: difflib takes up to the cube of their length."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from hookctl.bounded.budget import Budget

MAX_PAIRS = 40_000
"""Items before times items after of two lists in which what stays is looked for; longer ones are compared from both ends alone."""
MAX_ALL_PAIRS = 400_000
"""The same of all lists in a value."""

Run = tuple[bool, int, int, int, int]
"""Whether both lists are the same here; from where to where before, and from where to where after."""


def pairs() -> Budget:
    """What may be looked at to compare one value with another."""
    return Budget(MAX_ALL_PAIRS)


def runs(before: Sequence[Hashable], after: Sequence[Hashable], room: Budget) -> Iterator[Run]:
    """The runs of two lists, in order: those that are the same in both, and what is between them. Empty runs are left out."""
    start, end = common_ends(before, after)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if start:
        yield True, 0, start, 0, start
    if (old or new) and (not old or not new or len(old) * len(new) > min(MAX_PAIRS, room.left)):
        yield False, start, start + len(old), start, start + len(new)
    elif old:
        from difflib import SequenceMatcher  # only where something differs

        room.spend(len(old) * len(new))
        for tag, *places in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
            first, last, first_after, last_after = (start + place for place in places)
            yield tag == "equal", first, last, first_after, last_after
    if end:
        yield True, len(before) - end, len(before), len(after) - end, len(after)


def common_ends(before: Sequence[Hashable], after: Sequence[Hashable]) -> tuple[int, int]:
    """How many items at the beginning, and of the rest at the end, are the same."""
    shorter = min(len(before), len(after))
    start = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    end = next((index for index in range(shorter - start) if before[-1 - index] != after[-1 - index]), shorter - start)
    return start, end
