"""Reports what filters cannot find in the items of a list: unknown attributes, wrong kinds, and no items at all."""

from __future__ import annotations

from collections.abc import Iterator

from hookctl.json.kinds import DESCRIBED, kinds_of
from hookctl.json.schema_paths import Shape, Unknown, describe_keys
from hookctl.model.nearest import nearest
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_KIND, TEMPLATE_OPTIONAL_PATH, TEMPLATE_UNKNOWN_PATH
from hookctl.template.fields.guards import key_of
from hookctl.template.fields.shapes import Scope, attribute_steps
from hookctl.template.language.expressions import Const, DictOf, Expression, Filtered, Item, ListOf, Path
from hookctl.template.language.functions.declaration import Properties


def item_problems(filtered: Filtered, scope: Scope, text: str) -> Iterator[Problem]:
    """The problems of a filter with the items of its value."""
    properties = scope.properties(filtered)
    argument = properties.attribute(filtered) if properties.attribute else None
    if isinstance(argument, Const):
        for name in str(argument.value).split(","):
            yield from _attribute(filtered, name, argument, scope, text)
    elif properties.takes_items and argument is None:
        yield from _kinds(filtered, "", scope.items(filtered.value), properties, text)


def _attribute(filtered: Filtered, name: str, argument: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    properties = scope.properties(filtered)
    items = text[filtered.value.start : filtered.value.end]
    shape = scope.items(filtered.value)
    may_be_missing = False
    for step in attribute_steps(name):
        following = scope.event.step(shape, step)
        if isinstance(following, Unknown):
            what = f"the items of {items} have no {step}"
            fix = _known_fields(following) or "They are not objects: use them without a field."
            near = nearest(str(step), following.keys)
            yield TEMPLATE_UNKNOWN_PATH.problem(argument.start, argument.end, suggestions=near, what=what, fix=fix)
            return
        may_be_missing = may_be_missing or following.optional
        shape = following
    if properties.skips_missing or "default" in dict(filtered.keywords):
        return
    if may_be_missing and not _is_tested(filtered.value, name, scope):
        what = f"an item of {items} may lack {name!r}; if so, the delivery is dead"
        fix = f"Leave such items out: {items} | selectattr('{name}', 'defined')."
        if properties.gives_attribute:
            fix = f"Give a default: map(attribute='{name}', default='')."
        yield TEMPLATE_OPTIONAL_PATH.problem(argument.start, argument.end, what=what, fix=fix)
    if properties.takes_items:
        yield from _kinds(filtered, name, shape, properties, text)


def _known_fields(unknown: Unknown) -> str:
    return f"Known fields: {describe_keys('', unknown.keys)}" if unknown.keys else ""


def _is_tested(value: Expression, name: str, scope: Scope) -> bool:
    """Whether a filter such as ``selectattr`` chose the items by this attribute."""
    while isinstance(value, Filtered):
        properties = scope.properties(value)
        if properties.skips_missing and properties.attribute is not None:
            tested = properties.attribute(value)
            if isinstance(tested, Const) and tested.value == name:
                return True
        value = value.value
    return False


def _kinds(filtered: Filtered, name: str, shape: Shape, properties: Properties, text: str) -> Iterator[Problem]:
    """The items, or an attribute of each, are of a kind that the filter does not take."""
    place = properties.attribute(filtered) if properties.attribute and name else filtered.value
    kinds = kinds_of(shape.types)
    if place is not None and kinds and not kinds & kinds_of(properties.takes_items):
        found = " or ".join(dict.fromkeys(DESCRIBED[kind] for kind in sorted(kinds)))
        what = f"the filter {filtered.name} does not accept items of which each is {found}"
        fix = f"Name a field of each item: {filtered.name}(attribute='...')."
        if "object" not in kinds:
            items = text[filtered.value.start : filtered.value.end] + (f" | map(attribute='{name}')" if name else "")
            fix = f"Write {items} | map('float') | {filtered.name}."
        yield TEMPLATE_KIND.problem(place.start, place.end, what=what, fix=fix)


def nothing_given(filtered: Filtered, scope: Scope, text: str) -> Iterator[Problem]:
    """The warning for ``first`` and similar filters, without a default, on a list that may be empty."""
    if not scope.properties(filtered).may_give_nothing or scope.kinds(filtered.value) - {"null"} != {"array"}:
        return
    value = filtered.value
    if isinstance(value, ListOf) and value.items:
        return
    while isinstance(value, Filtered) and scope.properties(value).keeps_truth(value):
        value = value.value
    if isinstance(value, Path) and scope.known.is_present((*key_of(value), 0)):
        return
    words = text[filtered.value.start : filtered.value.end]
    what = f"{words} may be empty; if so, the delivery is dead"
    fix = f"Give a default: {{{{ {text[filtered.start : filtered.end]} | default('') }}}}."
    if isinstance(filtered.value, Path):
        fix = f"{fix[:-1]}, or write it inside {{% if {words} %}}."
    yield TEMPLATE_OPTIONAL_PATH.problem(filtered.start, filtered.end, what=what, fix=fix)


def unknown_key(expression: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    """The error for a key of a filter's result that the schema does not have, such as ``(xs | first).nmae``."""
    match expression:
        case Item(value=value, key=Const(value=str() as step)) if not isinstance(value, DictOf):
            following = scope.event.step(scope.shape(value), step)
            if isinstance(following, Unknown):
                words = text[value.start : value.end]
                what, fix = f"{words} has no {step}", _known_fields(following) or f"Write {words}."
                near = nearest(step, following.keys)
                yield TEMPLATE_UNKNOWN_PATH.problem(
                    expression.start, expression.end, suggestions=near, what=what, fix=fix
                )
