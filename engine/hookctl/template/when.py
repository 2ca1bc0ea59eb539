"""``when``: a JMESPath expression over the whole event that decides whether a webhook receives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jmespath.lexer import Lexer
from jmespath.parser import ParsedResult

from hookctl.errors import TemplateError
from hookctl.model import Json
from hookctl.template.jmespath_rules import compile_expression, is_true, search
from hookctl.template.problems import EventSchema, TemplateProblem, nearest
from hookctl.template.schema_paths import EventShape, Shape, Unknown, describe_keys

_BY_KEY = frozenset({"sort_by", "max_by", "min_by"})


@dataclass(frozen=True, slots=True)
class When:
    """A compiled ``when``."""

    _compiled: ParsedResult

    def matches(self, document: Mapping[str, Json]) -> bool:
        """Whether the event's whole document passes; truth as JMESPath has it. Raises RenderError when it cannot be applied."""
        return is_true(search(self._compiled, dict(document)))


def compile_when(text: str) -> When:
    """The compiled expression. Raises TemplateError with offsets into ``text``."""
    return When(compile_expression(text, "when-syntax")[0])


def check_when(text: str, event_type: EventSchema) -> list[TemplateProblem]:
    """What is wrong with a ``when`` for this event type: its syntax, its bounds, and fields that the schema does not have."""
    try:
        compile_when(text)
    except TemplateError as error:
        return [TemplateProblem.from_error(error)]
    event = EventShape(event_type.schema)
    return unknown_fields(text, event, event.root, "when-unknown-path")


def unknown_fields(text: str, event: EventShape, start: Shape, rule: str) -> list[TemplateProblem]:
    """The fields of a valid JMESPath expression that the schema does not have, when the expression is applied to ``start``."""
    walker = _Walker(text, event, rule)
    walker.shape(compile_expression(text)[0].parsed, start)
    return walker.problems


class _Walker:
    """Follows an expression's nodes in the order of its text, so that the n-th field is the n-th field token."""

    def __init__(self, text: str, event: EventShape, rule: str) -> None:
        self._event = event
        self._rule = rule
        self._fields = _field_tokens(text)
        self.problems: list[TemplateProblem] = []

    def shape(self, node: dict[str, Any], shape: Shape) -> Shape:
        """The shape of a node's result, as far as it is known."""
        children = node["children"]
        match node["type"]:
            case "field":
                return self._field(node["value"], shape)
            case "subexpression" | "pipe" | "index_expression":
                for child in children:
                    shape = self.shape(child, shape)
                return shape
            case "projection":
                return _list_of(self.shape(children[1], self._event.items(self.shape(children[0], shape))))
            case "filter_projection":
                items = self._event.items(self.shape(children[0], shape))
                self.shape(children[2], items)
                return _list_of(self.shape(children[1], items))
            case "value_projection":
                self.shape(children[0], shape)
                self.shape(children[1], Shape(()))
                return Shape(())
            case "flatten":
                inner = self.shape(children[0], shape)
                items = self._event.items(inner)
                return inner if items.types and "array" not in items.types else Shape(())
            case "index":
                return replace(self._event.items(shape), optional=True)
            case "slice" | "identity" | "current":
                return shape
            case "function_expression":
                return self._function(node["value"], children, shape)
            case _:
                for child in children:
                    self.shape(child, shape)
                return Shape(())

    def _function(self, name: str, arguments: list[dict[str, Any]], shape: Shape) -> Shape:
        first = Shape(())
        for number, argument in enumerate(arguments):
            if argument["type"] == "expref":
                self.shape(argument["children"][0], self._event.items(first) if name in _BY_KEY else Shape(()))
            elif number == 0:
                first = self.shape(argument, shape)
            else:
                self.shape(argument, shape)
        return first if name in _BY_KEY or name in {"sort", "reverse"} else Shape(())

    def _field(self, name: str, shape: Shape) -> Shape:
        start, end = next(self._fields)
        following = self._event.step(shape, name)
        if isinstance(following, Shape):
            return following
        self.problems.append(_unknown(name, shape, following, self._rule, start, end))
        return Shape(())


def _unknown(name: str, shape: Shape, unknown: Unknown, rule: str, start: int, end: int) -> TemplateProblem:
    if unknown.keys:
        hint = f"There are {describe_keys('', unknown.keys)}."
    elif "array" in shape.types:
        hint = f"It is a list: write [0].{name} for its first item or [*].{name} for all."
    else:
        hint = f"It is {' or '.join(sorted(shape.types))}: leave the field away."
    message = f"the event has no field {name} here, so it would always be null"
    return TemplateProblem(rule=rule, is_error=True, message=message, hint=hint, start=start, end=end, suggestions=nearest(name, unknown.keys))


def _list_of(shape: Shape) -> Shape:
    return Shape(({"type": "array", "items": {"anyOf": list(shape.schemas)}},)) if shape.schemas else Shape(())


def _field_tokens(text: str) -> Iterator[tuple[int, int]]:
    """Where each field stands: identifiers that are neither a function's name nor a key of a hash."""
    tokens = list(Lexer().tokenize(text))
    for token, following in zip(tokens, tokens[1:], strict=False):
        if token["type"] in {"unquoted_identifier", "quoted_identifier"} and following["type"] not in {"lparen", "colon"}:
            yield token["start"], token["end"]
