"""Reads an XML start tag: its attributes, of which branches may hold some, and the expressions in their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Never

from hookctl.model.rules.texts import TEMPLATE_BRANCH_DEPTH, TEMPLATE_NOT_XML
from hookctl.template.language.expressions import For, If, Node, Output, Text

_START = "A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e"
PART = rf"[{_START}][{_START}0-9.\u00b7-]*+"
NAME = rf"{PART}(?::{PART})?+"
"""A name with or without a prefix, of the Latin letters that every edition of XML 1.0 allows."""
ENTITY = r"&(?:amp|lt|gt|quot|apos|\#[0-9]{1,7}|\#x[0-9a-fA-F]{1,6});"
NOT_ALLOWED = re.compile("[^\\t\\n\\r\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that no XML 1.0 document contains, not even as a numeric entity."""
RESERVED_NAMESPACES = frozenset({"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"})

_NEXT = re.compile(rf"([ \t\r\n]*)(?:(/?>)|({NAME})[ \t\r\n]*=[ \t\r\n]*([\"'])|\Z)")
_VALUE = {quote: re.compile(rf"(?:[^<&{quote}]|{ENTITY})*+") for quote in "\"'"}


class Element(NamedTuple):
    """What a start tag says of its element."""

    name: str
    attributes: tuple[str, ...]
    """The names of its attributes, those that a branch holds included, without declarations of namespaces."""
    declared: tuple[tuple[str, str], ...]
    """The prefixes that it declares, with their namespaces; the empty prefix is left out."""


class StartTag:
    """A start tag that is being read, or a branch in one, which may hold attributes only."""

    def __init__(self, name: str, start: int, around: StartTag | None = None) -> None:
        self.name = name
        self.start = start
        self.kind = ""
        """``open`` or ``empty`` once the tag has been closed."""
        self.outputs: list[int] = []
        """Where the expressions in its attributes' values begin."""
        self.names: dict[str, str] = dict(around.names) if around else {}
        """Its attributes with the fixed text of their values; those of the tag around a branch are among them."""
        self._around = around
        self.quote = ""
        """The quote that ends the value that is being read; empty outside of values."""
        self.is_spaced: bool = around.is_spaced if around else False
        """Whether an attribute may begin here."""
        self._attribute = ""

    def element(self) -> Element:
        """What the tag says of its element."""
        declared = ((name[6:], uri) for name, uri in self.names.items() if name.startswith("xmlns:"))
        names = (name for name in self.names if name != "xmlns" and not name.startswith("xmlns:"))
        return Element(self.name, tuple(names), tuple(declared))

    def read(self, node: Text, at: int) -> int:
        """Read a text from ``at`` on, to its end or to that of the tag. Returns where reading ended."""
        while at < len(node.text) and not self.kind:
            at = self._read_value(node, at) if self.quote else self._read_next(node, at)
        return at

    def take(self, node: Output | If | For) -> None:
        """Read an expression, or a tag of the template."""
        if self.quote:
            if self._attribute.partition(":")[0] == "xmlns":
                _refuse("a namespace is declared by an expression", "Write the namespace as fixed text.", *_span(node))
            self._take_in_value((node,), *_span(node))
        elif isinstance(node, If):
            self._take_branches(node)
        else:
            hint = 'Put the value of an attribute in quotes: name="{{ ... }}". Names are fixed text.'
            what = "an expression" if isinstance(node, Output) else "a loop"
            _refuse(
                f"{what} is not allowed in the tag <{self.name}, except in an attribute's value", hint, *_span(node)
            )

    def _read_next(self, node: Text, at: int) -> int:
        """Read up to the end of the tag, or up to an attribute's value."""
        match = _NEXT.match(node.text, at)
        if match is None or (match[2] and self._around):
            start = at + len(node.text[at:]) - len(node.text[at:].lstrip())
            hint = 'Write attributes as name="value", and close the tag with > outside of branches.'
            _refuse(
                f"the tag <{self.name} cannot be read here", hint, *node.span(start, min(start + 20, len(node.text)))
            )
        self.is_spaced = self.is_spaced or bool(match[1])
        if match[2]:
            self.kind = "open" if match[2] == ">" else "empty"
        elif match[3]:
            self._begin(match[3], *node.span(*match.span(3)))
            self.quote = match[4]
        return match.end()

    def _begin(self, name: str, start: int, end: int) -> None:
        if not self.is_spaced:
            _refuse(f"there is no space before the attribute {name}", "Put a space before it.", start, end)
        if name in self.names:
            hint = "Write it once; its value can hold {% if %} and {% else %}."
            _refuse(f"the tag <{self.name} has the attribute {name} twice", hint, start, end)
        if self._around and name.partition(":")[0] == "xmlns":
            _refuse("a namespace is declared in a branch", "Declare it outside of branches.", start, end)
        self.names[name] = ""
        self._attribute = name
        self.is_spaced = False

    def _read_value(self, node: Text, at: int) -> int:
        """Read an attribute's value up to its closing quote."""
        end = _end_of_value(node, at, self.quote)
        self.names[self._attribute] += node.text[at:end]
        if end == len(node.text):
            return end
        self.quote = ""
        if self._attribute.partition(":")[0] == "xmlns":
            _check_namespace(self._attribute, self.names[self._attribute], *node.span(at, end + 1))
        return end + 1

    def _take_in_value(self, nodes: Sequence[Node], start: int, end: int) -> None:
        """Read a part of an attribute's value; ``start`` and ``end`` are those of the tag around it."""
        for node in nodes:
            if isinstance(node, Text):
                if _end_of_value(node, 0, self.quote) < len(node.text):
                    hint = "Close the value outside of the branch, or put the whole attribute inside."
                    what = "an attribute's value begins before the branch and ends in it"
                    raise TEMPLATE_BRANCH_DEPTH.error(start, end, what=what, fix=hint)
            elif isinstance(node, Output):
                self.outputs.append(node.start)
            elif isinstance(node, If):
                for branch in node.branches:
                    self._take_in_value(branch.body, branch.start, branch.end)
            else:
                self._take_in_value((*node.body, *node.otherwise), node.start, node.end)

    def _take_branches(self, node: If) -> None:
        """Read branches around whole attributes. An attribute may be in several of them, but not also elsewhere."""
        tags = []
        for branch in node.branches:
            tag = StartTag(self.name, self.start, self)
            for inner in branch.body:
                if isinstance(inner, Text):
                    tag.read(inner, 0)
                else:
                    tag.take(inner)
            if tag.quote:
                hint = "Put the whole attribute with both its quotes inside the branch."
                what = "an attribute's value begins in the branch and ends outside"
                raise TEMPLATE_BRANCH_DEPTH.error(branch.start, branch.end, what=what, fix=hint)
            tags.append(tag)
        has_else = any(branch.condition is None for branch in node.branches)
        self.is_spaced = all(tag.is_spaced for tag in tags) and (has_else or self.is_spaced)
        for tag in tags:
            self.names.update(tag.names)
            self.outputs += tag.outputs


def check_entity(entity: str, start: int, end: int) -> None:
    """Refuse a numeric entity of a character that XML does not have. ``start`` and ``end`` are its place."""
    if not entity.startswith("&#"):
        return
    code = int(entity[3:-1], 16) if entity[2] == "x" else int(entity[2:-1])
    if code > 0x10FFFF or NOT_ALLOWED.match(chr(code)):
        _refuse(f"XML does not have the character {entity}", "Remove it.", start, end)


def _end_of_value(node: Text, at: int, quote: str) -> int:
    """Where the part of an attribute's value that begins at ``at`` ends: at its closing quote or with the text."""
    match = _VALUE[quote].match(node.text, at)
    end = match.end() if match else at
    if end < len(node.text) and node.text[end] != quote:
        name = {"<": "&lt;", "&": "&amp;"}[node.text[end]]
        what = f"{node.text[end]} is not allowed in the value of an attribute"
        _refuse(what, f"Write {name} for the character.", *node.span(end, end + 1))
    for entity in re.finditer(ENTITY, node.text[at:end]):
        check_entity(entity[0], *node.span(at + entity.start(), at + entity.end()))
    return end


def _check_namespace(name: str, uri: str, start: int, end: int) -> None:
    prefix = name.partition(":")[2]
    if prefix in {"xml", "xmlns"} or uri in RESERVED_NAMESPACES:
        _refuse(f"{name} cannot be declared", "Remove it: XML itself declares the prefix xml.", start, end)
    if (prefix and not uri) or "&" in uri or re.search(r"\s", uri):
        _refuse(f"{name} does not name a namespace", "Write its URI, without spaces and entities.", start, end)


def _span(node: Output | If | For) -> tuple[int, int]:
    tag = node.branches[0] if isinstance(node, If) else node
    return tag.start, tag.end


def _refuse(message: str, hint: str, start: int, end: int) -> Never:
    raise TEMPLATE_NOT_XML.error(start, end, what=message, fix=hint)
