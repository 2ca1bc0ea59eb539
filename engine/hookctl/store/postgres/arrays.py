"""Columns of many rows as arrays in PostgreSQL's text format, made by a few calls for the whole column.

psycopg dumps a list value by value, and escapes each with a regular expression, which takes longer than everything else
in a commit.
"""

from __future__ import annotations

from collections.abc import Sequence

SEPARATOR, QUOTED, NOTHING, EMPTY = "\0", '","', "\1", '""'
"""What separates values until they are escaped and afterwards, and what stands for NULL and for an empty text."""


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
