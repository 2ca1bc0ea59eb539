"""``when``: a JMESPath expression that decides whether a webhook receives an event.

jmespath is imported only inside functions: many webhooks have no condition, and the import takes as long as the rest of
a light command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from hookctl.bounded import EVENT_STEPS, MAX_EXPRESSION, Budget
from hookctl.errors import TemplateError
from hookctl.json.schema_paths import EventShape, Shape, Unknown, describe_keys
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.model.problem import EventSchema, Problem
from hookctl.model.rules.rule import Rule
from hookctl.model.rules.texts import WHEN_SYNTAX, WHEN_UNKNOWN_PATH

if TYPE_CHECKING:
    from jmespath.parser import ParsedResult

    from hookctl.bounded.jmes_path import Ast

_OTHER_QUOTES = re.compile(r'["`\\]')
RAW_STRING = re.compile(r"'[^']*'")
_PATTERN = re.compile(
    r"([A-Za-z_]\w*(?:\.\w+)*)\s*(?:[=!]?~|(?:not\s+)?(?:i?like|matches|rlike|regexp?)\b)", re.IGNORECASE
)
_BOOLEAN = Shape(({"type": "boolean"},))
_BY_KEY = frozenset({"sort_by", "max_by", "min_by"})


@dataclass(frozen=True, slots=True)
class When:
    """A compiled ``when``."""

    compiled: ParsedResult

    def matches(self, document: Mapping[str, Json], budget: Budget | None = None) -> bool:
        """Whether the event's document matches, by JMESPath's definition of truth.

        Raises RenderError if it cannot be evaluated, or takes more than the budget, by default ``EVENT_STEPS`` steps.
        """
        from hookctl.when.expression import is_true, search

        return is_true(search(self.compiled, dict(document), budget or Budget(EVENT_STEPS)))


def compile_when(text: str) -> When:
    """The compiled expression. Raises TemplateError with offsets into ``text``."""
    from hookctl.when.expression import compile_expression

    return When(compile_expression(text, WHEN_SYNTAX))


def check_when(text: str, event_type: EventSchema) -> list[Problem]:
    """The problems of a ``when`` for this event type: syntax, size, and unknown fields."""
    from hookctl.when.expression import check_calls, compile_expression

    event = EventShape(event_type.schema)
    try:
        compiled = compile_expression(text, WHEN_SYNTAX)
        check_calls(text, compiled, WHEN_SYNTAX)
    except TemplateError as error:
        problem = Problem.from_error(error)
        written = _as_jmespath(text, event)
        return [replace(problem, hint=f"Write {written}" if written else _pattern_advice(text) or problem.hint)]
    problems = _walk(text, compiled, event, event.root, WHEN_UNKNOWN_PATH)
    written = _as_jmespath(text, event) if problems else None
    if written is None:
        return problems
    misspelled = {written[one.start : one.end] for one in unknown_fields(written, event, event.root, WHEN_UNKNOWN_PATH)}
    return [
        problem
        if text[problem.start : problem.end] in misspelled
        else replace(problem, hint=f"Write {written}", suggestions=())
        for problem in problems
    ]


def _as_jmespath(text: str, event: EventShape) -> str | None:
    """The condition in JMESPath's syntax, with names that are not fields as text; None if that is not known.

    None also if it is written so already. What is returned compiles.
    """
    from hookctl.when.advice import rewrite
    from hookctl.when.expression import check_calls, compile_expression

    written = text
    for _ in range(2):  # the first time makes it compile, which shows which names are not fields
        not_fields = {problem.start for problem in unknown_fields(written, event, event.root, WHEN_UNKNOWN_PATH)}
        rewritten = rewrite(written, not_fields)
        if rewritten is None:
            return None
        written = rewritten
        try:
            check_calls(written, compile_expression(written), WHEN_SYNTAX)
        except TemplateError:
            return None
    return None if written == text else written


def _pattern_advice(text: str) -> str | None:
    """What to write instead of a regular expression; None if there is none outside of quotes."""
    match = _PATTERN.search(RAW_STRING.sub("''", text))
    if match is None:
        return None
    return f"JMESPath has no regular expressions. Write contains({match[1]}, 'x') or starts_with({match[1]}, 'x')"


def when_outline(text: str) -> str:
    """The expression without the content of its raw strings.

    Of two expressions with the same outline, either both have problems or neither has.
    """
    return text if len(text) > MAX_EXPRESSION or _OTHER_QUOTES.search(text) else RAW_STRING.sub("''", text)


def unknown_fields(text: str, event: EventShape, start: Shape, rule: Rule) -> list[Problem]:
    """The unknown fields of a JMESPath expression that is applied to ``start``. Empty for a syntax error."""
    from hookctl.when.expression import compile_expression

    try:
        compiled = compile_expression(text)
    except TemplateError:
        return []  # other code reports syntax errors
    return _walk(text, compiled, event, start, rule)


def _walk(text: str, compiled: ParsedResult, event: EventShape, start: Shape, rule: Rule) -> list[Problem]:
    from hookctl.when.expression import syntax_tree

    walker = _Walker(text, event, rule)
    walker.shape(syntax_tree(compiled), start)
    return walker.problems


class _Walker:
    """Visits an expression's nodes in the order of its text, so that the n-th field is the n-th field token."""

    def __init__(self, text: str, event: EventShape, rule: Rule) -> None:
        self._event = event
        self._rule = rule
        self._text = text
        self._seen = 0
        self.problems: list[Problem] = []

    def shape(self, node: Ast, shape: Shape) -> Shape:
        """The shape of a node's result when it is applied to ``shape``, as far as it is known."""
        children, kind = node["children"], node["type"]
        if kind == "field":
            return self._field(node["value"], shape)
        if kind in {"subexpression", "pipe", "index_expression"}:
            for child in children:
                shape = self.shape(child, shape)
        elif kind == "function_expression":
            shape = self._function(node["value"], children, shape)
        elif kind.endswith("projection") or kind == "flatten":
            shape = self._projection(kind, children, shape)
        elif kind == "index":
            shape = replace(self._event.items(shape), optional=True)
        elif kind not in {"slice", "identity", "current"}:
            for child in children:
                self.shape(child, shape)
            shape = _BOOLEAN if kind in {"not_expression", "comparator"} else Shape(())
        return shape

    def _projection(self, kind: str, children: list[Ast], shape: Shape) -> Shape:
        """``[*]``, ``[?...]``, ``.*`` and ``[]`` apply the expression after them to each item."""
        inner = self.shape(children[0], shape)
        items = self._event.items(inner)
        if kind == "flatten":
            return inner if items.types and "array" not in items.types else Shape(())
        if kind == "value_projection":
            items = Shape(())
        if kind == "filter_projection":  # the condition of a filter comes before the rest in the text
            self.shape(children[2], items)
        return _list_of(self.shape(children[1], items))

    def _function(self, name: str, arguments: list[Ast], shape: Shape) -> Shape:
        first = Shape(())
        for number, argument in enumerate(arguments):
            if argument["type"] == "expref":
                self.shape(argument["children"][0], self._event.items(first) if name in _BY_KEY else Shape(()))
            elif number == 0:
                first = self.shape(argument, shape)
            else:
                self.shape(argument, shape)
        if name in {"max_by", "min_by"}:
            return self._event.items(first)
        return first if name in {"sort", "sort_by", "reverse"} else Shape(())

    def _field(self, name: str, shape: Shape) -> Shape:
        number = self._seen
        self._seen += 1
        following = self._event.step(shape, name)
        if isinstance(following, Shape):
            return following
        start, end = next(islice(_field_tokens(self._text), number, None))
        problem = self._rule.problem(
            start,
            end,
            suggestions=self._in_data(name, shape) or nearest(name, following.keys),
            what=f"the event has no field {name} here, so it would always be null",
            fix=_hint(name, shape, following),
        )
        self.problems.append(problem)
        return Shape(())

    def _in_data(self, name: str, shape: Shape) -> tuple[str, ...]:
        """The path of a field that the author looked for in the event itself, although it is in its data."""
        data = self._event.step(shape, "data") if shape is self._event.root else None
        is_there = isinstance(data, Shape) and isinstance(self._event.step(data, name), Shape)
        return (f"data.{name}",) if is_there else ()


def _hint(name: str, shape: Shape, unknown: Unknown) -> str:
    if unknown.keys:
        return f"Known fields: {describe_keys('', unknown.keys)}"
    if "array" in shape.types:
        return f"It is a list: write [0].{name} for its first item or [*].{name} for all."
    if shape is _BOOLEAN:
        return "JMESPath reads !a.b as (!a).b: write !(a.b)."
    return f"It is {' or '.join(sorted(shape.types))}: remove the field."


def _list_of(shape: Shape) -> Shape:
    return Shape(({"type": "array", "items": {"anyOf": list(shape.schemas)}},)) if shape.schemas else Shape(())


def _field_tokens(text: str) -> Iterator[tuple[int, int]]:
    """The place of each field: identifiers other than function names and keys of a hash."""
    from jmespath.lexer import Lexer

    for token, following in pairwise(Lexer().tokenize(text)):
        if token["type"] in {"unquoted_identifier", "quoted_identifier"} and following["type"] not in {
            "lparen",
            "colon",
        }:
            length = (
                len(token["value"])
                if token["type"] == "unquoted_identifier"
                else text.index('"', token["start"] + 1) + 1 - token["start"]
            )
            yield token["start"], token["start"] + length
