"""The changes of event types, as a plan shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hookctl.config.effects import TypeEffects
from hookctl.json.schema_fields import fields_of
from hookctl.model import Json, Plan, TypeChange
from hookctl.report.style import Line
from hookctl.report.text.printable import printable

MAX_FIELDS = 30
"""The most fields of one kind that are shown; more are counted."""
MAX_READERS = 20


def type_title(change: TypeChange) -> tuple[str, str]:
    """The sign of a change, and its title."""
    sign = "+" if change.before is None else "-" if change.after is None else "~"
    return sign, f"{sign} event type {printable(change.name)}"


def type_lines(change: TypeChange, effects: TypeEffects | None) -> Iterator[Line]:
    """What a change means, in lines."""
    if change.before is None and change.after is not None:
        yield Line(
            f"{len(fields_of(change.after.schema)):,} fields: see `hookctl schema event {printable(change.name)}`"
        )
    elif change.after is None:
        yield Line("events of this type are not accepted any more", is_important=True)
    elif effects is not None:
        yield from _changed(effects)


def types_document(plan: Plan, found: Sequence[TypeEffects]) -> Mapping[str, Json]:
    """The effects of each changed event type as JSON, by name."""
    by_name = {one.name: one for one in found}
    return {change.name: _document(by_name[change.name]) for change in plan.event_types if change.name in by_name}


def _changed(effects: TypeEffects) -> Iterator[Line]:
    yield from _fields("-", effects.gone)
    yield from _fields("+", effects.new)
    yield from _fields("~", [f"{field}: {before} -> {after}" for field, before, after in effects.retyped])
    yield from _fields("~", [f"{field}: may be missing" for field in effects.optional])
    if not (effects.gone or effects.new or effects.retyped or effects.optional):
        yield Line("its fields and their types stay as they are; descriptions, limits or the mock event differ")
    for reader in effects.readers[:MAX_READERS]:
        when = "reads" if reader.still else "no longer reads"
        place = f"{printable(reader.place)} of {printable(reader.webhook)}"
        yield Line(f"{place} {when} {', '.join(map(printable, reader.fields))}", is_important=reader.still)
    if len(effects.readers) > MAX_READERS:
        yield Line(f"and {len(effects.readers) - MAX_READERS:,} more texts that read fields which are gone")
    if effects.gone and not effects.readers:
        yield Line("no template and no `when` reads a field that is gone")
    if effects.refused:
        count = f"{effects.refused:,} of the last {effects.looked_at:,} events of this type"
        yield Line(f"{count} would be refused now", is_important=True)


def _fields(sign: str, fields: Sequence[str]) -> Iterator[Line]:
    for field in fields[:MAX_FIELDS]:
        yield Line(f" {printable(field)}", sign)
    if len(fields) > MAX_FIELDS:
        yield Line(f" {len(fields) - MAX_FIELDS:,} more fields", sign)


def _document(effects: TypeEffects) -> Json:
    return {
        "gone": list(effects.gone),
        "new": list(effects.new),
        "retyped": [{"field": field, "before": before, "after": after} for field, before, after in effects.retyped],
        "optional": list(effects.optional),
        "readers": [
            {"webhook": one.webhook, "place": one.place, "fields": list(one.fields), "still": one.still}
            for one in effects.readers
        ],
        "refused": effects.refused,
        "looked_at": effects.looked_at,
    }
