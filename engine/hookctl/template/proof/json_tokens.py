"""Reads the literal text of a template as JSON: its tokens, and the expressions inside each string.

The tokens form the same tree of branches and loops as the template. A string's content remains a sequence of text,
outputs, branches and loops; :mod:`hookctl.template.proof.positions` decides whether it is itself JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_BRANCH_DEPTH, TEMPLATE_NOT_JSON
from hookctl.template.language.expressions import For, If, Node, Output, Text


class Mark(NamedTuple):
    """A token without outputs.

    ``kind`` is one of ``{ } [ ] : ,``, ``string``, or ``value`` for a number, boolean or null.

    Tokens are tuples because creating them takes a large part of checking a template, and tuples are created three
    times as fast as frozen dataclasses.
    """

    kind: str
    text: str
    start: int
    end: int


class String(NamedTuple):
    """A JSON string that contains outputs, branches or loops, with its content still escaped."""

    content: tuple[Node, ...]
    start: int
    end: int


class Slot(NamedTuple):
    """An output in value position."""

    output: Output


class Fork(NamedTuple):
    """A branch, with the tokens of each of its bodies."""

    node: If
    bodies: tuple[tuple[JsonToken, ...], ...]


class Loop(NamedTuple):
    """A loop, with the tokens of its body and of its ``else``."""

    node: For
    body: tuple[JsonToken, ...]
    otherwise: tuple[JsonToken, ...]

    @property
    def bodies(self) -> tuple[tuple[JsonToken, ...], ...]:
        """The tokens of the body and of the ``else``."""
        return self.body, self.otherwise


JsonToken = Mark | String | Slot | Fork | Loop

_CHARACTERS = r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+'
_CONTENT = re.compile(_CHARACTERS)
_STRUCTURE = re.compile(
    rf"""[ \t\n\r]*+(?:
    ([{{}}\[\]:,])
  | ("{_CHARACTERS}")
  | (-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.+-])
  | (")
  | (\Z)
  | ([^\s{{}}\[\]:,"]+|.)
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_MARK, _STRING, _VALUE, _QUOTE, _END, _STRAY = range(1, 7)
_OTHER_WORDS = {"True": "true", "False": "false", "None": "null", "NULL": "null", "TRUE": "true", "FALSE": "false"}


class _UnclosedStringError(TemplateError):
    """Whether the text ends inside a string."""


def read(nodes: Sequence[Node]) -> tuple[JsonToken, ...]:
    """The JSON tokens of a template's nodes.

    Raises:
        TemplateError: Some text is not JSON, a string is not closed, or a branch ends inside a string and began
            outside, or the reverse.
    """
    tokens: list[JsonToken] = []
    content: list[Node] | None = None
    opened = 0
    for node in nodes:
        if isinstance(node, Text):
            at = 0
            if content is not None:
                at, closed = _content(node, 0, content)
                if not closed:
                    continue
                tokens.append(String(tuple(content), opened, node.span(at - 1, at)[1]))
                content = None
            at = _structure(node, at, tokens)
            if at:
                content, opened = [], node.span(at - 1, at)[0]
                _content(node, at, content)
        elif content is not None:
            _forbid_quotes(node)
            content.append(node)
        else:
            tokens.append(_token(node))
    if content is not None:
        raise _UnclosedStringError(
            "the string is not closed",
            hint='Add the closing ".',
            rule=TEMPLATE_NOT_JSON.id,
            start=opened,
            end=opened + 1,
        )
    return tuple(tokens)


def _structure(node: Text, at: int, tokens: list[JsonToken]) -> int:
    """Add the tokens from ``at`` on.

    Returns the offset of the content of a string that does not end in this text; else 0.
    """
    text, offset, exact = node.text, node.start, node.exact
    while True:
        match = _STRUCTURE.match(text, at)
        assert match is not None and match.lastindex is not None  # noqa: S101, PT018 - the last alternative takes any character
        index = match.lastindex
        start, at = match.span(index)
        if index == _END:
            return 0
        if index == _QUOTE:
            return at
        word = match.group(index)
        span = (offset + start, offset + at) if exact else (offset, node.end)
        if index == _STRAY:
            raise _stray(word, *span)
        tokens.append(Mark(word if index == _MARK else "string" if index == _STRING else "value", word, *span))


def _token(node: Output | If | For) -> JsonToken:
    if isinstance(node, Output):
        return Slot(node)
    if isinstance(node, If):
        return Fork(node, tuple(_body(branch.body, branch.start, branch.end) for branch in node.branches))
    return Loop(node, _body(node.body, node.start, node.end), _body(node.otherwise, node.start, node.end))


def _body(nodes: Sequence[Node], start: int, end: int) -> tuple[JsonToken, ...]:
    try:
        return read(nodes)
    except _UnclosedStringError:
        hint = (
            "Put the whole string with both its quotes inside the tag, or keep both quotes outside: "
            '"...{% if a %}...{% endif %}...".'
        )
        raise TEMPLATE_BRANCH_DEPTH.error(
            start, end, what="a string begins inside the tag and ends outside", fix=hint
        ) from None


def _stray(word: str, start: int, end: int) -> TemplateError:
    if word in _OTHER_WORDS:
        hint = f"Write {_OTHER_WORDS[word]}."
    elif word[0] == "'":
        hint = 'JSON strings need double quotes: ".'
    elif word[0].isdigit() or word[0] in "-+.":
        hint = "Write a complete JSON number such as 0, 1.5 or -2e3, outside tags."
    elif word.startswith(("//", "/*", "#")):
        hint = "JSON has no comments; write {# ... #}."
    else:
        hint = "Put text in double quotes."
    return TEMPLATE_NOT_JSON.error(start, end, what=f"{word[:40]} is not JSON", fix=hint)


def _content(node: Text, at: int, content: list[Node]) -> tuple[int, bool]:
    """Add the string content from ``at`` on. Returns where it ends, and whether the string was closed there."""
    match = _CONTENT.match(node.text, at)
    end = match.end() if match else at
    if end > at:
        content.append(Text(node.text[at:end], *node.span(at, end), exact=node.exact))
    if end == len(node.text):
        return end, False
    if node.text[end] == '"':
        return end + 1, True
    start, stop = node.span(end, min(end + 2, len(node.text)))
    if node.text[end] != "\\":
        name = {"\n": "a line break", "\t": "a tab", "\r": "a carriage return"}.get(
            node.text[end], "a control character"
        )
        escape = json.dumps(node.text[end])[1:-1]
        raise TEMPLATE_NOT_JSON.error(
            start,
            start + 1,
            what=f"{name} inside a string",
            fix=f"Write {escape} or close the string before it.",
        )
    if end + 1 == len(node.text):
        hint = "Write two backslashes for one, or remove it: it would swallow the first character of the value."
        raise TEMPLATE_NOT_JSON.error(start, stop, what="a backslash right before the tag", fix=hint)
    raise TEMPLATE_NOT_JSON.error(
        start, stop, what=f"{node.text[end : end + 2]} is not an escape in JSON", fix="Write two backslashes for one."
    )


def _forbid_quotes(node: Node) -> None:
    """Check that a tag inside a string contains only string content: no closing quote, and no incomplete escape."""
    if isinstance(node, If):
        bodies = [(branch.body, branch.start, branch.end) for branch in node.branches]
    elif isinstance(node, For):
        bodies = [(node.body, node.start, node.end), (node.otherwise, node.start, node.end)]
    else:
        return
    for body, start, end in bodies:
        for inner in body:
            if not isinstance(inner, Text):
                _forbid_quotes(inner)
            elif _content(inner, 0, [])[1]:
                hint = (
                    "Put the whole string with both its quotes inside the tag, or keep both quotes outside. "
                    'Write \\" for a quote in the text.'
                )
                raise TEMPLATE_BRANCH_DEPTH.error(
                    start, end, what="a string that began before the tag ends inside it", fix=hint
                )


def unescape(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """A string's content with one level of escapes removed, also in branches and loops."""
    return tuple(_unescaped(node) for node in nodes)


def _unescaped(node: Node) -> Node:
    if isinstance(node, Text):
        return Text(json.loads(f'"{node.text}"'), node.start, node.end, exact=node.exact and "\\" not in node.text)
    if isinstance(node, If):
        return If(
            tuple(
                type(branch)(branch.condition, unescape(branch.body), branch.start, branch.end)
                for branch in node.branches
            )
        )
    if isinstance(node, For):
        return replace(node, body=unescape(node.body), otherwise=unescape(node.otherwise))
    return node
