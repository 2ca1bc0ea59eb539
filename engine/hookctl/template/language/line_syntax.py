"""Reads a header's value, a URL or a form field with expressions: which expressions are allowed, and where.

Only outputs are allowed, no tags. Scheme, host and the names of parameters are fixed text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Literal

from hookctl.errors import TemplateError
from hookctl.model.problem import Problem
from hookctl.model.rules.fields import SECRET_MALFORMED, SECRET_MISPLACED
from hookctl.model.rules.texts import TEMPLATE_UNSAFE
from hookctl.model.rules.urls import URL_HOST_INVALID
from hookctl.model.secret import REFERENCE, without_references
from hookctl.template.language.expressions import For, If, Output, Text
from hookctl.template.language.parser import parse

Place = Literal["header", "url", "form"]
Nodes = Sequence[Text | Output]

_SYNTAX = re.compile(r"\{[{%#]")
_TAG = re.compile(r"\{%[-+]?\s*(\w+)")
_INSTEAD = {"set": "Write the expression where its name is used.", "raw": "Write {{ '{{' }} for the characters {{."}
_AFTER_AUTHORITY = re.compile(r"[/?#\\]")
_END_OF_PARAMETER = re.compile(r"[?&;]")
_MARK = "\0"
"""A placeholder for a value; no URL contains it."""


def has_expression(text: str) -> bool:
    """True if a header's value or a URL contains more than fixed text."""
    return _SYNTAX.search(text) is not None


def blanked(url: str) -> str | None:
    """The URL with each character of its expressions replaced by a letter, so that the URL rules can check it.

    None if :func:`check_text` cannot read the expressions.
    """
    if not has_expression(url):
        return url
    try:
        nodes = parse_line(url)
    except TemplateError:
        return None
    return _with_blanks(nodes, "x")


def _with_blanks(nodes: Nodes, blank: str) -> str:
    return "".join(node.text if isinstance(node, Text) else blank * (node.end - node.start) for node in nodes)


def parse_line(text: str) -> list[Text | Output]:
    """The text and the expressions, in order. Raises TemplateError for tags and comments."""
    nodes = parse(text, is_line=True)
    found: list[Text | Output] = []
    position = 0
    for node in nodes:
        if isinstance(node, If | For):
            tag = node.branches[0] if isinstance(node, If) else node
            hint = "Write a choice as {{ a if condition else b }}, a list as {{ list | join(',') }}."
            message = "a tag is not allowed in a header, a URL or a form field"
            raise _unsafe(message, hint, tag.start, tag.end).to_error()
        _no_gap(text, position, node.start)
        found.append(node)
        position = node.end
    _no_gap(text, position, len(text))
    return found


def _no_gap(text: str, start: int, end: int) -> None:
    """Refuse what gives no node: ``set``, ``raw``, comments, and spaces that a ``-`` strips."""
    if match := _TAG.search(text, start, end):
        message = f"the tag {match[1]} is not allowed in a header, a URL or a form field"
        raise _unsafe(message, _INSTEAD.get(match[1], "Remove it."), *match.span()).to_error()
    if start < end:
        message = "a comment, or a - that strips space, is not allowed in a header, a URL or a form field"
        raise _unsafe(message, "Remove it.", start, end).to_error()


def place_problems(nodes: Nodes, text: str, place: Place) -> Iterator[Problem]:
    """The errors of expressions at places for fixed text, and of secret references in expressions."""
    for node, following in zip_longest(nodes, nodes[1:]):
        if isinstance(node, Output):
            for match in REFERENCE.finditer(text, node.start, node.end):
                yield SECRET_MISPLACED.problem(*match.span(), "expression")
        elif following and (at := without_references(node.text).rfind("${")) >= 0 and "}" not in node.text[at:]:
            yield SECRET_MALFORMED.problem(node.start + at, node.end, "expression")
    if place == "url":
        yield from _url_problems(nodes)


def _url_problems(nodes: Nodes) -> Iterator[Problem]:
    """The errors of expressions in the host or in the name of a parameter.

    The host chooses the receiver, and the receiver looks for the name, so both are fixed text.
    """
    # References may contain / and ?, so they are replaced by letters first.
    plain = _with_blanks(
        [replace(node, text=without_references(node.text)) if isinstance(node, Text) else node for node in nodes],
        _MARK,
    )
    start = plain.find("://") + 3 if "://" in plain else 0
    authority = _AFTER_AUTHORITY.search(plain, start)
    end = authority.start() if authority else len(plain)
    query = plain.find("?", end)
    for node in nodes:
        if isinstance(node, Text):
            continue
        if node.start < end:
            yield URL_HOST_INVALID.problem(node.start, node.end, "expression")
        elif 0 <= query < node.start and not in_query_value(plain, node.start):
            yield _unsafe(
                "an expression is not allowed in the name of a parameter",
                "Write name={{ ... }}, with the name as fixed text.",
                node.start,
                node.end,
            )


def in_query_value(url: str, at: int) -> bool:
    """Whether the character at ``at`` of a URL without references belongs to the value of a parameter."""
    query = url.find("?")
    return 0 <= query < at and "=" in _END_OF_PARAMETER.split(url[query:at])[-1]


def _unsafe(message: str, hint: str, start: int, end: int) -> Problem:
    return TEMPLATE_UNSAFE.problem(start, end, what=message, fix=hint)
