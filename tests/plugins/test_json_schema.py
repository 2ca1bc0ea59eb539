"""``json_schema``: what it accepts, what it reports, and that neither a schema nor a body makes it expensive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.errors import TemplateError
from hookctl.model import Json, Mismatch
from hookctl.plugin import Envelope
from hookctl.plugin.host import load_plugins

VALIDATOR = load_plugins().validators["json_schema"]


def check(schema: Json, body: Json) -> Sequence[Mismatch]:
    return VALIDATOR.build({"schema": schema})(Envelope(status=200, headers={}, data=body))


def refusal(schema: Json) -> TemplateError:
    with pytest.raises(TemplateError) as raised:
        VALIDATOR.build({"schema": schema})
    assert raised.value.rule == "expression-invalid"
    assert raised.value.hint
    return raised.value


def nested(depth: int, key: str = "a") -> Json:
    value: Json = 1
    for _ in range(depth):
        value = {key: value}
    return value


@pytest.mark.parametrize(
    ("schema", "body", "path", "message"),
    [
        ({"required": ["ok"]}, {"id": 1}, "$.data", '$.data is {"id": 1}: "ok" is a required property'),
        (
            {"properties": {"n": {"type": "integer"}}}, {"n": "x"}, "$.data.n",
            '$.data.n is "x": it is not of type "integer"',
        ),
        ({"items": {"const": 1}}, [1, 2], "$.data[1]", "$.data[1] is 2: 1 was expected"),
        (
            {"properties": {"404": {"type": "null"}}}, {"404": 1}, '$.data["404"]',
            '$.data["404"] is 1: it is not of type "null"',
        ),
        ({"maxItems": 0}, [1], "$.data", "$.data is [1]: it has more than 0 items"),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]}, 1, "$.data",
            "$.data is 1: it is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#", "items": [False]}, [1], "$.data[0]",
            "$.data[0] is 1: False schema does not allow it",
        ),
        ({"$id": "https://a.example.com/", "$ref": "#/$defs/a", "$defs": {"a": {"minimum": 2}}}, 1, "$.data", None),
    ],
)  # fmt: skip
def test_the_first_difference_is_reported(schema: Json, body: Json, path: str, message: str | None) -> None:
    (mismatch,) = check(schema, body)
    assert mismatch.path == path
    assert message in {None, mismatch.message}
    assert mismatch.validator == "json_schema"


def test_long_values_and_names_are_cut() -> None:
    (mismatch,) = check({"type": "object"}, "x" * 50_000)
    assert len(mismatch.message) < 400
    assert len(str(mismatch.got)) <= 1000
    (mismatch,) = check({"additionalProperties": False}, {"x" * 50_000: 1})
    assert len(mismatch.message) < 400


SCHEMAS: list[Json] = [
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    {"items": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}},
    {"$ref": "#/$defs/node", "$defs": {"node": {"properties": {"a": {"$ref": "#/$defs/node"}}, "maxProperties": 1}}},
    {"if": {"type": "object"}, "then": {"minProperties": 1}, "else": {"not": {"type": "null"}}},
    {"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": False},
    {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}, "contains": {"const": "x"}},
    {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False},
    {"propertyNames": {"maxLength": 1}, "dependentRequired": {"a": ["b"]}, "uniqueItems": True},
    {"oneOf": [{"type": "array"}, {"minItems": 1}]},
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "x", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "ab"]), inner, max_size=3),
    max_leaves=8,
)


@given(schema=st.sampled_from(SCHEMAS), body=VALUES)
@settings(max_examples=100)
def test_it_agrees_with_another_implementation(schema: Any, body: Json) -> None:
    assert (check(schema, body) == ()) is jsonschema.Draft202012Validator(schema).is_valid(body)


@pytest.mark.parametrize(
    ("schema", "pointer", "what"),
    [
        ({"properties": {"a": {"type": "strin"}}}, ("properties", "a", "type"), '"strin" is not a type'),
        ({"items": {"minLength": -1}}, ("items", "minLength"), "-1 is less than"),
        ({"required": "a"}, ("required",), '"a" is not of type "array"'),
        ({"propertis": {}}, ("propertis",), "no keyword propertis"),
        ({"allOf": [{"typ": "object"}]}, ("allOf", 0, "typ"), "no keyword typ"),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, ("properties", "a", "pattern"), "not a regular expression"),
        ({"properties": {"a": {"pattern": "(a{100}){100}"}}}, ("properties", "a", "pattern"), "too large"),
        ({"patternProperties": {"(": {}}}, ("patternProperties", "("), "not a regular expression"),
        ({"properties": {"a": {"$ref": "https://a.example.com/s.json"}}}, ("properties", "a", "$ref"), "outside of it"),
        ({"$ref": "file:///etc/passwd"}, ("$ref",), "outside of it"),
        ({"$ref": "other.json#/a"}, ("$ref",), "outside of it"),
        ({"$ref": "#name", "$defs": {"a": {"$anchor": "name"}}}, ("$ref",), "outside of it"),
        ({"$ref": "#/$defs/gone"}, ("$ref",), "has no #/$defs/gone"),
        ({"anyOf": [{"$ref": "#/anyOf/1"}]}, ("anyOf", 0, "$ref"), "has no #/anyOf/1"),
        ({"properties": {"a": {"$ref": "#/examples/0"}}, "examples": [{}]}, ("properties", "a"), "not a schema"),
        ({"$dynamicRef": "#"}, ("$dynamicRef",), "not supported"),
        ({"items": {"$id": "https://a.example.com/"}}, ("items", "$id"), "not supported"),
        ({"$schema": "https://a.example.com/schema"}, (), "Unknown meta-schema"),
        ({"$ref": "#"}, (), "refers to itself"),
        ({"properties": {"a": {"not": {"$ref": "#/properties/a"}}}}, ("properties", "a"), "refers to itself"),
        ({"enum": [*range(5000)]}, (), "more than 5,000 values"),
        (nested(70, "not"), (), "nested deeper than 64"),
    ],
)  # fmt: skip
def test_an_invalid_schema_is_refused_with_its_place(schema: Json, pointer: tuple[str | int, ...], what: str) -> None:
    error = refusal(schema)
    assert error.pointer == pointer
    assert what in error.message


def test_own_keywords_and_data_are_not_mistaken_for_keywords() -> None:
    assert check({"x-owner": "it", "const": {"propertis": 1}, "examples": [{"$ref": "a"}]}, {"propertis": 1}) == ()
    assert check({"properties": {"$ref": {"type": "string"}, "typ": True}}, {"$ref": "a"}) == ()


def test_references_may_have_percent_escapes() -> None:
    schema: Json = {"items": {"$ref": "#/$defs/a%20b~1%25"}, "$defs": {"a b/%": {"type": "string"}}}
    assert check(schema, ["x"]) == ()
    assert check(schema, [1])


def test_a_problem_with_the_identity_of_a_schema_is_told_without_the_schema() -> None:
    error = refusal({"$schema": "https://a.example.com/schema"})
    assert error.message.startswith("not a valid JSON Schema: Unknown meta-schema: 'https://a.example.com/schema'")


def doubling(levels: int, leaf: Json) -> Json:
    """Each of the schemas refers twice to the next, so the last one is evaluated 2 ** levels times."""
    definitions: dict[str, Json] = {
        f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": leaf}}


def test_alternatives_that_multiply_are_refused() -> None:
    assert check(doubling(5, {"type": "string"}), "x") == ()
    assert "multiply to more than 10,000" in refusal(doubling(15, {"type": "string"})).message
    chain: dict[str, Json] = {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(60)}
    assert "more than 40 references" in refusal({"$ref": "#/$defs/d0", "$defs": {**chain, "d60": True}}).message


TREE = {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["b"]}] * 2}
"""Evaluated twice as often at each level of the value."""
INNER: Json = {"properties": {"1": True}}
for _ in range(6):
    INNER = {"anyOf": [INNER, INNER], "unevaluatedProperties": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "body"),
    [
        (TREE, nested(60)),
        (INNER, {str(number): number for number in range(50)}),
        ({"items": {"enum": [*range(4000)]}}, [*range(5000, 7000)]),
        (doubling(8, {"pattern": "^(a+)+$"}), "a" * 60_000),
        (doubling(8, {"uniqueItems": True}), [*range(20_000)]),
        ({"items": {"pattern": "[ab]*a[ab]{100}c"}}, ["ab" * 10_000] * 30),
        ({"patternProperties": {f"{number}": True for number in range(900)}}, {"x" * 50: 1, "y" * 5000: 1}),
        ({"items": {"properties": {f"{number}": True for number in range(1000)}}}, [{} for _ in range(16_000)]),
        ({"items": {"patternProperties": {f"{number}": True for number in range(1000)}}}, [{} for _ in range(16_000)]),
        ({"items": {"dependentRequired": {f"{number}": [] for number in range(1000)}}}, [{} for _ in range(16_000)]),
    ],
)  # fmt: skip
def test_an_expensive_evaluation_is_a_mismatch(schema: Json, body: Json) -> None:
    (mismatch,) = check(schema, body)
    assert mismatch.message == "the body cannot be checked with this schema: it takes more than 500,000 steps"


def test_recursion_into_a_body_is_allowed_and_bounded() -> None:
    schema: Json = {"type": ["object", "integer"], "properties": {"a": {"$ref": "#"}}}
    assert check(schema, nested(64)) == ()
    (mismatch,) = check(schema, nested(3000))
    assert mismatch.message == "the body cannot be checked with this schema: it is nested too deeply"


def test_the_failure_of_many_alternatives_is_not_described() -> None:
    """Describing each would take seconds."""
    body: Json = {"items": [{"a": number, "b": "x"} for number in range(500)]}
    (mismatch,) = check({"anyOf": [{"type": "string", "maxLength": number} for number in range(500)]}, body)
    assert mismatch.message == "the body does not match the schema"
