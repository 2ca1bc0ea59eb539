"""The structural difference: what it says, and that it says all and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.config.effects.structure import (
    ABSENT,
    INSIDE,
    JsonText,
    Marker,
    Masked,
    Opened,
    Part,
    Step,
    closed,
    compare,
    differences,
    open_up,
    size,
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, 1.5])
    | st.sampled_from(["", "a", "b", "{", "[1", "{}", "[]", '{"a": 1}'])
)
values: Any = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "$", ""]), inner, max_size=4)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


def exact(value: Any) -> Any:
    """Tells 1 from 1.0 and from true, which Python does not."""
    if isinstance(value, JsonText):
        return ("text", exact(value.value))
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact(item) for item in value]
    return (type(value), value)


def fold(before: Opened | Marker, steps: Sequence[Step]) -> Opened | Marker:
    """``before`` with the differences made: what ``differences`` was given as ``after``."""
    if not steps:
        return before
    if not steps[0].path:
        return steps[0].after
    if isinstance(before, JsonText):
        inner = fold(before.value, [_below(step) for step in steps])
        return inner if isinstance(inner, Marker) else JsonText(inner, before.text)
    if isinstance(before, list):
        return _fold_list(before, steps)
    groups: dict[Part, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.path[0], []).append(step)
    folded = dict(before) if isinstance(before, dict) else {}
    for key, group in groups.items():
        value = fold(folded.get(str(key), ABSENT), [_below(step) for step in group])
        if isinstance(value, Marker):
            del folded[str(key)]
        else:
            folded[str(key)] = value
    return folded


def _fold_list(before: list[Opened], steps: Sequence[Step]) -> list[Opened]:
    """First what goes, by the index before; then what comes and what changes, by the index after."""
    gone = {step.path[0] for step in steps if step.op == "remove" and len(step.path) == 1}
    folded = [item for index, item in enumerate(before) if index not in gone]
    groups: dict[int, list[Step]] = {}
    for step in steps:
        if isinstance(step.path[0], int) and not (step.op == "remove" and len(step.path) == 1):
            groups.setdefault(step.path[0], []).append(step)
    for index, group in sorted(groups.items()):
        comes = len(group[0].path) == 1 and group[0].op == "add"
        value = fold(ABSENT if comes else folded[index], [_below(step) for step in group])
        if not isinstance(value, Marker):
            folded[index : index + (not comes)] = [value]
    return folded


def _below(step: Step) -> Step:
    return Step(step.path[1:], step.before, step.after)


@given(values, values)
def test_before_and_the_differences_give_after(before: Any, after: Any) -> None:
    old, new = open_up(before), open_up(after)
    assert exact(fold(old, differences(old, new))) == exact(new)


@given(values)
def test_equal_values_have_no_difference(value: Any) -> None:
    assert differences(open_up(value), open_up(json.loads(json.dumps(value)))) == []


@given(values, values)
def test_what_is_the_same_and_what_differs_is_all_there_is(before: Any, after: Any) -> None:
    steps = compare(open_up(before), open_up(after))
    assert len({(step.path, step.after is ABSENT) for step in steps}) == len(steps)
    assert all(exact(step.before) == exact(step.after) for step in steps if step.same)
    assert all(exact(step.before) != exact(step.after) for step in steps if not step.same)


@given(values, values)
def test_a_difference_turned_round(before: Any, after: Any) -> None:
    """Which items of a list are paired may depend on the direction: difflib does not promise otherwise."""
    old, new = open_up(before), open_up(after)
    assert (differences(old, new) == []) is (differences(new, old) == [])


@given(values)
def test_a_value_is_closed_as_it_was(value: Any) -> None:
    assert exact(closed(open_up(value))) == exact(value)


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        ({"a": 1}, {"a": True}, [Step(("a",), 1, True)]),
        ({"a": 1}, {"b": None}, [Step(("b",), ABSENT, None), Step(("a",), 1, ABSENT)]),
        ([1, 2, 3], [0, 1, 2, 3], [Step((0,), ABSENT, 0)]),
        ([1, 2, 3], [1, 3], [Step((1,), 2, ABSENT)]),
        ([{"a": 1}, 2], [{"a": 2}, 2], [Step((0, "a"), 1, 2)]),
        ([1, {"a": 2}, 3], [0, 1, {"a": 9}, 3], [Step((0,), ABSENT, 0), Step((2, "a"), 2, 9)]),
        ([7, 8, 1], [1, 9], [Step((0,), 7, ABSENT), Step((1,), 8, ABSENT), Step((1,), ABSENT, 9)]),
        ([1, True, "1"], [0, True, "1", 1], [Step((0,), 1, 0), Step((3,), ABSENT, 1)]),
        ([0] * 300 + [1], [2] + [0] * 300 + [3], [Step((0,), 0, 2), Step((300,), 1, 0), Step((301,), ABSENT, 3)]),
        ('{"a": 1}', '{"a":2}', [Step((INSIDE, "a"), 1, 2)]),
        ('{"a": 1}', '{ "a": 1 }', []),
        ({"t": '{"i": "[1]"}'}, {"t": '{"i": "[2]"}'}, [Step(("t", INSIDE, "i", INSIDE, 0), 1, 2)]),
        ({"t": "{}"}, {"t": "x"}, [Step(("t",), JsonText({}, "{}"), "x")]),
    ],
)
def test_differences(before: Any, after: Any, steps: list[Step]) -> None:
    old, new = open_up(before), open_up(after)
    assert differences(old, new) == steps
    assert differences(fold(old, steps), new) == []


@pytest.mark.parametrize(
    "text", ["[NaN]", "[1e999]", "[" * 65 + "]" * 65, "[" * 100_000, "{", '["\\u12"]', "[" + "1" * 5000 + "]"]
)
def test_a_string_that_is_no_json_text_stays_one(text: str) -> None:
    assert open_up(text) == text


def test_deep_values_are_compared_in_a_time_that_does_not_double_with_each_level() -> None:
    before, after = (json.loads("[" * 60 + last + "]" * 60) for last in "12")
    assert [step.path for step in differences(before, after)] == [(0,) * 60]
    inner = "[" * 16 + "]" * 16
    assert isinstance(open_up(inner), JsonText)
    assert open_up(f"[{inner}]") == f"[{inner}]"


def test_masked_texts_differ_by_their_references() -> None:
    assert differences(Masked("***", "${env:A}"), Masked("***", "${env:A}")) == []
    assert [step.op for step in differences(Masked("***", "${env:A}"), Masked("***", "${env:B}"))] == ["change"]
    assert closed(Masked("***", "${env:A}")) == "***"


@pytest.mark.parametrize(("value", "count"), [(1, 1), ({}, 1), ({"a": 1, "b": [1, 2, {}]}, 4), ('{"a": [1, 2]}', 2)])
def test_size(value: Any, count: int) -> None:
    assert size(open_up(value)) == count
