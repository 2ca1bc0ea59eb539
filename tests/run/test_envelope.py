"""Responses as validators see them."""

from __future__ import annotations

import pytest

from hookctl.model import Json, Response
from hookctl.run.envelope import MAX_DEPTH, body_value, open_envelope


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


def test_headers_have_lower_case_names_and_joined_values() -> None:
    envelope = open_envelope(Response(201, "Created", (("X-A", "1"), ("Content-Type", "text/plain"), ("x-a", "2")), b""))
    assert envelope.status == 201
    assert envelope.headers == {"x-a": "1, 2", "content-type": "text/plain"}
    assert envelope.problem == ""


def test_a_body_that_is_not_whole_is_a_problem() -> None:
    assert "longer than 65536 bytes" in open_envelope(Response(200, "", (), b"{}", truncated=True)).problem
    assert "not marked" in open_envelope(Response(200, "", (), b"{}", framed=False)).problem
