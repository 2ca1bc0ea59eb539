"""Compiles expressions to functions of a frame: the values that names have, and what rendering may still cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Never

from hookctl.bounded import Budget
from hookctl.errors import HookctlError, PluginError, RenderError
from hookctl.json.paths import Step
from hookctl.model import Json
from hookctl.model.problem import Filter
from hookctl.template.language import filters as built_in
from hookctl.template.language.expressions import (
    Arithmetic,
    Choice,
    Compare,
    Concat,
    Const,
    DictOf,
    Expression,
    Filtered,
    Item,
    ListOf,
    Logic,
    Not,
    Path,
    Slice,
    Test,
    Unreadable,
    operands,
)
from hookctl.template.language.filters import MAX_OUTPUT
from hookctl.template.language.values import MISSING, Missing, Value, compare, is_equal, is_in, take
from hookctl.template.rendering.operators import PREDICATES, calculate, concatenate, cut, look_up, take_item

MAX_WORK = 2_000_000
"""Steps of one rendering: rounds of loops times what is in them, and what filters and comparisons look at."""

Evaluate = Callable[["Frame"], Value]


class Frame(Budget):
    """One rendering: the values by name, the pieces written so far, and the room and work left."""

    __slots__ = ("pieces", "room", "values")

    def __init__(self, values: dict[str, Json]) -> None:
        super().__init__(MAX_WORK)
        self.values = values
        self.pieces: list[str] = []
        self.room = MAX_OUTPUT

    def write(self, text: str) -> None:
        """Add to the body. Raises RenderError when it becomes too large."""
        self.room -= len(text)
        if self.room < 0:
            raise_too_large()
        self.pieces.append(text)

    def exceeded(self) -> RenderError:
        """The error for too much work."""
        return RenderError("rendering takes too much work", hint="Loop over less of the event.")


def evaluate(expression: Expression, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    """A function that gives the value of an expression in a frame, ``MISSING`` included. It raises RenderError.

    ``text`` is the template's. The expression must have passed the check.
    """

    def compiled(part: Expression) -> Evaluate:
        return evaluate(part, text, filters)

    if isinstance(expression, Const):
        constant = expression.value
        return lambda _: constant
    if isinstance(expression, Path):
        return _path((expression.root, *expression.steps))
    if isinstance(expression, Filtered):
        return _filtered(expression, text, filters)
    if isinstance(expression, Compare):
        return _compare(expression, compiled(expression.left), compiled(expression.right))
    if isinstance(expression, Logic):
        return _logic(expression.operator, [compiled(operand) for operand in expression.operands])
    if isinstance(expression, Choice):
        condition, yes, no = compiled(expression.condition), compiled(expression.yes), compiled(expression.no)
        return lambda frame: yes(frame) if condition(frame) else no(frame)
    if isinstance(expression, Not):
        value = compiled(expression.value)
        return lambda frame: not value(frame)
    if isinstance(expression, Test):
        tested, holds = compiled(expression.value), PREDICATES[expression.name]
        return lambda frame: holds(tested(frame))
    return _operation(expression, text, filters)


def _operation(
    expression: ListOf | DictOf | Item | Slice | Arithmetic | Concat | Unreadable,
    text: str,
    filters: Mapping[str, Filter],
) -> Evaluate:
    """The value of what is written or computed in the template. What is missing in it is a RenderError."""
    if isinstance(expression, Item):
        return _item(expression, text, filters)
    parts = [strictly(part, text, filters) for part in operands(expression)]
    match expression:
        case Slice(first=first, stop=stop):
            return _weighed(lambda values: cut(values[0], first, stop), parts)
        case Concat():
            return _weighed(concatenate, parts)
        case Arithmetic(operators=operators):
            return _weighed(_calculation(operators), parts)
        case DictOf(keys=keys):
            names = [str(key.value) for key in keys]
            return _weighed(lambda values: dict(zip(names, values, strict=True)), parts)
        case ListOf():
            return _weighed(list, parts)
        case Unreadable():
            raise AssertionError("a template with errors is not rendered")


def _weighed(make: Callable[[list[Json]], Json], parts: list[Callable[[Frame], Json]]) -> Evaluate:
    """The value that ``make`` gives for the parts. What it holds counts as work: the event may give it many times."""

    def give(frame: Frame) -> Value:
        values = [part(frame) for part in parts]
        for value in values:
            frame.weigh(value)
        return make(values)

    return give


def _calculation(operators: tuple[str, ...]) -> Callable[[list[Json]], Json]:
    def calculated(values: list[Json]) -> Json:
        result: Json = 0 if len(values) == len(operators) else values[0]
        for operator, value in zip(operators, values[len(values) - len(operators) :], strict=True):
            result = calculate(operator, result, value)
        return result

    return calculated


def strictly(expression: Expression, text: str, filters: Mapping[str, Filter]) -> Callable[[Frame], Json]:
    """As :func:`evaluate`, but what is missing is a RenderError that names it."""
    inner = evaluate(expression, text, filters)

    def give(frame: Frame) -> Json:
        value = inner(frame)
        if isinstance(value, Missing):
            raise_missing(text[expression.start : expression.end])
        return value

    return give


def raise_missing(words: str) -> Never:
    """Raise the RenderError for an expression, as it is written, whose value the event does not have."""
    raise RenderError(f"the event has no {words}", hint=f"Give a default: {{{{ {words} | default(...) }}}}.")


def raise_too_large() -> Never:
    """Raise the RenderError for a body that is larger than it may be."""
    raise RenderError(f"the body is larger than {MAX_OUTPUT} bytes", hint="Send less of the event.")


def _path(steps: tuple[Step, ...]) -> Evaluate:
    if all(isinstance(step, str) for step in steps):

        def by_keys(frame: Frame) -> Value:
            value: Value = frame.values
            for step in steps:
                if type(value) is not dict:
                    return MISSING
                value = value.get(step, MISSING)  # type: ignore[arg-type] # every step is a key
            return value

        return by_keys

    def by_steps(frame: Frame) -> Value:
        value: Value = frame.values
        for step in steps:
            value = take(value, step)
        return value

    return by_steps


def _item(expression: Item, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    key = evaluate(expression.key, text, filters)
    if not isinstance(expression.value, DictOf):
        value = evaluate(expression.value, text, filters)
        return lambda frame: take_item(value(frame), key(frame))
    keys = [constant.value for constant in expression.value.keys]
    values = [evaluate(part, text, filters) for part in expression.value.values]

    def find(frame: Frame) -> Value:
        wanted = key(frame)
        frame.weigh(wanted)
        return look_up(keys, [partial(part, frame) for part in values], wanted)

    return find


def _logic(word: str, operands: list[Evaluate]) -> Evaluate:
    stop = word == "or"

    def decide(frame: Frame) -> Value:
        value: Value = MISSING
        for operand in operands:
            value = operand(frame)
            if bool(value) is stop:
                return value
        return value

    return decide


_COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": is_equal,
    "!=": lambda left, right: not is_equal(left, right),
    "<": lambda left, right: (order := compare(left, right)) is not None and order < 0,
    ">": lambda left, right: (order := compare(left, right)) is not None and order > 0,
    "<=": lambda left, right: (order := compare(left, right)) is not None and order <= 0,
    ">=": lambda left, right: (order := compare(left, right)) is not None and order >= 0,
    "in": is_in,
    "not in": lambda left, right: not is_in(left, right),
}


def _compare(expression: Compare, left: Evaluate, right: Evaluate) -> Evaluate:
    holds = _COMPARISONS[expression.operator]

    def decide(frame: Frame) -> Value:
        first, second = left(frame), right(frame)
        frame.weigh(second)
        return holds(first, second)

    return decide


def _filtered(expression: Filtered, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    properties = built_in.properties(expression)
    if properties.accepts_missing:
        return _default(expression, text, filters)
    value = strictly(expression.value, text, filters)
    if properties.takes_expression:
        return _jmespath(expression, value)
    function = built_in.find(expression.name, filters)
    assert function is not None  # noqa: S101 - the check refuses unknown filters
    arguments = [strictly(argument, text, filters) for argument in expression.arguments]
    keywords = [(name, strictly(argument, text, filters)) for name, argument in expression.keywords]
    is_built_in = expression.name in built_in.BUILT_IN

    def call(frame: Frame) -> Value:
        given = value(frame)
        frame.weigh(given)
        try:
            result = function(
                given,
                *[argument(frame) for argument in arguments],
                **{name: argument(frame) for name, argument in keywords},
            )
        except PluginError:  # the plugin's failure and not the event's: another attempt may succeed
            raise
        except HookctlError as error:
            raise RenderError(f"{text[expression.start : expression.end]}: {error.message}", hint=error.hint) from error
        except Exception as error:  # whatever a plugin raises, the delivery is dead with its name
            raise RenderError(
                f"the filter {expression.name} raised {error!r}", hint="Fix or uninstall the plugin that adds it."
            ) from error
        if isinstance(result, str) and len(result) > MAX_OUTPUT:
            raise RenderError(
                f"the filter {expression.name} gives more than {MAX_OUTPUT} characters", hint="Send less of the event."
            )
        if not is_built_in:
            frame.weigh(result)
        return result

    return call


def _default(expression: Filtered, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    inner = evaluate(expression.value, text, filters)
    named: dict[str, Any] = dict(zip(("default_value", "boolean"), expression.arguments, strict=False)) | dict(
        expression.keywords
    )
    otherwise = strictly(named["default_value"], text, filters)
    boolean = strictly(named["boolean"], text, filters) if "boolean" in named else None

    def choose(frame: Frame) -> Value:
        value = inner(frame)
        if isinstance(value, Missing) or value is None or (not value and boolean is not None and boolean(frame)):
            return otherwise(frame)
        return value

    return choose


def _jmespath(expression: Filtered, value: Callable[[Frame], Json]) -> Evaluate:
    from hookctl.when.expression import compile_expression, search

    argument = expression.arguments[0]
    assert isinstance(argument, Const) and isinstance(argument.value, str)  # noqa: S101, PT018 - the check asks for it
    compiled = compile_expression(argument.value)

    def find(frame: Frame) -> Value:
        result = search(compiled, value(frame), frame)
        frame.weigh(result)
        return result

    return find
