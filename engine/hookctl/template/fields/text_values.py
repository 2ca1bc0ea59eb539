"""Warns about text that is sent as a JSON string although it looks like other JSON.

Jinja would paste the text, so that ``{{ "true" if data.ok else "false" }}`` becomes a boolean. Here it is a string.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from hookctl.json.paths import Step
from hookctl.model import Json
from hookctl.model.problem import EventSchema, Problem
from hookctl.model.rules.texts import TEMPLATE_TEXT_VALUE
from hookctl.template.language.expressions import Choice, Concat, Const, Expression, Node, Output, Path, walk
from hookctl.template.language.values import MISSING, Value, take
from hookctl.template.proof.positions import Position

_SHOWN = 40


def text_value_problems(
    nodes: Sequence[Node], positions: Mapping[int, Position], text: str, event_type: EventSchema
) -> Iterator[Problem]:
    """The warnings for outputs that are written as a JSON value and give text that reads as JSON."""
    for part in walk(*nodes):
        if isinstance(part, Output) and (position := positions.get(part.start)) and position.form == "value":
            yield from _warned(part.expression, text, event_type)


def _warned(expression: Expression, text: str, event_type: EventSchema) -> Iterator[Problem]:
    match expression:
        case Choice():
            yield from _warned(expression.yes, text, event_type)
            yield from _warned(expression.no, text, event_type)
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
