"""Invocation data for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from hookctl.model import Attempt, Failure, FailureKind, Mismatch, Request, Response, Timing, Verdict
from hookctl.report.text.invocation import (
    MAX_LINES,
    MAX_WIDTH,
    attempt_json,
    body_lines,
    render_attempt,
    request_lines,
    timing_line,
)

REQUEST = Request(
    "POST",
    "https://siem.example.com/ingest",
    (("Content-Type", "application/json"), ("Authorization", "Bearer ***")),
    b'{"a":{"b":[1,2]}}',
)
RESPONSE = Response(202, "Accepted", (("Content-Type", "application/json"),), b'{"status":"queued"}')


def attempt(**fields: Any) -> Attempt:
    whole: dict[str, Any] = {
        "plan_digest": "0123456789abcdef",
        "number": 2,
        "started_at": 1_700_000_000.0,
        "request": REQUEST,
        "response": RESPONSE,
        "failure": None,
        "timing": Timing(resolved=0.0012, connected=0.004, tls=0.0151, first_byte=0.1, total=0.1004),
        "verdicts": (),
    }
    return Attempt(**{**whole, **fields})


def test_success(snapshot: SnapshotAssertion) -> None:
    assert render_attempt(attempt(verdicts=(Verdict("json_path $.data.status"),)), color=False) == snapshot


def test_failures(snapshot: SnapshotAssertion) -> None:
    mismatch = Mismatch(
        "json_path $.data.status", '$.data.status is "queued", not "accepted"', "$.data.status", ["accepted"], "queued"
    )
    shown = [
        render_attempt(attempt(verdicts=(Verdict("json_path $.data.status", (mismatch,)),)), color=False),
        render_attempt(
            attempt(
                response=None,
                failure=Failure(FailureKind.CONNECT, "siem.example.com: refused"),
                timing=Timing(total=0.5),
            ),
            color=False,
        ),
        render_attempt(
            attempt(
                request=None, response=None, failure=Failure(FailureKind.SECRET, "TOKEN is not set"), timing=Timing()
            ),
            color=False,
        ),
        render_attempt(
            attempt(failure=Failure(FailureKind.PLUGIN, "validator mine of plugin x raised TypeError")), color=False
        ),
    ]
    assert "\n----\n".join(shown) == snapshot


def test_hostile_text_cannot_move_the_cursor() -> None:
    evil = "\x1b[2J\u202eevil\r\n\x07"
    response = Response(200, evil, (("X-Evil", evil),), f"{evil}\n".encode() * 3)
    mismatch = Mismatch(evil, evil)
    shown = render_attempt(attempt(response=response, verdicts=(Verdict(evil, (mismatch,)),)), color=False)
    assert not [character for character in shown if character != "\n" and not character.isprintable()]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"plain\r\ntext\tand", ["  plain", "  text    and"]),
        (b'{"a": 1}', ["  {", '    "a": 1', "  }"]),
        (b"\x00\x01\xff\xfe", ["  (4 bytes that are not text)"]),
        (b"{not json", ["  {not json"]),
        ("Straße ☃".encode(), ["  Straße ☃"]),
        (b"x" * (MAX_WIDTH + 1), ["  " + "x" * MAX_WIDTH + "..."]),
        (b"[" * 50_000, ["  " + "[" * MAX_WIDTH + "..."]),
        (b'{"a": 1, "a": 2}', ['  {"a": 1, "a": 2}']),
    ],
)
def test_bodies(body: bytes, lines: list[str]) -> None:
    assert list(body_lines(body)) == lines


@pytest.mark.parametrize("count", [1, 2])
def test_lines_of_json_are_shown_as_lines(count: int) -> None:
    request = Request("POST", "https://a.example", (("content-type", "application/x-ndjson"),), b'{"a":1}\n' * count)
    assert list(request_lines(request))[3:] == ['  {"a":1}'] * count


def test_long_bodies_are_cut_for_people() -> None:
    lines = list(body_lines(b"line\n" * (MAX_LINES + 5)))
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "  ... 6 more lines"


def test_a_body_that_the_cap_cut_through_a_character_is_text() -> None:
    lines = list(body_lines("aß".encode()[:-1], truncated=True))
    assert lines == ["  a", "  ... more than 2 bytes; the rest was not read"]


def test_phases() -> None:
    assert timing_line(Timing(resolved=0.001, connected=0.003, tls=0.01, first_byte=0.5, total=12.5)) == (
        "name 1.0 ms, connect 2.0 ms, TLS 7.0 ms, first byte 490 ms, total 12.5 s"
    )
    assert timing_line(Timing(first_byte=0.02, total=0.03)) == "first byte 20 ms, total 30 ms"
    assert timing_line(Timing(connected=0.02, tls=0.01, total=0.03)) == "connect 20 ms, TLS 0.0 ms, total 30 ms"


def test_json_holds_everything() -> None:
    mismatch = Mismatch("v", "wrong", "$.a", [1], 2)
    whole = attempt(
        verdicts=(Verdict("v", (mismatch,)),),
        response=Response(200, "OK", (("A", "b"),), b"\xff", truncated=True, framed=False),
    )
    assert json.loads(json.dumps(attempt_json(whole))) == {
        "number": 2,
        "plan_digest": "0123456789abcdef",
        "started_at": 1_700_000_000.0,
        "succeeded": False,
        "request": {
            "method": "POST",
            "url": "https://siem.example.com/ingest",
            "headers": [["Content-Type", "application/json"], ["Authorization", "Bearer ***"]],
            "body": '{"a":{"b":[1,2]}}',
            "body_encoding": "utf-8",
        },
        "response": {
            "status": 200,
            "reason": "OK",
            "headers": [["A", "b"]],
            "body": "/w==",
            "body_encoding": "base64",
            "truncated": True,
            "framed": False,
        },
        "failure": None,
        "timing": {"resolved": 0.0012, "connected": 0.004, "tls": 0.0151, "first_byte": 0.1, "total": 0.1004},
        "verdicts": [
            {
                "validator": "v",
                "passed": False,
                "mismatches": [{"validator": "v", "message": "wrong", "path": "$.a", "expected": [1], "got": 2}],
            }
        ],
    }
    assert attempt_json(attempt(failure=Failure(FailureKind.PLUGIN, "x")))["succeeded"] is False
    assert attempt_json(attempt(request=None, response=None, failure=Failure(FailureKind.TLS, "x")))["request"] is None


def test_the_documentation_names_every_key() -> None:
    page = (Path(__file__).parents[3] / "docs" / "test.md").read_text(encoding="utf-8")
    whole = attempt_json(
        attempt(failure=Failure(FailureKind.TLS, "x"), verdicts=(Verdict("v", (Mismatch("v", "wrong"),)),))
    )
    keys = set(whole)
    for part in ("request", "response", "failure", "timing"):
        inner = whole[part]
        assert isinstance(inner, dict)
        keys |= set(inner)
    assert [
        key for key in sorted(keys) if f"`{key}`" not in page and f".{key}`" not in page and f"`{key}[]`" not in page
    ] == []
    assert [kind for kind in FailureKind if f"`{kind.value}`" not in page] == []
