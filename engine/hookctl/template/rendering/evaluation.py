"""Compiles expressions to functions of a frame: the values of names, and the remaining budget of the rendering."""

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
    operands,
)
from hookctl.template.language.functions.declaration import argument_of, too_large
from hookctl.template.language.functions.special import default_value
from hookctl.template.language.value_tests import WITHOUT_OPERAND
from hookctl.template.language.values import MAX_OUTPUT, MISSING, Missing, Value, compare, is_equal, is_in, take
from hookctl.template.rendering.operators import calculate, concatenate, cut, look_up, take_item

MAX_WORK = 800_000
"""The maximum number of steps of one rendering: iterations times the nodes in them, plus the work of filters,
comparisons and calculations. A step takes at most about 0.3 microseconds, so a rendering takes a quarter of a second.
"""
_CALL = 10
"""The steps of calling a filter, whatever its value."""

Evaluate = Callable[["Frame"], Value]


class Frame(Budget):
    """The state of one rendering: values by name, the pieces written so far, and the remaining size and work."""

    __slots__ = ("pieces", "room", "values")

    def __init__(self, values: dict[str, Json]) -> None:
        super().__init__(MAX_WORK)
        self.values = values
        self.pieces: list[str] = []
        self.room = MAX_OUTPUT

    def write(self, text: str) -> None:
        """Add to the body. Raises RenderError when the body becomes too large."""
        self.room -= len(text)
        if self.room < 0:
            raise_too_large()
        self.pieces.append(text)

    def exceeded(self) -> RenderError:
        """The error for too much work."""
        return RenderError("rendering takes too much work", hint="Loop over less of the event.")


def evaluate(expression: Expression, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    """A function that returns the value of an expression in a frame, or ``MISSING``. It raises RenderError.

    ``text`` is the template. The expression must have passed the check.
    """
    return _COMPILED[type(expression)](expression, text, filters)


def _path_of(expression: Path, _text: str, _filters: Mapping[str, Filter]) -> Evaluate:
    return _path((expression.root, *expression.steps))


def _constant(expression: Const, _text: str, _filters: Mapping[str, Filter]) -> Evaluate:
    value = expression.value
    return lambda _: value


def _choice(expression: Choice, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    condition, yes, no = (evaluate(part, text, filters) for part in operands(expression))
    return lambda frame: yes(frame) if condition(frame) else no(frame)


def _not(expression: Not, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    value = evaluate(expression.value, text, filters)
    return lambda frame: not value(frame)


def _test(expression: Test, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    value, holds = evaluate(expression.value, text, filters), WITHOUT_OPERAND[expression.name]
    return lambda frame: holds(value(frame))


def _operation(
    expression: ListOf | DictOf | Slice | Arithmetic | Concat, text: str, filters: Mapping[str, Filter]
) -> Evaluate:
    """The value of what is written or computed in the template. What is missing in it is a RenderError."""
    parts = [strictly(part, text, filters) for part in operands(expression)]
    match expression:
        case Slice(first=first, stop=stop):
            return _weighed(lambda values: cut(values[0], first, stop), parts)
        case Concat():
            return _weighed(concatenate, parts, len(parts))
        case Arithmetic(operators=operators):
            return _weighed(_calculation(operators), parts, 3 * len(operators))
        case DictOf(keys=keys):
            names = [str(key.value) for key in keys]
            return _weighed(lambda values: dict(zip(names, values, strict=True)), parts)
        case ListOf():
            return _weighed(list, parts)


def _weighed(make: Callable[[list[Json]], Json], parts: list[Callable[[Frame], Json]], steps: int = 0) -> Evaluate:
    """The value that ``make`` gives for the parts, in so many steps.

    What the value holds counts as work too: the event may give it many times.
    """

    def give(frame: Frame) -> Value:
        frame.spend(steps)
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
    """As :func:`evaluate`, but a missing value raises a RenderError that names the expression."""
    inner = evaluate(expression, text, filters)

    def give(frame: Frame) -> Json:
        value = inner(frame)
        if isinstance(value, Missing):
            raise_missing(text[expression.start : expression.end])
        return value

    return give


def raise_missing(words: str) -> Never:
    """Raise the RenderError for an expression whose value is missing. The message quotes the expression."""
    raise RenderError(f"the event has no {words}", hint=f"Give a default: {{{{ {words} | default(...) }}}}.")


def raise_too_large() -> Never:
    """Raise the RenderError for a body that is too large."""
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
        whole = evaluate(expression.value, text, filters)
        return lambda frame: take_item(whole(frame), key(frame))
    keys = [constant.value for constant in expression.value.keys]
    values = [evaluate(part, text, filters) for part in expression.value.values]

    def find(frame: Frame) -> Value:
        wanted = key(frame)
        frame.weigh(wanted)
        return look_up(keys, [partial(part, frame) for part in values], wanted)

    return find


def _logic(expression: Logic, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    parts = [evaluate(part, text, filters) for part in expression.operands]
    stop = expression.operator == "or"

    def decide(frame: Frame) -> Value:
        value: Value = MISSING
        for part in parts:
            value = part(frame)
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


def _compare(expression: Compare, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    left, right = (evaluate(part, text, filters) for part in operands(expression))
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
    has_constants = all(isinstance(part, Const) for part in operands(expression)[1:])

    slowness = built_in.slowness(expression)

    def call(frame: Frame) -> Value:
        frame.spend(_CALL)
        given = value(frame)
        before = frame.left
        frame.weigh(given)
        frame.spend(slowness * (before - frame.left))
        given_arguments = [argument(frame) for argument in arguments]
        given_keywords = {name: argument(frame) for name, argument in keywords}
        if not has_constants:
            frame.weigh([*given_arguments, *given_keywords.values()])
        try:
            result = function(given, *given_arguments, **given_keywords)
        except PluginError:  # this is a failure of the plugin, not of the event: another attempt may succeed
            raise
        except HookctlError as error:
            raise RenderError(f"{text[expression.start : expression.end]}: {error.message}", hint=error.hint) from error
        # for any other exception of a plugin, the delivery becomes dead, with the plugin's name
        except Exception as error:
            raise RenderError(
                f"the filter {expression.name} raised {error!r}", hint="Fix or uninstall the plugin that adds it."
            ) from error
        if isinstance(result, str) and len(result) > MAX_OUTPUT:
            raise too_large(expression.name)
        frame.weigh(result)
        return result

    return call


def _default(expression: Filtered, text: str, filters: Mapping[str, Filter]) -> Evaluate:
    inner = evaluate(expression.value, text, filters)
    replaces_false = argument_of(expression, 1, "boolean")
    otherwise = strictly(default_value(expression), text, filters)
    boolean = None if replaces_false is None else strictly(replaces_false, text, filters)

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


_COMPILED: Mapping[type, Callable[[Any, str, Mapping[str, Filter]], Evaluate]] = {
    Const: _constant,
    Path: _path_of,
    Filtered: _filtered,
    Compare: _compare,
    Logic: _logic,
    Choice: _choice,
    Not: _not,
    Test: _test,
    Item: _item,
    **dict.fromkeys((ListOf, DictOf, Slice, Arithmetic, Concat), _operation),
}
"""By type. An expression that cannot be read is not here: a template with errors is never rendered."""
