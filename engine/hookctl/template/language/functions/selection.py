"""Filters that apply a filter or a test to each item of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from hookctl.errors import RenderError
from hookctl.model import Json
from hookctl.model.nearest import nearest
from hookctl.template.language.expressions import Filtered
from hookctl.template.language.functions.declaration import (
    LIST,
    BuiltIn,
    Filters,
    Misuse,
    argument_of,
    attribute_at,
    constants,
    text_argument,
    too_large,
    typed,
)
from hookctl.template.language.functions.lists import attribute_getter
from hookctl.template.language.value_tests import WITH_OPERAND, WITHOUT_OPERAND
from hookctl.template.language.values import MAX_OUTPUT, MISSING, Missing, Value, identity, is_in

MAX_SEARCHED = 16 * 1024 * 1024
"""Characters that one ``select('in', text)`` may look through, all items together."""
_NOT_IN_MAP = frozenset({"jmespath", "map", "reject", "rejectattr", "select", "selectattr"})


# -- select and reject -------------------------------------------------------------------------------------------------


def _check_test(name: Json) -> None:
    """Raise RenderError for a name that is not a test's."""
    known = [*WITHOUT_OPERAND, *WITH_OPERAND]
    if name is not None and name not in known:
        near = nearest(name, known) if isinstance(name, str) else ()
        hint = f"Did you mean {near[0]}?" if near else f"The tests are {', '.join(sorted(known))}."
        raise RenderError(f"there is no test {name}", hint=hint)


def _test(name: Json, operands: tuple[Json, ...], items: int) -> Callable[[Value], bool]:
    """The test of this name with its operand, for so many items; whether a value is true, without a name."""
    _check_test(name)
    if name is None:
        return bool
    test = text_argument(name, "the name of a test")
    wanted = 1 if test in WITH_OPERAND else 0
    if len(operands) != wanted:
        message = f"the test {test} takes {'one value' if wanted else 'no value'} after its name"
        raise RenderError(message, hint="Write it as in selectattr('status', 'eq', 'firing').")
    if not wanted:
        return WITHOUT_OPERAND[test]
    operand = operands[0]
    if WITH_OPERAND[test] is is_in:
        return _contained_in(operand, items)
    return lambda value: WITH_OPERAND[test](value, operand)


def _contained_in(operand: Json, items: int) -> Callable[[Value], bool]:
    """``is_in`` for many items: a list is read once, and the length of a text is limited."""
    if isinstance(operand, list):
        known = {*map(identity, operand)}
        return lambda value: identity(value) in known
    if isinstance(operand, str) and len(operand) * items > MAX_SEARCHED:
        message = "looking for so many items in a text takes too much work"
        raise RenderError(message, hint="Look for fewer items, or in a list.")
    return lambda value: is_in(value, operand)


def _condition(
    name: str, items: list[Json], attribute: Json, test: Json, operands: tuple[Json, ...]
) -> Callable[[Json], bool]:
    get, holds = attribute_getter(attribute, name), _test(test, operands, len(items))
    return lambda item: holds(get(item))


def _select(value: list[Json], test: Json = None, /, *operands: Json) -> Json:
    holds = _condition("select", value, None, test, operands)
    return [item for item in value if holds(item)]


def _reject(value: list[Json], test: Json = None, /, *operands: Json) -> Json:
    holds = _condition("reject", value, None, test, operands)
    return [item for item in value if not holds(item)]


def _selectattr(value: list[Json], attribute: Json, test: Json = None, /, *operands: Json) -> Json:
    holds = _condition("selectattr", value, attribute, test, operands)
    return [item for item in value if holds(item)]


def _rejectattr(value: list[Json], attribute: Json, test: Json = None, /, *operands: Json) -> Json:
    holds = _condition("rejectattr", value, attribute, test, operands)
    return [item for item in value if not holds(item)]


# -- map ---------------------------------------------------------------------------------------------------------------


def _map(
    others: Filters,
    value: list[Json],
    name: Json = None,
    /,
    *arguments: Json,
    attribute: Json = None,
    default: Value = MISSING,
    **keywords: Json,
) -> Json:
    if name is None:
        if attribute is None or keywords:
            raise RenderError("map needs an attribute or the name of a filter", hint="Write map(attribute='name').")
        return _mapped(value, attribute, default)
    function = _function(others, name)
    given = {"attribute": attribute, "default": default}
    keywords |= {key: argument for key, argument in given.items() if argument is not None and argument is not MISSING}  # type: ignore[misc] # neither is missing
    room = MAX_OUTPUT
    results: list[Json] = []
    for item in value:
        try:
            result = function(item, *arguments, **keywords)
        except TypeError:  # arguments that the filter does not have
            raise RenderError(f"map gives {name} wrong arguments", hint="See `hookctl explain templates`.") from None
        if isinstance(result, Missing):
            raise RenderError(f"{name} gives nothing for an item of the list", hint="Leave such items out before.")
        room -= _characters(result)
        if room < 0:
            raise too_large("map")
        results.append(result)
    return results


def _mapped(items: Iterable[Json], attribute: Json, default: Value) -> list[Json]:
    get = attribute_getter(attribute, "map")
    found: list[Json] = []
    for number, item in enumerate(items):
        value = get(item)
        if isinstance(value, Missing):
            value = default
        if isinstance(value, Missing):
            message = f"item {number} of the list for map has no {attribute}"
            raise RenderError(message, hint=f"Give a default: `map(attribute='{attribute}', default='')`.")
        found.append(value)
    return found


def _characters(value: Json) -> int:
    """The characters of all texts in a value, and one for each other value."""
    total = 0
    pending = [value]
    while pending:
        part = pending.pop()
        total += len(part) if isinstance(part, str) else 1
        if isinstance(part, list | dict):
            pending += part if isinstance(part, list) else part.values()
    return total


def _function(others: Filters, name: Json) -> Callable[..., Value]:
    """The filter that ``map`` applies. Raises RenderError for a name that is none's."""
    if isinstance(name, str) and name in _NOT_IN_MAP:
        raise RenderError(f"map cannot apply {name}", hint="Loop over the list, or write jmespath('[*]...').")
    if not isinstance(name, str) or name not in others:
        near = nearest(name, [*others]) if isinstance(name, str) else ()
        hint = f"Did you mean {near[0]}?" if near else "Write map(attribute='name'), or the name of a built-in filter."
        raise RenderError(f"map cannot apply a filter {name}", hint=hint)
    return typed(name, others[name].takes, others[name].call)


def _map_misuses(others: Filters, filtered: Filtered) -> Iterable[Misuse]:
    if argument_of(filtered, 0, "attribute") is None:
        hint = "Write map(attribute='name')."
        yield Misuse("map needs an attribute or the name of a filter", hint, filtered.name_start, filtered.end)
    elif filtered.arguments:
        yield from constants("map", ("name", partial(_function, others)))(filtered)


def filters(others: Filters) -> Mapping[str, BuiltIn]:
    """The filters of this module. ``others`` are those that ``map`` can apply."""
    of_items = constants("select", ("test", _check_test))
    of_attributes = constants("selectattr", ("attribute", lambda _: None), ("test", _check_test))

    def by_item(call: Callable[..., Json]) -> BuiltIn:
        return BuiltIn(call, takes=LIST, gives=LIST, gives_input=True, misuses=of_items)

    def by_attribute(call: Callable[..., Json]) -> BuiltIn:
        return BuiltIn(
            call,
            takes=LIST,
            gives=LIST,
            gives_input=True,
            attribute=attribute_at(0),
            skips_missing=True,
            misuses=of_attributes,
        )

    mapped = BuiltIn(
        partial(_map, others),
        takes=LIST,
        gives=LIST,
        keeps_truth=lambda _: True,
        attribute=lambda filtered: None if filtered.arguments else argument_of(filtered, 0, "attribute"),
        gives_attribute=True,
        misuses=partial(_map_misuses, others),
    )
    return {
        "map": mapped,
        "reject": by_item(_reject),
        "rejectattr": by_attribute(_rejectattr),
        "select": by_item(_select),
        "selectattr": by_attribute(_selectattr),
    }
