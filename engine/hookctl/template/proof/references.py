"""Secret references in the literal text of a body template.

Each becomes an output of its own, so that the checks and the renderer see where it is, as for any other output.
Only the text of the template is split: nothing in an event is ever read as a reference.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hookctl.model.problem import Problem
from hookctl.model.rules.fields import SECRET_MISPLACED
from hookctl.model.rules.texts import TEMPLATE_BRANCH_DEPTH, TEMPLATE_NOT_XML
from hookctl.model.secret import REFERENCE_IN_BODY, SecretReference
from hookctl.template.language.expressions import Const, Expression, For, If, Node, Output, Text, walk
from hookctl.template.proof.positions import Position

_VARIANTS = {"value": "bare", "key": "key"}
"""The variant of the message for each position that a reference cannot have."""
_OF_XML = frozenset({TEMPLATE_NOT_XML.id, TEMPLATE_BRANCH_DEPTH.id})
_DELIMITED = re.compile(r"\{#.*?(?:#\}|\Z)|\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)", re.DOTALL)
"""A comment, an expression or a tag as a whole, so that no other is found in it."""
_IN_MARKUP = re.compile(rf"(?:</?)?({REFERENCE_IN_BODY.pattern})")


def may_have_reference(text: str) -> bool:
    """False when a template certainly has no reference; quick, since most have none."""
    return "${" in text


def split_references(nodes: Sequence[Node], whole: re.Pattern[str] | None = None) -> tuple[Node, ...]:
    """The nodes with each reference in their text as an output; see :func:`reference_of`.

    Text that ``whole`` matches is not split.
    """
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Text):
            found += _split(node, whole)
        elif isinstance(node, If):
            branches = [replace(branch, body=split_references(branch.body, whole)) for branch in node.branches]
            found.append(replace(node, branches=tuple(branches)))
        elif isinstance(node, For):
            body, otherwise = (split_references(part, whole) for part in (node.body, node.otherwise))
            found.append(replace(node, body=body, otherwise=otherwise))
        else:
            found.append(node)
    return tuple(found)


def _split(node: Text, whole: re.Pattern[str] | None) -> Iterator[Text | Output]:
    done = 0
    parts = [match.span() for match in whole.finditer(node.text)] if whole else []
    for match in REFERENCE_IN_BODY.finditer(node.text):
        if _is_within(parts, match.start()):
            continue
        if match.start() > done:
            yield _part(node, done, match.start())
        start, end = node.span(*match.span())
        yield Output(Const(match[0], match[0], start, end), start, end)
        done = match.end()
    if done < len(node.text) or not node.text:
        yield _part(node, done, len(node.text)) if done else node


def _part(node: Text, start: int, end: int) -> Text:
    first, last = node.span(start, end)
    return replace(node, text=node.text[start:end], start=first, end=last)


def reference_of(expression: Expression) -> SecretReference | None:
    """The reference that an output represents; None for an expression that an author wrote in braces.

    No constant of a template has such a text: that of a string has quotes.
    """
    if isinstance(expression, Const) and (match := REFERENCE_IN_BODY.fullmatch(expression.text)):
        return SecretReference(*match.groups())
    return None


def reference_problems(nodes: Sequence[Node], positions: Mapping[int, Position], text: str) -> Iterator[Problem]:
    """The errors of references in split nodes where a secret cannot be escaped.

    That is anywhere but in a JSON string, in XML's text and attributes, and in the text of ``body_format: text``.
    """
    variants: dict[int, str] = {}
    literals: list[tuple[int, int]] = []
    for part in walk(*nodes):
        if isinstance(part, Output) and reference_of(part.expression):
            variants[part.start] = _VARIANTS.get(positions[part.start].form, "")
        elif isinstance(part, Text):
            literals.append((part.start, part.end))
    literals.sort()
    comments = [match.span() for match in _DELIMITED.finditer(text) if match[0].startswith("{#")]
    for match in REFERENCE_IN_BODY.finditer(text):
        variant = variants.get(match.start())
        if variant is None and _is_within(literals, match.start()):
            variant = "markup"
        elif variant is None:
            variant = "comment" if _is_within(comments, match.start()) else "expression"
        if variant:
            yield SECRET_MISPLACED.problem(*match.span(), variant, text=match[0], field="body_template")


def about_reference(problem: Problem, text: str) -> Problem:
    """The problem; for one of a reference as part of an XML tag, or outside of all elements, what says so."""
    match = _IN_MARKUP.match(text, problem.start) if problem.rule in _OF_XML else None
    return SECRET_MISPLACED.problem(*match.span(1), "markup", text=match[1]) if match else problem


def _is_within(spans: Sequence[tuple[int, int]], offset: int) -> bool:
    """Whether one of the spans, which are in order and do not overlap, contains the offset."""
    last = bisect_right(spans, offset, key=lambda span: span[0]) - 1
    return last >= 0 and offset < spans[last][1]
