"""What stores have in common in how they keep the applied state: rows with canonical JSON and its digest."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from hookctl.errors import StalePlanError, StateError, StoreError
from hookctl.model import AppliedState, DefinedType, DeliveryPlan, Plan, Rename
from hookctl.model.delivery_plan import FORMAT
from hookctl.on_demand import KnownPlans, known_plans
from hookctl.store.records import MAX_TIME


class AppliedRow(NamedTuple):
    """An applied webhook as it is stored; what is damaged may be of any type."""

    key: Any
    """Identifies the row."""
    name: Any
    digest: Any
    document: Any
    """The canonical JSON, in bytes."""


class LastApply(NamedTuple):
    """The last apply."""

    serial: int
    at: float
    """Epoch seconds."""
    by: str
    """``user@host``; may be empty."""


def state_of(
    rows: Sequence[AppliedRow],
    serial: int,
    renames: tuple[Rename, ...],
    types: Mapping[str, DefinedType],
    *,
    is_edited: bool,
) -> AppliedState:
    """The state. Each document is checked now, but parsed only when its content is needed: most plans never change.

    Raises StoreError for a delivery plan of another format.
    """
    damage = {row.key: why for row in rows if (why := damage_of(row))}
    sound = {row.name: row for row in rows if row.key not in damage}
    plans = KnownPlans(
        {name: row.digest for name, row in sound.items()}, lambda name: parse_applied(name, sound[name].document)
    )
    unreadable = {
        name: damage[row.key] for row in rows if row.key in damage for name in _names(row) if name not in sound
    }
    return AppliedState(serial, plans, renames, is_edited, unreadable, types)


class _Head(Struct):
    """The part of a document that is read of every delivery plan; the decoder skips the rest."""

    format: Any = None
    name: Any = None


_decode_head = Decoder(_Head).decode


def damage_of(row: AppliedRow) -> str:
    """What is wrong with a row; empty when nothing is. Raises StoreError for a delivery plan of another format."""
    if not isinstance(row.document, bytes) or hashlib.sha256(row.document).hexdigest() != row.digest:
        return "its delivery plan does not match its digest"
    try:
        head = _decode_head(row.document)
    except (DecodeError, RecursionError):
        return "its delivery plan is not a JSON object"
    if not isinstance(row.name, str) or head.name != row.name:
        return "its delivery plan is stored under another name"
    if head.format != FORMAT:
        parse_applied(row.name, row.document)  # raises the error that names both formats
    return ""


def _names(row: AppliedRow) -> set[str]:
    """The names that a damaged row may be for: its own, and the one in its document if that can be read."""
    names = {row.name}
    with suppress(TypeError, DecodeError, RecursionError):
        names.add(_decode_head(row.document).name)
    return {name for name in names if isinstance(name, str)}


def state_digest(rows: Iterable[tuple[str, str]], types: Mapping[str, str]) -> str:
    """The digest of a state, from the names and digests of its plans in order of name, and of its event types."""
    stated: list[object] = [*rows, *([dict(types)] if types else [])]
    return hashlib.sha256(json.dumps(stated, default=repr, sort_keys=True).encode()).hexdigest()


def defined_types(rows: Iterable[tuple[Any, Any]]) -> dict[str, DefinedType]:
    """The event types in rows of names and documents.

    One that is not a JSON object is left out, which counts as an edit.
    """
    found = {}
    for name, document in rows:
        try:
            schema = json.loads(document)
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(name, str) and isinstance(schema, dict):
            found[name] = DefinedType(name, schema)
    return found


def digests_of(types: Mapping[str, DefinedType]) -> dict[str, str]:
    """The digest of each event type, by name."""
    return {name: one.digest for name, one in types.items()}


def event_column(events: tuple[str, ...]) -> str:
    """How a route's event types are stored: one by its name, several as a JSON list."""
    return events[0] if len(events) == 1 else json.dumps(events, separators=(",", ":"))


def events_in(column: str) -> tuple[str, ...]:
    """The event types that :func:`event_column` stored."""
    try:
        return tuple(map(str, json.loads(column))) if column.startswith("[") else (column,)
    except (ValueError, RecursionError):
        return (column,)


def parse_applied(name: str, document: bytes) -> DeliveryPlan:
    """The delivery plan in a row. Raises StoreError."""
    try:
        return DeliveryPlan.from_json(json.loads(document))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"the applied webhook {name} cannot be read: {error}",
            hint="It was written by another version of hookctl, or by hand.",
        ) from error


def refuse_removals(plan: Plan) -> None:
    """Raise StateError if the plan removes a protected webhook."""
    if plan.protected_removals:
        raise StateError(
            f"the plan removes the protected webhook {plan.protected_removals[0]}",
            hint="Restore its file, or apply `protected: false` first.",
        )


def refuse_stale(plan: Plan, state: AppliedState, last: LastApply | None) -> None:
    """Raise StalePlanError unless the plan starts from this state.

    The serial reveals applies since; the digests reveal a plan for another store that has the same serial.
    """
    applied = dict(known_plans(state.plans).digests)
    is_same = applied == plan.digests_before and digests_of(state.event_types) == plan.type_digests_before
    if plan.serial == (last.serial if last else 0) and is_same:
        return
    now = (
        f"now at serial {last.serial}, applied {f'by {last.by} ' if last.by else ''}at {_utc(last.at)}"
        if last
        else "empty"
    )
    raise StalePlanError(
        f"the plan is stale: it starts from serial {plan.serial}, and the applied state is {now}",
        hint="Run `hookctl plan` again and review the new plan.",
    )


def _utc(at: object) -> str:
    if not isinstance(at, int | float) or abs(at) > MAX_TIME:
        return "a time that cannot be read"
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def refuse_incomplete(*, is_incomplete: bool) -> None:
    """Raise StateError if the store has only a part of another one: what is added now would be in the way."""
    if is_incomplete:
        raise StateError(
            "the store has an incomplete copy of another store",
            hint="Run the same `hookctl store copy` again: it goes on where it ended.",
        )
