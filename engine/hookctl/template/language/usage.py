"""Checks the parts of a parsed template that need no event type: filters, lists and the names of loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hookctl.errors import RenderError, TemplateError
from hookctl.json.paths import path_text
from hookctl.model.nearest import nearest
from hookctl.model.problem import Filter, Problem
from hookctl.model.rules.texts import TEMPLATE_FILTER, TEMPLATE_TOO_LARGE, TEMPLATE_UNSAFE
from hookctl.template.language import filters as built_in
from hookctl.template.language.expressions import (
    Const,
    DictOf,
    Expression,
    Filtered,
    For,
    If,
    ListOf,
    Node,
    Path,
    Unreadable,
    children,
    operands,
    walk,
)
from hookctl.template.language.replacements import filter_advice

ROOTS = frozenset({"data", "event_time", "event_type", "id"})
"""The names that every template has."""
MAX_LIST = 50
"""Items of a list or an object that is written in an expression."""


def check_usage(nodes: Sequence[Node], filters: Mapping[str, Filter]) -> list[Problem]:
    """The problems that need no event type: unknown filters, wrong arguments, and invalid lists and loop names."""
    problems: list[Problem] = []
    for part in walk(*nodes):
        if isinstance(part, Filtered):
            problems += _check_filter(part, filters)
        elif isinstance(part, ListOf | DictOf) and len(children(part)) > MAX_LIST:
            message = f"a list or an object in an expression has at most {MAX_LIST} items"
            problems.append(
                TEMPLATE_TOO_LARGE.problem(part.start, part.end, what=message, fix="Write it as JSON in the body.")
            )
    return problems + _check_targets(nodes, ROOTS | {"loop"})


def _check_filter(part: Filtered, filters: Mapping[str, Filter]) -> list[Problem]:
    start, end = part.name_start, part.name_start + len(part.name)
    function = built_in.find(part.name, filters)
    if function is None:
        names = sorted({*built_in.BUILT_IN, *filters})
        near = nearest(part.name, names)
        path = path_text(part.value.root, part.value.steps) if isinstance(part.value, Path) else ""
        advice = filter_advice(part.name, path)
        other = "`hookctl explain templates` lists the filters" + (
            "." if near else ", and jmespath can often replace one."
        )
        problem = TEMPLATE_FILTER.problem(start, end, what=f"unknown filter {part.name}", fix=advice or other)
        return [problem if advice else replace(problem, suggestions=near)]
    wrong = built_in.argument_problem(function, len(part.arguments), tuple(name for name, _ in part.keywords))
    if wrong:
        return [
            TEMPLATE_FILTER.problem(
                start,
                part.end,
                what=f"the filter {part.name} has wrong arguments: {wrong}",
                fix=f"Write {built_in.usage(part.name, function)}.",
            )
        ]
    properties = built_in.properties(part)
    if properties.takes_expression:
        return _check_expression(part)
    if properties.misuses is None:
        return _check_constants(part)
    return [
        TEMPLATE_FILTER.problem(misuse.start, misuse.end, what=misuse.message, fix=misuse.hint)
        for misuse in properties.misuses(part)
    ]


def _check_constants(part: Filtered) -> list[Problem]:
    """The problem of arguments that no value can be used with: the filter refuses them on an empty value too."""
    arguments = operands(part)[1:]
    if part.name not in built_in.BUILT_IN or not all(isinstance(argument, Const) for argument in arguments):
        return []
    try:
        built_in.probe(part)
    except RenderError as error:
        return [TEMPLATE_FILTER.problem(part.name_start, part.end, what=error.message, fix=error.hint)]
    return []


def _check_expression(part: Filtered) -> list[Problem]:
    from hookctl.when.expression import check_calls, compile_expression

    argument = part.arguments[0] if part.arguments else part
    if not isinstance(argument, Const) or not isinstance(argument.value, str):
        hint = "Write jmespath('...') with the expression in quotes."
        return [
            TEMPLATE_FILTER.problem(
                argument.start, argument.end, what="jmespath's expression must be text in quotes", fix=hint
            )
        ]
    try:
        check_calls(argument.value, compile_expression(argument.value))
    except TemplateError as error:
        exact = "\\" not in argument.text
        start = argument.start + 1 + error.start if exact else argument.start
        end = argument.start + 1 + error.end if exact else argument.end
        return [replace(Problem.from_error(error), start=start, end=end)]
    return []


def _check_targets(nodes: Iterable[Node | Expression], taken: frozenset[str]) -> list[Problem]:
    """The problems of loops that redefine a name, or that loop over a constant. ``taken`` are the names in use."""
    problems: list[Problem] = []
    for node in nodes:
        if not isinstance(node, For):
            problems += _check_targets(children(node), taken) if isinstance(node, If) else []
            continue
        names = node.targets
        again = next((name for number, name in enumerate(names) if name in taken or name in names[:number]), None)
        if again is not None:
            message = f"the loop redefines {again}"
            problems.append(TEMPLATE_UNSAFE.problem(node.start, node.end, what=message, fix="Use another name."))
        if not any(isinstance(part, Path | Unreadable) for part in walk(node.iterable)):
            message = "a loop must use a value of the event"
            hint = "Write constant text without a loop."
            problems.append(TEMPLATE_UNSAFE.problem(node.iterable.start, node.iterable.end, what=message, fix=hint))
        problems += _check_targets(node.body, taken.union(names)) + _check_targets(node.otherwise, taken)
    return problems
