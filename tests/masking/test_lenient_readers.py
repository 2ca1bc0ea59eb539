"""What a lenient reader of an answer would still decode is masked: damaged, nested, split or oddly spaced encodings."""

from __future__ import annotations

import gzip
import json
import random
import textwrap
import unicodedata
import zlib
from base64 import b64encode

import pytest

from hookctl.masking import compressed
from hookctl.masking.masker import Masker

SECRET = "s3cr3t+Canary/7"
RAW = SECRET.encode()
HALVES = RAW[:9], RAW[9:]


def deflated(data: bytes, window: int) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, window)
    return deflater.compress(data) + deflater.flush()


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def without_controls() -> bytes:
    """A text with the secret whose zlib, without its end, has no control character."""
    for number in range(1000):
        body = zlib.compress(b"%d" % number + RAW + b" and more")[:-9]
        if not any(byte < 32 or byte == 127 for byte in body):
            return body
    raise AssertionError


@pytest.mark.parametrize("window", range(9, 16))
def test_zlib_of_any_window(window: int) -> None:
    assert Masker([SECRET]).body(deflated(RAW, window)) == b"***"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (zipped(HALVES[0]) + bytes(7) + zipped(HALVES[1]), "gzip"),
        (without_controls(), ""),
        (zipped(deflated(RAW, -15)), "deflate, gzip"),
        (zipped(zipped(RAW)), "gzip,gzip"),
        (deflated(deflated(RAW, -15), -15), "deflate, deflate"),
        (zlib.compress(RAW)[:-4], "deflate"),
        (zlib.compress(RAW)[:-4] + b"????", "deflate"),
        (zipped(RAW)[:-8] + bytes(8) + b"garbage", "gzip"),
        (b"\x1f\x8b\x08" * (compressed.MOST_CANDIDATES + 1), ""),
    ],
)
def test_compressed_bodies_are_masked_whole(body: bytes, encoding: str) -> None:
    assert Masker([SECRET]).body(body, encoding=encoding).startswith(b"***")
    assert SECRET not in Masker([SECRET]).body(body, encoding=encoding).decode("latin-1")


def test_noise_in_base64_stays() -> None:
    """It holds many places that look like the beginning of zlib, and are not."""
    noise = random.Random(1)  # noqa: S311  # the same in every run
    body = b64encode(b"".join(b"x\x9c\xff" + noise.randbytes(1500) for _ in range(20)))
    assert Masker([SECRET]).body(body) == body


def hexes(width: int, between: str, prefix: str = "") -> str:
    text = RAW.hex()
    return between.join(prefix + text[at : at + width] for at in range(0, len(text), width))


@pytest.mark.parametrize(
    "text",
    [
        *(hexes(width, between) for width in (2, 4, 8, 16) for between in (" ", "-", "_", ".", ":", ", ", "\r\n    ")),
        hexes(2, ", ", "0x"),
        hexes(2, ",\n", "0X"),
        hexes(8, ", ", "0x"),
        json.dumps([[byte] for byte in RAW], indent=40),
        (" " * 300).join(map(str, RAW)),
        json.dumps([str(byte) for byte in RAW], indent=2),
        json.dumps({str(at): byte for at, byte in enumerate(RAW)}),
        json.dumps({str(at): byte for at, byte in enumerate(RAW)}, indent=2),
    ],
)
def test_numbers_in_lists_and_groups(text: str) -> None:
    masked = Masker([SECRET]).text(f"<{text}>")
    assert "***" in masked
    assert len(masked) < 20 + len(text) // 3


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"&#{'0' * 60}{byte};" for byte in RAW),
        "".join(f"&#X{'0' * 60}{byte:x};" for byte in RAW),
        "".join(f"\\u{{{'0' * 60}{byte:x}}}" for byte in RAW),
        "".join(f"\\N{{{unicodedata.name(character)}}}" for character in SECRET),
        "".join(f"\\N{{{unicodedata.name(character).lower()}}}" for character in SECRET),
        "s3cr3t=2bCanary/7",
        "s3cr3t=2BCanary=2f7",
    ],
)
def test_escapes(text: str) -> None:
    assert Masker([SECRET]).text(f"<{text}>") == "<***>"


@pytest.mark.parametrize("secret", ["pa$$word", "abc@def", "12!456"])
def test_quoted_printable_with_codes_without_letters(secret: str) -> None:
    text = "".join(character if character.isalnum() else f"={ord(character):02x}" for character in secret)
    assert Masker([secret]).text(f"<{text}>") == "<***>"


@pytest.mark.parametrize("form", ["&#{:070d};", "\\u{{{:070x}}}"])
def test_a_prefix_before_a_long_escape_that_was_cut(form: str) -> None:
    for kept in (20, 60):
        body = b"<" + RAW[:8] + form.format(RAW[8]).encode()[:kept]
        assert Masker([SECRET]).body(body, cut=True) == b"<***"


@pytest.mark.parametrize(
    "between", ["\n", "\r\n", "\r", "\n\n", " \n", "\t\r\n \t ", "\n \n  ", " " * 90 + "\n" + " " * 90]
)
@pytest.mark.parametrize("width", [1, 3, 4, 76])
def test_base64_in_lines(width: int, between: str) -> None:
    text = b64encode(b"a text before the secret, long enough to be wrapped: " + RAW + b" and after").decode()
    masked = Masker([SECRET]).text(f"<{between.join(textwrap.wrap(text, width))}>")
    assert masked.count("***") == 1


@pytest.mark.parametrize("between", ["\r\n", "\r", "\n  ", " \n\n"])
@pytest.mark.parametrize("dangling", ["", "M", "MD", "MDA"])
def test_a_part_of_a_group_at_the_cap(between: str, dangling: str) -> None:
    body = b"<" + b64encode(b"a line before the secret, long enough to be wrapped" + b"000000")
    assert b"***" in Masker(["0000000"]).body(body + (between + dangling).encode(), cut=True)


@pytest.mark.parametrize(
    "words",
    [
        "=?utf-8?Q?s3cr3t+Ca?= =?utf-8?Q?nary/7?=",
        "=?utf-8?q?s3cr3t=2BCa?=\r\n =?utf-8?q?nary=2f7?=",
        *(
            f"=?UTF-8?B?{b64encode(HALVES[0]).decode()}?={gap}=?UTF-8?b?{b64encode(HALVES[1]).decode()}?="
            for gap in (" ", "\n\t", "")
        ),
        f"=?utf-8?Q?s3cr3t+Ca?= =?utf-8?B?{b64encode(HALVES[1]).decode()}?=",
    ],
)
def test_encoded_words(words: str) -> None:
    assert Masker([SECRET]).text(f"<{words}>") == "<***>"


def test_an_encoded_word_has_spaces() -> None:
    assert Masker(["correct horse"]).text("<=?utf-8?Q?correct_horse?=>") == "<***>"


@pytest.mark.parametrize("second", ["=?utf-8?Q?nary/7?=", f"=?utf-8?B?{b64encode(HALVES[1]).decode()}?="])
@pytest.mark.parametrize("first", ["=?utf-8?Q?s3cr3t+Ca?=", f"=?utf-8?B?{b64encode(HALVES[0]).decode()}?="])
def test_encoded_words_that_were_cut(first: str, second: str) -> None:
    words = f"{first} {second}"
    for end in range(len(first), len(words)):
        assert Masker([SECRET]).body(b"<" + words[:end].encode(), cut=True).startswith(b"<***"), words[:end]


@pytest.mark.parametrize("width", [4, 8, 16])
@pytest.mark.parametrize("between", [" ", "-", ", 0x"])
def test_groups_that_were_cut(width: int, between: str) -> None:
    text = hexes(width, between)
    for end in range(12 + 6 * len(between), len(text)):
        assert b"***" in Masker([SECRET]).body(b"<" + text[:end].encode(), cut=True), text[:end]


def test_a_pretty_list_that_was_cut() -> None:
    for form in (str, hex):
        text = json.dumps([[form(byte)] for byte in RAW], indent=20)
        start = text.index(form(RAW[6]))
        for end in range(start, len(text), 7):
            assert b"***" in Masker([SECRET]).body(text[:end].encode(), cut=True), text[:end]
