"""Checks the expressions of a header's value or a URL against the event type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hookctl.errors import RenderError, TemplateError
from hookctl.json.kinds import DESCRIBED
from hookctl.json.schema_paths import EventShape
from hookctl.model.problem import EventSchema, Filter, Problem
from hookctl.model.rules.texts import TEMPLATE_MOCK_EVENT, TEMPLATE_NOT_TEXT, TEMPLATE_OPTIONAL_PATH
from hookctl.template.fields.body_check import PathChecker
from hookctl.template.fields.shapes import Scope, event_scope
from hookctl.template.language import filters as built_in
from hookctl.template.language.expressions import Choice, Expression, Filtered, Logic, Output
from hookctl.template.language.line_syntax import Place, has_expression, parse_line, place_problems
from hookctl.template.language.placeholders import placeholder_problems
from hookctl.template.language.usage import check_usage
from hookctl.template.proof.positions import Position
from hookctl.template.rendering.line import NO_TEXT, NotTextError, TextTemplate, compile_line

_STRUCTURED = frozenset({"array", "object"})


def check_text(text: str, event_type: EventSchema, filters: Mapping[str, Filter], place: Place) -> list[Problem]:
    """All problems of the expressions in a header's value or a URL, in the order of the text.

    Other code checks the URL rules; see :func:`blanked`.
    """
    placeholders = placeholder_problems(text)
    if not has_expression(text):
        return placeholders
    try:
        nodes = parse_line(text)
    except TemplateError as error:
        return [*placeholders, Problem.from_error(error)]
    scope = event_scope(EventShape(event_type.schema), filters)
    outputs = [node for node in nodes if isinstance(node, Output)]
    paths = PathChecker({output.start: Position("text", 0) for output in outputs}, text)
    paths.nodes(nodes, scope)
    problems = [
        *placeholders,
        *place_problems(nodes, text, place),
        *check_usage(nodes, filters),
        *map(_advised, paths.problems),
    ]
    problems += [problem for output in outputs for problem in _structured(output.expression, scope, text)]
    if event_type.mock and not any(problem.is_error for problem in problems):
        problems += _render_mock(compile_line(nodes, text, filters, place), event_type, problems, len(text))
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.start, problem.end))


def _advised(problem: Problem) -> Problem:
    """The problem with a hint for a line, if its hint for a body does not apply."""
    return (
        replace(problem, hint="Give a default that is valid here, such as default('none').")
        if problem.rule == TEMPLATE_OPTIONAL_PATH.id
        else problem
    )


def _structured(expression: Expression, scope: Scope, text: str) -> Iterator[Problem]:
    """The problems of expressions that, by the schema, are always an object or a list."""
    match expression:
        case Filtered() if built_in.properties(expression).accepts_missing:
            yield from _structured(expression.value, scope, text)
        case Choice():
            yield from _structured(expression.yes, scope, text)
            yield from _structured(expression.no, scope, text)
        case Logic():
            for operand in expression.operands:
                yield from _structured(operand, scope, text)
        case _ if (kinds := scope.kinds(expression) - {"null"}) and kinds <= _STRUCTURED:
            words = text[expression.start : expression.end]
            what = f"{words} is {' or '.join(DESCRIBED[name] for name in sorted(kinds))}, which is not text"
            yield TEMPLATE_NOT_TEXT.problem(expression.start, expression.end, what=what, fix=NO_TEXT)
        case _:
            return


def _render_mock(
    template: TextTemplate, event_type: EventSchema, known: Sequence[Problem], length: int
) -> list[Problem]:
    """The problem that only the mock event shows, not the schema."""
    try:
        template.render(event_type.mock)
    except RenderError as error:
        if any(
            problem.rule == TEMPLATE_OPTIONAL_PATH.id and error.start <= problem.start < (error.end or length)
            for problem in known
        ):
            return []  # the warning already covers the missing value
        end, name = error.end or length, event_type.name
        if isinstance(error, NotTextError):
            message = f"the mock event of {name} cannot be sent: {error.message}"
            return [TEMPLATE_NOT_TEXT.problem(error.start, end, what=message, fix=error.hint)]
        return [TEMPLATE_MOCK_EVENT.problem(error.start, end, event=name, what=error.message, fix=error.hint)]
    return []
