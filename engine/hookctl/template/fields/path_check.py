"""Checks paths against an event type's schema: an unknown path is an error, an optional one a warning."""

from __future__ import annotations

from hookctl.json.paths import path_text
from hookctl.json.schema_paths import Shape, Unknown, describe_keys, is_certain
from hookctl.model.nearest import nearest
from hookctl.model.problem import Problem
from hookctl.model.rules.texts import TEMPLATE_OPTIONAL_PATH, TEMPLATE_UNKNOWN_PATH
from hookctl.template.fields.guards import key_of
from hookctl.template.fields.shapes import Scope
from hookctl.template.language.expressions import Path
from hookctl.template.language.replacements import name_advice
from hookctl.template.language.usage import ROOTS
from hookctl.template.proof.positions import Position


def check_path(path: Path, scope: Scope, position: Position | None) -> Problem | None:
    """The problem of a path whose value is needed, if any.

    An unknown path is an error; a path that may be missing or null is a warning. ``position`` is the place where the
    value is written; None if the value is used in another way.
    """
    if path.root in ROOTS and is_certain(scope.event.schema, (path.root, *path.steps)):
        return None
    return unknown_path(path, scope) or _uncertain_path(path, scope, position)


def unknown_path(path: Path, scope: Scope) -> Problem | None:
    """The error for a path that the schema does not have."""
    if path.root not in scope.names:
        return None if scope.any_name else _unknown_name(path, scope)
    for number, shape in scope.event.walk(scope.names[path.root], path.steps):
        if isinstance(shape, Unknown):
            return _unknown_step(path, number, shape, scope)
    return None


def _unknown_name(path: Path, scope: Scope) -> Problem:
    data = scope.names.get("data")
    fields = [f"data.{key}" for schema in data.schemas for key in schema.get("properties", ())] if data else []
    if path.root == "loop":
        message, hint = "loop exists only inside a loop", "Use it between {% for %} and {% endfor %}."
    else:
        message, hint = (
            f"unknown name {path.root}",
            name_advice(path.root)
            or f"Known names: {', '.join(sorted(scope.names))}. The fields of the event are in data.",
        )
    near = [field for field in fields if field == f"data.{path.root}"] or list(nearest(path.root, scope.names))
    return TEMPLATE_UNKNOWN_PATH.problem(
        path.start, path.start + len(path.root), suggestions=tuple(near), what=message, fix=hint
    )


def _unknown_step(path: Path, number: int, unknown: Unknown, scope: Scope) -> Problem:
    parent = path_text(path.root, path.steps[: number - 1])
    wrong = path.steps[number - 1]
    if unknown.keys:
        message = f"{parent} has no {wrong}"
        hint = f"Known fields: {describe_keys(parent, unknown.keys)}"
    elif "array" in (kinds := _types_before(path, number, scope)):
        item = path_text(path.root, (*path.steps[: number - 1], 0, *path.steps[number - 1 :]))
        message = f"{parent} is a list, so it has no {wrong}"
        hint = f"Write {item} for the first item, or loop over the list: {{% for item in {parent} %}}."
    else:
        message, hint = f"{parent} is neither an object nor a list, so it has no {wrong}", f"Write {parent}."
        if isinstance(wrong, int) and kinds == {"string"}:
            bounds = f"{wrong or ''}:{wrong + 1 or ''}"
            message, hint = f"{parent} is text, which has no items", f"Write {parent}[{bounds}] for one character."
    rest = path.steps[number:]
    near = [Path(path.root, (*path.steps[: number - 1], key, *rest), 0, 0) for key in nearest(str(wrong), unknown.keys)]
    suggestions = tuple(other.text for other in near if unknown_path(other, scope) is None) or tuple(
        other.text for other in near
    )
    return TEMPLATE_UNKNOWN_PATH.problem(path.start, path.end, suggestions=suggestions, what=message, fix=hint)


def _types_before(path: Path, number: int, scope: Scope) -> frozenset[str]:
    """The types of the value before a step."""
    shape = scope.names[path.root]
    for at, following in scope.event.walk(shape, path.steps):
        if at >= number or not isinstance(following, Shape):
            break
        shape = following
    return frozenset(shape.types)


def _uncertain_path(path: Path, scope: Scope, position: Position | None) -> Problem | None:
    if path.root not in scope.names:
        return None
    shape = scope.names[path.root]
    key = key_of(path)
    steps: list[tuple[int, Shape]] = [(0, shape)]
    for number, following in scope.event.walk(shape, path.steps):
        if isinstance(following, Unknown):
            return None
        steps.append((number, following))
    for number, step_shape in steps:
        if scope.known.is_certain(key[: number + 1]):
            continue
        is_last = number == len(path.steps)
        is_optional = step_shape.optional and not scope.known.is_present(key[: number + 1])
        if is_optional or (step_shape.nullable and not is_last):
            what = "may be missing" if is_optional else "may be null"
            return _uncertain(path, f"{path_text(path.root, path.steps[:number])} {what}; if so, the delivery is dead")
        if step_shape.nullable and position is not None:
            sent = "null" if position.form == "value" else "the text null"
            return _uncertain(path, f"{path.text} may be null; if so, {sent} is sent")
    return None


def _uncertain(path: Path, message: str) -> Problem:
    hint = f"Give a default, such as {{{{ {path.text} | default('') }}}}, or write it inside {{% if {path.text} %}}."
    return TEMPLATE_OPTIONAL_PATH.problem(path.start, path.end, what=message, fix=hint)
