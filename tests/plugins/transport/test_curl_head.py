"""The memory for heads: what comes from it is what was vetted and read without it, and it stays small."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookctl.errors import TransportError
from hookctl.network.outgoing import vet_request
from hookctl_plugins.transport.curl_head import MAX_KNOWN, MAX_KNOWN_LENGTH, Heads

URL = "https://a.example/x"


def test_what_is_sent_and_what_is_taken_away_from_libcurl() -> None:
    heads = Heads()
    for _ in range(2):
        host = heads.host("POST", URL)
        assert host == "a.example"
        lines = heads.lines(
            [("X-A", "é"), ("X-Empty", ""), ("Content-Length", "9"), ("Host", "a.example"), ("user-agent", "u")], host
        )
        assert lines == [
            b"X-A: \xe9",
            b"X-Empty;",
            b"user-agent: u",
            b"Accept:",
            b"Content-Type:",
            b"User-Agent:",
            b"Expect:",
            b"Accept-Encoding: identity",
        ]


def test_what_was_refused_is_refused_again() -> None:
    heads = Heads()
    for _ in range(2):
        with pytest.raises(TransportError):
            heads.host("POST", "https://a.example:443/")
        with pytest.raises(TransportError):
            heads.host("TRACE", URL)
        for header in [("X-A", "a\r\nX-B: c"), ("Te", "x"), ("Host", "b.example"), ("X A", "x"), ("X-A", "☃")]:
            with pytest.raises(TransportError):
                heads.lines([header], "a.example")


def test_a_host_that_was_right_for_one_target_is_not_for_another() -> None:
    heads = Heads()
    heads.lines([("Host", "a.example")], "a.example")
    with pytest.raises(TransportError):
        heads.lines([("Host", "a.example")], "b.example")


HEADERS = st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=3)


@given(HEADERS, HEADERS)
def test_the_same_passes_as_without_a_memory(before: list[tuple[str, str]], headers: list[tuple[str, str]]) -> None:
    heads = Heads()

    def lines(found: Sequence[tuple[str, str]]) -> list[bytes] | None:
        try:
            return heads.lines(found, "a.example")
        except TransportError:
            return None

    lines(before)
    try:
        _, vetted = vet_request("POST", URL, headers)
    except TransportError:
        assert lines(headers) is None
    else:
        found = lines(headers)
        assert found is not None
        assert found[: len(vetted)] == [
            (f"{name}: {value}" if value else f"{name};").encode("latin-1") for name, value in vetted
        ]


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_read(times: int) -> None:
    heads = Heads()
    lines = [
        b"HTTP/1.1 103 Early Hints\r\n",
        b"Link: </x>\r\n",
        b"\r\n",
        b"HTTP/1.1 201  Made it \r\n",
        b"X-A:  1 \r\n",
        b"content-length: 2\r\n",
        b"\r\n",
        b"X-Trailer: 1\r\n",
    ]
    for _ in range(times):
        assert heads.read(lines) == (201, "Made it", (("X-A", "1"), ("content-length", "2")), True)
    assert heads.read(lines[:6]) is None
    assert heads.read(lines[:3]) is None
    assert heads.read([]) is None
    assert heads.read([b"HTTP/1.1 abc\r\n", b"\r\n"]) is None
    assert heads.read([b"HTTP/1.1 204 No Content\r\n", b"\r\n"]) == (204, "No Content", (), True)
    assert heads.read([b"HTTP/1.1 200\r\n", b"Transfer-Encoding: gzip\r\n", b"\r\n"]) == (
        200,
        "",
        (("Transfer-Encoding", "gzip"),),
        False,
    )


def test_the_memory_is_bounded() -> None:
    heads = Heads()
    for number in range(3 * MAX_KNOWN):
        host = heads.host("POST", f"{URL}/{number}")
        heads.lines([("X-A", str(number)), ("X-Long", "x" * MAX_KNOWN_LENGTH)], host)
        heads.read([b"HTTP/1.1 200 %d\r\n" % number, b"X-A: %d\r\n" % number, b"\r\n"])
        heads.read([b"HTTP/1.1 200 OK\r\n", b"X-Long: " + b"x" * MAX_KNOWN_LENGTH + b"\r\n", b"\r\n"])
    for known in (heads._hosts, heads._sent, heads._heads, heads._received, heads._status_lines):
        assert 0 < len(known) <= MAX_KNOWN
        assert "X-Long" not in str(known)
