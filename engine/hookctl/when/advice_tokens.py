"""Splits a condition into tokens, and writes constants as JMESPath does."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<raw>'(?:[^'\\]|\\.)*')
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | (?P<json>`(?:[^`\\]|\\.)*`)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>===|!==|==|!=|<>|<=|>=|&&|\|\||[=<>!&|()\[\],.*@?:$])
    )""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


class UnreadableError(Exception):
    """The text is not a condition that can be rewritten."""


class Token(NamedTuple):
    """A token: its kind is a group of the pattern, or ``end``."""

    kind: str
    text: str
    start: int


def tokens_of(text: str) -> list[Token]:
    """The tokens, and one for the end. Raises UnreadableError."""
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise UnreadableError
        tokens.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    return [*tokens, Token("end", "", end)]


def literal_text(token: Token) -> str:
    """A constant in JMESPath: text in single quotes, anything else in backticks. Raises UnreadableError."""
    if token.kind == "raw":
        return token.text
    if token.kind == "number":
        return f"`{token.text}`"
    return _json(token.text) if token.kind == "json" else quoted_text(_content_of(token.text))


def _json(text: str) -> str:
    """What stands in backticks; as text in single quotes if it is not JSON."""
    try:
        json.loads(text[1:-1].replace("\\`", "`"))
    except ValueError:
        return quoted_text(text[1:-1])
    return text


def _content_of(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        raise UnreadableError from None


def quoted_text(text: str) -> str:
    """Text in single quotes. Raises UnreadableError for text with a backslash or a control character."""
    if "\\" in text or not text.isprintable():
        raise UnreadableError
    return "'" + text.replace("'", "\\'") + "'"
