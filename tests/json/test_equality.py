from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.json.equality import is_equal


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (False, None, False),
        ([1], [True], False),
        ({"a": [0]}, {"a": [False]}, False),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, True),
        ([True, {"a": False}], [True, {"a": False}], True),
        ([1], [1, 1], False),
        ("1", 1, False),
    ],
)
def test_equality(left: Any, right: Any, equal: bool) -> None:
    assert is_equal(left, right) is equal
    assert is_equal(right, left) is equal


@given(st.data())
def test_a_value_equals_its_copy_and_what_json_schema_calls_equal(values: Any, data: st.DataObject) -> None:
    left, right = data.draw(values), data.draw(values)
    assert is_equal(left, json.loads(json.dumps(left)))
    assert is_equal(left, right) is jsonschema_rs.is_valid({"const": left}, right)
