from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.json.kinds import DESCRIBED, described, is_number, kind, schema_type

TABLE: list[tuple[Any, str, str, str]] = [
    (None, "null", "null", "null"),
    (True, "boolean", "boolean", "a boolean"),
    (0, "integer", "number", "a number"),
    (1.5, "number", "number", "a number"),
    ("", "string", "string", "a string"),
    ([], "array", "array", "a list"),
    ({}, "object", "object", "an object"),
]


@pytest.mark.parametrize(("value", "in_schemas", "in_json", "words"), TABLE)
def test_every_kind_has_its_names(value: Any, in_schemas: str, in_json: str, words: str) -> None:
    assert (schema_type(value), kind(value), described(value)) == (in_schemas, in_json, words)


def test_every_type_of_json_schema_is_described() -> None:
    assert set(DESCRIBED) == {in_schemas for _, in_schemas, _, _ in TABLE}


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_a_validator_agrees_with_the_type(value: Any) -> None:
    assert jsonschema_rs.is_valid({"type": schema_type(value)}, value)
    assert is_number(value) is jsonschema_rs.is_valid({"type": "number"}, value)
