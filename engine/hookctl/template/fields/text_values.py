"""Warns about text that is sent as a JSON string although it looks like other JSON.

Jinja would paste the text, so that ``{{ "true" if data.ok else "false" }}`` becomes a boolean. Here it is a string.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from hookctl.errors import HookctlError
from hookctl.json.paths import Step
from hookctl.model import Json
from hookctl.model.problem import EventSchema, Filter, Problem
from hookctl.model.rules.texts import TEMPLATE_TEXT_VALUE
from hookctl.template.language.expressions import (
    Choice,
    Concat,
    Const,
    Expression,
    Filtered,
    Node,
    Output,
    Path,
    operands,
    walk,
)
from hookctl.template.language.filters import properties
from hookctl.template.language.values import MISSING, Value, take
from hookctl.template.proof.positions import Position
from hookctl.template.rendering.evaluation import Frame, evaluate

_SHOWN = 40


def text_value_problems(
    nodes: Sequence[Node],
    positions: Mapping[int, Position],
    text: str,
    event_type: EventSchema,
    filters: Mapping[str, Filter] | None,
) -> Iterator[Problem]:
    """The warnings for outputs that are written as a JSON value and give text that reads as JSON.

    ``filters`` is None for a template with errors, whose expressions cannot be evaluated.
    """
    for part in walk(*nodes):
        if isinstance(part, Output) and (position := positions.get(part.start)) and position.form == "value":
            yield from _warned(part.expression, text, event_type, filters)


def _warned(
    expression: Expression, text: str, event_type: EventSchema, filters: Mapping[str, Filter] | None
) -> Iterator[Problem]:
    match expression:
        case Choice():
            yield from _warned(expression.yes, text, event_type, filters)
            yield from _warned(expression.no, text, event_type, filters)
        case Filtered() if properties(expression).accepts_missing:
            for part in operands(expression)[:2]:
                yield from _warned(part, text, event_type, filters)
        case Filtered() if filters is not None and not properties(expression).writes_json:
            yield from _filtered(expression, text, event_type, filters)
        case Const(value=str() as value) if _reads_as_json(value):
            words = json.dumps(value, ensure_ascii=False)
            fix = f"Write {value} without quotes if the target expects that."
            yield TEMPLATE_TEXT_VALUE.problem(expression.start, expression.end, sent=words, fix=fix)
        case Concat(parts=(Const(value=str() as value), *_)) if value.lstrip()[:1] in {"{", "["}:
            fix = "Write the object or list in the body, and expressions in it."
            yield TEMPLATE_TEXT_VALUE.problem(expression.start, expression.end, sent="JSON in quotes", fix=fix)
        case Path():
            found = _in_mock(event_type.mock, (expression.root, *expression.steps))
            if isinstance(found, str) and found.lstrip()[:1] in {"{", "["} and _reads_as_json(found):
                fix = "If the target expects the object itself, the event must contain it as one."
                sent = json.dumps(found[:_SHOWN], ensure_ascii=False)
                yield TEMPLATE_TEXT_VALUE.problem(expression.start, expression.end, sent=sent, fix=fix)


def _filtered(
    expression: Filtered, text: str, event_type: EventSchema, filters: Mapping[str, Filter]
) -> Iterator[Problem]:
    """The warning for filters that make text which reads as JSON, such as ``data.count | string``."""
    inner: Expression = expression
    while isinstance(inner, Filtered):
        inner = inner.value
    try:
        given, result = (evaluate(part, text, filters)(Frame(dict(event_type.mock))) for part in (inner, expression))
    except HookctlError:  # a loop's name, for example, or an error that is reported elsewhere
        return
    if isinstance(result, str) and _reads_as_json(result) and not (isinstance(given, str) and _reads_as_json(given)):
        sent = json.dumps(result[:_SHOWN], ensure_ascii=False)
        fix = "Write the expression in quotes if the target expects text, or put `int` or `float` behind it."
        if result.lstrip()[:1] in {"{", "["}:
            fix = "If the target expects the object itself, remove the filters behind it."
        yield TEMPLATE_TEXT_VALUE.problem(expression.start, expression.end, sent=sent, fix=fix)


def _in_mock(mock: Mapping[str, Json], steps: Sequence[Step]) -> Value:
    found: Value = dict(mock)
    for step in steps:
        found = MISSING if found is MISSING else take(found, step)
    return found


def _reads_as_json(text: str) -> bool:
    """Whether text is JSON that is not a string: a number, true, null, an object."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return not text.lstrip().startswith('"')
