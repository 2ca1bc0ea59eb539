"""Compares applied and desired delivery plans. Uses neither the clock nor files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from hookctl.json.difference import aligned, pairs
from hookctl.model import (
    Action,
    AppliedState,
    Change,
    DefinedType,
    DeliveryPlan,
    FieldChange,
    Json,
    Plan,
    Pointer,
    Revision,
    canonical_json,
)
from hookctl.model.change import by_name
from hookctl.model.event_type import type_changes
from hookctl.on_demand import KnownPlans, known_plans

NOTHING: Mapping[str, Json] = {"headers": {}, "auth": [], "response_validators": [], "labels": {}, "outcomes": {}}
"""The fields that are empty when an author leaves them out."""


def make_plan(
    applied: AppliedState,
    desired: Mapping[str, DeliveryPlan],
    versions: Mapping[str, str],
    *,
    only: Iterable[str] = (),
    against: Revision | None = None,
    event_types: Mapping[str, DefinedType] | None = None,
) -> Plan:
    """The changes that lead from ``applied`` to ``desired``.

    Args:
        applied: the applied state, or the delivery plans of a git revision.
        desired: the delivery plans that should run, by name.
        versions: of hookctl, and of each plugin that the webhooks use.
        only: names of webhooks; all others stay unchanged. Either name selects a rename. Empty: every webhook.
        against: the git revision that ``applied`` was read from, if it was.
        event_types: those that files should define, by name; None: as they are applied.
    """
    only = tuple(sorted(set(only)))
    old, new = known_plans(applied.plans), known_plans(desired)
    changes = _changes(old, _narrowed(old, _changes(old, new), only) if only else new)
    changed = {name for change in changes for name in (change.name, change.renamed_from)}
    unchanged = old.only([name for name in sorted(old, key=by_name) if name not in changed])
    wanted = applied.event_types if event_types is None else event_types
    changed_types, type_digests = type_changes(applied.event_types, wanted)
    return Plan(
        applied.serial,
        tuple(changes),
        unchanged,
        unchanged.digests,
        dict(versions),
        only,
        against,
        event_types=changed_types,
        type_digests=type_digests,
    )


def _narrowed(old: KnownPlans, changes: Sequence[Change], only: Collection[str]) -> KnownPlans:
    """The desired delivery plans when only the webhooks with these names change."""
    digests, made = dict(old.digests), {}
    for change in changes:
        if {change.name, change.renamed_from}.isdisjoint(only):
            continue
        if change.before:
            del digests[change.before.name]
        if change.after:
            digests[change.name] = change.after.digest
            made[change.name] = change.after
    return KnownPlans(digests, old.__getitem__, made)


def _changes(old: KnownPlans, new: KnownPlans) -> list[Change]:
    """The changes, ordered by name. Only delivery plans whose digests differ are read."""
    before, after = old.digests, new.digests
    old_names = _renames(
        [old[name] for name in before.keys() - after.keys()], [new[name] for name in after.keys() - before.keys()]
    )
    different = {name for name, _ in before.items() ^ after.items()}.difference(old_names.values())
    return [
        change_between(name, old.get(old_names.get(name, name)), new.get(name))
        for name in sorted(different, key=by_name)
    ]


def _renames(gone: Sequence[DeliveryPlan], come: Sequence[DeliveryPlan]) -> dict[str, str]:
    """The old name of each renamed webhook, by its new name.

    A change of case alone is a rename, since names are unique without case.

    Otherwise, a removed and a new webhook are a rename if they are equal except for the name, and no third webhook is
    equal to them.
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


def change_between(name: str, before: DeliveryPlan | None, after: DeliveryPlan | None) -> Change:
    """The change of one webhook, with the fields that differ. ``name`` is that of ``after``, if there is one."""
    if before and after:
        action = Action.UPDATE if before.name == name else Action.RENAME
        return Change(name, action, before, after, tuple(_differences((), _document(before), _document(after))))
    return Change(name, Action.CREATE if after else Action.DELETE, before, after)


def field_changes(change: Change) -> Sequence[FieldChange]:
    """The fields that a change affects: for a new or removed webhook, every field that is not empty.

    They are not stored in the change: a plan can contain thousands of new webhooks, and reports show only a few.
    """
    if change.after and not change.before:
        return [FieldChange(pointer, None, value) for pointer, value in _filled_fields(change.after)]
    if not change.after and change.before:
        return [FieldChange(pointer, value, None) for pointer, value in _filled_fields(change.before)]
    return change.fields


def _document(plan: DeliveryPlan) -> dict[str, Json]:
    return {key: value for key, value in plan.to_json().items() if key not in {"format", "name"}}


def _filled_fields(plan: DeliveryPlan) -> Iterator[tuple[Pointer, Json]]:
    """Every field of a webhook that is not empty, leaf by leaf."""
    for key, value in _document(plan).items():
        if value != NOTHING.get(key):
            yield from _leaves((key,), value)


def _leaves(pointer: Pointer, value: Json) -> Iterator[tuple[Pointer, Json]]:
    """The leaves of a value that exists on one side only, as :func:`_differences` divides them."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves((*pointer, key), inner)
    elif isinstance(value, list) and _holds_blocks(value):
        for index, inner in enumerate(value):
            yield from _leaves((*pointer, index), inner)
    elif value is not None and (value or pointer[-1:] != ("settings",)):
        yield pointer, value


def _differences(pointer: Pointer, before: Json, after: Json) -> Iterator[FieldChange]:
    """The differences, leaf by leaf. A list of scalars is one leaf, because its items belong together."""
    if before is None or after is None:
        for place, value in _leaves(pointer, after if before is None else before):
            yield FieldChange(place, None, value) if before is None else FieldChange(place, value, None)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in {**after, **before}:  # keys of the new side first, in their order
            yield from _differences((*pointer, key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and _holds_blocks([*before, *after]):
        yield from _item_differences(pointer, before, after)
    elif canonical_json(before) != canonical_json(after):  # in Python, True == 1
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
