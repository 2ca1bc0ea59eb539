"""One YAML document's text to its node tree, by libyaml where PyYAML has it. Never recurses deeper than the limit."""

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
"""Mappings and sequences inside one another, the document's own mapping included."""
_HARMLESS = 250
"""Fewer indicators than this cannot nest deep enough to exhaust a composer's stack."""


class _Unresolved:
    """Leaves every tag unresolved: scalars are read by the core schema afterwards."""

    def resolve(self, _kind: type[Node], _value: object, _implicit: object) -> None:
        return None

    def descend_resolver(self, _parent: Node | None, _index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class _PureComposer(_Unresolved, Reader, Scanner, Parser, Composer):
    """PyYAML's own parser, for a PyYAML without libyaml."""

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
    """The root node of the one document in ``text``; None when it holds none. ``text`` must hold no character that YAML forbids."""
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
    """The root node of a text that :func:`compose` gave one for before."""
    node: Node = ComposerType(text).get_single_node()
    return node


def depth_problem(start: int, end: int) -> Problem:
    """The problem of a node below the limit."""
    return YAML_DEPTH.problem(start, end, limit=MAX_DEPTH)


def _may_be_deep(text: str) -> bool:
    return sum(map(text.count, "[{-?:")) > _HARMLESS


def _find_too_deep(text: str) -> int | None:
    """Where the first collection below the limit starts. Reads events, which need no recursion, and not a level further."""
    try:
        return _first_too_deep(ComposerType(text))
    except yaml.scanner.ScannerError as error:
        if "nesting depth" not in (error.problem or ""):
            raise
        # libyaml looks ahead, and from 0.2.6 on gives up at a depth of its own before the event that passes ours comes out.
        return _first_too_deep(_PureComposer(text))


def _first_too_deep(parser: Any) -> int | None:
    depth = 0
    while not isinstance(event := parser.get_event(), StreamEndEvent):
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                start: int = event.start_mark.index  # type: ignore[union-attr]  # a parsed event has marks
                return start
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
    return None


_HINTS = (
    (
        "mapping values are not allowed",
        "Put text that holds a colon and a space in quotes, and indent keys of one mapping alike.",
    ),
    ("found character that cannot start any token", "Put a value that begins with %, @ or ` in quotes."),
    ("unexpected end of stream", "Close the quote."),
    ("unexpected document indicator", "Close the quote before the next document."),
    ("',' or ']'", "Close the list with ], or put a comma between its items."),
    ("',' or '}'", "Close the mapping with }, or put text that begins with { in quotes."),
    ("expected node content", "Close the bracket, or put the value in quotes."),
    ("expected key", "Indent the keys of one mapping alike; inside single quotes write a quote as ''."),
    ("'-' indicator", "Indent the items of one list alike."),
    ("unknown escape character", "Write a backslash as \\\\ inside double quotes, or use single quotes."),
    ("incompatible YAML document", "Remove the %YAML line: files are read as YAML 1.2."),
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
        index = _index(text, error.context_mark)  # what was opened and never closed says more than the end of the file
    if index >= len(text.rstrip()):
        index = max(0, len(text.rstrip()) - 1)
    fix = next((hint for part, hint in _HINTS if part in problem), "See the line and the one before it.")
    return YAML_SYNTAX.problem(index, index + 1, what=f"{problem} {error.context or ''}".rstrip(), fix=fix)


def _index(text: str, mark: Mark | None) -> int:
    return min(mark.index, len(text)) if mark else 0


def _tab_in_indentation(text: str, index: int) -> int | None:
    start = text.rfind("\n", 0, index) + 1
    line = text[start : text.find("\n", start) if "\n" in text[start:] else len(text)]
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    return start + indentation.index("\t") if "\t" in indentation else None
