"""Mock events with fields that ``--set`` changes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hookctl.errors import EventError, HookctlError
from hookctl.model.nearest import nearest
from hookctl.model.rules.plans import TEST_FIELD

if TYPE_CHECKING:
    from hookctl.cli.formats import Outputs
    from hookctl.cli.session import Session
    from hookctl.json.paths import Step
    from hookctl.json.schema_paths import Shape
    from hookctl.model import DeliveryPlan, Finding, Json
    from hookctl.plugin.interfaces import EventType

    Pairs = list[tuple[DeliveryPlan, Mapping[str, Json]]]

_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+|\[[0-9]{1,4}\])*")
_NUMBERS = frozenset({"integer", "number"})

set_option = click.option(
    "--set",
    "changes",
    metavar="FIELD=VALUE",
    multiple=True,
    help="Set a field of the mock event, such as data.severity=Medium; can be given several times. The event type "
    "decides whether VALUE is text, a number or other JSON.",
)
"""The parameter ``changes: tuple[str, ...]``."""


def find_type(session: Session, name: str) -> EventType:
    """The event type of that name. Raises HookctlError if there is none."""
    types = session.event_types
    if name not in types:
        near = nearest(name, types)
        hint = f"Did you mean {', '.join(near)}?" if near else f"The event types are {', '.join(sorted(types))}."
        raise HookctlError(f"unknown event type {name!r}", hint=hint)
    return types[name]


def changed_or_exit(
    ctx: click.Context, session: Session, outputs: Outputs, pairs: Pairs, changes: Sequence[str]
) -> Pairs:
    """The events of webhooks with the changes. Findings, where an event type does not allow one, end the command."""
    from hookctl.cli.webhook_files import exit_on_errors

    found: Pairs = []
    findings: dict[tuple[str, str], Finding] = {}
    for plan, event in pairs:
        document, problems = change(session, find_type(session, str(event["event_type"])), event, changes)
        found.append((plan, document))
        findings |= {(problem.message, problem.hint): problem for problem in problems}
    exit_on_errors(ctx, session, outputs, [*findings.values()], warnings_to_stderr=True)
    return found


def change(
    session: Session, event_type: EventType, event: Mapping[str, Json], changes: Sequence[str]
) -> tuple[dict[str, Json], list[Finding]]:
    """The event with the changes, each ``FIELD=VALUE``, and a finding for each that the event type does not allow."""
    from hookctl.delivery.events.intake import EventGate
    from hookctl.json.schema_paths import EventShape

    shape = EventShape(event_type.schema)
    document: dict[str, Json] = copy.deepcopy(dict(event))
    findings: list[Finding] = []
    for text in changes:
        path, equals, value = text.partition("=")
        if not equals or not _PATH.fullmatch(path):
            raise click.BadParameter(f"{text!r} is not FIELD=VALUE, such as data.severity=Medium.", param_hint="--set")
        try:
            _put(document, _steps(path), _typed(shape, _steps(path), path, value))
        except _RefusedError as error:
            findings.append(TEST_FIELD.finding(what=error.message, fix=error.hint))
    if changes and not findings:
        try:
            EventGate(session.event_types).parse(json.dumps(document).encode())
        except EventError as error:
            fix = f"`hookctl schema event {event_type.name}` shows what each field may be."
            findings.append(TEST_FIELD.finding(what=error.message, fix=fix))
    return document, findings


class _RefusedError(Exception):
    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def _steps(path: str) -> list[Step]:
    return [int(part) if part.isdecimal() else part for part in re.findall(r"[\w-]+", path)]


def _typed(shape: Any, steps: Sequence[Step], path: str, text: str) -> Json:
    """The value of a text at a place of the event type. Raises _RefusedError."""
    from hookctl.json.paths import field_text
    from hookctl.json.schema_paths import Unknown

    found: Shape = shape.root
    for number, following in shape.walk(shape.root, steps):
        if isinstance(following, Unknown):
            around = field_text(steps[: number - 1])
            near = nearest(steps[number - 1], following.keys)
            known = [f"{around}.{key}".removeprefix(".") for key in (near or following.keys[:8])]
            if not near and not around and _is_known(shape, ["data", *steps]):
                near, known = (f"data.{path}",), [f"data.{path}"]
            fix = f"Did you mean {', '.join(known)}?" if near else f"Write one of {', '.join(known)}."
            raise _RefusedError(f"the event has no field {path}", fix)
        found = following
    return _value(found, path, text)


def _is_known(shape: Any, steps: Sequence[Step]) -> bool:
    """Whether the event type has a field at this path."""
    from hookctl.json.schema_paths import Unknown

    return not any(isinstance(following, Unknown) for _, following in shape.walk(shape.root, steps))


def _value(shape: Shape, path: str, text: str) -> Json:
    """The value that a text means for a shape: text if the field is text, JSON otherwise."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    types = shape.types
    if "string" in types and not (value is None and shape.nullable):
        others = types - {"string"}
        return value if others and not isinstance(value, str) and _kind(value) & others else text
    if value is None and (shape.nullable or not types):
        return None
    if types and not _kind(value) & types:
        wanted = " or ".join(sorted(types | ({"null"} if shape.nullable else set())))
        raise _RefusedError(
            f"{path} is {wanted}, and {text[:60]!r} is not", f"Write {path}=VALUE with {wanted} as JSON."
        )
    return value


def _kind(value: Json) -> frozenset[str]:
    """The types of JSON Schema that a value has."""
    from hookctl.json.kinds import schema_type

    found = schema_type(value)
    return _NUMBERS if found == "integer" else frozenset({found})


def _put(document: dict[str, Json], steps: Sequence[Step], value: Json) -> None:
    """Set a value in a document, with the objects and items around it if they are missing. Raises _RefusedError."""
    place: Any = document
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        if isinstance(place, list):
            if not isinstance(step, int) or step > len(place):
                raise _RefusedError(f"the mock event has no item {step} there", f"Its list has {len(place)} items.")
            if step == len(place):
                place.append(None)
        elif not isinstance(place, dict):
            raise _RefusedError("a field around it is not an object or a list", "Set the field around it as JSON.")
        else:
            step = str(step)  # noqa: PLW2901 - a key of digits
        if last:
            place[step] = value
            return
        inner = place.get(step) if isinstance(place, dict) else place[step]
        if not isinstance(inner, dict | list):
            inner = place[step] = [] if isinstance(steps[number + 1], int) else {}
        place = inner
