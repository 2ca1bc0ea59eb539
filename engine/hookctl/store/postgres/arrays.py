"""Columns of many rows as arrays in PostgreSQL's formats, made by a few calls for the whole column.

psycopg dumps a list value by value, and escapes each with a regular expression, which takes longer than everything else
in a commit. The text format is quickest for short values. Long ones are sent in the binary format, in which neither
hookctl nor the server escapes anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

SEPARATOR, QUOTED, NOTHING, EMPTY = "\0", '","', "\1", '""'
"""What separates values until they are escaped and afterwards, and what stands for NULL and for an empty text."""
TEXT_OID, TEXTS_OID = 25, 1009
"""The numbers of the types ``text`` and ``text[]``."""
_HEAD, _LENGTH = Struct("!iiIii"), Struct("!i")


class LongTexts(bytes):
    """An array of texts in the binary format."""


class _LongTextsDumper(Dumper):
    format, oid = Format.BINARY, TEXTS_OID

    def dump(self, obj: LongTexts) -> bytes:
        return bytes(obj)


psycopg.adapters.register_dumper(LongTexts, _LongTextsDumper)


def long_texts(values: Sequence[str]) -> LongTexts:
    """As :func:`texts`, of values of more than some hundred bytes."""
    parts = [_HEAD.pack(1, 0, TEXT_OID, len(values), 1)]
    for value in values:
        encoded = value.encode()
        if b"\0" in encoded:
            encoded = encoded.replace(b"\0", "\N{REPLACEMENT CHARACTER}".encode())
        parts += _LENGTH.pack(len(encoded)), encoded
    return LongTexts(b"".join(parts))


def texts(values: Sequence[str]) -> str:
    """An array of texts. NUL in a text becomes the replacement character."""
    joined = SEPARATOR.join(values)
    if joined.count(SEPARATOR) >= len(values):
        joined = SEPARATOR.join([value.replace("\0", "\N{REPLACEMENT CHARACTER}") for value in values])
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"{escaped.replace(SEPARATOR, QUOTED)}"}}' if values else "{}"


def texts_or_null(values: Sequence[str | None]) -> str:
    """As :func:`texts`, of texts that never consist of one control character."""
    if not any(values):
        return "{" + ",".join("NULL" if value is None else EMPTY for value in values) + "}"
    return texts([NOTHING if value is None else value for value in values]).replace(f'"{NOTHING}"', "NULL")


def numbers(values: Sequence[object]) -> str:
    """An array of numbers, truth values and NULL."""
    return f"{{{','.join(map(str, values)).replace('None', 'NULL')}}}"
