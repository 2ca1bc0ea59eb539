"""What the schema says of the value of an expression: its shape, and the kinds of JSON value that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hookctl.json.kinds import kind, kinds_of
from hookctl.json.paths import Step
from hookctl.json.schema_paths import EventShape, Shape, Unknown
from hookctl.model.problem import Filter
from hookctl.template.fields.guards import NOTHING, Known, key_of
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
)
from hookctl.template.language.functions.declaration import Properties
from hookctl.template.language.functions.special import default_value
from hookctl.template.language.usage import ROOTS

UNKNOWN = Shape(())
_LONG = 10
"""Digits of what is a key and not an index."""
_KINDS: Mapping[type, frozenset[str]] = {
    ListOf: frozenset({"array"}),
    DictOf: frozenset({"object"}),
    Concat: frozenset({"string"}),
    Arithmetic: frozenset({"number"}),
    Compare: frozenset({"boolean"}),
    Test: frozenset({"boolean"}),
    Not: frozenset({"boolean"}),
}
"""Of the expressions whose kind does not depend on the event."""


def _outcomes(expression: Logic | Choice | Item) -> tuple[Expression, ...]:
    """The expressions of which one gives the value."""
    if isinstance(expression, Logic):
        return expression.operands
    if isinstance(expression, Choice):
        return expression.yes, expression.no
    return expression.value.values if isinstance(expression.value, DictOf) else ()


def attribute_steps(name: object) -> tuple[Step, ...]:
    """The steps of an attribute as filters name it, such as ``owner.name`` or ``groups.0``."""
    parts = str(name).split(".")
    return tuple(int(part) if part.isascii() and part.isdecimal() and len(part) < _LONG else part for part in parts)


@dataclass(frozen=True, slots=True)
class Scope:
    """The names at one place of a template, and what is known of paths there."""

    event: EventShape
    names: dict[str, Shape]
    filters: Mapping[str, Filter]
    """Those of plugins, by name."""
    known: Known = NOTHING
    any_name: bool = False
    """True if names may be missing here, because a tag could not be read: an unknown name is not an error then."""

    def learning(self, known: Known) -> Scope:
        """The scope with more known about its paths."""
        return replace(self, known=self.known | known) if known.certain or known.present else self

    def path_shape(self, path: Path) -> Shape:
        """The schema's information about a path; unknown for an unknown path."""
        return self._stepped(self.names.get(path.root, UNKNOWN), path.steps)

    def _stepped(self, shape: Shape | Unknown, steps: tuple[Step, ...]) -> Shape:
        for step in steps:
            shape = self.event.step(shape, step) if isinstance(shape, Shape) else UNKNOWN
        return shape if isinstance(shape, Shape) else UNKNOWN

    def shape(self, expression: Expression) -> Shape:
        """The schema's information about a value that comes from the event as it is; unknown for any other."""
        if isinstance(expression, Slice):
            while isinstance(expression, Slice):
                expression = expression.value
            return self._list_shape(expression)
        match expression:
            case Path():
                return self.path_shape(expression)
            case Item(value=value, key=Const(value=str() | int() as step)) if not isinstance(value, DictOf):
                return self._stepped(self.shape(value), (step,))
            case Filtered():
                return self._filtered_shape(expression)
            case _:
                return UNKNOWN

    def _filtered_shape(self, expression: Filtered) -> Shape:
        properties = self.properties(expression)
        if properties.gives_item:
            return self.items(expression.value)
        return self._list_shape(expression.value) if properties.gives_input else UNKNOWN

    def items(self, expression: Expression) -> Shape:
        """The shape of each item of a list."""
        if not isinstance(expression, Filtered):
            return self.event.items(self.shape(expression))
        properties = self.properties(expression)
        if properties.gives_attribute and properties.attribute is not None:
            name = properties.attribute(expression)
            return self._attribute_shape(expression, name) if isinstance(name, Const) else UNKNOWN
        if properties.accepts_missing:
            is_empty = default_value(expression) == ListOf((), 0, 0)
            return self.items(expression.value) if is_empty else UNKNOWN
        return self.items(expression.value) if properties.gives_input else UNKNOWN

    def _attribute_shape(self, expression: Filtered, name: Const) -> Shape:
        if dict(expression.keywords).keys() != {"attribute"}:
            return UNKNOWN
        return self._stepped(self.items(expression.value), attribute_steps(name.value))

    def _list_shape(self, value: Expression) -> Shape:
        """The shape of a part of a list, or of the list in another order; unknown for what is not a list.

        Part of a text, for example, is none of the values that the schema lists for the text.
        """
        shape = self.shape(value)
        return shape if shape.types == {"array"} else UNKNOWN

    def properties(self, filtered: Filtered) -> Properties:
        """The properties of a use of a filter."""
        return built_in.properties(filtered, self.filters)

    def kinds(self, expression: Expression) -> frozenset[str]:
        """The kinds of JSON value that an expression may have, null included; empty if they are not known."""
        if fixed := _KINDS.get(type(expression)):
            return fixed
        match expression:
            case Const(value=value):
                return frozenset({kind(value)})
            case Logic() | Choice() | Item(value=DictOf()):
                return self._either(*_outcomes(expression))
            case Filtered():
                return self._filtered(expression)
            case _:
                return self._of_shape(self.shape(expression), expression)

    def _either(self, *expressions: Expression) -> frozenset[str]:
        found = [self.kinds(expression) for expression in expressions]
        return frozenset().union(*found) if all(found) else frozenset()

    def _filtered(self, expression: Filtered) -> frozenset[str]:
        properties = self.properties(expression)
        if properties.accepts_missing:
            otherwise = default_value(expression)
            found = self._either(expression.value, otherwise)
            return found - {"null"} | self.kinds(otherwise) if found else found
        if properties.gives_input and (kinds := self.kinds(expression.value) & kinds_of(properties.gives)):
            return kinds
        if properties.gives_by_use is not None:
            return kinds_of(properties.gives_by_use(expression))
        if properties.gives:
            return kinds_of(properties.gives)
        return self._of_shape(self.shape(expression), expression)

    def _of_shape(self, shape: Shape, expression: Expression) -> frozenset[str]:
        types = kinds_of(shape.types)
        is_certain = isinstance(expression, Path) and self.known.is_certain(key_of(expression))
        return types | {"null"} if types and shape.nullable and not is_certain else types


def event_scope(event: EventShape, filters: Mapping[str, Filter], *, any_name: bool = False) -> Scope:
    """The scope outside all loops."""
    names: dict[str, Shape] = {}
    for name in sorted(ROOTS):
        shape = event.step(event.root, name)
        names[name] = shape if isinstance(shape, Shape) else UNKNOWN
    return Scope(event, names, filters, any_name=any_name)
