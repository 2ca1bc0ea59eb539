"""Explains why a ``when`` does not match an event: the smallest part of it that is false, and the values in that part.

``a && b`` is false because of its first false operand, so only that one is shown. The parts are taken from the text
itself, so that they read as the author wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hookctl.bounded import EVENT_STEPS, Budget
from hookctl.model import Json, canonical_json

if TYPE_CHECKING:
    from hookctl.bounded.jmes_path import Ast

MAX_VALUES = 5
"""The most values that an explanation shows."""
MAX_CHARACTERS = 80
"""Of one value; the rest is cut off."""
_OPENING = frozenset({"lparen", "lbracket", "lbrace", "filter"})
_CLOSING = frozenset({"rparen", "rbracket", "rbrace"})
_PATHS = frozenset({"field", "subexpression", "index_expression"})


def why_false(text: str, document: Mapping[str, Json]) -> str:
    """The smallest false part of an expression for this event, with its values; empty if the expression is true.

    Raises TemplateError if it is not valid, RenderError if it cannot be evaluated.
    """
    if _is_true(text, document):
        return ""
    part = _false_part(text.strip(), document)
    return f"{' '.join(part.split())}{_values(part, document)}"


def _false_part(text: str, document: Mapping[str, Json]) -> str:
    """The first operand of ``&&`` that is false, in it again, and so on. ``text`` is false."""
    while True:
        inner = _without_parentheses(text)
        operands = _operands(inner)
        if len(operands) == 1:
            return inner
        text = next((operand for operand in operands if not _is_true(operand, document)), "")
        if not text:  # cannot be: an && of true operands is true
            return inner


def _is_true(text: str, document: Mapping[str, Json]) -> bool:
    from hookctl.when.condition import compile_when

    return compile_when(text).matches(document)


def _operands(text: str) -> list[str]:
    """The operands of ``&&`` outside of all brackets; the whole text where a weaker operator is outside of them too."""
    places = []
    for kind, start, depth in _tokens(text):
        if depth == 0 and kind in {"or", "pipe"}:
            return [text]
        if depth == 0 and kind == "and":
            places.append(start)
    starts = [0, *(place + len("&&") for place in places)]
    return [text[start:end].strip() for start, end in zip(starts, [*places, len(text)], strict=True)]


def _without_parentheses(text: str) -> str:
    """The text without parentheses around all of it."""
    while text.startswith("("):
        tokens = list(_tokens(text))
        close = next((start for kind, start, depth in tokens if kind == "rparen" and depth == 0), len(text))
        if close != len(text) - 1:
            return text
        text = text[1:-1].strip()
    return text


def _tokens(text: str) -> Iterator[tuple[str, int, int]]:
    """The type of each token, its offset, and how many brackets are open after it."""
    from jmespath.lexer import Lexer

    depth = 0
    for token in Lexer().tokenize(text):
        depth += (token["type"] in _OPENING) - (token["type"] in _CLOSING)
        yield token["type"], token["start"], depth


def _values(text: str, document: Mapping[str, Json]) -> str:
    """The values of the paths in the text, such as `` (data.severity is "Low")``; empty without any."""
    from hookctl.when.condition import compile_when
    from hookctl.when.expression import syntax_tree

    shown = []
    for path, node in dict(_paths(syntax_tree(compile_when(text).compiled))).items():
        shown.append(f"{path} is {_shown(_value(node, document))}")
    more = f" and {len(shown) - MAX_VALUES} more" if len(shown) > MAX_VALUES else ""
    return f" ({', '.join(shown[:MAX_VALUES])}{more})" if shown else ""


def _paths(node: Ast) -> Iterator[tuple[str, Ast]]:
    """The paths in an expression that start at the event, each with its node."""
    path = _path(node)
    if path is not None:
        yield path, node
    elif node["type"] in {"comparator", "and_expression", "or_expression", "not_expression", "function_expression"}:
        for child in node["children"]:
            yield from _paths(child)


def _path(node: Ast) -> str | None:
    """``data.tags[0]`` for a node that is such a path; None for any other."""
    kind = node["type"]
    if kind == "field":
        return str(node["value"])
    if kind == "index":
        return f"[{node['value']}]"
    if kind not in _PATHS:
        return None
    parts = [_path(child) for child in node["children"]]
    if any(part is None for part in parts):
        return None
    return re.sub(r"\.(?=\[)", "", ".".join(part for part in parts if part))


def _value(node: Ast, document: Mapping[str, Json]) -> Json:
    from hookctl.bounded.jmes_path import evaluate

    return evaluate(node, dict(document), Budget(EVENT_STEPS))


def _shown(value: Json) -> str:
    try:
        text = canonical_json(value).decode()
    except (ValueError, RecursionError):  # half of a surrogate pair, an infinite number, or deep nesting
        text = "a value that cannot be shown"
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}..."
