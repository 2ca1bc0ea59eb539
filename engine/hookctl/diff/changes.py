"""Applied and desired delivery plans become an ordered plan. Pure: no clock, no files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from hookctl.model import Action, AppliedState, Change, DeliveryPlan, FieldChange, Json, Plan, Pointer, canonical_json

NOTHING: Mapping[str, Json] = {"headers": {}, "auth": [], "response_validators": [], "labels": {}}
"""The fields that are empty when an author leaves them out."""


def make_plan(applied: AppliedState, desired: Mapping[str, DeliveryPlan], versions: Mapping[str, str]) -> Plan:
    """What it takes to get from ``applied`` to ``desired``: one change per name, ordered by name.

    Names are compared as they are written, so a name of which only the case changes is a delete and a create.
    """
    names = sorted({*applied.plans, *desired}, key=lambda name: (name.casefold(), name))
    changes = tuple(_change(name, applied.plans.get(name), desired.get(name)) for name in names)
    return Plan(applied.serial, changes, _digest(applied.serial, changes, versions), dict(versions))


def _change(name: str, before: DeliveryPlan | None, after: DeliveryPlan | None) -> Change:
    if before is not None and after is not None and before.digest == after.digest:
        return Change(name, Action.UNCHANGED, before, after)
    action = Action.CREATE if before is None else Action.DELETE if after is None else Action.UPDATE
    old, new = _document(before or after), _document(after or before)
    if before is None:
        old = _emptied(old)
    if after is None:
        new = _emptied(new)
    return Change(name, action, before, after, tuple(_differences((), old, new)))


def _document(plan: DeliveryPlan | None) -> dict[str, Json]:
    return {key: value for key, value in plan.to_json().items() if key not in {"format", "name"}} if plan else {}


def _emptied(document: dict[str, Json]) -> dict[str, Json]:
    """What a created webhook is compared with, and a deleted one: a field that says nothing stays, every other is absent."""
    return {key: value if value == NOTHING.get(key) else None for key, value in document.items()}


def _differences(pointer: Pointer, before: Json, after: Json) -> Iterator[FieldChange]:
    """Leaf by leaf; a list of scalars is one leaf, since its items mean something only together."""
    sides = [side for side in (before, after) if side is not None]
    if any(sides) and all(isinstance(side, dict) for side in sides):
        old, new = _mapping(before), _mapping(after)
        for key in {**new, **old}:  # in the order of what comes, then what goes
            yield from _differences((*pointer, key), old.get(key), new.get(key))
    elif all(isinstance(side, list) for side in sides) and any(isinstance(item, dict) for side in sides for item in _items(side)):
        for index, (was, becomes) in enumerate(zip_longest(_items(before), _items(after))):
            yield from _differences((*pointer, index), was, becomes)
    elif canonical_json(before) != canonical_json(after):  # Python's == takes True for 1
        yield FieldChange(pointer, before, after)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _digest(serial: int, changes: Iterable[Change], versions: Mapping[str, str]) -> str:
    """A delivery plan's digest covers its whole document, so the plan's digest covers them all."""
    rows: list[Json] = [[change.name, change.action.value, *(plan.digest if plan else None for plan in (change.before, change.after))] for change in changes]
    return hashlib.sha256(canonical_json({"serial": serial, "changes": rows, "versions": dict(versions)})).hexdigest()
