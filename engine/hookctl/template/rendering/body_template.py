"""Renders body templates: compiled to functions that write text, each value by the position that it stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve
from hookctl.template.language.expressions import Expression, Filtered, For, If, Node, Output, Text, children
from hookctl.template.language.filters import MAX_OUTPUT, properties
from hookctl.template.language.values import Missing, Value, escape, kind, quote, to_json, to_text
from hookctl.template.proof.positions import Position
from hookctl.template.proof.references import may_have_reference, reference_of
from hookctl.template.proof.repeated_keys import refuse_repeated_keys
from hookctl.template.rendering.evaluation import Evaluate, Frame, evaluate, raise_missing, raise_too_large, strictly
from hookctl.template.rendering.revealed import reveal, shown

Write = Callable[[Frame], None]


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A compiled body template.

    Whatever the event holds, what it renders is JSON of the template's shape, or a RenderError.
    """

    _render: Callable[[Mapping[str, Json]], list[str]]
    """Gives the pieces of the body."""
    key_depth: int = 0
    """How many strings deep the deepest key is that an event gives; 0 when there is none."""
    has_secrets: bool = False

    def render(self, document: Mapping[str, Json]) -> bytes:
        """The body for an event's whole document, in UTF-8.

        Raises:
            RenderError: the event lacks a value that has no default, a filter refuses its value, the body is
                larger than ``MAX_OUTPUT`` bytes or takes too much work, or a value is not JSON.
        """
        return self._rendered(document)[1]

    def render_both(self, document: Mapping[str, Json]) -> tuple[bytes, bytes]:
        """The body as :meth:`render` gives it, and as a record shows it: with ``***`` for each secret."""
        pieces, body = self._rendered(document)
        return body, shown(pieces).encode() if self.has_secrets else body

    def _rendered(self, document: Mapping[str, Json]) -> tuple[list[str], bytes]:
        try:
            pieces = self._render(document)
            text = "".join(pieces)
            if self.key_depth:
                refuse_repeated_keys(text, self.key_depth)
            body = text.encode()
        except RecursionError:
            raise RenderError(
                "a value is nested too deep to be looked at", hint="The event's publisher must send it flatter."
            ) from None
        except UnicodeEncodeError:
            raise RenderError(
                "a value holds half a surrogate pair, which no UTF-8 text has",
                hint="The event's publisher must send valid Unicode.",
            ) from None
        if len(body) > MAX_OUTPUT:
            raise_too_large()
        return pieces, body


def compile_nodes(
    nodes: Sequence[Node],
    positions: Mapping[int, Position],
    text: str,
    filters: Mapping[str, Filter],
    resolve: Resolve | None = None,
) -> BodyTemplate:
    """The body template of nodes that passed every check. Without ``resolve`` each secret is ``***``."""
    write = _sequence(nodes, _Context(positions, text, filters, resolve))
    key_depth = max((position.depth for position in positions.values() if position.form == "key"), default=0)

    def render(document: Mapping[str, Json]) -> list[str]:
        frame = Frame(dict(document))
        write(frame)
        return frame.pieces

    return BodyTemplate(render, key_depth, resolve is not None and may_have_reference(text))


@dataclass(frozen=True, slots=True)
class _Context:
    positions: Mapping[int, Position]
    text: str
    filters: Mapping[str, Filter]
    resolve: Resolve | None

    def evaluate(self, expression: Expression) -> Evaluate:
        return evaluate(expression, self.text, self.filters)


def _sequence(nodes: Sequence[Node], context: _Context) -> Write:
    writers = [_writer(node, context) for node in nodes]

    def write(frame: Frame) -> None:
        for writer in writers:
            writer(frame)

    return write


def _writer(node: Node, context: _Context) -> Write:
    if isinstance(node, Text):
        text = node.text
        return lambda frame: frame.write(text)
    if isinstance(node, Output):
        return _output(node, context)
    return _if(node, context) if isinstance(node, If) else _for(node, context)


def _output(node: Output, context: _Context) -> Write:
    position = context.positions[node.start]
    expression = node.expression
    if reference_of(expression):
        secret = reveal(context.text[node.start : node.end], context.resolve, position.depth)
        return lambda frame: frame.write(secret)
    is_json = position.form == "value"
    while isinstance(expression, Filtered) and properties(expression).writes_json:
        expression, is_json = expression.value, True  # the position writes JSON itself: never twice
    value_of = context.evaluate(expression)
    start, end = node.expression.start, node.expression.end
    depth = position.depth
    is_common = depth == 1 and not is_json  # text in a string: the short way for what nearly every output is

    def write(frame: Frame) -> None:
        try:
            value = value_of(frame)
            if is_common and type(value) is str:
                frame.write(quote(value)[1:-1])
                return
            if isinstance(value, Missing):
                raise_missing(context.text[expression.start : expression.end])
            frame.write(escape(to_json(value) if is_json else to_text(value), depth))
        except RenderError as error:
            raise _placed(error, start, end) from error.__cause__

    return write


def _if(node: If, context: _Context) -> Write:
    branches = [
        (None if branch.condition is None else _condition(branch.condition, context), _sequence(branch.body, context))
        for branch in node.branches
    ]

    def write(frame: Frame) -> None:
        for condition, body in branches:
            if condition is None or condition(frame):
                body(frame)
                return

    return write


def _condition(condition: Expression, context: _Context) -> Evaluate:
    value_of = context.evaluate(condition)

    def decide(frame: Frame) -> Value:
        try:
            return value_of(frame)
        except RenderError as error:
            raise _placed(error, condition.start, condition.end) from error.__cause__

    return decide


def _placed(error: RenderError, start: int, end: int) -> RenderError:
    """The error with its place in the template, if it does not know one."""
    if not error.end:
        error.start, error.end = start, end
    return error


def _for(node: For, context: _Context) -> Write:
    iterable = strictly(node.iterable, context.text, context.filters)
    words = context.text[node.iterable.start : node.iterable.end]
    body, otherwise = _sequence(node.body, context), _sequence(node.otherwise, context)
    targets, cost = node.targets, 1 + _cost(node.body)
    target, is_single = targets[0], len(targets) == 1
    start, end = node.iterable.start, node.iterable.end

    def write(frame: Frame) -> None:
        try:
            items = _list(iterable(frame), words)
        except RenderError as error:
            raise _placed(error, start, end) from error.__cause__
        if not items:
            otherwise(frame)
            return
        frame.spend(len(items) * cost)
        outer, length = frame.values, len(items)
        frame.values = values = dict(outer)  # one for all rounds: nothing keeps it
        for index, item in enumerate(items):
            values["loop"] = {
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index == length - 1,
                "length": length,
            }
            if is_single:
                values[target] = item
            else:
                values.update(_pairs(targets, item, words))
            body(frame)
        frame.values = outer

    return write


def _list(value: Json, words: str) -> list[Json]:
    if not isinstance(value, list):
        raise RenderError(
            f"{words} is {kind(value)}, so there is nothing to loop over",
            hint="Loop over a list; an object has the filter items.",
        )
    return value


def _pairs(targets: tuple[str, ...], item: Json, words: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(item, list) or len(item) != len(targets):
        raise RenderError(f"an item of {words} is not a pair", hint="Use one name, or the filter items for an object.")
    return zip(targets, item, strict=True)


def _cost(parts: Iterable[Node | Expression]) -> int:
    """The steps of one run through the nodes and expressions.

    A loop inside counts without its body: it accounts for its own rounds.
    """
    inner = ((part.iterable, *part.otherwise) if isinstance(part, For) else children(part) for part in parts)
    return sum(1 + _cost(below) for below in inner)
