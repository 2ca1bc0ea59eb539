"""The quick reading of JSON: it gives what the strict parser gives, or nothing."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.json.quick import parse_quickly
from hookctl.json.strict import MAX_DEPTH, parse

KEYS = st.sampled_from(["a", "b", '"', '\\"', "\u0022", "é"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(tuple),
    max_leaves=10,
)


def write(value: object, *, escaped: bool) -> str:
    """JSON text of a value in which a tuple of pairs is an object, so that a key may stand in it twice."""
    if isinstance(value, tuple):
        return f"{{{', '.join(f'{write(key, escaped=escaped)}: {write(one, escaped=escaped)}' for key, one in value)}}}"
    if isinstance(value, list):
        return f"[{', '.join(write(one, escaped=escaped) for one in value)}]"
    text = json.dumps(value)
    return text.replace('\\"', "\\u0022") if escaped else text


@given(VALUES, st.booleans())
def test_it_reads_as_the_strict_parser_or_leaves_it_to_that(value: object, escaped: bool) -> None:
    text = write(value, escaped=escaped)
    quick = parse_quickly(text.encode())
    if quick is not None:
        assert quick[0] == parse(text, any_integer=True)
        assert msgspec.json.decode(quick[1]) == quick[0]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": "\\u0022\\u0022", "b": {"c": 1, "c": 2}}',
        b"[NaN]",
        b'"\xff"',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"{",
    ],
)
def test_it_leaves_to_the_strict_parser_what_is_not_certain(text: bytes) -> None:
    assert parse_quickly(text) is None


def test_an_ordinary_event_is_read() -> None:
    text = b'{"id": "e1", "data": {"title": "a \\"b\\"", "count": 12345678901234567890}}'
    assert parse_quickly(text) == (json.loads(text), json.dumps(json.loads(text), separators=(",", ":")).encode())
