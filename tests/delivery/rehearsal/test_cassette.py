"""Cassettes: what is written is read again, by hookctl and by vcrpy alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from vcr import serialize
from vcr.serializers import yamlserializer

from hookctl.delivery.rehearsal.cassette import (
    Exchange,
    Kept,
    exchange_of,
    from_yaml,
    keep,
    read,
    settled,
    strays,
    to_yaml,
)
from hookctl.errors import CassetteError
from hookctl.model import Attempt, Failure, FailureKind, Request, Response, Timing

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f\x85"), max_size=30).map(
    str.strip
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=5, unique_by=lambda pair: pair[0].lower()).map(tuple)
BODIES = st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.just(b'{\n  "a": "\\u00e9",\n  "b": 1\n}\n')
EXCHANGES = st.builds(
    Exchange,
    st.builds(
        Request,
        st.sampled_from(["GET", "POST"]),
        st.just("https://siem.example.com/ingest?a=%20"),
        HEADERS,
        st.none() | BODIES,
    ),
    st.builds(Response, st.integers(200, 299), VALUES, HEADERS, BODIES, st.booleans(), st.booleans()),
)
REQUEST = Request(
    "POST",
    "https://siem.example.com/",
    (("Content-Type", "application/json"), ("webhook-id", "msg_1"), ("User-Agent", "hookctl/1.2")),
    b"{}",
)
RESPONSE = Response(
    200,
    "OK",
    (("Content-Type", "application/json"), ("DATE", "Tue, 24 Nov 2026 12:00:00 GMT"), ("set-cookie", "sid=1")),
    b"{}",
)


def attempt(response: Response | None = RESPONSE, request: Request | None = REQUEST) -> Attempt:
    failure = None if response else Failure(FailureKind.CONNECT, "refused")
    return Attempt(
        plan_digest="d", number=1, started_at=0.0, request=request, response=response, failure=failure, timing=Timing()
    )


@given(EXCHANGES)
@settings(max_examples=100)
def test_what_is_written_is_read_again(exchange: Exchange) -> None:
    assert from_yaml(to_yaml(exchange)) == exchange


@given(EXCHANGES)
@settings(max_examples=50)
def test_vcrpy_reads_the_same(exchange: Exchange) -> None:
    (request,), (response,) = serialize.deserialize(to_yaml(exchange), yamlserializer)
    assert (request.method, request.uri, request.body) == (
        exchange.request.method,
        exchange.request.url,
        exchange.request.body,
    )
    assert dict(request.headers) == dict(exchange.request.headers)
    assert (response["status"], response["body"]["string"]) == (
        {"code": exchange.response.status, "message": exchange.response.reason},
        exchange.response.body,
    )
    assert [(name, value) for name, values in response["headers"].items() for value in values] == list(
        exchange.response.headers
    )


@given(EXCHANGES)
@settings(max_examples=50)
def test_what_vcrpy_makes_of_it_is_read_again(exchange: Exchange) -> None:
    requests, responses = serialize.deserialize(to_yaml(exchange), yamlserializer)
    rewritten = serialize.serialize({"requests": requests, "responses": responses}, yamlserializer)
    assert _sorted(from_yaml(rewritten)) == _sorted(exchange)


def _sorted(exchange: Exchange) -> Exchange:
    request, response = exchange.request, exchange.response
    return Exchange(
        replace(request, headers=tuple(sorted(request.headers))),
        replace(response, headers=tuple(sorted(response.headers))),
    )


def test_a_repeated_header_keeps_its_values() -> None:
    exchange = Exchange(REQUEST, replace(RESPONSE, headers=(("Link", "a"), ("X", "y"), ("link", "b"))))
    assert from_yaml(to_yaml(exchange)).response.headers == (("Link", "a"), ("Link", "b"), ("X", "y"))


def test_what_varies_is_named_and_what_is_secret_is_masked() -> None:
    exchange = exchange_of(attempt())
    assert exchange is not None
    assert exchange.request.headers == (
        ("Content-Type", "application/json"),
        ("webhook-id", "<varies>"),
        ("User-Agent", "hookctl/<varies>"),
    )
    assert exchange.response.headers == (
        ("Content-Type", "application/json"),
        ("DATE", "<varies>"),
        ("set-cookie", "***"),
    )


def test_an_agent_of_ones_own_is_kept() -> None:
    assert settled(replace(REQUEST, headers=(("user-agent", "Our agent"),))).headers == (("user-agent", "Our agent"),)


@pytest.mark.parametrize("lacking", [attempt(response=None), attempt(request=None)], ids=["response", "request"])
def test_nothing_is_kept_without_both_sides(lacking: Attempt) -> None:
    assert exchange_of(lacking) is None


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        (
            replace(RESPONSE, headers=(("content-type", "application/json"), ("Date", "now"), ("Set-Cookie", "sid=2"))),
            Kept.UNCHANGED,
        ),
        (replace(RESPONSE, headers=(*RESPONSE.headers, ("X-More", "1"))), Kept.CHANGED),
        (replace(RESPONSE, headers=(("Content-Type", "text/plain"), *RESPONSE.headers[1:])), Kept.CHANGED),
        (replace(RESPONSE, body=b"[]"), Kept.CHANGED),
        (replace(RESPONSE, status=201), Kept.CHANGED),
        (replace(RESPONSE, framed=False), Kept.CHANGED),
    ],
    ids=["header values", "another header", "content type", "body", "status", "framing"],
)
def test_only_what_says_something_else_is_written_again(tmp_path: Path, changed: Response, kept: Kept) -> None:
    first, second = exchange_of(attempt()), exchange_of(attempt(changed))
    assert first is not None
    assert second is not None
    assert keep(tmp_path, "Siem", first) is Kept.NEW
    assert keep(tmp_path, "Siem", second) is kept
    assert read(tmp_path, "Siem") == (first if kept is Kept.UNCHANGED else second)


def test_a_broken_cassette_is_written_again(tmp_path: Path) -> None:
    exchange = exchange_of(attempt())
    assert exchange is not None
    (tmp_path / "Siem.yaml").write_text("no: cassette")
    assert keep(tmp_path, "Siem", exchange) is Kept.CHANGED
    assert read(tmp_path, "Siem") == exchange


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "version: 2\ninteractions: []",
        "version: 1\ninteractions: []",
        "version: 1\ninteractions: [{}, {}]",
        "version: 1\ninteractions: [{}]",
        "version: 1\ninteractions: [{request: {method: GET, uri: u, headers: [], body: null}, response: {}}]",
        "!!python/object/apply:os.system [exit]",
        "\x00",
    ],
)
def test_what_is_no_cassette_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "Siem.yaml").write_text(text)
    with pytest.raises(CassetteError, match=r"Siem\.yaml is not a hookctl cassette: ."):
        read(tmp_path, "Siem")


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "Siem.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(CassetteError, match="is not UTF-8 text"):
        read(tmp_path, "Siem")


def test_a_missing_cassette_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="no exchange was recorded"):
        read(tmp_path, "Siem")


def test_strays(tmp_path: Path) -> None:
    for name in ("Siem.yaml", "Gone.yaml", "readme.md"):
        (tmp_path / name).write_text("")
    assert [path.name for path in strays(tmp_path, ["Siem", "New"])] == ["Gone.yaml"]
    assert strays(tmp_path / "missing", []) == ()
