"""Checks the paths of a parsed template against an event type's schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_UNKNOWN_PATH
from hookctl.template.fields.path_check import PathKey, Scope, check_path, unknown_path
from hookctl.template.language import filters as built_in
from hookctl.template.language.expressions import (
    Choice,
    Compare,
    Const,
    Expression,
    Filtered,
    For,
    If,
    ListOf,
    Logic,
    Node,
    Not,
    Output,
    Path,
    Test,
    operands,
)
from hookctl.template.proof.conditions import same_truth
from hookctl.template.proof.positions import Position

_LOOP_SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "first": {"type": "boolean"},
        "last": {"type": "boolean"},
        "index": {"type": "integer"},
        "index0": {"type": "integer"},
        "length": {"type": "integer"},
    },
    "required": ["first", "last", "index", "index0", "length"],
}


class PathChecker:
    """Collects the problems of a template's paths under an event type's schema."""

    def __init__(self, positions: Mapping[int, Position]) -> None:
        self._positions = positions
        self.problems: list[Problem] = []

    def nodes(self, nodes: Iterable[Node], scope: Scope) -> None:
        """Check the nodes of one body in its scope."""
        for node in nodes:
            if isinstance(node, Output):
                self._written(node.expression, scope, self._positions.get(node.start))
            elif isinstance(node, If):
                for branch in node.branches:
                    inside = scope
                    if branch.condition is not None:
                        self._asked(branch.condition, scope)
                        inside = _with(scope, branch.condition, holds=True)
                        scope = _with(scope, branch.condition, holds=False)
                    self.nodes(branch.body, inside)
            elif isinstance(node, For):
                self._loop(node, scope)

    def _loop(self, node: For, scope: Scope) -> None:
        self._written(node.iterable, scope, None)
        item = Shape(())
        certain = scope.certain
        if isinstance(node.iterable, Path):
            shape = scope.shape(node.iterable)
            if shape.types and not shape.types & {"array"}:
                hint = "Loop over a list; an object has the filter items."
                self.problems.append(
                    TEMPLATE_UNKNOWN_PATH.problem(
                        node.iterable.start, node.iterable.end, what=f"{node.iterable.text} is not a list", fix=hint
                    )
                )
            item = scope.event.items(shape)
            certain |= {_key(node.iterable)}
        shapes = {node.targets[0]: item} if len(node.targets) == 1 else dict.fromkeys(node.targets, Shape(()))
        loop = EventShape(_LOOP_SCHEMA).root
        gone = {*node.targets, "loop"}
        inside = Scope(
            scope.event,
            {**scope.names, **shapes, "loop": loop},
            frozenset(key for key in certain if key[0] not in gone),
        )
        self.nodes(node.body, inside)
        self.nodes(node.otherwise, scope)

    def _written(self, expression: Expression, scope: Scope, position: Position | None) -> None:
        """Check an expression whose value is needed: a missing value is an error."""
        match expression:
            case Path():
                self._add(check_path(expression, scope, position))
            case Filtered():
                self._filtered(expression, scope, position)
            case Logic(operator="or"):
                for operand in expression.operands[:-1]:
                    self._asked(operand, scope)
                self._written(expression.operands[-1], scope, position)
            case Choice():
                self._asked(expression.condition, scope)
                self._written(expression.yes, _with(scope, expression.condition, holds=True), position)
                self._written(expression.no, _with(scope, expression.condition, holds=False), position)
            case Compare() | Test() | Not():
                self._asked(expression, scope)
            case _:
                for part in operands(expression):
                    self._written(part, scope, None)

    def _filtered(self, expression: Filtered, scope: Scope, position: Position | None) -> None:
        properties = built_in.properties(expression)
        if properties.accepts_missing:
            self._asked(expression.value, scope)
        else:
            self._written(expression.value, scope, position if properties.writes_json else None)
        for part in operands(expression)[1:]:
            self._written(part, scope, None)
        if properties.takes_expression:
            self._jmespath(expression, scope)

    def _asked(self, expression: Expression, scope: Scope) -> None:
        """Check an expression in which a missing value is false or replaced: only unknown paths are problems."""
        if isinstance(expression, Path):
            self._add(unknown_path(expression, scope))
        elif isinstance(expression, Filtered) and not built_in.properties(expression).accepts_missing:
            self._written(expression, scope, None)
        else:
            for part in operands(expression):
                self._asked(part, scope)

    def _jmespath(self, expression: Filtered, scope: Scope) -> None:
        from hookctl.when.condition import unknown_fields

        argument = expression.arguments[0] if expression.arguments else None
        if isinstance(expression.value, Path) and isinstance(argument, Const) and isinstance(argument.value, str):
            for problem in unknown_fields(
                argument.value, scope.event, scope.shape(expression.value), TEMPLATE_UNKNOWN_PATH
            ):
                exact = "\\" not in argument.text
                start, end = (
                    (argument.start + 1 + problem.start, argument.start + 1 + problem.end)
                    if exact
                    else (argument.start, argument.end)
                )
                self.problems.append(replace(problem, start=start, end=end))

    def _add(self, problem: Problem | None) -> None:
        if problem is not None:
            self.problems.append(problem)


def _key(path: Path) -> PathKey:
    return (path.root, *path.steps)


def _with(scope: Scope, condition: Expression, *, holds: bool) -> Scope:
    found = _certain(condition, holds=holds)
    return replace(scope, certain=scope.certain | found) if found else scope


def _certain(condition: Expression, *, holds: bool) -> frozenset[PathKey]:
    """The paths that are present and not null when a condition is true, or when it is false."""
    if isinstance(condition, Not):
        return _certain(condition.value, holds=not holds)
    if isinstance(condition, Logic) and (condition.operator == "and") is holds:
        return frozenset().union(*(_certain(operand, holds=holds) for operand in condition.operands))
    simple, same = same_truth(condition)
    if simple is not condition:
        return _certain(simple, holds=holds is same)
    match condition:
        case Path() if holds:
            path: Path | None = condition
        case Compare(operator="==", left=Path() as left, right=Const(value=None)):
            path = None if holds else left
        case Compare(operator="==" | "<" | "<=" | ">" | ">=" | "in", left=Path() as left) if holds:
            path = None if _may_be_null(condition.right) else left
        case Test(name="none", value=Path() as tested) if not holds:
            path = tested
        case _:
            path = None
    return frozenset() if path is None else frozenset({_key(path)})


def _may_be_null(expression: Expression) -> bool:
    """False if the expression is certainly not null and not a list that contains null."""
    if isinstance(expression, ListOf):
        return any(_may_be_null(item) for item in expression.items)
    return not isinstance(expression, Const) or expression.value is None
