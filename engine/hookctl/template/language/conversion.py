"""Turns the tree of Jinja's parser into ours, through an allow-list: what is not in a table here is refused.

Jinja's nodes have a number but no end, and compare by identity. Ours have offsets, and compare by what they mean.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from jinja2 import nodes as jinja

from hookctl.errors import TemplateError
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language import foreign
from hookctl.template.language.expression_conversion import ExpressionConverter
from hookctl.template.language.expressions import (
    Branch,
    Choice,
    Const,
    Expression,
    For,
    If,
    Node,
    Output,
    Path,
    Text,
    Unreadable,
    walk,
)
from hookctl.template.language.inlining import inlined
from hookctl.template.language.replacements import tag_advice
from hookctl.template.language.token_table import Segment, Tokens
from hookctl.template.language.words import CONSTANTS

MAX_INLINED = 2000
"""Parts of expressions that ``set`` may add to a template: a name stands for its whole expression wherever it is."""

MAX_PROBLEMS = 100
"""Expressions with an error of which one is made. More are not read by a person, and each takes time to explain."""

Names = Mapping[str, Expression]
"""What ``set`` has given a name, with the names in it replaced."""
_ANOTHER_NAME = "Use another name; for one of two values, write {% set x = data.a if data.ok else data.b %}."
_PUNCTUATION = frozenset(" \t\r\n,:{}[]")
_Part = TypeVar("_Part", Expression, Output)


class Converter:
    """Converts the tree of one template. ``problems`` are the errors, one for each expression or tag at most.

    In a line (``is_line``), a choice between pieces of punctuation stays an output.
    """

    def __init__(self, tokens: Tokens, *, is_line: bool = False) -> None:
        self.problems: list[Problem] = []
        self._tokens = tokens
        self._is_line = is_line
        self._expressions = ExpressionConverter(tokens)
        self._inlined = 0
        self._set: dict[str, tuple[int, int]] = {}
        self._used: set[str] = set()
        self._of_loop: set[str] = set()
        """Names that stand for something of the loop around their tag, such as ``loop.index``."""
        self._hidden: frozenset[str] = frozenset()
        """Those of the loops around the innermost one, which has a ``loop`` of its own."""

    def body(self, tree: Iterable[jinja.Node], names: Names) -> tuple[Node, ...]:
        """The nodes of one body. A name that is set in it is known to its end."""
        found: list[Node] = []
        for node in tree:
            if isinstance(node, jinja.Output):
                for part in node.nodes:
                    found += self._written(part, names)
            elif isinstance(node, jinja.If):
                found.append(self._if(node, names))
            elif isinstance(node, jinja.For):
                found.append(self._for(node, names))
            else:
                names = self._assign(node, names)
        return tuple(found)

    def unused(self) -> None:
        """Report each name that is set and never read."""
        for name, (start, end) in self._set.items():
            if name not in self._used:
                what, fix = f"{name} is set and never used", "Remove the tag."
                self.problems.append(TEMPLATE_SYNTAX.problem(start, end, what=what, fix=fix))

    def _written(self, tree: jinja.Node, names: Names) -> list[Node]:
        """The nodes of a stretch of text and paths, or of one expression."""
        if isinstance(tree, jinja.TemplateData):
            stretch = self._tokens.stretches[tree.lineno]
            return [self._inline_output(node, names) if isinstance(node, Output) else node for node in stretch]
        segment = self._segment_of(tree.lineno)
        output = Output(self._expression(tree, names), segment.start, segment.end)
        return [output if self._is_line else _as_structure(output.expression, output) or output]

    def _expression(self, tree: jinja.Node, names: Names) -> Expression:
        try:
            return self._inline(self._expressions.convert(tree), names)
        except TemplateError as error:
            segment = self._segment_of(tree.lineno)
            if len(self.problems) >= MAX_PROBLEMS:
                return Unreadable(segment.start, segment.end)
            self.problems.append(Problem.from_error(foreign.explain(self._tokens.text, segment.start) or error))
            return Unreadable(segment.start, segment.end)

    def _if(self, node: jinja.If, names: Names) -> If:
        opening = self._segment_of(node.lineno)
        tags = iter([opening, *self._tokens.followers[opening.first]])
        branches: list[Branch] = []
        for part in (node, *node.elif_):
            tag = next(tags)
            branches.append(Branch(self._expression(part.test, names), self.body(part.body, names), tag.start, tag.end))
        last = next(tags)
        if last.word == "else":
            branches.append(Branch(None, self.body(node.else_, names), last.start, last.end))
        return If(tuple(branches))

    def _for(self, node: jinja.For, names: Names) -> For:
        opening = self._segment_of(node.lineno)
        targets = self._targets(node.target, opening)
        inside = {name: value for name, value in names.items() if name not in targets}
        if node.recursive:
            what, fix = "a loop cannot be recursive", "Write one loop for each level."
            self.problems.append(TEMPLATE_UNSAFE.problem(opening.start, opening.end, what=what, fix=fix))
        iterable, hidden = self._expression(node.iter, names), self._hidden
        self._hidden = hidden | (self._of_loop & inside.keys())
        test = None if node.test is None else self._expression(node.test, inside)
        body = self.body(node.body, inside)
        self._hidden = hidden
        return For(
            targets,
            iterable,
            body,
            self.body(node.else_, names),
            opening.start,
            opening.end,
            test,
        )

    def _targets(self, target: jinja.Node, tag: Segment) -> tuple[str, ...]:
        parts = target.items if isinstance(target, jinja.Tuple) else [target]
        names = [part.name for part in parts if isinstance(part, jinja.Name)]
        if len(names) == len(parts) <= 2 and not any("." in name or name in CONSTANTS for name in names):
            return tuple(names)
        what, fix = (
            "a loop has one name, or two for a key and its value",
            "Write {% for key, value in object | items %}.",
        )
        self.problems.append(TEMPLATE_SYNTAX.problem(tag.start, tag.end, what=what, fix=fix))
        return ("item",)

    def _assign(self, node: jinja.Node, names: Names) -> Names:
        """The names after ``{% set name = value %}``."""
        tag = self._segment_of(node.lineno)
        target = getattr(node, "target", None)
        name = target.name if isinstance(node, jinja.Assign) and isinstance(target, jinja.Name) else ""
        if not isinstance(node, jinja.Assign) or not name or "." in name:
            self.problems.append(
                TEMPLATE_UNSAFE.problem(tag.start, tag.end, what="set gives one name a value", fix=tag_advice("set"))
            )
            return names
        value = self._expression(node.node, names)
        if name in {"loop", *CONSTANTS} or name in self._set:
            what = f"{name} has a meaning already"
            self.problems.append(TEMPLATE_UNSAFE.problem(tag.start, tag.end, what=what, fix=_ANOTHER_NAME))
            return names
        self._set[name] = tag.start, tag.end
        if any(isinstance(part, Path) and part.root == "loop" for part in walk(value)):
            self._of_loop.add(name)
        return {**names, name: value}

    def _inline_output(self, output: Output, names: Names) -> Output:
        try:
            return self._inline(output, names)
        except TemplateError as error:
            if error.rule != TEMPLATE_UNSAFE.id:
                raise
            self.problems.append(Problem.from_error(error))
            return replace(output, expression=Unreadable(output.start, output.end))

    def _inline(self, part: _Part, names: Names) -> _Part:
        """The part with each name that was set replaced by its expression."""
        if not names or not any(isinstance(inner, Path) and inner.root in names for inner in walk(part)):
            return part
        found, used = inlined(part, names)
        self._used |= used
        if hidden := used & self._hidden:
            what = f"{min(hidden)} stands for loop of the outer loop, which an inner loop does not know"
            fix = "Write it before or after the inner loop."
            raise TEMPLATE_UNSAFE.error(part.start, part.end, what=what, fix=fix)
        self._inlined += sum(1 for _ in walk(found))
        if self._inlined > MAX_INLINED:
            what = "the names that set gives stand for too much"
            raise TEMPLATE_TOO_LARGE.error(part.start, part.end, what=what, fix="Set fewer names, or use them less.")
        return found

    def _segment_of(self, number: int) -> Segment:
        """The expression or tag that the token with this number is part of."""
        at = bisect_right(self._tokens.segments, number, key=lambda segment: segment.first)
        return self._tokens.segments[at - 1]


def _as_structure(expression: Expression, output: Output) -> If | None:
    """A choice between pieces of punctuation is part of the JSON around it, as in ``{{ ',' if not loop.last }}``."""
    if not isinstance(expression, Choice):
        return None
    branches: list[Branch] = []
    choice: Expression = expression
    while isinstance(choice, Choice):
        branches.append(Branch(choice.condition, _punctuation(choice.yes, output), output.start, output.end))
        choice = choice.no
    branches.append(Branch(None, _punctuation(choice, output), output.start, output.end))
    texts = [branch.body[0] if branch.body else None for branch in branches]
    if any(text is not None and not isinstance(text, Text) for text in texts):
        return None
    return If(tuple(branches)) if any(isinstance(text, Text) and text.text.strip() for text in texts) else None


def _punctuation(expression: Expression, output: Output) -> tuple[Node, ...]:
    """The text of a constant of punctuation; the output itself for anything else."""
    text = expression.value if isinstance(expression, Const) else None
    if not isinstance(text, str) or not _PUNCTUATION.issuperset(text):
        return (output,)
    return (Text(text, output.start, output.end, exact=False),) if text else ()
