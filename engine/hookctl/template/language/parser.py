"""Parses a template into text, outputs, branches and loops, with Jinja's own parser where there is more than paths.

Jinja is imported only for templates that need it: most contain only text and paths.
"""

from __future__ import annotations

import re
from functools import lru_cache

from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE
from hookctl.template.language.expressions import Node, Output, Path, Text
from hookctl.template.language.reading import Reading
from hookctl.template.language.words import PLAIN_OUTPUT

MAX_CHARACTERS = 64 * 1024
"""The maximum length of a template, in characters."""

_SYNTAX = re.compile(r"\{[{%#]")


def read(text: str, *, is_line: bool = False) -> Reading:
    """Read a template as far as it can be read.

    In a body, a choice between pieces of punctuation is read as a branch; in a line (``is_line``) it is an output.

    Raises:
        TemplateError: the template is too large or too deeply nested, or is not valid Unicode; it says where.
    """
    return _read(text, is_line)


@lru_cache(maxsize=16)  # a template is checked, described and compiled by functions that each read it
def _read(text: str, is_line: bool) -> Reading:
    if len(text) > MAX_CHARACTERS:
        raise TEMPLATE_TOO_LARGE.error(
            MAX_CHARACTERS, len(text), what=f"the template has more than {MAX_CHARACTERS} characters", fix="Shorten it."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "the template contains an unpaired surrogate"
        raise TEMPLATE_SYNTAX.error(error.start, error.end, what=message, fix="Write the character itself.") from None
    plain = None if "{%" in text or "{#" in text else _plain(text)
    if plain is not None:
        return Reading(plain)
    from hookctl.template.language.grammar import read_with_jinja

    return read_with_jinja(text, is_line=is_line)


def parse(text: str, *, is_line: bool = False) -> tuple[Node, ...]:
    """The nodes of a template; ``is_line`` as for :func:`read`.

    Raises:
        TemplateError: the first error in the template's syntax, or as :func:`read`; it says where.
    """
    reading = read(text, is_line=is_line)
    if reading.problems:
        raise reading.problems[0].to_error()
    return reading.nodes


def _plain(text: str) -> tuple[Text | Output, ...] | None:
    """The nodes of a template that contains only text and paths; None for any other."""
    nodes: list[Text | Output] = []
    position = 0
    for opening in _SYNTAX.finditer(text):
        if opening.start() < position:
            continue
        match = PLAIN_OUTPUT.match(text, opening.start())
        if match is None:
            return None
        if position < match.start():
            nodes.append(Text(text[position : match.start()], position, match.start()))
        root, *steps = match[1].split(".")
        nodes.append(Output(Path(root, tuple(steps), *match.span(1)), *match.span()))
        position = match.end()
    if position < len(text):
        nodes.append(Text(text[position:], position, len(text)))
    return tuple(nodes)
