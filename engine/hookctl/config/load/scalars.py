"""Reads plain scalars by the core schema of YAML 1.2, in which ``on``, ``no``, ``1:30`` and dates are strings.

A scalar is rejected if YAML 1.1 reads it as a different number or if JSON cannot represent it. The author then has to
quote it or spell it differently.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isinf

from hookctl.model import Json

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("-+.0123456789")
_NUMBER = re.compile(
    r"""
      (?P<decimal>[-+]?(?:0|[1-9][0-9]*))
    | (?P<hexadecimal>0x[0-9a-fA-F]+)
    | (?P<float>[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+][0-9]+)?)
    | (?P<leading_zero>[-+]?0[0-9]+)
    | (?P<only_1_2>0o[0-7]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+)
    | (?P<only_1_1>[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?)
    | (?P<no_json>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))
    """,
    re.VERBOSE,
)
"""Matches what YAML 1.1 or 1.2 reads as a number. The order matters: later groups also match what earlier ones do."""
_AMBIGUOUS = {
    "leading_zero": "has a leading zero: base 8 in YAML 1.1, base 10 in YAML 1.2",
    "only_1_2": "is a number in YAML 1.2, but text in YAML 1.1",
    "only_1_1": "is a number in YAML 1.1, but text in YAML 1.2",
    "no_json": "is not a number that JSON can represent",
}
_LONGEST_INTEGER = 21
"""Length in characters of the longest 64-bit integer, including its sign."""


class AmbiguousScalarError(ValueError):
    """Two YAML or JSON readers interpret a plain scalar differently. The message says why."""


def resolve_plain(text: str) -> Json:
    """The value of a plain scalar. Raises AmbiguousScalarError if the value depends on the reader."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    form = match.lastgroup
    if form == "decimal":
        return _integer(text, 10)
    if form == "hexadecimal":
        return _integer(text, 16)
    if form != "float":
        raise AmbiguousScalarError(_AMBIGUOUS[str(form)])
    number = float(text)
    if isinf(number):
        raise AmbiguousScalarError("is too large for JSON readers")
    return number


@lru_cache(maxsize=1024)
def is_text(plain: str) -> bool:
    """True if every reader treats the plain scalar as text."""
    if plain not in _WORDS and plain[0] not in _NUMBER_START:
        return True
    try:
        return isinstance(resolve_plain(plain), str)
    except AmbiguousScalarError:
        return False


def _integer(text: str, base: int) -> int:
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (number := int(text, base)) < 2**64:
        raise AmbiguousScalarError("does not fit in 64 bits, so JSON readers round it")
    return number
