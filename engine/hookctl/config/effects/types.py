"""What a plan makes of event types: the fields that come and go, who reads those, and events that are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookctl import template, when
from hookctl.json.schema_fields import fields_of
from hookctl.model import DefinedType, DeliveryPlan, Json, Plan, Problem, TypeChange
from hookctl.model.rules.texts import TEMPLATE_UNKNOWN_PATH, WHEN_UNKNOWN_PATH
from hookctl.plugin.interfaces import EventType, FilterType

if TYPE_CHECKING:
    from hookctl.config.effects.events import Document

GONE = frozenset({TEMPLATE_UNKNOWN_PATH.id, WHEN_UNKNOWN_PATH.id})
"""The rules that report a field which the event type does not have."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A text of a webhook that reads fields which are gone."""

    webhook: str
    place: str
    """``body_template``, ``when``, ``url``, ``headers.NAME`` or ``form.NAME``."""
    fields: tuple[str, ...]
    """As the text writes them."""
    still: bool
    """Whether the webhook reads them after the plan too."""


@dataclass(frozen=True, slots=True)
class TypeEffects:
    """What the change of one event type means. A new or removed type has no fields here."""

    name: str
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    """Fields with their JSON types before and after."""
    optional: tuple[str, ...] = ()
    """Fields that may be missing now."""
    readers: tuple[Reader, ...] = ()
    refused: int = 0
    """The recent events of the type that the new schema refuses."""
    looked_at: int = 0
    """The recent events of the type."""


def type_effects(
    plan: Plan, filters: Mapping[str, FilterType], recent: Sequence[Document] = ()
) -> tuple[TypeEffects, ...]:
    """What each changed event type of a plan means, in order of name."""
    if not plan.event_types:
        return ()
    before = [*(change.before for change in plan.changes if change.before), *plan.unchanged.values()]
    after = [*plan.after]
    return tuple(_effects(change, before, after, filters, recent) for change in plan.event_types)


def _effects(
    change: TypeChange,
    before: Iterable[DeliveryPlan],
    after: Iterable[DeliveryPlan],
    filters: Mapping[str, FilterType],
    recent: Sequence[Document],
) -> TypeEffects:
    if change.before is None or change.after is None:
        return TypeEffects(change.name)
    old, new = fields_of(change.before.schema), fields_of(change.after.schema)
    both = [field for field in new if field in old]
    gone = tuple(field for field in old if field not in new)
    documents = [document for document in recent if document.get("event_type") == change.name]
    return TypeEffects(
        change.name,
        gone,
        tuple(field for field in new if field not in old),
        tuple((field, old[field].types, new[field].types) for field in both if old[field].types != new[field].types),
        tuple(field for field in both if new[field].is_optional and not old[field].is_optional),
        tuple(readers_of(change.before, change.after, before, after, filters)) if gone else (),
        _refused(change.after, documents),
        len(documents),
    )


def readers_of(
    old: DefinedType,
    new: DefinedType,
    before: Iterable[DeliveryPlan],
    after: Iterable[DeliveryPlan],
    filters: Mapping[str, FilterType],
) -> Iterator[Reader]:
    """The texts that read fields which the old schema has and the new one lacks, by webhook.

    ``before`` and ``after`` are the webhooks before and after the plan. Those that come with the plan are left out:
    they never read the old schema.
    """
    then = {(reader.webhook, reader.place): reader for plan in after for reader in _readers(plan, old, new, filters)}
    for plan in sorted(before, key=lambda plan: plan.name):
        for reader in _readers(plan, old, new, filters):
            still = then.get((reader.webhook, reader.place))
            yield Reader(reader.webhook, reader.place, reader.fields, still=still is not None)


def _readers(
    plan: DeliveryPlan, old: DefinedType, new: DefinedType, filters: Mapping[str, FilterType]
) -> Iterator[Reader]:
    if old.name not in plan.events:
        return
    for place, text in _texts(plan):
        known = {_key(problem) for problem in _problems(plan, place, text, old, filters)}
        found = [problem for problem in _problems(plan, place, text, new, filters) if _key(problem) not in known]
        words = dict.fromkeys(text[problem.start : problem.end] for problem in found if problem.rule in GONE)
        if words:
            yield Reader(plan.name, place, tuple(words), still=True)


def _key(problem: Problem) -> tuple[str, int, int]:
    return problem.rule, problem.start, problem.end


def _texts(plan: DeliveryPlan) -> Iterator[tuple[str, str]]:
    if plan.body_template:
        yield "body_template", plan.body_template
    if plan.when:
        yield "when", plan.when
    yield "url", plan.url
    yield from ((f"headers.{name}", text) for name, text in plan.headers.items())
    yield from ((f"form.{name}", text) for name, text in (plan.form or {}).items())


def _problems(
    plan: DeliveryPlan, place: str, text: str, defined: DefinedType, filters: Mapping[str, FilterType]
) -> Sequence[Problem]:
    event_type = EventType(name=defined.name, summary="", schema=defined.schema, mock={})
    if place == "body_template":
        return template.check_body(text, event_type, filters, None, plan.body_format)
    if place == "when":
        return when.check_when(text, event_type)
    if place == "url":
        return template.check_text(text, event_type, filters, "url")
    return template.check_text(text, event_type, filters, "header" if place.startswith("headers.") else "form")


def _refused(defined: DefinedType, documents: Sequence[Mapping[str, Json]]) -> int:
    if not documents:
        return 0
    import jsonschema_rs

    validator = jsonschema_rs.Draft202012Validator(dict(defined.schema), offline=True)
    return sum(not validator.is_valid(dict(document)) for document in documents)
