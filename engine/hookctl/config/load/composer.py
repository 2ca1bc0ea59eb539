"""Parses the text of one YAML document into a node tree, with libyaml if PyYAML was built with it.

Never recurses deeper than ``MAX_DEPTH``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from yaml.composer import Composer
from yaml.events import CollectionEndEvent, CollectionStartEvent, StreamEndEvent
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from hookctl.model import Problem
from hookctl.model.rules.files import YAML_ANCHOR, YAML_DEPTH, YAML_SYNTAX, YAML_TAB

if TYPE_CHECKING:
    from yaml.error import Mark
    from yaml.nodes import Node

MAX_DEPTH = 64
"""The deepest nesting of mappings and sequences, including the document's own mapping."""
_HARMLESS = 250
"""A text with at most this many indicators cannot nest deep enough to exhaust a composer's stack."""


class _Unresolved:
    """Leaves every tag unresolved, because ``scalars`` applies the core schema afterwards."""

    def resolve(self, _kind: type[Node], _value: object, _implicit: object) -> None:
        return None

    def descend_resolver(self, _parent: Node | None, _index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class _PureComposer(_Unresolved, Reader, Scanner, Parser, Composer):
    """PyYAML's pure Python parser, used when PyYAML was built without libyaml."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class _FastComposer(_Unresolved, CParser):
        """libyaml's parser."""

    ComposerType: type[Any] = _FastComposer
else:
    ComposerType = _PureComposer


def compose(text: str) -> Node | Problem | None:
    """The root node of the only document in ``text``, a problem if it does not parse, or None if there is no document.

    ``text`` must not contain characters that YAML forbids.
    """
    try:
        if _may_be_deep(text):
            too_deep = _find_too_deep(text)
            if too_deep is not None:
                return depth_problem(too_deep, too_deep + 1)
        node: Node | None = ComposerType(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        return _explain(text, error)
    return node


def compose_again(text: str) -> Node:
    """The root node of a text for which :func:`compose` has already returned a node."""
    node: Node = ComposerType(text).get_single_node()
    return node


def depth_problem(start: int, end: int) -> Problem:
    """The problem for a node that is nested too deeply. ``start`` and ``end`` are its offsets."""
    return YAML_DEPTH.problem(start, end, limit=MAX_DEPTH)


def _may_be_deep(text: str) -> bool:
    return sum(map(text.count, "[{-?:")) > _HARMLESS


def _find_too_deep(text: str) -> int | None:
    """The offset of the first collection that is nested too deeply; None if there is none.

    Reads events, which need no recursion, and stops at that collection.
    """
    try:
        return _first_too_deep(ComposerType(text))
    except yaml.scanner.ScannerError as error:
        if "nesting depth" not in (error.problem or ""):
            raise
        # libyaml looks ahead. Since 0.2.6 it has its own depth limit, and it can reach that limit before it returns
        # the event that exceeds ours.
        return _first_too_deep(_PureComposer(text))


def _first_too_deep(parser: Any) -> int | None:
    depth = 0
    while not isinstance(event := parser.get_event(), StreamEndEvent):
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                start: int = event.start_mark.index  # type: ignore[union-attr]  # parsed events always have marks
                return start
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
    return None


_HINTS = (
    (
        "mapping values are not allowed",
        "Quote text that contains a colon and a space, and indent all keys of a mapping equally.",
    ),
    ("found character that cannot start any token", "Quote a value that begins with %, @ or `."),
    ("unexpected end of stream", "Add the closing quote."),
    ("unexpected document indicator", "Add the closing quote before the next document."),
    ("',' or ']'", "Close the list with ], or separate its items with commas."),
    ("',' or '}'", "Close the mapping with }, or quote text that begins with {."),
    ("expected node content", "Add the closing bracket, or quote the value."),
    ("expected key", "Indent all keys of a mapping equally; inside single quotes, write a quote as ''."),
    ("'-' indicator", "Indent all items of a list equally."),
    ("unknown escape character", "Write a backslash as \\\\ in double quotes, or use single quotes."),
    ("incompatible YAML document", "Remove the %YAML line: hookctl reads files as YAML 1.2."),
    ("directive", "Remove the line that begins with %."),
)


def _explain(text: str, error: yaml.MarkedYAMLError) -> Problem:
    problem = error.problem or "not YAML"
    index = _index(text, error.problem_mark or error.context_mark)
    tab = _tab_in_indentation(text, index)
    if tab is not None:
        return YAML_TAB.problem(tab, tab + 1)
    if "alias" in problem or "anchor" in problem or "anchor" in (error.context or ""):
        name = text[index:].split(maxsplit=1) or [""]
        return YAML_ANCHOR.problem(index, index + max(1, len(name[0])), "alias")
    if error.context_mark and ("unexpected" in problem or not text[index:].strip()):
        # The position of the unclosed quote or bracket is more useful than the end of the file.
        index = _index(text, error.context_mark)
    if index >= len(text.rstrip()):
        index = max(0, len(text.rstrip()) - 1)
    fix = next((hint for part, hint in _HINTS if part in problem), "Check this line and the line before it.")
    return YAML_SYNTAX.problem(index, index + 1, what=f"{problem} {error.context or ''}".rstrip(), fix=fix)


def _index(text: str, mark: Mark | None) -> int:
    return min(mark.index, len(text)) if mark else 0


def _tab_in_indentation(text: str, index: int) -> int | None:
    start = text.rfind("\n", 0, index) + 1
    line = text[start : text.find("\n", start) if "\n" in text[start:] else len(text)]
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    return start + indentation.index("\t") if "\t" in indentation else None
