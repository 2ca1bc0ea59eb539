"""Applied and desired delivery plans become an ordered plan. Pure: no clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from hookctl.json.difference import aligned, pairs
from hookctl.model import (
    Action,
    AppliedState,
    Change,
    DeliveryPlan,
    FieldChange,
    Json,
    Plan,
    Pointer,
    Revision,
    canonical_json,
)
from hookctl.model.change import Changes
from hookctl.model.delivery_plan import digests_of

NOTHING: Mapping[str, Json] = {"headers": {}, "auth": [], "response_validators": [], "labels": {}}
"""The fields that are empty when an author leaves them out."""


def make_plan(
    applied: AppliedState,
    desired: Mapping[str, DeliveryPlan],
    versions: Mapping[str, str],
    *,
    only: Iterable[str] = (),
    against: Revision | None = None,
) -> Plan:
    """What it takes to get from ``applied`` to ``desired``: one change per name, ordered by name.

    ``only``: leave every webhook that has none of these names, before or after, as it is. ``against``: where
    ``applied`` was read from, if that was not the state.
    """
    only = tuple(sorted(set(only)))
    if only:
        desired = _narrowed(make_plan(applied, desired, versions), only)
    before, after = digests_of(applied.plans), digests_of(desired)
    old_names = _renames(
        [applied.plans[name] for name in before.keys() - after.keys()],
        [desired[name] for name in after.keys() - before.keys()],
    )
    different = {name for name, _ in before.items() ^ after.items()}
    changed = [
        _change(name, applied.plans.get(old_names.get(name, name)), desired.get(name))
        for name in different.difference(old_names.values())
    ]
    return Plan(
        applied.serial, Changes(changed, before.keys() - different, applied.plans), dict(versions), only, against
    )


def _narrowed(plan: Plan, only: Collection[str]) -> dict[str, DeliveryPlan]:
    """What is desired where the changes of these names alone are made; either name of a rename stands for it."""
    sides = (
        change.after if not {change.name, change.renamed_from}.isdisjoint(only) else change.before
        for change in plan.changes
    )
    return {side.name: side for side in sides if side}


def _renames(gone: Sequence[DeliveryPlan], come: Sequence[DeliveryPlan]) -> dict[str, str]:
    """The old name of each new one.

    A name of which only the case changes is a rename, since no two webhooks may have it.

    Else one that goes and one that comes are a rename when they are equal but for their names, and no third is equal to
    them.
    """
    found: dict[str, str] = {}
    for key in (_name_key, _content_key) if gone and come else ():
        old, new = (_by_key(plans, key) for plans in (gone, come))
        for same in old.keys() & new.keys():
            if len(old[same]) == len(new[same]) == 1:
                found[new[same][0]] = old[same][0]
        paired = {*found, *found.values()}
        gone, come = ([plan for plan in plans if plan.name not in paired] for plans in (gone, come))
    return found


def _by_key(plans: Iterable[DeliveryPlan], key: Callable[[DeliveryPlan], Hashable]) -> dict[Hashable, list[str]]:
    names: dict[Hashable, list[str]] = {}
    for plan in plans:
        names.setdefault(key(plan), []).append(plan.name)
    return names


def _name_key(plan: DeliveryPlan) -> str:
    return plan.name.casefold()


def _content_key(plan: DeliveryPlan) -> bytes:
    return canonical_json({**plan.to_json(), "name": None})


def _change(name: str, before: DeliveryPlan | None, after: DeliveryPlan | None) -> Change:
    if before and after:
        action = Action.UPDATE if before.name == name else Action.RENAME
        return Change(name, action, before, after, tuple(_differences((), _document(before), _document(after))))
    if after:
        return Change.create(after, _coming)
    return Change(
        name, Action.DELETE, before, None, tuple(FieldChange(pointer, value, None) for pointer, value in _said(before))
    )


def _coming(plan: DeliveryPlan) -> Iterator[FieldChange]:
    return (FieldChange(pointer, None, value) for pointer, value in _said(plan))


def _document(plan: DeliveryPlan | None) -> dict[str, Json]:
    return {key: value for key, value in plan.to_json().items() if key not in {"format", "name"}} if plan else {}


def _said(plan: DeliveryPlan | None) -> Iterator[tuple[Pointer, Json]]:
    """Every field of a webhook that comes or goes, leaf by leaf, but for those that say nothing."""
    for key, value in _document(plan).items():
        if value != NOTHING.get(key):
            yield from _leaves((key,), value)


def _leaves(pointer: Pointer, value: Json) -> Iterator[tuple[Pointer, Json]]:
    """Where a value differs from none at all, as :func:`_differences` tells it."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves((*pointer, key), inner)
    elif isinstance(value, list) and _holds_blocks(value):
        for index, inner in enumerate(value):
            yield from _leaves((*pointer, index), inner)
    elif value is not None and (value or pointer[-1:] != ("settings",)):
        yield pointer, value


def _differences(pointer: Pointer, before: Json, after: Json) -> Iterator[FieldChange]:
    """Leaf by leaf. A list of scalars is one leaf, since its items mean something only together."""
    if before is None or after is None:
        for place, value in _leaves(pointer, after if before is None else before):
            yield FieldChange(place, None, value) if before is None else FieldChange(place, value, None)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in {**after, **before}:  # the keys that are there after come first, in their order
            yield from _differences((*pointer, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and _holds_blocks([*before, *after]):
        yield from _item_differences(pointer, before, after)
    elif canonical_json(before) != canonical_json(after):  # Python's == takes True for 1
        yield FieldChange(pointer, before, after)


def _item_differences(pointer: Pointer, before: list[Json], after: list[Json]) -> Iterator[FieldChange]:
    """The differences of two lists of blocks, each at its index after, or before for a block that is removed."""
    old, new = ([canonical_json(item) for item in side] for side in (before, after))
    for same, index, index_after in aligned(old, new, pairs()):
        if same:
            continue
        place: Pointer = (*pointer, index if index_after is None else index_after)  # type: ignore[arg-type] # one is there
        yield from _differences(
            place, None if index is None else before[index], None if index_after is None else after[index_after]
        )


def _holds_blocks(items: list[Json]) -> bool:
    return any(isinstance(item, dict) for item in items)
