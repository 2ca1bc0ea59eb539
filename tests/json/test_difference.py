from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hookctl.json.difference import MAX_PAIRS, aligned, common_ends, pairs

ITEMS = st.lists(st.sampled_from("abc"), max_size=8)


@given(ITEMS, ITEMS)
def test_every_item_of_both_lists_is_in_one_pair(before: list[str], after: list[str]) -> None:
    found = list(aligned(before, after, pairs()))
    assert sorted(index for _, index, _ in found if index is not None) == list(range(len(before)))
    assert sorted(index for _, _, index in found if index is not None) == list(range(len(after)))
    for same, index, index_after in found:
        if same:
            assert index is not None
            assert index_after is not None
            assert before[index] == after[index_after]


@given(ITEMS, ITEMS)
def test_what_stays_keeps_its_order(before: list[str], after: list[str]) -> None:
    staying = [(index, index_after) for same, index, index_after in aligned(before, after, pairs()) if same]
    assert staying == sorted(staying)
    assert [index_after for _, index_after in staying] == sorted(index_after or 0 for _, index_after in staying)


@given(ITEMS)
def test_equal_lists_stay_as_they_are(items: list[str]) -> None:
    assert list(aligned(items, items, pairs())) == [(True, index, index) for index in range(len(items))]
    assert common_ends(items, items) == (len(items), 0)


def test_long_lists_are_compared_from_both_ends_only() -> None:
    size = int(MAX_PAIRS**0.5) + 1
    before = ["start", *(f"old {number}" for number in range(size)), "same", "end"]
    after = ["start", "same", *(f"new {number}" for number in range(size)), "end"]
    found = list(aligned(before, after, pairs()))
    assert [pair for pair in found if pair[0]] == [(True, 0, 0), (True, len(before) - 1, len(after) - 1)]
