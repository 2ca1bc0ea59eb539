"""Splits a template into text, expressions and tags, with the offset of every token.

The syntax is Jinja's: ``{{ }}``, ``{% %}``, ``{# #}``, and a ``-`` inside a delimiter strips the whitespace beside it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE
from hookctl.template.language import handlebars

MAX_TOKENS = 500
"""The maximum number of tokens in one expression or tag: far more than people write, and few enough to keep the
recursion of parser and renderer within limits.
"""

_OPENING = re.compile(r"\{[{%#]")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<end>[-+]?(?:\}\}|%\}))
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
  | (?P<operator>==|!=|<=|>=|\*\*|//|[-+*/%~.|()\[\],<>={}:])
    )""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"{{": "}}", "{%": "%}"}


class Token(NamedTuple):
    """A word of an expression. ``kind`` is ``name``, ``number``, ``string``, ``operator`` or ``end``.

    It is a tuple, because a template has many, and a tuple is created three times as fast as a frozen dataclass.
    """

    kind: str
    text: str
    start: int
    end: int


class Segment(NamedTuple):
    """A part of a template. ``kind`` is ``text``, ``expression`` or ``tag``; offsets include the delimiters."""

    kind: str
    start: int
    end: int
    tokens: tuple[Token, ...] = ()
    """The tokens of an expression or tag; the last one is the ``end``."""


def split(text: str) -> list[Segment]:
    """The segments of a template in order, without empty text.

    Raises:
        TemplateError: A delimiter is not closed, or contains a character without a meaning.
    """
    segments: list[Segment] = []
    position = 0
    strip = False
    while True:
        opening = _OPENING.search(text, position)
        limit = opening.start() if opening else len(text)
        strips_left = opening is not None and text[opening.end() : opening.end() + 1] == "-"
        _add_text(segments, text, position, limit, strip_left=strip, strip_right=strips_left)
        if opening is None:
            return segments
        if opening.group() == "{#":
            position = text.find("#}", opening.end()) + 2
            if position == 1:
                raise TEMPLATE_SYNTAX.error(limit, limit + 2, what="the comment is not closed", fix="End it with #}.")
            strip = position - 3 >= opening.end() and text[position - 3] == "-"
            continue
        tokens = _tokens(text, opening.end() + (text[opening.end() : opening.end() + 1] in {"-", "+"}), opening)
        position = tokens[-1].end
        strip = tokens[-1].text[0] == "-"
        segments.append(Segment("expression" if opening.group() == "{{" else "tag", limit, position, tokens))


def _add_text(segments: list[Segment], text: str, start: int, end: int, *, strip_left: bool, strip_right: bool) -> None:
    if strip_left:
        start = end - len(text[start:end].lstrip())
    if strip_right:
        end = start + len(text[start:end].rstrip())
    if start < end:
        segments.append(Segment("text", start, end))


def _tokens(text: str, position: int, opening: re.Match[str]) -> tuple[Token, ...]:
    closing = _CLOSING[opening.group()]
    tokens: list[Token] = []
    while len(tokens) < MAX_TOKENS:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _no_token(text, position, opening, closing)
        kind = match.lastgroup or ""
        token = Token(kind, match.group(kind), match.start(kind), match.end())
        tokens.append(token)
        position = match.end()
        if kind == "end":
            if not token.text.endswith(closing):
                raise handlebars.explain(text, opening.start()) or TEMPLATE_SYNTAX.error(
                    token.start,
                    token.end,
                    what=f"{opening.group()} is closed with {token.text}",
                    fix=f"Close it with {closing}.",
                )
            return tuple(tokens)
    raise TEMPLATE_TOO_LARGE.error(
        opening.start(), position, what=f"an expression has more than {MAX_TOKENS} words", fix="Split it."
    )


def _no_token(text: str, position: int, opening: re.Match[str], closing: str) -> TemplateError:
    advice = handlebars.explain(text, opening.start())
    if advice is not None:
        return advice
    rest = text[position:].lstrip()
    if not rest:
        return TEMPLATE_SYNTAX.error(
            opening.start(), opening.end(), what=f"{opening.group()} is not closed", fix=f"End it with {closing}."
        )
    at = len(text) - len(rest)
    if rest[0] == "\\":
        return TEMPLATE_SYNTAX.error(
            at,
            at + 1,
            what="a backslash is not allowed in an expression",
            fix="Write quotes inside {{ }} without backslashes, even within a JSON string.",
        )
    if rest[0] in "'\"":
        return TEMPLATE_SYNTAX.error(at, at + 1, what="the text in quotes is not closed", fix=f"End it with {rest[0]}.")
    return TEMPLATE_SYNTAX.error(
        at, at + 1, what=f"{rest[0]!r} has no meaning in an expression", fix="Remove it, or put text in quotes."
    )
