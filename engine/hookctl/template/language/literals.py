"""The values of numbers and of text in quotes."""

from __future__ import annotations

import re

from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE

MAX_DIGITS = 20
"""Of a number: Python takes long to read very long ones, and no index or threshold needs more."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\\": "\\", "/": "/", '"': '"', "'": "'"}


def string_value(word: str, start: int, end: int) -> str:
    """The text of a word in quotes.

    Jinja keeps the backslash of an escape that it does not know; a template must say what it means.

    Raises:
        TemplateError: an escape has no meaning, or is half of a character.
    """
    text = word[1:-1]
    if "\\" not in text:
        return text

    def unescape(match: re.Match[str]) -> str:
        unicode, byte, character = match.groups()
        if unicode or byte:
            return chr(int(unicode or byte, 16))
        if character not in _ESCAPES:
            what, fix = f"\\{character} has no meaning in a text", "Write \\\\ for a backslash."
            raise TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix)
        return _ESCAPES[character]

    value = _ESCAPE.sub(unescape, text)
    try:
        value.encode()
    except UnicodeEncodeError:
        what, fix = "the text contains an unpaired surrogate", "Write the character itself."
        raise TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix) from None
    return value


def number_value(word: str, start: int, end: int) -> int | float:
    """The value of a number in any of Jinja's notations: ``10``, ``1_000``, ``0x10``, ``1.5``, ``1e3``.

    Raises:
        TemplateError: it has too many digits, is not finite, or is not a number (``0x_``).
    """
    if len(word) > MAX_DIGITS:
        what, fix = f"the number has more than {MAX_DIGITS} digits", "Write it in the body itself."
        raise TEMPLATE_TOO_LARGE.error(start, end, what=what, fix=fix)
    digits = word.replace("_", "")
    try:
        is_whole = digits.isdigit() or digits[:2].lower() in {"0x", "0o", "0b"}
        value = int(digits, 10 if digits.isdigit() else 0) if is_whole else float(digits)
    except ValueError:
        raise TEMPLATE_SYNTAX.error(start, end, what=f"{word} is not a number", fix="Write it in digits.") from None
    if value in {float("inf"), float("-inf")}:
        what, fix = "the number is too large for JSON", "Write a finite number."
        raise TEMPLATE_SYNTAX.error(start, end, what=what, fix=fix)
    return value
