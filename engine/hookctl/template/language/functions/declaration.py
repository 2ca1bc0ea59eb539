"""How a built-in filter is declared, and the checks that filters have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hookctl.errors import RenderError
from hookctl.json import kinds
from hookctl.json.kinds import DESCRIBED, is_of_type
from hookctl.model import Json
from hookctl.template.language.expressions import Const, Expression, Filtered
from hookctl.template.language.functions.advice import advice
from hookctl.template.language.values import MAX_OUTPUT, Value, kind

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1
"""The integers that a filter reads and gives: those that receivers can hold."""


@dataclass(frozen=True, slots=True)
class Misuse:
    """One argument of a filter that can never work, with its offsets in the template."""

    message: str
    hint: str
    start: int
    end: int


def _never(_: Filtered) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """What holds for every use of a filter. A plugin's filter has only ``takes`` and ``gives``."""

    takes: frozenset[str] = frozenset()
    """The types of JSON Schema that it accepts; ``number`` includes ``integer``. Empty: any."""
    gives: frozenset[str] = frozenset()
    """The types of its result. Empty: unknown, unless one of the next two holds."""
    gives_by_use: Callable[[Filtered], frozenset[str]] | None = None
    """The types of the result of one use, which are some of ``gives``."""
    gives_input: bool = False
    """Whether its result has the type of its value, and for a list the same items in another order, or some of them."""
    gives_item: bool = False
    """Whether its result is an item of its value, which is a list, or a character of it, which is a string."""
    takes_items: frozenset[str] = frozenset()
    """The types of the items, or of their attribute, that it accepts; empty for any."""
    attribute: Callable[[Filtered], Expression | None] | None = None
    """The argument of one use that names an attribute of the items, if it has one."""
    gives_attribute: bool = False
    """Whether its result is the list of the attributes."""
    skips_missing: bool = False
    """Whether items may lack the attribute."""
    may_give_nothing: bool = False
    """Whether its result is missing when its value is empty. ``default`` replaces it."""
    accepts_missing: bool = False
    """Whether a value that the event does not have is replaced. Any other filter fails on it."""
    keeps_truth: Callable[[Filtered], bool] = _never
    """Whether one use of it gives something true exactly when its value is true."""
    hides_content: bool = False
    """Whether the result shows how much there is, but nothing of what it is."""
    slowness: int = 0
    """How many more times reading its value counts as work than for most filters, as measured."""
    writes_json: bool = False
    """Whether it gives its value as it is, and says that the value is written as JSON."""
    takes_expression: bool = False
    """Whether its argument is a JMESPath expression, which must be a constant."""
    misuses: Callable[[Filtered], Iterable[Misuse]] | None = None
    """What is wrong with the arguments of one use, whatever the event. None: nothing that an event does not show."""


@dataclass(frozen=True, slots=True)
class BuiltIn(Properties):
    """A built-in filter."""

    call: Callable[..., Value]
    """The value first, which has one of the types in ``takes``, then the arguments that the template gives."""


def types(*names: str) -> frozenset[str]:
    """A set of JSON Schema's types."""
    return frozenset(names)


_PYTHON_TYPES: Mapping[str, type] = {"string": str, "array": list, "object": dict, "number": float, "boolean": bool}
"""The types of values that need no closer look."""
TEXT = types("string")
NUMBER = types("number")
LIST = types("array")


def typed(name: str, takes: frozenset[str], function: Callable[..., Value]) -> Callable[..., Value]:
    """The function of a filter, which then raises RenderError for a value that is not of a type in ``takes``."""
    if not takes:
        return function
    usual = frozenset(_PYTHON_TYPES[of] for of in takes if of in _PYTHON_TYPES)

    def call(value: Json, *arguments: Json, **keywords: Json) -> Value:
        if type(value) not in usual and not is_of_type(value, takes):
            words = list(dict.fromkeys(described for of, described in DESCRIBED.items() if of in takes))
            expected = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
            message = f"the filter {name} takes {expected}, but the value is {kind(value)}"
            raise RenderError(message, hint=advice(name, {kinds.kind(value)}, takes))
        return function(value, *arguments, **keywords)

    call.__wrapped__ = function  # type: ignore[attr-defined] # inspect.signature looks there
    return call


def too_large(name: str) -> RenderError:
    """The error for a filter whose result would be too large."""
    return RenderError(f"the filter {name} returns more than {MAX_OUTPUT} characters", hint="Send less of the event.")


def check_size(name: str, characters: int) -> None:
    """Raise RenderError for a result that would be too large. Call it before the result is built."""
    if characters > MAX_OUTPUT:
        raise too_large(name)


def text_argument(value: object, what: str) -> str:
    """An argument that must be a string. Raises RenderError."""
    if not isinstance(value, str):
        raise RenderError(f"{what} is not a string", hint="Put it in quotes.")
    return value


def whole_argument(value: object, what: str, low: int, high: int) -> int:
    """An argument that must be an integer from ``low`` to ``high``. Raises RenderError."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RenderError(f"{what} is not a whole number from {low} to {high}", hint="Write a number in this range.")
    return value


def constants(name: str, *checks: tuple[str, Callable[[Json], object]]) -> Callable[[Filtered], Iterable[Misuse]]:
    """The misuses of arguments that must be constants.

    Args:
        name: the filter, for messages.
        checks: for each argument, in the order of the function's, its name and what raises RenderError for a value
            that can never work.
    """

    def find(filtered: Filtered) -> Iterable[Misuse]:
        for position, (argument, check) in enumerate(checks):
            given = argument_of(filtered, position, argument)
            if given is None:
                continue
            if not isinstance(given, Const):
                message = f"the {argument} of {name} is not a constant"
                yield Misuse(message, "Write it in the template, text in quotes.", given.start, given.end)
                continue
            try:
                check(given.value)
            except RenderError as error:
                yield Misuse(error.message, error.hint, given.start, given.end)

    return find


def argument_of(filtered: Filtered, position: int, name: str) -> Expression | None:
    """The argument that one use gives, by its position or its name; None when it gives none."""
    if position < len(filtered.arguments):
        return filtered.arguments[position]
    return dict(filtered.keywords).get(name)


def attribute_at(position: int) -> Callable[[Filtered], Expression | None]:
    """What finds the argument ``attribute`` of one use, which may also be at this position."""
    return lambda filtered: argument_of(filtered, position, "attribute")


Filters = Mapping[str, BuiltIn]
"""Filters by name."""
