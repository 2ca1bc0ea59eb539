"""I-Regexps (RFC 9485), the regular expressions of JSONPath's ``match()`` and ``search()``, in RE2's syntax.

``^`` and ``$`` are anchors, as in the compliance suite of RFC 9535.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain

from hookctl.bounded.regular_expression import MAX_PATTERN, Pattern, PatternError
from hookctl.errors import BudgetError

COMPILING = 5000
"""The steps for a pattern that a response contains: compiling one takes up to a few milliseconds."""
MAX_REPETITION = 1000
"""The largest number in ``{n,m}`` that RE2 accepts. It reads a much larger one as ordinary text."""
_ESCAPE = r"\\[()*+\-.?\[\\\]^nrt{|}]"
_CATEGORY = r"\\[pP]\{(?:L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?)\}"
_CHARACTER = rf"(?:[^\-\[\\\]\ud800-\udfff]|{_ESCAPE})"
_MEMBER = rf"(?:{_CHARACTER}(?:-{_CHARACTER})?|{_CATEGORY})"
_MEMBERS = re.compile(_MEMBER)
_TOKEN = re.compile(
    rf"(?P<category>{_CATEGORY})"
    rf"|(?P<class>\[\^?+(?:-|{_MEMBER})(?:{_MEMBER})*+-?\])"
    r"|(?P<quantifier>[*+?]|\{(?P<least>[0-9]+)(?:,(?P<most>[0-9]*))?\})"
    r"|(?P<structure>[()|])"
    r"|(?P<dot>\.)"
    rf"|(?P<atom>{_ESCAPE}|[^()*+.?\[\\\]{{|}}\ud800-\udfff])"
)
_ASSIGNED = r"\pL\pM\pN\pP\pS\pZ"
_OTHER = {
    r"\p{C}": (r"\pC", True),
    r"\p{Cn}": ("", True),
    r"\P{C}": (_ASSIGNED, False),
    r"\P{Cn}": (rf"{_ASSIGNED}\pC", False),
}
"""Categories that RE2 has otherwise, because its ``C`` lacks the unassigned characters and it has no ``Cn``: which
others each consists of, and whether it contains the unassigned characters."""


def compile_iregexp(text: str) -> Pattern | None:
    """The pattern of an I-Regexp; None if the text is not one.

    Raises:
        BudgetError: It is one, but costs more than a pattern may.
    """
    if len(text) > MAX_PATTERN:
        raise BudgetError(f"a regular expression has more than {MAX_PATTERN:,} characters")
    translated = translate(text)
    if translated is None:
        return None
    try:
        return Pattern(translated)
    except PatternError as error:
        if error.is_too_large:
            raise BudgetError(error.message, hint=error.hint) from None
        return None  # such as [z-a], which the grammar allows


def translate(text: str) -> str | None:
    """An I-Regexp in RE2's syntax; None if the text is not one.

    Raises:
        BudgetError: It repeats something more often than RE2 can.
    """
    pieces: list[str] = []
    at = depth = 0
    is_repeatable = False
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            return None
        kind, piece = str(token.lastgroup), token.group()
        at = token.end()
        if kind == "structure":
            depth += {"(": 1, ")": -1, "|": 0}[piece]
            if depth < 0:
                return None
        elif kind == "quantifier" and not (is_repeatable and _is_range(token)):
            return None
        is_repeatable = piece == ")" or kind not in {"quantifier", "structure"}
        pieces.append(_translated(token))
    return None if depth else "".join(pieces)


def _is_range(quantifier: re.Match[str]) -> bool:
    least, most = (int(number) if number else None for number in quantifier.group("least", "most"))
    if max(least or 0, most or 0) > MAX_REPETITION:
        raise BudgetError(f"a regular expression repeats something more than {MAX_REPETITION:,} times")
    return least is None or most is None or least <= most


def _translated(token: re.Match[str]) -> str:
    piece = token.group()
    if token["dot"]:
        return r"[^\n\r]"  # RE2's dot accepts \r
    if token["category"]:
        return f"[{_member(piece)}]" if piece in _OTHER else piece
    if not token["class"]:
        return piece
    start = 2 if piece[1] == "^" else 1
    members = piece[start:-1]
    hyphen = r"\-" if members.startswith("-") or members.endswith("-") else ""
    return piece[:start] + hyphen + "".join(map(_member, _MEMBERS.findall(members.removeprefix("-")))) + "]"


def _member(piece: str) -> str:
    """A member of a class in RE2's syntax."""
    members, has_unassigned = _OTHER.get(piece, (piece, False))
    return members + _unassigned() if has_unassigned else members


@cache
def _unassigned() -> str:
    """The characters that have no meaning in Unicode, as members of a class. RE2 has a name only for the others."""
    import re2

    every = "".join(map(chr, chain(range(0xD800), range(0xE000, 0x110000))))
    runs = (found.group() for found in re2.finditer(rf"[^{_ASSIGNED}\pC]+", every))
    return "".join(rf"\x{{{ord(run[0]):X}}}-\x{{{ord(run[-1]):X}}}" for run in runs)
