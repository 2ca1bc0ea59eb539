"""Responses as validators see them."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.delivery.attempt.envelope import body_value, open_envelope
from hookctl.json.strict import MAX_DEPTH
from hookctl.model import Json, Response


@pytest.mark.parametrize(
    ("body", "headers", "is_"),
    [
        (b"", [], "the body is empty"),
        (b" \r\n", [], "the body is empty"),
        (gzip.compress(b"{}", mtime=0), [("Content-Encoding", "gzip")], "the body is compressed with gzip"),
        (gzip.compress(b"{}", mtime=0), [], "the body is compressed with gzip"),
        (b"\x0b\x01\x80{}\x03", [("Content-Encoding", "br")], "the body is compressed"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", [], "the body is HTML"),
        (b"<html>", [], "the body is HTML"),
        (b"<p>Sign in", [("Content-Type", "text/html; charset=utf-8")], "the body is HTML"),
        ("\u00e9t\u00e9".encode("latin-1"), [], "the body is not UTF-8"),
        (b'{"a": "\xe9"}', [("Content-Type", "application/json")], "the body is not UTF-8"),
        (b"OK", [], "the body is not JSON"),
        (b"\x28\xb5\x2f\xfd\x04", [], "the body is compressed with zstd"),
        ('{"a": 1}'.encode("utf-16-le"), [], "the body is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), [], "the body is not UTF-8"),
        (b'{"a": "b', [], "the body is not JSON, because it ends before its brackets are closed"),
        (b'[{"a": "]}"}', [], "the body is not JSON, because it ends before its brackets are closed"),
        (b'{"a": "\\', [], "the body is not JSON, because it ends before its brackets are closed"),
        (b'{"a": "{"}}', [], "the body is not JSON"),
        (b'"text', [], "the body is not JSON"),
        (b"<ok/>", [], "the body is not JSON"),
        (b'"text"', [], ""),
        (b"{}", [("Content-Type", "text/html")], ""),
        (b"{}", [("Content-Encoding", "identity")], ""),
    ],
)
def test_what_a_body_is_that_is_not_json(body: bytes, headers: list[tuple[str, str]], is_: str) -> None:
    assert open_envelope(Response(200, "OK", tuple(headers), body)).not_json == is_


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", ""),
        (b"OK", "OK"),
        (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"text"', "text"),
        (b"7", 7),
        (b"NaN", "NaN"),
        (b'{"a": Infinity}', '{"a": Infinity}'),
        (b"9" * 5000, "9" * 5000),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'{"a": "\\ud800"}', '{"a": "\\ud800"}'),
        (b"1e999", "1e999"),
        (b"1e308", 1e308),
        (b'{"a": [-1e999]}', '{"a": [-1e999]}'),
        (b"1" + b"0" * 400, "1" + "0" * 400),
        (b"1" + b"0" * 307, 10**307),
        (b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (b'[{"a": 1, "\\u0061": 2}]', '[{"a": 1, "\\u0061": 2}]'),
        (b'{"a": 1, "b": {"a": "\\u0022"}}', {"a": 1, "b": {"a": '"'}}),
        (b'{"a": "\\u0022\\u0022", "a": 2}', '{"a": "\\u0022\\u0022", "a": 2}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"{} {}", "{} {}"),
    ],
)
def test_bodies(body: bytes, value: Json) -> None:
    assert body_value(body) == value


def test_depth() -> None:
    fits = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert isinstance(body_value(fits), list)
    too_deep = b"[" + fits + b"]"
    assert body_value(too_deep) == too_deep.decode()
    hostile = b"[" * 60_000
    assert body_value(hostile) == hostile.decode()
    wide = b"[" + b"[],[{}]," * 1000 + b"[]]"
    assert isinstance(body_value(wide), list)


def test_a_body_of_quotes_is_described_in_linear_time() -> None:
    body = b'{"' + b'\\"' * 32_000
    assert open_envelope(Response(200, "", (), body)).not_json.endswith("brackets are closed")


@pytest.mark.parametrize(
    ("body", "headers", "text", "not_text"),
    [
        (b'{"a": 1}', [], '{"a": 1}', ""),
        (b'\xef\xbb\xbf"a"', [], '"a"', ""),
        (b"", [("Content-Encoding", "gzip")], "", ""),
        (b"<html>", [("Content-Type", "text/html")], "<html>", ""),
        (b"\xe9", [], "\ufffd", "the body is not UTF-8"),
        (b"<html>\xe9", [], "<html>\ufffd", "the body is not UTF-8"),
        (b"x", [("Content-Encoding", "br")], "x", "the body is compressed"),
        (b"7", [("Content-Encoding", "br")], "7", ""),
    ],
)
def test_the_text_of_a_body(body: bytes, headers: list[tuple[str, str]], text: str, not_text: str) -> None:
    envelope = open_envelope(Response(200, "", tuple(headers), body))
    assert (envelope.text, envelope.not_text, envelope.body) == (text, not_text, body)


def test_headers_have_lower_case_names_and_joined_values() -> None:
    envelope = open_envelope(
        Response(201, "Created", (("X-A", "1"), ("Content-Type", "text/plain"), ("x-a", "2")), b"")
    )
    assert envelope.status == 201
    assert envelope.headers == {"x-a": "1, 2", "content-type": "text/plain"}
    assert envelope.problem == ""


def test_a_body_that_is_not_whole_is_a_problem() -> None:
    assert "longer than 65536 bytes" in open_envelope(Response(200, "", (), b"{}", truncated=True)).problem
    assert "not marked" in open_envelope(Response(200, "", (), b"{}", framed=False)).problem


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"status": "failed", "status": "accepted"}', "the key 'status' appears twice in one object"),
        (b'{"status": 1e999}', "the number 1e999 is too large"),
        (b'{"status": ' + b"9" * 400 + b"}", "the number 999"),
        (b'{"status": ' + b"9" * 5000 + b"}", "a number with more digits than can be read"),
        (b'{"status": NaN}', "NaN is not JSON"),
        (b"[" * 60 + b"[" * 5 + b"]" * 65, "nested deeper than 64"),
        (b"[" * 60_000, "nested deeper than 64"),
        (b'"\\ud800"', "an unpaired surrogate"),
    ],
)
def test_what_only_some_readers_take_for_json_is_a_problem(body: bytes, why: str) -> None:
    problem = open_envelope(Response(200, "", (), body)).problem
    assert problem.startswith(f"JSON readers disagree on it: {why}")


@pytest.mark.parametrize("body", [b"", b"OK", b"{} {}", b"<html>", b"{", b"\xff", b'{"a": [1, 2.5e300]}'])
def test_text_and_json_are_no_problem(body: bytes) -> None:
    assert open_envelope(Response(200, "", (), body)).problem == ""


OBJECTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(st.tuples(st.sampled_from(["a", "b", '"', "\\"]), inner), max_size=3).map(tuple)
    ),
    max_leaves=8,
)


def written(value: Any) -> str:
    """JSON text; a tuple is an object of its pairs, of which two may have one key."""
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(item)}" for key, item in value) + "}"
    return "[" + ", ".join(map(written, value)) + "]" if isinstance(value, list) else json.dumps(value)


def repeats(value: Any) -> bool:
    if isinstance(value, tuple):
        return len({key for key, _ in value}) < len(value) or any(repeats(item) for _, item in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(OBJECTS)
def test_a_key_that_stands_twice_is_always_found(value: Any) -> None:
    text = written(value)
    assert body_value(text.encode()) == (text if repeats(value) else json.loads(text))
