"""Plain scalars as YAML 1.2's core schema reads them.

``on``, ``no``, ``1:30`` and dates are strings there. What an older reader takes for another number, and what JSON cannot
hold, is refused: the author says by quotes, or by another spelling, what is meant.
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
SPECIAL_STARTS = _NUMBER_START | {word[:1] for word in _WORDS}
"""What a plain scalar begins with that may be something else than text; the empty one is none."""
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
"""What any reader takes for a number; the groups that stand earlier take what later ones would, too."""
_AMBIGUOUS = {
    "leading_zero": "has a leading zero: base 8 to YAML 1.1, base 10 to YAML 1.2",
    "only_1_2": "is a number to YAML 1.2, and text to YAML 1.1",
    "only_1_1": "is a number to YAML 1.1, and text to YAML 1.2",
    "no_json": "is no number that JSON has",
}
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
        raise AmbiguousScalarError("is too great for readers of JSON")
    return number


@lru_cache(maxsize=1024)
def is_text(plain: str) -> bool:
    """True when every reader takes the plain scalar for text."""
    if plain not in _WORDS and plain[0] not in _NUMBER_START:
        return True
    try:
        return isinstance(resolve_plain(plain), str)
    except AmbiguousScalarError:
        return False


def _integer(text: str, base: int) -> int:
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= (number := int(text, base)) < 2**64:
        raise AmbiguousScalarError("has more digits than 64 bits hold, so that readers of JSON round it")
    return number
