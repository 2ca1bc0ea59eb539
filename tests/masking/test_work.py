"""Masking takes work in proportion to a limit, whatever a target sends. Work is counted, not timed."""

from __future__ import annotations

import gzip
import zlib
from base64 import b64encode
from collections.abc import Callable

import pytest

from hookctl.masking.masker import MOST_WORK, PIECE_WORK, Masker
from hookctl.masking.views import View
from hookctl.model import MAX_RESPONSE_BYTES

SECRETS = ("s3cr3t", "s3cr3t+Canary/7", "another one, longer, with spaces and \u00e9")
BOMBS = {
    "percent of percent": b"%25",
    "percent without end": b"%25" + b"25" * 100,
    "backslashes": b"\\",
    "escapes": b"\\u0041",
    "entities": b"&amp;",
    "every kind": b"\\x25%5c&amp;=3D\\u0026",
    "every kind, one of another": b"%5cu0026amp;%2525&#x25;41=5C\n",
    "letters": b"a",
    "letters in lines": b"abcdabcd\r\n",
    "spaces": b"aaaa" + b" " * 5000,
    "numbers": b"12, ",
    "numbers in brackets": b"[12",
    "groups": b"0a0b-",
    "short lines": b"a\n \n ",
    "encoded words": b"=?a?Q?=41?= ",
    "names": b"\\N{LATIN SMALL LETTER A}",
    "deflate": zlib.compress(b"abc"),
    "hexadecimal": b"0a" * 50,
    "magic": b"\x1f\x8b\x08x\x9c\x00",
    "binary": bytes(range(256)),
    "UTF-16": b"a\0%\0" * 7 + b"4\0",
    "secrets": b"s3cr3t",
    "secrets and escapes": b"s3cr3t%5c&amp;\\x25",
    "the first part of a secret": b"s3cr3",
}


def filled(piece: bytes) -> bytes:
    return (piece * (MAX_RESPONSE_BYTES // len(piece) + 1))[:MAX_RESPONSE_BYTES]


def nested(layers: int) -> bytes:
    body = b"s3cr3t in the middle"
    for _ in range(layers):
        body = b64encode(body)
    return body


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many bytes and pieces of views were made since the start."""
    made: list[int] = []
    original = View.__init__

    def counted(
        self: View, data: bytes, parent: View | None = None, pieces: list[object] | None = None, *, at_end: bool
    ) -> None:
        made.append(len(data) + PIECE_WORK * len(pieces or ()))
        original(self, data, parent, pieces, at_end=at_end)  # type: ignore[arg-type]

    monkeypatch.setattr(View, "__init__", counted)
    return lambda: sum(made)


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("name", BOMBS)
def test_no_body_takes_more_work(work: Callable[[], int], name: str, *, cut: bool) -> None:
    largest = MAX_RESPONSE_BYTES * (1 + PIECE_WORK)  # the view that goes beyond the limit
    masker = Masker(SECRETS)
    masker.body(filled(BOMBS[name]), cut=cut)
    assert work() <= MOST_WORK + largest


@pytest.mark.parametrize(
    "body", [gzip.compress(bytes(60_000_000), mtime=0), b64encode(gzip.compress(bytes(40_000_000), mtime=0))]
)
def test_what_grows_is_masked_whole(work: Callable[[], int], body: bytes) -> None:
    assert Masker(SECRETS).body(body) in {b"***", b64encode(body)}
    assert work() <= 2 * MOST_WORK + 10 * len(body)


@pytest.mark.parametrize("layers", [1, 5, 10, 20])
def test_no_number_of_levels_hides_a_secret(layers: int) -> None:
    body = nested(layers)
    masked = Masker(SECRETS).body(body)
    assert masked != body
    assert masked.count(b"***") == 1
