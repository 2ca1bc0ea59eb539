"""``exists``, ``header`` and ``regex``, and what every validator makes of a body that it cannot read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookctl.delivery.attempt.envelope import open_envelope
from hookctl.errors import TemplateError
from hookctl.model import Json, Mismatch, Response
from hookctl.plugin.host import load_plugins

VALIDATORS = load_plugins().validators
HEADERS = (("Content-Type", "text/plain"), ("X-Result", "stored"), ("X-Result", "late"))


def check(kind: str, body: bytes | Json, *, headers: Any = HEADERS, **block: Any) -> Sequence[Mismatch]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return VALIDATORS[kind].build(block)(open_envelope(Response(200, "OK", headers, content)))


def message(kind: str, body: bytes | Json, **block: Any) -> str:
    (mismatch,) = check(kind, body, **block)
    assert mismatch.validator == VALIDATORS[kind].label(block)
    return mismatch.message


# -- exists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "present"),
    [
        ("$.data.id", True),
        ("$.data.nothing", True),  # null exists
        ("$.data.empty", True),
        ("$.data.empty[*]", False),
        ("$.data.nothing[*]", False),
        ("$.data.gone", False),
        ("$.data.items[?@.status > 299]", True),
        ("$.data.items[?@.status > 499]", False),
        ("$.data.items[?search(@.note, 'quota')]", True),
        ("$.data.items[?match(@.note, 'quota')]", False),
        ("$.headers['x-result']", True),
        ("$.headers['x-gone']", False),
        ("$.data['0']", False),
    ],
)
def test_exists(path: str, present: bool) -> None:
    body: Json = {"id": 1, "nothing": None, "empty": [], "items": [{"status": 429, "note": "over quota"}]}
    assert (check("exists", body, json_path=path) == ()) is present
    assert (check("exists", body, json_path=path, expect="present") == ()) is present
    assert (check("exists", body, json_path=path, expect="absent") == ()) is not present


def test_exists_says_what_is_there() -> None:
    (mismatch,) = check("exists", {"errors": [{"message": "x" * 500}]}, json_path="$.data.errors[*]", expect="absent")
    assert mismatch.path == "$['data']['errors'][0]"
    assert mismatch.message.startswith("$['data']['errors'][0] is {\"message\": \"xxx")
    assert mismatch.message.endswith("..., but must be absent")
    assert len(mismatch.message) < 150
    assert message("exists", {"a": 1}, json_path="$.data.b") == "the response has nothing at this path"


@pytest.mark.parametrize("expect", ["present", "absent"])
def test_exists_is_bounded(expect: str) -> None:
    body: Json = 1
    for _ in range(40):
        body = [body]
    assert "more than 500,000 steps" in message("exists", body, json_path="$.data" + "[0,0]" * 30, expect=expect)


def test_a_path_that_is_not_valid_is_refused() -> None:
    with pytest.raises(TemplateError) as raised:
        VALIDATORS["exists"].build({"json_path": "$.data["})
    assert raised.value.rule == "json-path-invalid"


# -- header ------------------------------------------------------------------------------------------------------------


def test_header() -> None:
    assert check("header", b"", name="X-RESULT") == ()
    assert check("header", b"", name="x-result", expected_values=["queued", "stored, late"]) == ()
    assert message("header", b"", name="X-Gone") == "the response has no header x-gone"
    (mismatch,) = check("header", b"", name="X-Result", expected_values=["stored", "queued"])
    assert mismatch.message == 'the header is "stored, late", not "stored" or "queued"'
    assert (mismatch.path, mismatch.got) == ('$.headers["x-result"]', "stored, late")
    assert mismatch.expected == ["stored", "queued"]
    assert len(message("header", b"", headers=[("A", "x" * 8000)], name="a", expected_values=["b"])) < 150


# -- regex -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "body", "passes"),
    [
        ({"pattern": "^ok$"}, b"ok", True),
        ({"pattern": "^ok$"}, b"ok\n", False),
        ({"pattern": "^ok$"}, b"\xef\xbb\xbfok", True),
        ({"pattern": '"ok": *true'}, b'{"ok":  true}', True),  # the text of the body, not its value
        ({"pattern": "(?i)error"}, b"an Error", True),
        ({"pattern": "(?i)error", "expect": "absent"}, b"an Error", False),
        ({"pattern": "(?i)error", "expect": "absent"}, b"ok", True),
        ({"pattern": "(?i)error", "expect": "absent"}, b"", True),
        ({"pattern": "(?i)error", "expect": "absent"}, b"\xe9rror", False),  # what is not UTF-8 is not searched
        ({"pattern": "rror"}, b"\xe9rror", False),
        ({"pattern": "error", "expect": "absent"}, gzip.compress(b"error", mtime=0), False),
        ({"pattern": "^text/plain", "header": "Content-Type"}, b"\xff", True),
        ({"pattern": "^text/html", "header": "Content-Type"}, b"", False),
        ({"pattern": "^text/html", "header": "Content-Type", "expect": "absent"}, b"", True),
        ({"pattern": ".", "header": "X-Gone"}, b"", False),
        ({"pattern": ".", "header": "X-Gone", "expect": "absent"}, b"", True),
    ],
)
def test_regex(block: dict[str, Json], body: bytes, passes: bool) -> None:
    assert (check("regex", body, **block) == ()) is passes


def test_regex_says_what_it_looked_at() -> None:
    assert message("regex", b"x" * 500, pattern="^ok$") == f'the body has no match: it is "{"x" * 76}...'
    assert message("regex", b"<html>Sign in", pattern="^ok$") == "the body has no match: the body is HTML"
    assert message("regex", b"quota: none", pattern="quota: .*", expect="absent") == (
        'the body contains "quota: none", which matches the pattern'
    )
    assert (
        message("regex", b"", pattern="b", header="X-Result")
        == 'the header x-result has no match: it is "stored, late"'
    )
    assert message("regex", b"", pattern="a", header="X-Gone") == "the response has no header x-gone"


@pytest.mark.parametrize("expect", ["present", "absent"])
def test_regex_is_bounded(expect: str) -> None:
    found = message("regex", b"ab" * 30_000, pattern="(?:.*a){60}", expect=expect)
    assert found == "the body cannot be checked with this pattern: it takes more than 500,000 steps"


@pytest.mark.parametrize("pattern", ["ok(", "(?=ok)", "ok{1001}"])
def test_a_pattern_that_is_not_valid_is_refused_with_its_place(pattern: str) -> None:
    with pytest.raises(TemplateError) as raised:
        VALIDATORS["regex"].build({"pattern": pattern})
    assert raised.value.rule == "expression-invalid"
    assert raised.value.hint
    assert 0 <= raised.value.start < raised.value.end <= len(pattern)


@given(body=st.binary(max_size=30), pattern=st.sampled_from(["a", "^$", r"\p{L}", "(?s)^.*$"]))
@settings(max_examples=100)
def test_no_body_makes_a_validator_raise(body: bytes, pattern: str) -> None:
    check("regex", body, pattern=pattern)
    check("exists", body, json_path="$.data..a", expect="absent")
    check("json_schema", body, schema={"items": {"type": "string"}})


# -- all that read the body --------------------------------------------------------------------------------------------

BODY_VALIDATORS: list[tuple[str, dict[str, Any]]] = [
    ("json_path", {"json_path": "$.data.ok", "expected_values": [True]}),
    ("json_path", {"json_path": "$.data", "expected_values": ["accepted"]}),
    ("json_path", {"json_path": "$.data[?search(@, 'ok')]", "expected_values": ["accepted"]}),
    ("jmespath", {"expression": "data.ok"}),
    ("jmespath", {"expression": "data"}),
    ("jmespath", {"expression": "data", "expected_values": ["accepted"]}),
    ("exists", {"json_path": "$.data.ok"}),
    ("exists", {"json_path": "$.data.errors", "expect": "absent"}),
    ("json_schema", {"schema": {}}),
    ("regex", {"pattern": "accepted"}),
]
BODIES = [
    (b"", (), "the body is empty"),
    (gzip.compress(b'{"ok": true}', mtime=0), (), "the body is compressed with gzip"),
    (b"\x0b\x01\x80{}\x03", [("Content-Encoding", "br")], "the body is compressed"),
    (b"\x28\xb5\x2f\xfd\x04", (), "the body is compressed with zstd"),
    ("bient\u00f4t".encode("latin-1"), (), "the body is not UTF-8"),
    ('{"ok": true}'.encode("utf-16-le"), (), "the body is not UTF-8"),
    (b"<!doctype html><title>Sign in", (), "the body is HTML"),
    (b'{"ok": true, "text": "acc', (), "the body is not JSON, because it ends before its brackets are closed"),
]


@pytest.mark.parametrize(("body", "headers", "what"), BODIES)
@pytest.mark.parametrize(("kind", "block"), BODY_VALIDATORS)
def test_a_mismatch_says_what_the_body_is(
    kind: str, block: dict[str, Any], body: bytes, headers: Any, what: str
) -> None:
    assert what in message(kind, body, headers=headers, **block)


@pytest.mark.parametrize(("kind", "block"), BODY_VALIDATORS)
@pytest.mark.parametrize("truncated", [True, False])
def test_a_body_that_is_not_complete_is_refused_even_if_it_would_pass(
    kind: str, block: dict[str, Any], truncated: bool
) -> None:
    """What was received is JSON and contains `accepted`, but it is not all."""
    response = Response(200, "OK", (), b'"accepted"', truncated=truncated, framed=truncated)
    (mismatch,) = VALIDATORS[kind].build(block)(open_envelope(response))
    assert ("longer than 65536 bytes" if truncated else "the end of the body is not marked") in mismatch.message


@pytest.mark.parametrize(
    ("kind", "block", "accepted"),
    [
        ("exists", {"json_path": "$.data.a"}, True),
        ("exists", {"json_path": "$.data.a", "expect": "absent"}, True),
        ("exists", {"json_path": "$.data.a", "expect": "missing"}, False),
        ("exists", {}, False),
        ("header", {"name": "X-A"}, True),
        ("header", {"name": "X A"}, False),
        ("header", {"name": "X-A", "expected_values": []}, False),
        ("header", {"name": "X-A", "expected_values": [1]}, False),
        ("regex", {"pattern": "a", "header": "X-A", "expect": "absent"}, True),
        ("regex", {"pattern": ""}, False),
        ("regex", {"pattern": "a" * 1001}, False),
        ("regex", {"pattern": "a", "json_path": "$.data"}, False),
        ("json_schema", {"schema": {"type": "object"}}, True),
        ("json_schema", {"schema": True}, False),
        ("json_schema", {}, False),
    ],
)
def test_settings(kind: str, block: dict[str, Json], accepted: bool) -> None:
    import jsonschema_rs

    assert jsonschema_rs.is_valid(dict(VALIDATORS[kind].schema), block) is accepted


def test_labels_distinguish() -> None:
    blocks: list[tuple[str, dict[str, Json]]] = [
        ("regex", {"pattern": "a"}),
        ("regex", {"pattern": "a", "expect": "absent"}),
        ("regex", {"pattern": "a", "header": "X-A"}),
        ("exists", {"json_path": "$.data.a"}),
        ("exists", {"json_path": "$.data.a", "expect": "absent"}),
        ("header", {"name": "X-A"}),
        ("json_schema", {"schema": {"title": "receipt"}}),
        ("json_schema", {"schema": {}}),
    ]
    assert [VALIDATORS[kind].label(block) for kind, block in blocks] == [
        "regex a",
        "regex a (absent)",
        "regex a in x-a",
        "exists $.data.a",
        "exists $.data.a (absent)",
        "header x-a",
        "json_schema receipt",
        "json_schema",
    ]
