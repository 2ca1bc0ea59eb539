"""Plain scalars as YAML 1.2's core schema reads them.

``on``, ``no``, ``1:30`` and dates are strings there. What an older reader takes for another number, and what JSON cannot
hold, is refused: the author says by quotes, or by another spelling, what is meant.
"""

from __future__ import annotations

import re

from hookctl.model import Json

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+][0-9]+)?")
_AMBIGUOUS = (
    (re.compile(r"[-+]?0[0-9]+"), "has a leading zero: base 8 to YAML 1.1, base 10 to YAML 1.2"),
    (re.compile(r"0o[0-7]+"), "is a number to YAML 1.2, and text to YAML 1.1"),
    (re.compile(r"[-+]?0b[01_]+|[-+]0x[0-9a-fA-F_]+"), "is a number to YAML 1.1, and text to YAML 1.2"),
    (
        re.compile(r"[-+]?(?=[0-9.xa-fA-F_]*_)(?:0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)"),
        "is a number to YAML 1.1, and text to YAML 1.2",
    ),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+"), "is a number to YAML 1.2, and text to YAML 1.1"),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), "is no number that JSON has"),
)
_LONGEST_INTEGER = 21
"""Characters of the longest 64-bit integer, its sign included."""


class AmbiguousScalarError(ValueError):
    """A plain scalar that two readers read differently; the text says why."""


def resolve_plain(text: str) -> Json:
    """The value of a plain scalar. Raises AmbiguousScalarError when its reading depends on the reader."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text, 10)
    if _HEXADECIMAL.fullmatch(text):
        return _integer(text, 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise AmbiguousScalarError("is too great for readers of JSON")
        return number
    for pattern, reason in _AMBIGUOUS:
        if pattern.fullmatch(text):
            raise AmbiguousScalarError(reason)
    return text


def _integer(text: str, base: int) -> int:
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (number := int(text, base)) < 2**64:
        raise AmbiguousScalarError("has more digits than 64 bits hold, so that readers of JSON round it")
    return number
