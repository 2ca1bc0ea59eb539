"""Decompresses gzip, zlib and bare deflate.

It is as lenient as common readers: it keeps output before an error, and joins gzip members.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice

from hookctl.masking.views import View

_PIECE = 1024
"""The number of bytes that are decompressed at a time. Output before an error is kept."""
MOST_CANDIDATES = 64
"""The number of places in one view at which compressed data may begin. 64 KiB of base64 noise has about 12."""
_GZIP = b"\x1f\x8b\x08"
_COMPRESSED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")


def may_be_compressed(data: bytes) -> bool:
    """Whether text without control characters may still be zlib: short zlib data often contains none."""
    return not data.isascii() and (b"x\x9c" in data or b"x\xda" in data or b"x^" in data or _begins_as_zlib(data))


def decompressed(view: View, limit: int) -> Iterator[View]:
    """The decompressed gzip or zlib data in ``view``, up to ``limit`` bytes and one more."""
    starts = [match.start() for match in islice(_COMPRESSED.finditer(view.data), MOST_CANDIDATES + 1)]
    if 0 not in starts and _begins_as_zlib(view.data):  # a window size that is tried only for a complete text
        starts.insert(0, 0)
    if len(starts) > MOST_CANDIDATES:
        yield View(
            bytes(limit + 1), view, [(0, 0, len(view.data), 0, 1)], at_end=False
        )  # more than the limit, so the caller masks everything
        return
    for start in starts:
        yield from inflated(view, start, 47, limit)


def inflated(view: View, start: int, window: int, limit: int) -> Iterator[View]:
    """The data that decompresses from ``start`` on.

    ``window`` is as for zlib: 47 for gzip and zlib, -15 for bare deflate.
    """
    data, end = b"", start
    while end < len(view.data) and len(data) <= limit:
        more, used = _inflate(view.data[end:], window, limit + 1 - len(data))
        data, end = data + more, end + used
        following = _padding(view.data, end)
        if not view.data.startswith(_GZIP, following):
            break  # only gzip can have several members, which readers join
        end = following
    if data:
        yield View(data, view, [(0, start, end, 0, 1)], at_end=view.at_end and end == len(view.data))


def _padding(data: bytes, start: int) -> int:
    """The end of the padding zeros that some writers put between members."""
    while data.startswith(b"\0", start):
        start += 1
    return start


def _inflate(data: bytes, window: int, limit: int) -> tuple[bytes, int]:
    """The decompressed ``data``, at most ``limit`` bytes, and the number of bytes of ``data`` that were used.

    Output before an error is included.
    """
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
    """Whether the first two bytes are a zlib header (RFC 1950)."""
    return (
        len(data) > 2
        and data[0] & 15 == 8
        and data[0] >> 4 <= 7
        and int.from_bytes(data[:2]) % 31 == 0
        and not data[1] & 0x20
    )
