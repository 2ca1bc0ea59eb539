"""Checks a parsed body template's expressions: names and paths by the schema, filters by name and arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hookctl.errors import TemplateError
from hookctl.json.schema_paths import EventShape, Shape
from hookctl.model import Json
from hookctl.model.problem import Filter, TemplateProblem, nearest
from hookctl.template.fields.path_check import ROOTS, PathKey, Scope, check_path, unknown_path
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
    parts,
    walk,
)
from hookctl.template.proof.positions import Position
from hookctl.template.rendering import filters as built_in

MAX_LIST = 50
"""Items of a list that is written in a template."""

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


def check_filters(nodes: Sequence[Node], filters: Mapping[str, Filter]) -> list[TemplateProblem]:
    """What needs no event type: unknown filters, wrong arguments, lists and loop names that are not allowed."""
    problems: list[TemplateProblem] = []
    for expression in expressions(nodes):
        for part in walk(expression):
            if isinstance(part, Filtered):
                problems += _check_filter(part, filters)
            elif isinstance(part, ListOf) and (
                len(part.items) > MAX_LIST or any(isinstance(item, ListOf) for item in part.items)
            ):
                message = f"a list in a template has at most {MAX_LIST} items and no list inside"
                problems.append(
                    _error("template-too-large", message, "Write the list as JSON in the body.", part.start, part.end)
                )
    return problems + _check_targets(nodes, ROOTS | {"loop"})


def expressions(nodes: Iterable[Node]) -> list[Expression]:
    """Every expression of the nodes, those of tags included."""
    found: list[Expression] = []
    for node in nodes:
        if isinstance(node, Output):
            found.append(node.expression)
        elif isinstance(node, If):
            for branch in node.branches:
                found += [branch.condition] if branch.condition is not None else []
                found += expressions(branch.body)
        elif isinstance(node, For):
            found += [node.iterable, *expressions(node.body), *expressions(node.otherwise)]
    return found


def _check_filter(part: Filtered, filters: Mapping[str, Filter]) -> list[TemplateProblem]:
    start, end = part.name_start, part.name_start + len(part.name)
    function = built_in.find(part.name, filters)
    if function is None:
        names = sorted({*built_in.BUILT_IN, *filters})
        message, hint = f"there is no filter {part.name}", f"The filters are {', '.join(names)}."
        return [replace(_error("template-filter", message, hint, start, end), suggestions=nearest(part.name, names))]
    wrong = built_in.argument_problem(function, len(part.arguments), tuple(name for name, _ in part.keywords))
    if wrong:
        return [
            _error(
                "template-filter",
                f"the filter {part.name} is given wrong arguments: {wrong}",
                "`hookctl explain templates` lists the filters and what each takes.",
                start,
                part.end,
            )
        ]
    return _check_jmespath(part) if part.name == "jmespath" else []


def _check_jmespath(part: Filtered) -> list[TemplateProblem]:
    from hookctl.when.expression import compile_expression

    argument = part.arguments[0] if part.arguments else part
    if not isinstance(argument, Const) or not isinstance(argument.value, str):
        hint = "Write jmespath('...') with the expression in quotes."
        return [
            _error(
                "template-filter", "jmespath's expression must be a text in quotes", hint, argument.start, argument.end
            )
        ]
    try:
        compile_expression(argument.value)
    except TemplateError as error:
        exact = "\\" not in argument.text
        start = argument.start + 1 + error.start if exact else argument.start
        end = argument.start + 1 + error.end if exact else argument.end
        return [_error(error.rule, error.message, error.hint, start, end)]
    return []


def _check_targets(nodes: Iterable[Node], taken: frozenset[str]) -> list[TemplateProblem]:
    problems: list[TemplateProblem] = []
    for node in nodes:
        if isinstance(node, If):
            problems += [problem for branch in node.branches for problem in _check_targets(branch.body, taken)]
        elif isinstance(node, For):
            again = [name for name in node.targets if name in taken] or list(
                node.targets[1:2] if len(set(node.targets)) < len(node.targets) else ()
            )
            if again:
                problems.append(
                    _error(
                        "template-unsafe",
                        f"the loop gives {again[0]} a second meaning",
                        "Use another name.",
                        node.start,
                        node.end,
                    )
                )
            if not any(isinstance(part, Path) for part in walk(node.iterable)):
                message, hint = (
                    "a loop runs over what the event holds, and here is nothing of it",
                    "Write out what is always the same.",
                )
                problems.append(_error("template-unsafe", message, hint, node.iterable.start, node.iterable.end))
            problems += _check_targets(node.body, taken | set(node.targets)) + _check_targets(node.otherwise, taken)
    return problems


class PathChecker:
    """Collects what is wrong with a template's paths under an event type's schema."""

    def __init__(self, positions: Mapping[int, Position]) -> None:
        self._positions = positions
        self.problems: list[TemplateProblem] = []

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
                    _error(
                        "template-unknown-path",
                        f"{node.iterable.text} is no list",
                        hint,
                        node.iterable.start,
                        node.iterable.end,
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
        """An expression whose value is needed: what is missing in it is fatal."""
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
                for part in parts(expression):
                    self._written(part, scope, None)

    def _filtered(self, expression: Filtered, scope: Scope, position: Position | None) -> None:
        if expression.name == "default":
            self._asked(expression.value, scope)
        else:
            self._written(expression.value, scope, position if expression.name == "tojson" else None)
        for part in parts(expression)[1:]:
            self._written(part, scope, None)
        if expression.name == "jmespath":
            self._jmespath(expression, scope)

    def _asked(self, expression: Expression, scope: Scope) -> None:
        """An expression in which what is missing is false or replaced: only unknown paths are wrong."""
        if isinstance(expression, Path):
            self._add(unknown_path(expression, scope))
        elif isinstance(expression, Filtered) and expression.name != "default":
            self._written(expression, scope, None)
        else:
            for part in parts(expression):
                self._asked(part, scope)

    def _jmespath(self, expression: Filtered, scope: Scope) -> None:
        from hookctl.when.condition import unknown_fields

        argument = expression.arguments[0] if expression.arguments else None
        if isinstance(expression.value, Path) and isinstance(argument, Const) and isinstance(argument.value, str):
            for problem in unknown_fields(
                argument.value, scope.event, scope.shape(expression.value), "template-unknown-path"
            ):
                exact = "\\" not in argument.text
                start, end = (
                    (argument.start + 1 + problem.start, argument.start + 1 + problem.end)
                    if exact
                    else (argument.start, argument.end)
                )
                self.problems.append(replace(problem, start=start, end=end))

    def _add(self, problem: TemplateProblem | None) -> None:
        if problem is not None:
            self.problems.append(problem)


def _key(path: Path) -> PathKey:
    return (path.root, *path.steps)


def _with(scope: Scope, condition: Expression, *, holds: bool) -> Scope:
    found = _certain(condition, holds=holds)
    return replace(scope, certain=scope.certain | found) if found else scope


def _certain(condition: Expression, *, holds: bool) -> frozenset[PathKey]:
    """The paths that are there and not null when a condition holds, or does not."""
    if isinstance(condition, Not):
        return _certain(condition.value, holds=not holds)
    if isinstance(condition, Logic) and (condition.operator == "and") is holds:
        return frozenset().union(*(_certain(operand, holds=holds) for operand in condition.operands))
    match condition:
        case Path() if holds:
            path: Path | None = condition
        case Filtered(name="length", value=Path() as measured) if holds:
            path = measured
        case Compare(operator="==" | "<" | "<=" | ">" | ">=" | "in", left=Path() as left) if holds and not _may_be_null(
            condition.right
        ):
            path = left
        case Compare(operator="!=", left=Path() as left, right=Const(value=None)) if holds:
            path = left
        case Test(name="none", value=Path() as tested) if not holds:
            path = tested
        case _:
            path = None
    return frozenset() if path is None else frozenset({_key(path)})


def _may_be_null(expression: Expression) -> bool:
    """False when the expression is surely not null, and no list with null in it."""
    if isinstance(expression, ListOf):
        return any(_may_be_null(item) for item in expression.items)
    return not isinstance(expression, Const) or expression.value is None


def _error(rule: str, message: str, hint: str, start: int, end: int) -> TemplateProblem:
    return TemplateProblem(rule=rule, is_error=True, message=message, hint=hint, start=start, end=end)
