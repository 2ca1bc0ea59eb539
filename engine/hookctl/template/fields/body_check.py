"""Checks the expressions of a parsed template against an event type's schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hookctl.json.schema_paths import EventShape
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_SYNTAX, TEMPLATE_UNKNOWN_PATH
from hookctl.template.fields.event_types import decided
from hookctl.template.fields.guards import NOTHING, filled, learned
from hookctl.template.fields.item_check import nothing_given
from hookctl.template.fields.kind_check import kind_problems, missing_entries
from hookctl.template.fields.path_check import check_path, unknown_path
from hookctl.template.fields.shapes import UNKNOWN, Scope
from hookctl.template.language.expressions import (
    Choice,
    Compare,
    Const,
    Expression,
    Filtered,
    For,
    If,
    Logic,
    Node,
    Not,
    Output,
    Path,
    Test,
    operands,
)
from hookctl.template.proof.positions import Position

_LOOP_FIELDS: Mapping[str, str] = {
    "first": "boolean",
    "last": "boolean",
    "index": "integer",
    "index0": "integer",
    "revindex": "integer",
    "revindex0": "integer",
    "length": "integer",
}
_LOOP = EventShape(
    {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in _LOOP_FIELDS.items()},
        "required": list(_LOOP_FIELDS),
    }
).root


class PathChecker:
    """Collects the problems of a template's expressions under an event type's schema."""

    def __init__(self, positions: Mapping[int, Position], text: str) -> None:
        self._positions = positions
        self._text = text
        self.problems: list[Problem] = []

    def nodes(self, nodes: Iterable[Node], scope: Scope) -> None:
        """Check the nodes of one body in its scope."""
        for node in nodes:
            if isinstance(node, Output):
                position = self._positions.get(node.start)
                self._written(node.expression, scope, position)
                self._without_else(node.expression, position)
            elif isinstance(node, If):
                self._branches(node, scope)
            elif isinstance(node, For):
                self._loop(node, scope)

    def _branches(self, node: If, scope: Scope) -> None:
        """Check the branches that an event of the type can reach."""
        for branch in node.branches:
            inside, of_type = scope, None
            if branch.condition is not None:
                self._asked(branch.condition, scope)
                of_type = decided(branch.condition, scope)
                inside = scope.learning(learned(branch.condition, holds=True))
                scope = scope.learning(learned(branch.condition, holds=False))
            if of_type is not False:
                self.nodes(branch.body, inside)
            if of_type:
                return

    def _loop(self, node: For, scope: Scope) -> None:
        self._written(node.iterable, scope, None)
        shape = scope.shape(node.iterable)
        if shape.types and not shape.types & {"array"}:
            words = self._text[node.iterable.start : node.iterable.end]
            what, fix = f"{words} is not a list", "Loop over a list; an object has the filter items."
            if shape.types == {"object"}:
                fix = f"Write {{% for key, value in {words} | items %}}."
            problem = TEMPLATE_UNKNOWN_PATH.problem(node.iterable.start, node.iterable.end, what=what, fix=fix)
            self.problems.append(problem)
        item = scope.items(node.iterable) if len(node.targets) == 1 else UNKNOWN
        gone = {*node.targets, "loop"}
        names = {**scope.names, **dict.fromkeys(node.targets, item)}
        names.pop("loop", None)
        inside = replace(scope, names=names, known=scope.known.without(gone))
        if node.condition is not None:
            self._asked(node.condition, inside)
            inside = inside.learning(learned(node.condition, holds=True))
        inside = replace(inside, names={**names, "loop": _LOOP})
        known = filled(node.iterable) if isinstance(node.iterable, Path) and node.iterable.root not in gone else NOTHING
        self.nodes(node.body, inside.learning(known))
        self.nodes(node.otherwise, scope)

    def _written(self, expression: Expression, scope: Scope, position: Position | None) -> None:
        """Check an expression whose value is needed: a missing value is an error."""
        if isinstance(expression, Path):  # most are, and there is nothing else to check
            self._add(check_path(expression, scope, position))
            return
        self.problems += kind_problems(expression, scope, self._text)
        match expression:
            case Filtered():
                self.problems += nothing_given(expression, scope, self._text)
                self._filtered(expression, scope, position)
            case Logic():
                self._joined(expression, scope, position)
            case Choice(condition=condition):
                self._asked(condition, scope)
                of_type = decided(condition, scope)
                if of_type is not False:
                    self._written(expression.yes, scope.learning(learned(condition, holds=True)), position)
                if of_type is not True:
                    self._written(expression.no, scope.learning(learned(condition, holds=False)), position)
            case Compare() | Test() | Not():
                self._parts(expression, scope)
            case _:
                self.problems += missing_entries(expression, scope, self._text)
                for part in operands(expression):
                    self._written(part, scope, None)

    def _joined(self, expression: Logic, scope: Scope, position: Position | None) -> None:
        """Check the operands of ``and`` or ``or``. In ``or``, only the last one needs a value."""
        for operand, inside in _operand_scopes(expression, scope):
            if expression.operator == "or" and operand is not expression.operands[-1]:
                self._asked(operand, inside)
            else:
                self._written(operand, inside, position)

    def _filtered(self, expression: Filtered, scope: Scope, position: Position | None) -> None:
        properties = scope.properties(expression)
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
        elif isinstance(expression, Filtered) and not scope.properties(expression).accepts_missing:
            self.problems += kind_problems(expression, scope, self._text)
            self._filtered(expression, scope, None)
        else:
            self.problems += kind_problems(expression, scope, self._text)
            self._parts(expression, scope)

    def _parts(self, expression: Expression, scope: Scope) -> None:
        pairs = _operand_scopes(expression, scope) if isinstance(expression, Logic) else None
        for part, inside in pairs or ((part, scope) for part in operands(expression)):
            self._asked(part, inside)

    def _without_else(self, expression: Expression, position: Position | None) -> None:
        if isinstance(expression, Choice) and not expression.has_else and position and position.form == "value":
            what, fix = "a value is always written, so the choice needs an else", "Write ... else null."
            self.problems.append(TEMPLATE_SYNTAX.problem(expression.start, expression.end, what=what, fix=fix))

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


def _operand_scopes(expression: Logic, scope: Scope) -> Iterator[tuple[Expression, Scope]]:
    """Each operand with the scope in which it is evaluated: after those before it were true, or false."""
    absorbing = expression.operator == "or"
    for operand in expression.operands:
        yield operand, scope
        if decided(operand, scope) is absorbing:
            return
        scope = scope.learning(learned(operand, holds=expression.operator == "and"))
