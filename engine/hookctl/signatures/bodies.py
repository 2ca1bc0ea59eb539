"""Variants of a body: what editors, frameworks and proxies make of the bytes that were signed."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from hookctl.signatures.variants import Difference, Part, Variant

LARGEST_JSON = 64 * 1024
"""The largest body, in bytes, that is written as JSON in every style: larger ones take too long."""
LARGEST_WRITTEN = 4 * LARGEST_JSON
"""The largest such text in characters. Indentation makes deeply nested JSON much longer."""
LARGEST_CONTENT = 16 * 1024 * 1024
"""The maximum size of a decompressed body in bytes."""
RAW = "Verify the bytes of the body as they arrive, before any code parses, decodes or changes them."
_NUMBER = re.compile(r'"\\u0000([^"\\]*)\\u0000"')
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


def body_variants(body: bytes) -> Iterator[Variant[bytes]]:
    """The body, and then what it may have been before something changed it. The likeliest changes come first."""
    yield Variant(body)
    known = {body}
    for found, what in (*_simple(body), *_form(body), *_json(body)):
        if found not in known:
            known.add(found)
            yield Variant(found, (Difference(Part.BODY, what, RAW),))


def _simple(body: bytes) -> Iterator[tuple[bytes, str]]:
    yield body.rstrip(b"\r\n"), "The signed body does not have the line break that this one ends with."
    yield body + b"\n", "The signed body ends with a line break, which this one does not have."
    yield body + b"\r\n", "The signed body ends with CRLF, which this one does not have."
    yield body.strip(), "The signed body does not have the white space around this one."
    unix = body.replace(b"\r\n", b"\n")
    yield unix, "The line breaks of the signed body are LF, and those of this one are CRLF."
    yield unix.replace(b"\n", b"\r\n"), "The line breaks of the signed body are CRLF, and those of this one are LF."
    yield body.removeprefix(b"\xef\xbb\xbf"), "The signed body does not have the byte order mark of this one."
    yield b"\xef\xbb\xbf" + body, "The signed body begins with a byte order mark, which this one does not have."
    yield from _charsets(body)
    yield from _wrapped(body)
    if body.strip() in {b"{}", b"null", b'""', b"[]"}:
        yield b"", "The signed body is empty, and this one is what a parser makes of an empty body."


def _charsets(body: bytes) -> Iterator[tuple[bytes, str]]:
    for name, shown in (("latin-1", "ISO 8859-1"), ("cp1252", "Windows-1252"), ("utf-16-le", "UTF-16")):
        for source, target, what in (
            ("utf-8", name, f"The signed body is in {shown}, and this one is in UTF-8."),
            (name, "utf-8", f"The signed body is in UTF-8, and this one is in {shown}, or was decoded as {shown}."),
        ):
            try:
                yield body.decode(source).encode(target), what
            except UnicodeError:
                continue


def _wrapped(body: bytes) -> Iterator[tuple[bytes, str]]:
    if body[:2] == b"\x1f\x8b":
        try:
            content = zlib.decompressobj(31).decompress(body, LARGEST_CONTENT)
        except zlib.error:
            return
        yield content, "The signed body is the decompressed one, and this one is still compressed with gzip."
    text = body.strip()
    if len(text) >= 8 and re.fullmatch(rb"[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
        yield b64decode(text), "The signed body is what this one contains in base64, as some gateways pass it on."
    if text[:1] == b'"':
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(inner, str):  # JSON in JSON
            yield inner.encode(errors="surrogatepass"), "The signed body is the text in the JSON string of this one."


def _form(body: bytes) -> Iterator[tuple[bytes, str]]:
    if body[:1] in {b"{", b"["} or b"=" not in body[:1000] or len(body) > LARGEST_JSON:
        return
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:  # not UTF-8
        return
    filled = [pair for pair in pairs if pair[1]]
    encoders: tuple[tuple[Callable[..., str], str], ...] = (
        (quote_plus, "a space as +"),
        (quote, "a space as %20"),
    )
    for how, words in encoders:
        same = urlencode(pairs, quote_via=how)
        yield same.encode(), f"The signed body is the same form, percent-encoded with {words}."
        lower = re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), same)
        yield lower.encode(), f"The signed body is the same form, with escapes in lower case and {words}."
        yield urlencode(sorted(pairs), quote_via=how).encode(), "The signed body is the same form, sorted by name."
        yield urlencode(filled, quote_via=how).encode(), "The signed body is the same form without its empty fields."


@dataclass(frozen=True, slots=True)
class _Style:
    """How JSON is written. Each field is a text for people; ``""`` stands for what needs no mention."""

    layout: str
    escapes: str
    order: str
    numbers: str
    end: str


_LAYOUTS: dict[str, dict[str, Any]] = {
    "without spaces between its parts": {"separators": (",", ":")},
    "with a space after each comma and colon": {"separators": (", ", ": ")},
    "indented by two spaces": {"indent": 2},
    "indented by four spaces": {"indent": 4},
    "indented by tabs": {"indent": "\t"},
    "indented by two spaces, with a space before each colon": {"indent": 2, "separators": (",", " : ")},
}
_UNICODE, _ASCII = "with characters beyond ASCII as they are", "with escapes such as \\u00e9 beyond ASCII"
_UPPER = "with escapes such as \\u00E9 beyond ASCII"
_SLASHES, _BOTH = "with each slash as \\/", "with each slash as \\/ and escapes such as \\u00e9 beyond ASCII"
_HTML = "with <, > and & as escapes such as \\u003c"
_OTHER_ESCAPES, _ASCII_ESCAPES = (_UNICODE, _SLASHES, _HTML), (_ASCII, _UPPER, _BOTH)
_ORDERS = ("with its keys in this order", "with its keys sorted")
_NUMBERS = ("with its numbers as here", "with whole numbers without a fraction (1 for 1.0)")
_ENDS = ("without a line break at the end", "with a line break at the end")


def _json(body: bytes) -> Iterator[tuple[bytes, str]]:
    if len(body) > LARGEST_JSON or body.strip()[:1] not in {b"{", b"["}:
        return
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_int=_kept, parse_float=_kept, parse_constant=_kept)
    except (ValueError, RecursionError):
        return
    written: dict[bytes, _Style] = {}
    for layout, is_ascii, order in product(_LAYOUTS, (False, True), _ORDERS):
        try:
            text = json.dumps(document, ensure_ascii=is_ascii, sort_keys=order == _ORDERS[1], **_LAYOUTS[layout])
        except RecursionError:  # writing with indentation goes less deep than reading
            continue
        if len(text) > LARGEST_WRITTEN:
            continue
        for escapes, numbers, end in product(_ASCII_ESCAPES if is_ascii else _OTHER_ESCAPES, _NUMBERS, _ENDS):
            style = _Style(layout, escapes, order, numbers, end)
            written.setdefault(_finished(text, style), style)
    own = written.get(body)
    for found, style in written.items():
        yield found, f"The signed body is the same JSON, written {_words(style, own)}."


def _kept(number: str) -> str:
    """A number as a text that no JSON contains, so that it is written exactly as it was read."""
    return f"\0{number}\0"


def _finished(text: str, style: _Style) -> bytes:
    """JSON as ``json.dumps`` writes it, with the escapes, numbers and end of ``style``."""
    if style.escapes == _UPPER:
        text = _ESCAPE.sub(lambda found: f"\\u{found[1].upper()}", text)
    if style.escapes in {_SLASHES, _BOTH}:
        text = text.replace("/", "\\/")
    if style.escapes == _HTML:
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
    text = _NUMBER.sub(_whole if style.numbers == _NUMBERS[1] else r"\1", text)
    return (text + ("\n" if style.end == _ENDS[1] else "")).encode(errors="surrogatepass")


def _whole(found: re.Match[str]) -> str:
    return re.sub(r"\.0+$", "", found[1])


def _words(style: _Style, own: _Style | None) -> str:
    """How ``style`` differs from that of the received body; all of it if that one is not known."""
    names = ("layout", "escapes", "order", "numbers", "end")
    usual = {_UNICODE, _ORDERS[0], _NUMBERS[0], _ENDS[0]}
    values = [
        value
        for name in names
        if (value := getattr(style, name)) != (getattr(own, name) if own else None) and (own or value not in usual)
    ]
    return ", ".join(values) or style.layout
