"""What escapes and encodings stand for.

Each function gives the decoded views of a view, and none where there is nothing to decode.

A view is bytes: text as UTF-8. Every pattern here takes time in proportion to the text; each escape is decoded by
itself, so that a view tells where each byte comes from.
"""

from __future__ import annotations

import re
import zlib
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import cast

from hookctl.masking.views import Span, View, gathered, rewritten

Edits = Iterator[tuple[int, int, bytes]]
_PIECE = 1024
"""Bytes that are decompressed at a time: what came before an error is kept."""
MOST_CANDIDATES = 16
"""Places in one view at which compressed data may begin."""
SIMPLE = {b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_LOW = rb"[dD][c-fC-F][0-9a-fA-F]{2}"
_BACKSLASH = re.compile(
    rb"\\(?:U(?P<long>[0-9a-fA-F]{8})|[uU]+(?P<u>[0-9a-fA-F]{4})(?:\\[uU]+(?P<low>" + _LOW + rb"))?"
    rb"|[uUxX]\{(?P<braced>0{0,64}[0-9a-fA-F]{1,8})\}|[xX](?P<x>[0-9a-fA-F]{2})"
    rb"|(?P<octal>[0-7]{1,3})|(?P<letter>[abefnrtvABEFNRTV])|(?P<same>[^0-9A-Za-z]))"
)
_PERCENT = re.compile(rb"%(?:(?P<x>[0-9a-fA-F]{2})|[uU](?P<u>[0-9a-fA-F]{4})(?:%[uU](?P<low>" + _LOW + rb"))?)")
_ENTITY = re.compile(rb"&(?:#[xX]?[0-9a-fA-F]{1,64}|[A-Za-z][0-9A-Za-z]{1,31});?")
_QUOTED = re.compile(rb"=(?:(?P<x>[0-9a-fA-F]{2})|[ \t]{0,8}\r?\n)")
_IS_QUOTED = re.compile(rb"=(?:[2-7][A-Fa-f]|[C-Fc-f][0-9A-Fa-f]|[2-7][0-9]=[2-7][0-9A-Fa-f]|[ \t]{0,8}\r?\n)")
"""What numbers in a query or a header do not look like."""
_BREAK = re.compile(rb"\n(?:(?<=[0-9A-Za-z+/_-]{4}\n)|(?<=[0-9A-Za-z+/_-]{4}\r\n))[ \t]{0,64}(?=[0-9A-Za-z+/_-])")
_CUT = {
    b"\\": re.compile(rb"\\(?:[uxU]\{?[0-9a-fA-F]{0,7}|u+[dD][89abAB][0-9a-fA-F]{2}(?:\\u*[0-9a-fA-F]{0,3})?)?\Z"),
    b"%": re.compile(rb"%(?:[0-9a-fA-F]|u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2}(?:%(?:u[0-9a-fA-F]{0,3})?)?)?\Z"),
    b"&": re.compile(rb"&#?[0-9A-Za-z]{0,12}\Z"),
    b"=": re.compile(rb"=[0-9A-F]?\r?\Z"),
}
"""The first part of an escape, at the end of a text that was cut."""
_TEXT = re.compile(
    rb"(?P<utf8>(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){6,})"
    rb"|(?P<utf16>[\t\n\r\x20-\x7e](?:\x00[\t\n\r\x20-\x7e]){5,})"
    rb"|(?P<utf32>[\t\n\r\x20-\x7e](?:\x00{3}[\t\n\r\x20-\x7e]){5,})"
)
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_BETWEEN = rb"[ +\t\r\n,:;._\"'-]{1,80}"
_LISTS = {
    16: (
        re.compile(rb"(?:0x)?[0-9a-fA-F]{2}(?:" + _BETWEEN + rb"(?:0x)?[0-9a-fA-F]{2}){5,}"),
        re.compile(rb"(?:0x)?([0-9a-fA-F]{2})"),
    ),
    10: (re.compile(rb"[0-9]{1,3}(?:" + _BETWEEN + rb"[0-9]{1,3}){5,}"), re.compile(rb"([0-9]{1,3})")),
}
"""By base: a list of bytes, and one of them."""
_IN_LIST = bytes(ord("0") if chr(byte) in "0123456789abcdefABCDEFx +\t\r\n,:;._\"'-" else ord(" ") for byte in range(256))
_RUN = re.compile(rb"a+")
_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{12,}")
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_ASCII_TEXT = bytes(ord("t") if 32 <= byte < 127 or byte in b"\t\n\r" else ord("c") for byte in range(256))
_ANY_TEXT = bytes(ord("t") if byte >= 128 else kind for byte, kind in enumerate(_ASCII_TEXT))
_KINDS = bytes(ord("a") if byte in _ALPHABET else kind for byte, kind in enumerate(_ANY_TEXT.replace(b"t", b" ")))
_STANDARD = bytes.maketrans(b"-_", b"+/")


def kinds(data: bytes) -> bytes:
    """For each byte ``a`` where base64 may use it, ``c`` for what no text holds, a space for anything else."""
    return data.translate(_KINDS)


def has_escapes(data: bytes) -> bool:
    """Whether :func:`escaped` has anything to decode."""
    return (
        b"\\" in data
        or b"%" in data
        or b"&" in data
        or (b"=" in data and _IS_QUOTED.search(data) is not None)
        or (b"\n" in data and _BREAK.search(data) is not None)
    )


def least_letters(shortest: int) -> int:
    """How many letters of base64 ``shortest`` bytes take at least, wherever in the encoded text they are."""
    return -(-shortest * 8 // 6)


def may_hold_list(data: bytes, shortest: int) -> bool:
    """Whether some stretch of ``data`` may be a list of ``shortest`` numbers."""
    return b"0" * (2 * shortest - 1) in data.translate(_IN_LIST)


def may_hold_text(data: bytes, shortest: int, *, is_ascii: bool) -> bool:
    """Whether binary ``data`` may hold a text of ``shortest`` bytes, in ASCII alone or in any character set."""
    return b"t" * shortest in data.replace(b"\0", b"").translate(_ASCII_TEXT if is_ascii else _ANY_TEXT)


def _one(view: View | None) -> Iterator[View]:
    if view is not None:
        yield view


# -- escapes -----------------------------------------------------------------------------------------------------------


def escaped(view: View) -> Iterator[View]:
    """One view for each kind of escape in ``view``.

    Backslashes as in JSON, JavaScript, Python or C; percent; HTML; quoted-printable; line breaks within base64.
    """
    data = view.data
    if b"\\" in data:
        yield from _rewritten(view, b"\\", _backslashes(data))
    if b"%" in data:
        yield from _rewritten(view, b"%", ((*match.span(), _unescaped(match)) for match in _PERCENT.finditer(data)))
    if b"&" in data:
        yield from _rewritten(view, b"&", _entities(data))
    if b"=" in data and (view.at_end or _IS_QUOTED.search(data)):
        edits = ((*match.span(), bytes.fromhex((match["x"] or b"").decode())) for match in _QUOTED.finditer(data))
        yield from _rewritten(view, b"=", edits)
    if b"\n" in data:
        breaks = ((match.start() - (data[match.start() - 1] == 13), match.end(), b"") for match in _BREAK.finditer(data))
        yield from _one(rewritten(view, breaks))


def _rewritten(view: View, lead: bytes, edits: Edits) -> Iterator[View]:
    found = list(edits)
    cut = _CUT[lead].search(view.data, max(0, len(view.data) - 24)) if view.at_end else None
    if cut is not None:  # it may be the whole of an escape, or the first part of one
        found_before = [edit for edit in found if edit[1] <= cut.start()]
        yield from _one(rewritten(view, [*found_before, (*cut.span(), b"")]))
    yield from _one(rewritten(view, found))


def _backslashes(data: bytes) -> Edits:
    for match in _BACKSLASH.finditer(data):
        kind = match.lastgroup
        if kind == "same":
            yield *match.span(), match["same"]
        elif kind == "letter":
            yield *match.span(), SIMPLE[match["letter"].lower()]
        elif kind == "octal":
            yield *match.span(), bytes([int(match["octal"], 8) & 255])
        elif kind in {"braced", "long"}:
            yield *match.span(), _utf8(int(match[kind], 16))
        else:
            yield *match.span(), _unescaped(match)


def _unescaped(match: re.Match[bytes]) -> bytes:
    """A byte by two hexadecimal digits, or a character by one or two UTF-16 units of four."""
    if match["x"]:
        return bytes.fromhex(match["x"].decode())
    unit = int(match["u"], 16)
    if not match["low"]:
        return _utf8(unit)
    low = int(match["low"], 16)
    return _utf8(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00) if 0xD800 <= unit < 0xDC00 else _utf8(unit) + _utf8(low)


def _utf8(point: int) -> bytes:
    return chr(point).encode("utf-8", "surrogatepass") if point <= 0x10FFFF else b"\xef\xbf\xbd"


def _entities(data: bytes) -> Edits:
    import html  # takes a millisecond, and most text has no entities

    for match in _ENTITY.finditer(data):
        written = match[0].decode()
        text = html.unescape(written)
        text = html.unescape(written.lower()) if text == written else text
        if text != written:
            yield *match.span(), text.encode("utf-8", "surrogatepass")


# -- encodings ---------------------------------------------------------------------------------------------------------


def encoded(view: View, marks: bytes, shortest: int, *, by_alignment: bool) -> Iterator[View]:
    """What is base64 or hexadecimal in ``view``, for secrets of ``shortest`` bytes and more.

    Encoded text may begin anywhere in a run of its letters, so each run is decoded once for each alignment. ``marks``
    is :func:`kinds` of the view. ``by_alignment``: a view for each, so that what was cut is at its end.
    """
    runs = list(_runs(marks, b"a" * least_letters(shortest)))
    if not runs:
        return
    standard = view.data.translate(_STANDARD)
    hexes = _hex_runs(view.data, runs, 2 * shortest)
    for shifts in _grouped(4, by_alignment):
        yield from _one(gathered(view, (part for shift in shifts for part in _base64(standard, runs, shift))))
    for shifts in _grouped(2, by_alignment) if hexes else ():
        yield from _one(gathered(view, (part for shift in shifts for part in _hex(view.data, hexes, shift))))


def _grouped(count: int, one_by_one: bool) -> Iterable[Iterable[int]]:
    return [[shift] for shift in range(count)] if one_by_one else [range(count)]


def _base64(data: bytes, runs: Iterable[Span], shift: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    for start, end in runs:
        letters = end - start - shift
        letters -= letters % 4 == 1  # six bits more, which make no byte
        last = start + shift + letters
        yield start + shift, end, 4, 3, a2b_base64(data[start + shift : last] + b"==="[: -letters % 4])


def _runs(marks: bytes, least: bytes) -> Iterator[Span]:
    at = marks.find(least)
    while at >= 0:
        end = cast("re.Match[bytes]", _RUN.match(marks, at)).end()
        yield at, end
        at = marks.find(least, end)


def _hex_runs(data: bytes, runs: Iterable[Span], least: int) -> list[Span]:
    found = (match.span() for start, end in runs if end - start >= least for match in _HEX.finditer(data, start, end))
    return [span for span in found if span[1] - span[0] >= least]


def _hex(data: bytes, runs: Iterable[Span], shift: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    for start, end in runs:
        last = end - (end - start - shift) % 2
        yield start + shift, end, 2, 1, bytes.fromhex(data[start + shift : last].decode())


def listed(view: View) -> Iterator[View]:
    """Bytes that are written as lists of numbers, hexadecimal or decimal."""
    for base, (whole, number) in _LISTS.items():
        found = (match.span() for match in whole.finditer(view.data))
        yield from _one(rewritten(view, (edit for span in found for edit in _numbers(view.data, span, number, base))))


def _numbers(data: bytes, span: Span, number: re.Pattern[bytes], base: int) -> Edits:
    done = span[0]
    for match in number.finditer(data, *span):
        value = int(match[1], base)
        if value < 256:
            yield done, match.end(), bytes([value])
            done = match.end()


def texts(view: View) -> Iterator[View]:
    """The stretches of text in what is not text: UTF-8, and ASCII in UTF-16 and UTF-32."""
    widths = {"utf8": 1, "utf16": 2, "utf32": 4}
    parts = ((*match.span(), widths[str(match.lastgroup)], 1, match[0].replace(b"\0", b"")) for match in _TEXT.finditer(view.data))
    yield from _one(gathered(view, parts))


def decompressed(view: View, limit: int) -> Iterator[View]:
    """What is gzip or zlib anywhere in ``view``, up to ``limit`` bytes of it and one more."""
    starts = [match.start() for match in islice(_COMPRESSED.finditer(view.data), MOST_CANDIDATES + 1)]
    if 0 not in starts and _begins_as_zlib(view.data):  # with a window that only the whole of a text is looked at for
        starts.insert(0, 0)
    if len(starts) > MOST_CANDIDATES:
        yield View(bytes(limit + 1), view, [(0, 0, len(view.data), 0, 1)], at_end=False)  # more than may be looked at: all is masked
        return
    for start in starts:
        yield from inflated(view, start, 47, limit)


def inflated(view: View, start: int, window: int, limit: int) -> Iterator[View]:
    """What is compressed from ``start`` on; ``window`` as for zlib: 47 for gzip and zlib, -15 for bare deflate."""
    data, end = b"", start
    while end < len(view.data) and len(data) <= limit:
        more, used = _inflate(view.data[end:], window, limit + 1 - len(data))
        data, end = data + more, end + used
        if not view.data.startswith(b"\x1f\x8b\x08", end):
            break  # gzip alone has several members, which readers join
    if data:
        yield View(data, view, [(0, start, end, 0, 1)], at_end=view.at_end and end == len(view.data))


def _inflate(data: bytes, window: int, limit: int) -> tuple[bytes, int]:
    """What ``data`` decompresses to, ``limit`` bytes at most, and how much of it was used. Up to an error, it is as good as any."""
    inflater = zlib.decompressobj(window)
    out = b""
    for at in range(0, len(data), _PIECE):
        before = inflater.copy()
        try:
            out += inflater.decompress(data[at : at + _PIECE], limit - len(out))
        except zlib.error:
            return out + _inflate_bytes(before, data[at : at + _PIECE], limit - len(out)), len(data)
        if inflater.eof or len(out) >= limit:
            break
    return out, len(data) - len(inflater.unused_data) - max(0, len(data) - at - _PIECE)


def _inflate_bytes(inflater: zlib._Decompress, data: bytes, limit: int) -> bytes:
    out = b""
    for at in range(len(data)):
        try:
            out += inflater.decompress(data[at : at + 1], max(1, limit - len(out)))
        except zlib.error:
            break
    return out


def _begins_as_zlib(data: bytes) -> bool:
    """Whether the first two bytes are a header of RFC 1950."""
    return len(data) > 2 and data[0] & 15 == 8 and data[0] >> 4 <= 7 and int.from_bytes(data[:2]) % 31 == 0 and not data[1] & 0x20
