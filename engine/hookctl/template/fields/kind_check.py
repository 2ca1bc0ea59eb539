"""Reports what an expression cannot do with the kinds of value that the schema allows, and what it never finds."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.json.equality import is_equal
from hookctl.json.kinds import DESCRIBED, kinds_of
from hookctl.json.schema_paths import listed, value_text
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_KIND, TEMPLATE_LOOKUP, TEMPLATE_NEVER_TRUE, TEMPLATE_OPTIONAL_PATH
from hookctl.template.fields.item_check import item_problems, unknown_key
from hookctl.template.fields.shapes import Scope
from hookctl.template.language.expressions import (
    Arithmetic,
    Compare,
    Concat,
    Const,
    DictOf,
    Expression,
    Filtered,
    Item,
    ListOf,
    Path,
    Slice,
)
from hookctl.template.language.functions.advice import advice

_NUMBER = frozenset({"number"})
_SLICED = frozenset({"array", "string"})
_ORDERED = frozenset({"number", "string"})
_SEARCHED = frozenset({"array", "object", "string"})


def kind_problems(expression: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    """The problems of one expression; those of the expressions in it are not included."""
    match expression:
        case Compare():
            yield from _compared(expression, scope, text)
        case Filtered():
            yield from _filtered(expression, scope, text)
            yield from item_problems(expression, scope, text)
        case Arithmetic() | Slice() | Concat():
            yield from _operated(expression, scope, text)
        case Item(value=DictOf(keys=keys), key=key):
            yield from _unfound_keys(keys, key, scope, text)
        case Item():
            yield from unknown_key(expression, scope, text)


def _filtered(expression: Filtered, scope: Scope, text: str) -> Iterator[Problem]:
    takes, name = kinds_of(scope.properties(expression).takes), expression.name
    fix = advice(name, scope.kinds(expression.value), takes)
    yield from _wrong(expression.value, scope, takes, text=text, what=f"the filter {name}", fix=fix)


def _operated(expression: Arithmetic | Slice | Concat, scope: Scope, text: str) -> Iterator[Problem]:
    if isinstance(expression, Arithmetic):
        for operand in expression.operands:
            fix = _instead(expression.operators, operand, scope)
            yield from _wrong(operand, scope, _NUMBER, text=text, what=expression.operators[0], fix=fix)
    elif isinstance(expression, Slice):
        fix = "Slice a list or a string."
        yield from _wrong(expression.value, scope, _SLICED, text=text, what="a slice", fix=fix)
    else:
        for part in expression.parts:
            if "null" in scope.kinds(part):
                yield _null(part, text, "the text null is written then")


def _instead(operators: tuple[str, ...], operand: Expression, scope: Scope) -> str:
    """What to write instead of a calculation with an operand that is not a number."""
    if "+" in operators and scope.kinds(operand) == {"array"}:
        return "Join lists with {{ [data.a, data.b] | jmespath('[]') }}."
    if "+" in operators or (operators[0] == "%" and not isinstance(operand, Path)):
        return "Join text with ~."
    if any(schema.get("format") in {"date", "date-time"} for schema in scope.shape(operand).schemas):
        return "Use | datetime('epoch') for the seconds of a date."
    return "Use | int or | float for a number in a text."


def missing_entries(expression: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    """The warning for a lookup, without a default, in which the schema's values are not all found."""
    if not isinstance(expression, Item) or not isinstance(expression.value, DictOf):
        return
    values = scope.shape(expression.key).values
    missing = [one for one in values or () if not any(is_equal(one, key.value) for key in expression.value.keys)]
    if missing:
        words = text[expression.key.start : expression.key.end]
        what = f"the lookup has no entry for {', '.join(map(value_text, missing))}, which {words} may be"
        yield TEMPLATE_LOOKUP.problem(expression.start, expression.end, what=what)


def _unfound_keys(keys: tuple[Const, ...], key: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    values = scope.shape(key).values
    for found in keys if values else ():
        if not any(is_equal(found.value, one) for one in values or ()):
            yield _never(found, text[key.start : key.end], values or [])


def _wrong(
    value: Expression, scope: Scope, takes: frozenset[str], *, text: str, what: str, fix: str
) -> Iterator[Problem]:
    """A value of which no kind, or of which null, is accepted."""
    kinds = scope.kinds(value)
    if not takes or not kinds or kinds <= takes:
        return
    words = text[value.start : value.end]
    if not kinds & takes:
        message = f"{what} does not accept {_described(kinds)}, which {words} is"
        yield TEMPLATE_KIND.problem(value.start, value.end, what=message, fix=fix)
    elif "null" in kinds and isinstance(value, Path):
        yield _null(value, text, "the delivery is dead then", _default_of(takes))


def _default_of(takes: frozenset[str]) -> str:
    """A default that is of an accepted kind."""
    if {"number", "string"} == takes:  # text that is a date
        return "event_time"
    return next((written for kind, written in _DEFAULTS if kind in takes), "''")


_DEFAULTS = (("string", "''"), ("array", "[]"), ("object", "{}"), ("number", "0"))


def _null(value: Expression, text: str, then: str, default: str = "''") -> Problem:
    words = text[value.start : value.end]
    fix = f"Give a default, such as {{{{ {words} | default({default}) }}}}, or write it inside {{% if {words} %}}."
    return TEMPLATE_OPTIONAL_PATH.problem(value.start, value.end, what=f"{words} may be null: {then}", fix=fix)


def _compared(expression: Compare, scope: Scope, text: str) -> Iterator[Problem]:
    left, right, operator = expression.left, expression.right, expression.operator
    if operator in {"<", "<=", ">", ">="}:
        yield from _order(expression, scope)
        return
    if operator in {"in", "not in"}:
        if isinstance(right, ListOf):
            for item in right.items:
                if isinstance(item, Const):
                    yield from _unequal(left, item, scope, text)
        else:
            fix = "Look in a list, an object or a string."
            yield from _wrong(right, scope, _SEARCHED | {"null"}, text=text, what=operator, fix=fix)
        return
    if isinstance(left, Const):
        left, right = right, left
    if isinstance(right, Const):
        yield from _unequal(left, right, scope, text)


def _unequal(value: Expression, constant: Const, scope: Scope, text: str) -> Iterator[Problem]:
    """A constant that the value never is."""
    words = text[value.start : value.end]
    if constant.value is None or isinstance(value, Const):
        return
    values = scope.shape(value).values
    kinds = scope.kinds(value)
    if values and not any(is_equal(constant.value, one) for one in values):
        yield _never(constant, words, values)
    elif kinds and not scope.kinds(constant) & kinds:
        why = f"{words} is {_described(kinds)}"
        yield TEMPLATE_NEVER_TRUE.problem(constant.start, constant.end, value=constant.text, why=why)


def _never(constant: Const, words: str, values: list[Json]) -> Problem:
    near = nearest(str(constant.value), [str(one) for one in values])
    return TEMPLATE_NEVER_TRUE.problem(
        constant.start, constant.end, suggestions=near, value=constant.text, why=f"{words} is {listed(values)}"
    )


def _order(expression: Compare, scope: Scope) -> Iterator[Problem]:
    sides = [scope.kinds(expression.left) - {"null"}, scope.kinds(expression.right) - {"null"}]
    if not all(sides):
        return
    if not sides[0] & sides[1] & _ORDERED:
        message = f"{_described(sides[0])} and {_described(sides[1])} have no order"
        fix = "Compare numbers with numbers and text with text."
        yield TEMPLATE_KIND.problem(expression.start, expression.end, what=message, fix=fix)


def _described(kinds: frozenset[str]) -> str:
    """The kinds in words: ``a number or a string``."""
    return " or ".join(dict.fromkeys(DESCRIBED[name] for name in sorted(kinds)))
