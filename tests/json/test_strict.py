from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.json.strict import MAX_DEPTH, AmbiguousJsonError, RepeatedKeyError, is_deep, parse


@given(st.data())
def test_a_value_is_read_as_it_was_written(values: Any, data: st.DataObject) -> None:
    value = data.draw(values)
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 1}', "the key 'a' occurs twice"),
        ('[{"b": {"a": 1, "\\u0061": 2}}]', "the key 'a' occurs twice"),
        ("NaN", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("1e999", "too large"),
        (f"{2**1024}", "too large"),
        ('"\\ud800"', "half of a surrogate pair"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper than 64"),
        ("[" * 100_000, "nested deeper than 64"),
        ("9" * 5000, "more digits than can be read"),
    ],
)
def test_what_readers_disagree_on_is_refused(text: str, reason: str) -> None:
    with pytest.raises(AmbiguousJsonError, match=reason):
        parse(text)


def test_what_may_be_asked_for() -> None:
    assert parse(f"{2**1024}", any_integer=True) == 2**1024
    with pytest.raises(AmbiguousJsonError, match="nested deeper than 1"):
        parse("[[]]", max_depth=1)
    assert parse("[]", max_depth=1) == []


@given(st.text(max_size=400))
def test_a_repeated_key_is_named_and_its_name_is_cut(key: str) -> None:
    with pytest.raises(RepeatedKeyError) as caught:
        parse(
            f'{{{json.dumps(key)}: 1, "other": 2, {json.dumps(key)}: 3}}' if key != "other" else '{"other":1,"other":2}'
        )
    assert caught.value.key == key
    assert len(str(caught.value)) < 2500


@given(st.integers(0, 6), st.integers(1, 6), st.booleans())
def test_depth_counts_lists_and_objects(depth: int, limit: int, objects: bool) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value} if objects else [value]
    assert is_deep(value, limit) is (depth > limit)
