"""Parses a template into text, outputs, branches and loops, and refuses every other tag."""

from __future__ import annotations

from hookctl.errors import TemplateError
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language import handlebars
from hookctl.template.language.expression_parser import ExpressionParser
from hookctl.template.language.expressions import Branch, Expression, For, If, Node, Output, Text
from hookctl.template.language.lexer import Segment, split

MAX_CHARACTERS = 64 * 1024
"""The maximum length of a template, in characters."""
MAX_TAG_DEPTH = 20
"""The maximum nesting of tags."""
MAX_LOOP_DEPTH = 3
"""The maximum nesting of loops."""

_INSTEAD = {
    "set": "Write the expression where it is needed.",
    "raw": "Write {{ '{{' }} for two braces.",
    "elseif": "Write {% elif %}.",
    "end": "Write {% endif %} or {% endfor %}.",
    "each": "Write {% for item in list %}.",
}


def parse(text: str) -> tuple[Node, ...]:
    """The nodes of a template.

    Raises:
        TemplateError: The template is too large, or does not follow the syntax in docs/templates.md.
    """
    if len(text) > MAX_CHARACTERS:
        raise TEMPLATE_TOO_LARGE.error(
            MAX_CHARACTERS, len(text), what=f"the template has more than {MAX_CHARACTERS} characters", fix="Shorten it."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "the template contains half a surrogate pair, which UTF-8 cannot represent"
        raise TEMPLATE_SYNTAX.error(error.start, error.end, what=message, fix="Write the character itself.") from None
    parser = _Parser(text)
    body, closing = parser.body(())
    if closing is not None:
        raise TEMPLATE_SYNTAX.error(
            closing.start,
            closing.end,
            what=f"there is nothing to end or continue with {parser.word(closing)!r}",
            fix="Remove the tag.",
        )
    return body


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._segments = iter(split(text))
        self._depth = 0
        self._loops = 0

    @staticmethod
    def word(tag: Segment) -> str:
        """The first word of a tag."""
        return tag.tokens[0].text

    def body(self, ends: tuple[str, ...], opening: Segment | None = None) -> tuple[tuple[Node, ...], Segment | None]:
        """The nodes up to a tag whose word is one of ``ends``, and that tag.

        Without ``ends``, all nodes up to the end.
        """
        nodes: list[Node] = []
        for segment in self._segments:
            if segment.kind == "text":
                nodes.append(Text(self._text[segment.start : segment.end], segment.start, segment.end))
            elif segment.kind == "expression":
                nodes.append(Output(self._expression(segment), segment.start, segment.end))
            elif self.word(segment) in {"elif", "else", "endif", "endfor"}:
                if ends and self.word(segment) not in ends:
                    raise TEMPLATE_SYNTAX.error(
                        segment.start,
                        segment.end,
                        what=f"expected {' or '.join(ends)}, not {self.word(segment)}",
                        fix="Close the tags in order.",
                    )
                return tuple(nodes), segment
            else:
                nodes.append(self._tag(segment))
        if opening is not None:
            raise TEMPLATE_SYNTAX.error(
                opening.start,
                opening.end,
                what=f"{self.word(opening)} is not closed",
                fix=f"Add {{% end{self.word(opening)} %}}.",
            )
        return tuple(nodes), None

    def _expression(self, segment: Segment) -> Expression:
        parser = ExpressionParser(segment.tokens)
        try:
            expression = parser.expression()
            parser.finish()
        except TemplateError as error:
            raise (handlebars.explain(self._text, segment.start) or error) from None
        return expression

    def _tag(self, segment: Segment) -> Node:
        word = self.word(segment)
        if word not in {"if", "for"}:
            hint = _INSTEAD.get(word, "The tags are if, elif, else, for and their ends.")
            raise TEMPLATE_UNSAFE.error(
                segment.start, segment.end, what=f"the tag {word!r} is not part of templates", fix=hint
            )
        self._depth += 1
        if self._depth > MAX_TAG_DEPTH:
            raise TEMPLATE_TOO_LARGE.error(
                segment.start, segment.end, what=f"tags are nested deeper than {MAX_TAG_DEPTH}", fix="Take some out."
            )
        node = self._if(segment) if word == "if" else self._for(segment)
        self._depth -= 1
        return node

    def _if(self, opening: Segment) -> If:
        branches: list[Branch] = []
        tag: Segment | None = opening
        while tag is not None and self.word(tag) != "endif":
            condition = self._condition(tag)
            body, following = self.body(("endif",) if condition is None else ("elif", "else", "endif"), opening)
            branches.append(Branch(condition, body, tag.start, tag.end))
            tag = following
        if tag is not None:
            self._bare(tag)
        return If(tuple(branches))

    def _condition(self, tag: Segment) -> Expression | None:
        parser = ExpressionParser(tag.tokens)
        if parser.advance().text == "else":
            parser.finish()
            return None
        condition = parser.expression()
        parser.finish()
        return condition

    def _for(self, opening: Segment) -> For:
        parser = ExpressionParser(opening.tokens)
        parser.advance()
        targets = [parser.name("the loop's name").text]
        if parser.take(","):
            targets.append(parser.name("the second name").text)
        parser.expect("in", "after the loop's name")
        iterable = parser.filtered()
        if parser.token.text in {"if", "recursive"}:
            raise parser.error(
                f"{parser.token.text!r} is not part of a for tag",
                hint="Write {% if %} inside the loop.",
                rule=TEMPLATE_UNSAFE,
            )
        parser.finish()
        self._loops += 1
        if self._loops > MAX_LOOP_DEPTH:
            raise TEMPLATE_TOO_LARGE.error(
                opening.start, opening.end, what=f"loops are nested deeper than {MAX_LOOP_DEPTH}", fix="Take one out."
            )
        body, tag = self.body(("else", "endfor"), opening)
        self._loops -= 1
        otherwise: tuple[Node, ...] = ()
        if tag is not None and self.word(tag) == "else":
            self._bare(tag)
            otherwise, tag = self.body(("endfor",), opening)
        if tag is not None:
            self._bare(tag)
        return For(tuple(targets), iterable, body, otherwise, opening.start, opening.end)

    @staticmethod
    def _bare(tag: Segment) -> None:
        parser = ExpressionParser(tag.tokens)
        parser.advance()
        parser.finish()
