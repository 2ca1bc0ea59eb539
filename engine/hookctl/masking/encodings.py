"""Decodes escapes and encodings. Each function returns the decoded views of a view, or none.

A view is text as UTF-8 bytes. Every pattern here takes time in proportion to the text. Each escape is decoded
separately, so a view knows where each of its bytes comes from.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from typing import cast

from hookctl.masking.views import Span, View, gathered, rewritten

Edits = Iterator[tuple[int, int, bytes]]
SIMPLE = {b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_LOW = rb"[dD][c-fC-F][0-9a-fA-F]{2}"
_BACKSLASH = re.compile(
    rb"\\(?:U(?P<long>[0-9a-fA-F]{8})|[uU]+(?P<u>[0-9a-fA-F]{4})(?:\\[uU]+(?P<low>" + _LOW + rb"))?"
    rb"|[uUxX]\{(?P<braced>0{0,64}[0-9a-fA-F]{1,8})\}|N\{(?P<name>[0-9A-Za-z -]{1,88})\}|[xX](?P<x>[0-9a-fA-F]{2})"
    rb"|(?P<octal>[0-7]{1,3})|(?P<letter>[abefnrtvABEFNRTV])|(?P<same>[^0-9A-Za-z]))"
)
_PERCENT = re.compile(rb"%(?:(?P<x>[0-9a-fA-F]{2})|[uU](?P<u>[0-9a-fA-F]{4})(?:%[uU](?P<low>" + _LOW + rb"))?)")
_ENTITY = re.compile(rb"&(?:#[xX]?[0-9a-fA-F]{1,64}|[A-Za-z][0-9A-Za-z]{1,31});?")
_QUOTED = re.compile(rb"=(?:(?P<x>[0-9a-fA-F]{2})|[ \t]{0,8}\r?\n)")
_IS_QUOTED = re.compile(rb"=(?:[2-9A-Fa-f][0-9A-Fa-f]|[ \t]{0,8}\r?\n)")
_WORD = re.compile(
    rb"=\?[!->@-~]{1,40}\?(?:[Qq]\?(?P<q>[!->@-~]*+)|[Bb]\?(?P<b>[0-9A-Za-z+/]*+)={0,2})"
    rb"(?:\?=(?:[ \t\r\n]++(?==\?|=?\Z))?|\??\Z)"
)
"""An encoded word of RFC 2047, with the space before the next one, which readers drop."""
_MAY_BREAK = {
    end: re.compile(end + rb"(?<=[0-9A-Za-z+/_ \t-]" + end + rb")[ \t]*+(?=[0-9A-Za-z+/_\r\n-])")
    for end in (b"\n", b"\r")
}
"""Matches wherever :data:`_BREAK` matches, and in a few more places, but is much faster to search for."""
_BREAK = re.compile(rb"(?<=[0-9A-Za-z+/_-])[ \t]*+[\r\n][ \t\r\n]*+(?=[0-9A-Za-z+/_-])")
_CUT = {
    b"\\": re.compile(
        rb"\\(?:[uxU]\{?[0-9a-fA-F]{0,72}|N(?:\{[0-9A-Za-z -]{0,88})?"
        rb"|u+[dD][89abAB][0-9a-fA-F]{2}(?:\\u*[0-9a-fA-F]{0,3})?)?\Z"
    ),
    b"%": re.compile(rb"%(?:[0-9a-fA-F]|u[0-9a-fA-F]{0,3}|u[dD][89abAB][0-9a-fA-F]{2}(?:%(?:u[0-9a-fA-F]{0,3})?)?)?\Z"),
    b"&": re.compile(rb"&#?[0-9A-Za-z]{0,65}\Z"),
    b"=": re.compile(rb"=[0-9A-Fa-f]?\r?\Z"),
    b"=?": re.compile(rb"=(?:\?(?:[!->@-~]{1,40}(?:\?[QqBb]?)?)?)?\Z"),
}
"""The beginning of an escape, at the end of a truncated text."""
_LONGEST_CUT = 96
"""The maximum length of such a beginning, in bytes."""
_TEXT = re.compile(
    rb"(?P<utf8>(?:[\t\n\r\x20-\x7e]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){6,})"
    rb"|(?P<utf16>[\t\n\r\x20-\x7e](?:\x00[\t\n\r\x20-\x7e]){5,})"
    rb"|(?P<utf32>[\t\n\r\x20-\x7e](?:\x00{3}[\t\n\r\x20-\x7e]){5,})"
)
_BETWEEN = rb"[ +\t\r\n,:;._\"'\[\](){}-]"
_GROUP = rb"(?:0[xX])?(?:[0-9a-fA-F]{2})"
_LISTS = {
    16: (
        re.compile(_GROUP + rb"{1,64}(?:" + _BETWEEN + rb"++" + _GROUP + rb"{1,64})+|" + _GROUP + rb"{6,64}"),
        re.compile(rb"(?:0[xX])?([0-9a-fA-F]{2})"),
    ),
    10: (
        re.compile(rb"[0-9]{1,3}(?:" + _BETWEEN + rb"++[0-9]{1,3}){5,}"),
        re.compile(rb"(?:[\"'][0-9]{1,3}[\"'][ \t]{0,8}:[ \t]{0,8})?([0-9]{1,3})"),
    ),
}
"""By base: the patterns of a list of bytes, and of one byte. Hexadecimal may come in groups; decimal may have indexes,
as in JSON of a ``Uint8Array``.
"""
_CUT_LIST = re.compile(_BETWEEN + rb"*+(?:0[xX]?[0-9a-fA-F]?|[0-9a-fA-F])?\Z")
"""What may follow the last complete number of a truncated list."""
_IN_LIST = bytes(
    ord("0") if chr(byte) in "0123456789abcdefABCDEFxX +\t\r\n,:;._\"'[](){}-" else ord(" ") for byte in range(256)
)
_RUN = re.compile(rb"a+")
_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{12,}")
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
_ASCII_TEXT = bytes(ord("t") if 32 <= byte < 127 or byte in b"\t\n\r" else ord("c") for byte in range(256))
_ANY_TEXT = bytes(ord("t") if byte >= 128 else kind for byte, kind in enumerate(_ASCII_TEXT))
_KINDS = bytes(ord("a") if byte in _ALPHABET else kind for byte, kind in enumerate(_ANY_TEXT.replace(b"t", b" ")))
_STANDARD = bytes.maketrans(b"-_", b"+/")


def kinds(data: bytes) -> bytes:
    """Maps each byte to ``a`` if base64 may use it, to ``c`` if no text contains it, and to a space otherwise."""
    return data.translate(_KINDS)


def has_escapes(data: bytes) -> bool:
    """Whether :func:`escaped` has anything to decode."""
    return (
        b"\\" in data
        or b"%" in data
        or b"&" in data
        or (b"=" in data and _IS_QUOTED.search(data) is not None)
        or (b"=?" in data and _WORD.search(data) is not None)
        or _may_break(data)
    )


def _may_break(data: bytes) -> bool:
    return any(end in data and pattern.search(data) is not None for end, pattern in _MAY_BREAK.items())


def least_letters(shortest: int) -> int:
    """The minimum number of base64 letters for ``shortest`` bytes, at any position in the encoded text."""
    return -(-shortest * 8 // 6)


def may_hold_list(data: bytes, shortest: int) -> bool:
    """Whether some part of ``data`` may be a list of ``shortest`` numbers."""
    return b"0" * (2 * shortest - 1) in data.translate(_IN_LIST)


def may_hold_text(data: bytes, shortest: int, *, is_ascii: bool) -> bool:
    """Whether binary ``data`` may contain text of ``shortest`` bytes: in ASCII only, or in any character set."""
    return b"t" * shortest in data.replace(b"\0", b"").translate(_ASCII_TEXT if is_ascii else _ANY_TEXT)


def _one(view: View | None) -> Iterator[View]:
    if view is not None:
        yield view


# -- escapes -----------------------------------------------------------------------------------------------------------


def escaped(view: View) -> Iterator[View]:
    """One view for each kind of escape in ``view``.

    The kinds are backslashes as in JSON, JavaScript, Python or C; percent; HTML; quoted-printable; encoded words of
    headers; and line breaks within base64.
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
    if b"=?" in data:
        yield from _rewritten(view, b"=?", ((*match.span(), _word(match)) for match in _WORD.finditer(data)))
    if _may_break(data):
        yield from _one(rewritten(view, ((*match.span(), b"") for match in _BREAK.finditer(data))))


def _rewritten(view: View, lead: bytes, edits: Edits) -> Iterator[View]:
    found = list(edits)
    cut = _CUT[lead].search(view.data, max(0, len(view.data) - _LONGEST_CUT)) if view.at_end else None
    if cut is not None:  # a truncated text may end in the first part of an escape
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
        elif kind == "name":
            yield *match.span(), _named(match["name"].decode())
        elif kind in {"braced", "long"}:
            yield *match.span(), _utf8(int(match[kind], 16))
        else:
            yield *match.span(), _unescaped(match)


def _named(name: str) -> bytes:
    import unicodedata  # imported here, because most text has no named characters

    try:
        return unicodedata.lookup(name).encode("utf-8", "surrogatepass")
    except KeyError:
        return b"\xef\xbf\xbd"


def _word(match: re.Match[bytes]) -> bytes:
    if match["q"] is not None:
        return _QUOTED.sub(lambda code: bytes.fromhex((code["x"] or b"").decode()), match["q"].replace(b"_", b" "))
    letters = match["b"][: len(match["b"]) - (len(match["b"]) % 4 == 1)]
    return a2b_base64(letters + b"==="[: -len(letters) % 4])


def _unescaped(match: re.Match[bytes]) -> bytes:
    """A byte from two hexadecimal digits, or a character from one or two UTF-16 units of four digits."""
    if match["x"]:
        return bytes.fromhex(match["x"].decode())
    unit = int(match["u"], 16)
    if not match["low"]:
        return _utf8(unit)
    low = int(match["low"], 16)
    return (
        _utf8(0x10000 + ((unit - 0xD800) << 10) + low - 0xDC00) if 0xD800 <= unit < 0xDC00 else _utf8(unit) + _utf8(low)
    )


def _utf8(point: int) -> bytes:
    return chr(point).encode("utf-8", "surrogatepass") if point <= 0x10FFFF else b"\xef\xbf\xbd"


def _entities(data: bytes) -> Edits:
    import html  # built here, because it takes a millisecond, and most text has no entities

    for match in _ENTITY.finditer(data):
        written = match[0].decode()
        text = html.unescape(written)
        text = html.unescape(written.lower()) if text == written else text
        if text != written:
            yield *match.span(), text.encode("utf-8", "surrogatepass")


# -- encodings ---------------------------------------------------------------------------------------------------------


def encoded(view: View, marks: bytes, shortest: int, *, by_alignment: bool) -> Iterator[View]:
    """The decoded base64 and hexadecimal data in ``view``, for secrets of at least ``shortest`` bytes.

    Encoded data may begin anywhere in a run of its letters, so each run is decoded once for each alignment. ``marks``
    is :func:`kinds` of the view. ``by_alignment`` returns one view for each alignment, so that truncated data is at the
    end of its view.
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
        letters -= letters % 4 == 1  # six more bits, which are not a full byte
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
    """The bytes that ``view`` writes as lists of numbers, hexadecimal or decimal."""
    for base, (whole, number) in _LISTS.items():
        found = [match.span() for match in whole.finditer(view.data)]
        edits = [edit for span in found for edit in _numbers(view.data, span, number, base)]
        rest = _CUT_LIST.match(view.data, found[-1][1]) if found and view.at_end else None
        yield from _one(rewritten(view, [*edits, (*rest.span(), b"")] if edits and rest else edits))


def _numbers(data: bytes, span: Span, number: re.Pattern[bytes], base: int) -> Edits:
    done = span[0]
    for match in number.finditer(data, *span):
        value = int(match[1], base)
        if value < 256:
            yield done, match.end(), bytes([value])
            done = match.end()


def texts(view: View) -> Iterator[View]:
    """The text in binary data: UTF-8, and ASCII in UTF-16 and UTF-32."""
    widths = {"utf8": 1, "utf16": 2, "utf32": 4}
    parts = (
        (*match.span(), widths[str(match.lastgroup)], 1, match[0].replace(b"\0", b""))
        for match in _TEXT.finditer(view.data)
    )
    yield from _one(gathered(view, parts))
