from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_rfc9535 import find

from hookctl.json.paths import ANY, field_text, path_text, pointer_steps, pointer_text
from hookctl.template.language.expressions import Output, Path
from hookctl.template.language.parser import parse

KEYS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=5)
STEPS = st.lists(KEYS | st.integers(0, 3), max_size=4)


@pytest.mark.parametrize(
    ("steps", "expression", "field", "pointer"),
    [
        ((), "data", "", ""),
        (("a", 0, "b"), "data.a[0].b", "a[0].b", "/a/0/b"),
        (("a-b",), 'data["a-b"]', "a-b", "/a-b"),
        (('x"y',), 'data["x\\"y"]', 'x"y', '/x"y'),
        (("a/b", "~"), 'data["a/b"]["~"]', "a/b.~", "/a~1b/~0"),
        ((0, "a"), "data[0].a", "[0].a", "/0/a"),
    ],
)
def test_each_notation(steps: tuple[str | int, ...], expression: str, field: str, pointer: str) -> None:
    assert (path_text("data", steps), field_text(steps), pointer_text(steps)) == (expression, field, pointer)


def test_any_item() -> None:
    assert path_text("$", ("a", ANY, "b")) == "$.a[*].b"


@given(STEPS)
def test_a_pointer_is_read_as_it_was_written(steps: list[str | int]) -> None:
    assert pointer_steps(pointer_text(steps)) == [str(step) for step in steps]
    assert pointer_steps("#" + pointer_text(steps)) == [str(step) for step in steps]


@given(
    st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5) | st.integers(0, 3), max_size=4)
)
def test_a_path_is_a_json_path_to_the_value(steps: list[str | int]) -> None:
    value: Any = "found"
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [None] * step + [value]
    assert [node.value for node in find(path_text("$", steps), value)] == ["found"]


@given(
    st.lists(st.from_regex(re.compile("[A-Za-z_][A-Za-z0-9_]{0,4}"), fullmatch=True) | st.integers(0, 3), max_size=4)
)
def test_a_path_is_an_expression_of_a_template(steps: list[str | int]) -> None:
    (output,) = parse("{{ " + path_text("data", steps) + " }}")
    assert isinstance(output, Output)
    assert isinstance(output.expression, Path)
    assert output.expression.steps == tuple(steps)
