"""Converts node trees to JSON values, and reports everything that is ambiguous or cannot be JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from yaml.nodes import ScalarNode, SequenceNode

from hookctl.config.load.composer import MAX_DEPTH, depth_problem
from hookctl.config.load.scalars import AmbiguousScalarError, is_text, resolve_plain
from hookctl.model import Json, Pointer, Problem, brief
from hookctl.model.rules.files import YAML_AMBIGUOUS_NUMBER, YAML_ANCHOR, YAML_DUPLICATE_KEY, YAML_KEY_TYPE, YAML_TAG
from hookctl.model.rules.rule import Rule

if TYPE_CHECKING:
    from yaml.nodes import Node

_SIGN = re.compile("[&!]")
_STATUS = re.compile("[1-9][0-9]{2}")
_PROPERTY = re.compile(r"(?:(&)|!)(?:<[^>]*>|[^\s,\[\]{}]*)\s*")


class Construction:
    """The JSON value of a document, its problems, and in ``unread`` the places whose value is unknown."""

    def __init__(self, text: str, root: Node, line_of: Callable[[int], int]) -> None:
        """``line_of`` returns the line in the file for an offset in ``text``."""
        self.problems: list[Problem] = []
        self.unread: list[Pointer] = []
        self._text = text
        self._line_of = line_of
        self._path: list[str | int] = []
        self._signs = frozenset(match.start() for match in _SIGN.finditer(text))
        self._visited: set[int] = set()
        self.value = self._build(root)

    def _build(self, node: Node) -> Json:
        if node.start_mark.index in self._signs and not self._check_properties(node):
            self.unread.append(tuple(self._path))
            return None
        if isinstance(node, ScalarNode):
            return node.value if node.style else self._plain(node)
        if len(self._path) >= MAX_DEPTH:
            start = node.start_mark.index
            self.problems.append(depth_problem(start, start + 1))
            # Nothing in a field that is nested this deeply can be valid, so skip the whole field.
            self.unread.append(tuple(self._path[:1]))
            return None
        if isinstance(node, SequenceNode):
            return self._list(node)
        return self._mapping(node)

    def _plain(self, node: ScalarNode) -> Json:
        try:
            return resolve_plain(node.value)
        except AmbiguousScalarError as error:
            self._problem_at(node, YAML_AMBIGUOUS_NUMBER, number=brief(node.value), why=error)
            self.unread.append(tuple(self._path))
            return str(node.value)

    def _list(self, node: SequenceNode) -> Json:
        items: list[Json] = []
        for index, item in enumerate(node.value):
            self._path.append(index)
            items.append(self._build(item))
            self._path.pop()
        return items

    def _mapping(self, node: Node) -> Json:
        fields: dict[str, Json] = {}
        first: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in fields:
                line = self._line_of(first[key].start_mark.index)
                self._problem_at(key_node, YAML_DUPLICATE_KEY, key=brief(key), line=line)
                continue
            first[key] = key_node
            self._path.append(key)
            fields[key] = self._build(value_node)
            self._path.pop()
        return fields

    def _key(self, node: Node) -> str | None:
        if node.start_mark.index in self._signs and not self._check_properties(node):
            return None
        if not isinstance(node, ScalarNode):
            self._problem_at(node, YAML_KEY_TYPE, "collection")
            if self._path:
                self.unread.append(tuple(self._path))  # probably meant as text, such as {{ x }}
            return None
        if not node.style and not is_text(node.value) and not self._is_status(node):
            self._problem_at(node, YAML_KEY_TYPE, key=brief(node.value or "null"))
            return None
        return str(node.value)

    def _is_status(self, node: ScalarNode) -> bool:
        """Whether a key is an HTTP status in ``outcomes``, where every author would write it without quotes."""
        return self._path == ["outcomes"] and _STATUS.fullmatch(node.value) is not None

    def _check_properties(self, node: Node) -> bool:
        """Report the anchors and tags at the start of a node.

        Returns False if the value of the node is unknown because it is a tagged scalar or an alias.
        """
        start = node.start_mark.index
        if id(node) in self._visited:
            # An alias leads here. The anchor has a finding already, and nested aliases would take exponential time.
            return False
        self._visited.add(id(node))
        tagged = False
        while match := _PROPERTY.match(self._text, start):
            end = start + len(match[0].rstrip())
            if match[1]:
                self._problem_at(node, YAML_ANCHOR, end=end, anchor=brief(self._text[start:end]))
            else:
                tagged = True
                self._problem_at(node, YAML_TAG, end=end, tag=brief(self._text[start:end]))
            start = match.end()
        return not (tagged and isinstance(node, ScalarNode))

    def _problem_at(self, node: Node, rule: Rule, variant: str = "", *, end: int | None = None, **fields: Any) -> None:
        self.problems.append(rule.problem(node.start_mark.index, end or node.end_mark.index, variant, **fields))
