"""What the schema says of the value of an expression: its shape, and the kinds of JSON value that it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hookctl.json.kinds import kind
from hookctl.json.paths import Step
from hookctl.json.schema_paths import EventShape, Shape, Unknown
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
from hookctl.template.language.usage import ROOTS

UNKNOWN = Shape(())
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


@dataclass(frozen=True, slots=True)
class Scope:
    """The names at one place of a template, and what is known of paths there."""

    event: EventShape
    names: dict[str, Shape]
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
        match expression:
            case Path():
                return self.path_shape(expression)
            case Slice(value=value):
                return self.shape(value)
            case Item(value=value, key=Const(value=str() | int() as step)) if not isinstance(value, DictOf):
                return self._stepped(self.shape(value), (step,))
            case Filtered(value=value) if built_in.properties(expression).gives_input:
                return self.shape(value)
            case Filtered(value=value) if built_in.properties(expression).gives_item:
                return self.event.items(self.shape(value))
            case _:
                return UNKNOWN

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
        properties = built_in.properties(expression)
        if properties.accepts_missing:
            found = self._either(expression.value, *expression.arguments[:1])
            return found - {"null"} | self.kinds(expression.arguments[0]) if found and expression.arguments else found
        if properties.gives:
            return properties.gives
        if properties.gives_input:
            return self.kinds(expression.value)
        return self._of_shape(self.shape(expression), expression)

    def _of_shape(self, shape: Shape, expression: Expression) -> frozenset[str]:
        types = frozenset("number" if name == "integer" else name for name in shape.types)
        is_certain = isinstance(expression, Path) and self.known.is_certain(key_of(expression))
        return types | {"null"} if types and shape.nullable and not is_certain else types


def event_scope(event: EventShape, *, any_name: bool = False) -> Scope:
    """The scope outside all loops."""
    names: dict[str, Shape] = {}
    for name in sorted(ROOTS):
        shape = event.step(event.root, name)
        names[name] = shape if isinstance(shape, Shape) else UNKNOWN
    return Scope(event, names, any_name=any_name)
