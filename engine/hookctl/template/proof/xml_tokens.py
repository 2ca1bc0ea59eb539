"""Reads the literal text of a template as XML: where its tags are, and which expression is text or an attribute.

What is read is a safe subset of XML 1.0: no document type, no entities but the five and numeric ones. A tag, comment,
CDATA section or processing instruction is in one piece of text. Only a start tag may contain branches: around whole
attributes, and in their values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Never

from hookctl.model.rules.texts import TEMPLATE_BRANCH_DEPTH, TEMPLATE_NOT_XML
from hookctl.template.language.expressions import For, If, Node, Output, Text
from hookctl.template.proof.json_tokens import Fork, JsonToken, Loop, Mark, Slot
from hookctl.template.proof.positions import Position
from hookctl.template.proof.xml_tags import ENTITY, NAME, NOT_ALLOWED, PART, Element, StartTag, check_entity

_SEAM = re.compile(r"\]{0,2}>")
_DECLARATION = re.compile(
    r"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')
    (?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"[uU][tT][fF]-8"|'[uU][tT][fF]-8'))?
    (?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>""",
    re.VERBOSE,
)
_CONTENT = re.compile(
    rf"""
    (?P<space>[ \t\r\n]+(?=<|\Z))
  | (?P<text>[^<&]+|{ENTITY})
  | (?P<ignored><!--(?:[^-]|-(?!-))*+--> | <\?(?![xX][mM][lL][ \t\r\n?]){PART}(?:[ \t\r\n](?:[^?]|\?(?!>))*+)?\?>)
  | (?P<cdata><!\[CDATA\[(?:[^\]]|\](?!\]>))*+\]\]>)
  | </(?P<close>{NAME})[ \t\r\n]*>
  | <(?P<open>{NAME})
    """,
    re.VERBOSE,
)
_HINTS = {
    "<!D": ("the template contains a document type", "Remove it: hookctl sends no document type and no entities."),
    "<!d": ("the template contains a document type", "Remove it: hookctl sends no document type and no entities."),
    "<!-": (
        "a comment is not closed, or contains -- or an expression",
        "Close it with -->. To hide an expression, write {# ... #} instead.",
    ),
    "<![": (
        "a CDATA section is not closed, or contains an expression",
        "Close it with ]]>. For an expression, write no CDATA section: hookctl escapes the value.",
    ),
    "<?x": (
        "the XML declaration cannot be read, or is not at the very beginning",
        'Begin the template with <?xml version="1.0" encoding="UTF-8"?>.',
    ),
    "<?": (
        "a processing instruction is not closed, or contains an expression",
        "Close it with ?>, and write fixed text in it.",
    ),
    "</": ("an end tag cannot be read", "Write </name>, with the name as fixed text."),
    "<": ("a < does not begin a tag", "Write &lt; for the character; the name of a tag is fixed text."),
    "&": ("a & does not begin an entity of XML", "Write &amp; for the character, or a numeric entity such as &#160;."),
}
"""What may be wrong, by how the text that cannot be read begins: the longest beginning counts."""


class XmlReader:
    """Reads a template once. ``positions`` are those of its outputs, ``elements`` its start tags by their offset."""

    def __init__(self) -> None:
        self.positions: dict[int, Position] = {}
        self.elements: dict[int, Element] = {}

    def read(self, nodes: Sequence[Node]) -> tuple[JsonToken, ...]:
        """The tokens of a template's nodes: marks of kind ``open``, ``empty``, ``close`` and ``text``, and outputs.

        Raises:
            TemplateError: text that is not XML, or a start tag that begins in a branch and ends outside.
        """
        first = nodes[0] if nodes else None
        declaration = _DECLARATION.match(first.text) if isinstance(first, Text) else None
        return self._body(nodes, 0, 0, declaration.end() if declaration else 0)

    def _body(self, nodes: Sequence[Node], start: int, end: int, at: int = 0) -> tuple[JsonToken, ...]:
        """The tokens of a body. ``start`` and ``end`` are those of the tag around it; reading begins at ``at``."""
        tokens: list[JsonToken] = []
        tag: StartTag | None = None
        for node in nodes:
            if isinstance(node, Text):
                _refuse_characters(node)
                while at < len(node.text):
                    if tag is None:
                        at, tag = self._content(node, at, tokens)
                    else:
                        at = tag.read(node, at)
                    if tag is not None and tag.kind:
                        tokens.append(self._opened(tag))
                        tag = None
                at = 0
            elif tag is not None:
                tag.take(node)
            else:
                tokens.append(self._token(node))
        if tag is not None:
            if end:
                hint = "Put the whole start tag inside the branch, or only whole attributes."
                what = f"the tag <{tag.name} begins inside the branch and ends outside"
                raise TEMPLATE_BRANCH_DEPTH.error(start, end, what=what, fix=hint)
            _refuse(f"the tag <{tag.name} is not closed", "Add >.", tag.start, tag.start + 1 + len(tag.name))
        return tuple(tokens)

    def _opened(self, tag: StartTag) -> Mark:
        self.positions.update(dict.fromkeys(tag.outputs, Position("attribute", 0)))
        self.elements[tag.start] = tag.element()
        return Mark(tag.kind, tag.name, tag.start, tag.start + 1 + len(tag.name))

    def _content(self, node: Text, at: int, tokens: list[JsonToken]) -> tuple[int, StartTag | None]:
        """Add the next token of a text outside of tags. Returns where it ends, and the start tag that begins there."""
        match = _CONTENT.match(node.text, at)
        if match is None:
            _refuse_text(node, at)
        kind, (start, end) = match.lastgroup, node.span(*match.span())
        if kind in {"text", "cdata"}:
            if kind == "text":
                _refuse_end_of_cdata(node, *match.span())
                check_entity(match[0], start, end)
            tokens.append(Mark("text", match[0], start, end))
        elif kind == "close":
            tokens.append(Mark("close", match["close"], start, end))
        elif kind == "open":
            return match.end(), StartTag(match["open"], start)
        return match.end(), None

    def _token(self, node: Output | If | For) -> JsonToken:
        if isinstance(node, Output):
            self.positions[node.start] = Position("content", 0)
            return Slot(node)
        if isinstance(node, If):
            return Fork(node, tuple(self._body(branch.body, branch.start, branch.end) for branch in node.branches))
        bodies = (self._body(body, node.start, node.end) for body in (node.body, node.otherwise))
        return Loop(node, *bodies)


def _refuse_characters(node: Text) -> None:
    if bad := NOT_ALLOWED.search(node.text):
        message = f"the template contains the character U+{ord(bad[0]):04X}, which XML does not allow"
        _refuse(message, "Remove it.", *node.span(*bad.span()))


def _refuse_end_of_cdata(node: Text, start: int, end: int) -> None:
    """Refuse ``]]>`` in text, also where a value or a branch before the text could begin it."""
    at = node.text.find("]]>", start, end)
    seam = _SEAM.match(node.text, start) if start == 0 else None
    if at >= 0 or seam:
        place = (at, at + 3) if at >= 0 else (0, seam.end() if seam else 0)
        _refuse("]]> could occur in text, which XML does not allow", "Write &gt; for the >.", *node.span(*place))


def _refuse_text(node: Text, at: int) -> Never:
    rest = node.text[at : at + 3]
    what, fix = next(_HINTS[rest[:length]] for length in (3, 2, 1) if rest[:length] in _HINTS)
    _refuse(what, fix, *node.span(at, min(at + 20, len(node.text))))


def _refuse(message: str, hint: str, start: int, end: int) -> Never:
    raise TEMPLATE_NOT_XML.error(start, end, what=message, fix=hint)
