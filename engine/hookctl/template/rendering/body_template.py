"""Compiles body templates to functions that write text, with each value in the form that its position requires."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.model.secret import Resolve
from hookctl.template.language.expressions import Expression, Filtered, For, If, Node, Output, Text, children
from hookctl.template.language.filters import properties
from hookctl.template.language.functions.special import is_indented
from hookctl.template.language.values import MAX_OUTPUT, Missing, Value, escape, kind, quote, to_json, to_text
from hookctl.template.proof.positions import Position
from hookctl.template.proof.references import may_have_reference, reference_of
from hookctl.template.proof.repeated_keys import refuse_repeated_keys
from hookctl.template.rendering.evaluation import Evaluate, Frame, evaluate, raise_missing, raise_too_large, strictly
from hookctl.template.rendering.revealed import reveal, shown

Write = Callable[[Frame], None]


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A compiled body template. For every event, it renders a body of the template's shape, or raises RenderError."""

    _render: Callable[[Mapping[str, Json]], list[str]]
    """Gives the pieces of the body."""
    key_depth: int = 0
    """The nesting, in strings, of the deepest key that contains a value of the event; 0 if there is none."""
    has_secrets: bool = False
    finish: Callable[[str], str] | None = None
    """Makes the body of what the template writes, if they differ."""

    def render(self, document: Mapping[str, Json]) -> bytes:
        """The body for an event's whole document, in UTF-8.

        Raises:
            RenderError: The event lacks a value without a default, a filter rejects its value, a value is not JSON, or
                the body takes more than ``MAX_OUTPUT`` bytes or too much work.
        """
        return self._rendered(document)[1]

    def render_both(self, document: Mapping[str, Json]) -> tuple[bytes, bytes]:
        """The body as :meth:`render` returns it, and as a record shows it: with ``***`` for each secret."""
        pieces, body = self._rendered(document)
        if not self.has_secrets:
            return body, body
        text = shown(pieces)
        return body, (text if self.finish is None else self.finish(text)).encode()

    def _rendered(self, document: Mapping[str, Json]) -> tuple[list[str], bytes]:
        try:
            pieces = self._render(document)
            text = "".join(pieces)
            if self.key_depth:
                refuse_repeated_keys(text, self.key_depth)
            body = (text if self.finish is None else self.finish(text)).encode()
        except RecursionError:
            raise RenderError(
                "a value is nested too deeply to check", hint="The event's publisher must send it with less nesting."
            ) from None
        except UnicodeEncodeError:
            raise RenderError(
                "a value contains an unpaired surrogate, which UTF-8 cannot encode",
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
    resolve: Resolve | None,
    *,
    finish: Callable[[str], str] | None = None,
) -> BodyTemplate:
    """The body template of nodes that passed every check. Without ``resolve`` each secret is ``***``.

    ``finish`` is given what is written, and gives the body.
    """
    write = _sequence(nodes, _Context(positions, text, filters, resolve))
    key_depth = max((position.depth for position in positions.values() if position.form == "key"), default=0)

    def render(document: Mapping[str, Json]) -> list[str]:
        frame = Frame(dict(document))
        write(frame)
        return frame.pieces

    has_secrets = resolve is not None and may_have_reference(text)
    return BodyTemplate(render, key_depth, has_secrets=has_secrets, finish=finish)


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
        secret = reveal(context.text[node.start : node.end], context.resolve, _encoder(position, is_secret=True))
        return lambda frame: frame.write(secret)
    is_json = position.form == "value"
    while isinstance(expression, Filtered) and properties(expression).writes_json:
        if is_indented(expression) and not is_json:
            break
        # the renderer writes JSON here already, so tojson must not encode it again
        expression, is_json = expression.value, True
    value_of = context.evaluate(expression)
    start, end = node.expression.start, node.expression.end
    depth = position.depth
    encode = _encoder(position)
    is_common = depth == 1 and not is_json  # a string inside a string: a fast path for nearly every output

    def write(frame: Frame) -> None:
        try:
            value = value_of(frame)
            if is_common and type(value) is str:
                frame.write(quote(value)[1:-1])
                return
            if isinstance(value, Missing):
                raise_missing(context.text[expression.start : expression.end])
            frame.write(encode(to_json(value) if is_json else to_text(value)))
        except RenderError as error:
            raise _placed(error, start, end) from error.__cause__

    return write


def _encoder(position: Position, *, is_secret: bool = False) -> Callable[[str], str]:
    if position.form in {"value", "text", "key"}:
        return partial(escape, depth=position.depth)
    from hookctl.template.rendering.escapes import ESCAPES, ESCAPES_OF_SECRETS  # only for bodies that are not JSON

    return (ESCAPES_OF_SECRETS if is_secret else ESCAPES)[position.form]


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
    """The error with its place in the template, unless it has one already."""
    if not error.end:
        error.start, error.end = start, end
    return error


def _for(node: For, context: _Context) -> Write:
    items_of = _items(node, context)
    body, otherwise = _sequence(node.body, context), _sequence(node.otherwise, context)
    bind = _binder(node, context.text)
    cost = 1 + _cost(node.body)

    def write(frame: Frame) -> None:
        items = items_of(frame)
        if not items:
            otherwise(frame)
            return
        frame.spend(len(items) * cost)
        outer, length = frame.values, len(items)
        frame.values = values = dict(outer)  # one object for all iterations: nothing keeps a reference to it
        for index, item in enumerate(items):
            values["loop"] = {
                "index": index + 1,
                "index0": index,
                "revindex": length - index,
                "revindex0": length - index - 1,
                "first": index == 0,
                "last": index == length - 1,
                "length": length,
            }
            bind(values, item)
            body(frame)
        frame.values = outer

    return write


def _items(node: For, context: _Context) -> Callable[[Frame], list[Json]]:
    """What a loop runs over: the items for which its condition, if it has one, is true."""
    iterable = strictly(node.iterable, context.text, context.filters)
    words = context.text[node.iterable.start : node.iterable.end]
    start, end = node.iterable.start, node.iterable.end

    def every(frame: Frame) -> list[Json]:
        try:
            return _list(iterable(frame), words)
        except RenderError as error:
            raise _placed(error, start, end) from error.__cause__

    if node.condition is None:
        return every
    holds, cost = _condition(node.condition, context), 1 + _cost([node.condition])
    bind = _binder(node, context.text)

    def some(frame: Frame) -> list[Json]:
        items, outer = every(frame), frame.values
        frame.spend(len(items) * cost)
        frame.values = values = dict(outer)
        found: list[Json] = []
        for item in items:
            bind(values, item)
            if holds(frame):
                found.append(item)
        frame.values = outer
        return found

    return some


def _binder(node: For, text: str) -> Callable[[dict[str, Json], Json], None]:
    """A function that gives the names of a loop their values for one round."""
    targets = node.targets
    if len(targets) == 1:
        target = targets[0]

        def one(values: dict[str, Json], item: Json) -> None:
            values[target] = item

        return one
    words = text[node.iterable.start : node.iterable.end]
    return lambda values, item: values.update(_pairs(targets, item, words))


def _list(value: Json, words: str) -> list[Json]:
    if not isinstance(value, list):
        raise RenderError(
            f"{words} is {kind(value)}, so there is nothing to loop over",
            hint="Loop over a list; for an object use the filter items.",
        )
    return value


def _pairs(targets: tuple[str, ...], item: Json, words: str) -> Iterator[tuple[str, Json]]:
    if not isinstance(item, list) or len(item) != len(targets):
        raise RenderError(f"an item of {words} is not a pair", hint="Use one name, or the filter items for an object.")
    return zip(targets, item, strict=True)


def _cost(parts: Iterable[Node | Expression]) -> int:
    """The steps of one run through the nodes and expressions.

    An inner loop counts without its body, which counts itself.
    """
    inner = ((part.iterable, *part.otherwise) if isinstance(part, For) else children(part) for part in parts)
    return sum(1 + _cost(below) for below in inner)
