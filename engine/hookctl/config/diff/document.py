"""Writes a plan as a JSON document (``schemas/plan.schema.json``), and reads it back.

Unchanged webhooks appear only with name and digest, which is all that apply and readers need.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from hookctl.config.diff.changes import field_changes, make_plan
from hookctl.config.diff.signature import SIGNATURE
from hookctl.errors import AlteredPlanError, StateError
from hookctl.json.paths import pointer_text
from hookctl.json.strict import RepeatedKeyError, unique_keys
from hookctl.model import (
    Action,
    AppliedState,
    Change,
    DefinedType,
    DeliveryPlan,
    DeliveryStatus,
    Json,
    Plan,
    Repair,
    Revision,
    Status,
    TypeChange,
    canonical_json,
)
from hookctl.schema_files import read_schema

HINT = "Save one with `hookctl plan --out FILE`."
FORMAT_VERSION = "2.0"
"""The first number changes when readers of the old form would misread the new one."""
NO_EFFECTS: Mapping[str, Json] = {}
NOT_PART_OF_THE_PLAN = frozenset({"findings", "ignored", "outcome", SIGNATURE})
"""Keys of the document that the plan's digest does not cover."""


def to_document(plan: Plan) -> dict[str, Json]:
    """The plan as a JSON object, with everything that :func:`read_plan` needs, and fields and counts for other readers.

    ``effects`` is null: readers of a saved plan compute the effects again.
    """
    return {**document_head(plan), "changes": [change_document(change) for change in plan.changes]}


def document_head(plan: Plan, effects: Json = None, types: Mapping[str, Json] = NO_EFFECTS) -> dict[str, Json]:
    """Every key of the document except ``changes``, with the ``effects`` of all changes together.

    ``types`` has the effects of changed event types, by name.
    """
    counts = Counter(change.action.value for change in plan.changes)
    counts[Action.UNCHANGED.value] = len(plan.digests)
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "serial": plan.serial,
        "digest": plan.digest,
        "versions": dict(plan.versions),
        "only": list(plan.only),
        "against": {"ref": plan.against.ref, "commit": plan.against.commit} if plan.against else None,
        "summary": {**{action.value: counts[action.value] for action in Action}, "effects": effects},
        "unchanged": dict(plan.digests),
        "heal": [
            {"webhook": one.webhook, "id": one.id, "status": one.status.value, "version": one.version}
            for one in plan.heal
        ],
    }
    if plan.event_types or plan.type_digests:
        changed = [_type_document(change, types.get(change.name)) for change in plan.event_types]
        document["event_types"] = {"changes": changed, "unchanged": dict(plan.type_digests)}
    if plan.environment:
        document["environment"] = plan.environment
    return document


def _type_document(change: TypeChange, effects: Json) -> Json:
    """The change of one event type; ``effects`` is null in a saved plan."""
    return {
        "name": change.name,
        "before": dict(change.before.schema) if change.before else None,
        "after": dict(change.after.schema) if change.after else None,
        "effects": effects,
    }


def change_document(change: Change, effects: Json = None) -> dict[str, Json]:
    """One change as a JSON object, with its ``effects``."""
    return {
        "name": change.name,
        "action": change.action.value,
        "renamed_from": change.renamed_from,
        "before": change.before.to_json() if change.before else None,
        "after": change.after.to_json() if change.after else None,
        "fields": [
            {"pointer": pointer_text(field.pointer), "before": field.before, "after": field.after}
            for field in field_changes(change)
        ],
        "effects": effects,
    }


def read_document(text: str | bytes) -> dict[str, Json]:
    """The JSON object of a saved plan, of which only the format version was checked.

    Raises StateError when the text is not a saved plan, or is one of a format that this hookctl does not read.
    """
    try:
        document = json.loads(text, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise StateError(f"the file is not a saved plan: it is not valid JSON at {where}", hint=HINT) from error
    except RepeatedKeyError as error:
        raise StateError(f"the file is not a saved plan: {error}", hint=HINT) from error
    except RecursionError as error:
        raise StateError("the file is not a saved plan: it is nested too deeply", hint=HINT) from error
    except ValueError as error:  # int() refuses a text that would take it too long
        what = "it has a number with more digits than can be read"
        raise StateError(f"the file is not a saved plan: {what}", hint=HINT) from error
    if not isinstance(document, dict) or "format_version" not in document:
        raise StateError("the file is not a saved plan: it has no format_version", hint=HINT)
    if document["format_version"] != FORMAT_VERSION:
        raise StateError(
            f"the saved plan has format version {document['format_version']!r}, "
            f"but this hookctl reads {FORMAT_VERSION!r}",
            hint="Apply it with the version of hookctl that made it, or save a new plan.",
        )
    return document


def read_plan(text: str | bytes) -> Plan:
    """The plan in the text of a saved plan: :func:`read_document`, then :func:`plan_in`. Raises what both raise."""
    return plan_in(read_document(text))


def plan_in(document: Mapping[str, Json]) -> Plan:
    """The plan in the document of a saved plan, built again from both sides of its changes.

    Everything else in the document must agree with it. ``findings``, ``effects`` and ``outcome`` are left out, because
    they are computed again. ``unchanged`` of the plan is empty: the document holds only the digests of these webhooks.

    Raises:
        AlteredPlanError: something was changed after the plan was saved.
    """
    stated = {key: value for key, value in document.items() if key not in NOT_PART_OF_THE_PLAN}
    try:
        stated["summary"] = {**cast("dict[str, Json]", stated["summary"]), "effects": None}
        changes = [{**change, "effects": None} for change in cast("list[dict[str, Json]]", stated["changes"])]
        stated["changes"] = cast("list[Json]", changes)
        if "event_types" in stated:
            of_types = cast("dict[str, Json]", stated["event_types"])
            changed = [{**one, "effects": None} for one in cast("list[dict[str, Json]]", of_types["changes"])]
            stated["event_types"] = {**of_types, "changes": cast("list[Json]", changed)}
        _require_schema({**stated, "findings": []})
        plan = _rebuild(stated)
        unaltered = canonical_json(to_document(plan)) == canonical_json(stated)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _altered() from error
    if not unaltered:
        raise _altered()
    return plan


def _require_schema(document: dict[str, Json]) -> None:
    """Raise ValueError unless the document has the types of a plan, which all later code relies on."""
    import jsonschema_rs  # needed only to read a plan

    jsonschema_rs.validate(cast("dict[str, object]", read_schema("plan.schema.json")), document)


def _altered() -> AlteredPlanError:
    return AlteredPlanError(
        "the saved plan was altered: its content does not match its digest", hint="Save a new plan and apply that."
    )


def _rebuild(document: Mapping[str, Json]) -> Plan:
    """Build the plan from both sides of its changes, to check everything else in the document against it."""
    changes = cast("list[Mapping[str, Json]]", document["changes"])
    of_types = cast("Mapping[str, Json]", document.get("event_types", {"changes": [], "unchanged": {}}))
    types = cast("list[Mapping[str, Json]]", of_types["changes"])
    applied = AppliedState(
        cast("int", document["serial"]), _plans(changes, "before"), event_types=_types(types, "before")
    )
    against = cast("Mapping[str, str] | None", document["against"])
    plan = make_plan(
        applied,
        _plans(changes, "after"),
        cast("Mapping[str, str]", document["versions"]),
        only=cast("list[str]", document["only"]),
        against=Revision(against["ref"], against["commit"]) if against else None,
        event_types=_types(types, "after"),
    )
    digests = cast("Mapping[str, str]", document["unchanged"])
    if plan.unchanged or digests.keys() & plan.digests_before.keys():
        raise ValueError("a webhook is both changed and unchanged")
    kept = cast("Mapping[str, str]", of_types["unchanged"])
    if plan.type_digests or kept.keys() & {change.name for change in plan.event_types}:
        raise ValueError("an event type is both changed and unchanged")
    plan = replace(plan, type_digests=kept, environment=cast("str", document.get("environment", "")))
    return replace(plan, digests=digests, heal=_repairs(plan, cast("list[Mapping[str, Json]]", document["heal"])))


def _repairs(plan: Plan, documents: Sequence[Mapping[str, Json]]) -> tuple[Repair, ...]:
    """What the plan heals. Raises ValueError unless each is of a webhook that it changes and leaves active."""
    active = {one.name for change in plan.changes if (one := change.after) and one.status is Status.ACTIVE}
    if len({one["id"] for one in documents}) < len(documents) or not all(one["webhook"] in active for one in documents):
        raise ValueError("the plan heals a delivery that it does not affect, or one of them twice")
    return tuple(
        Repair(
            cast("str", one["webhook"]),
            cast("str", one["id"]),
            DeliveryStatus(cast("str", one["status"])),
            cast("int", one["version"]),
        )
        for one in documents
    )


def _types(changes: Sequence[Mapping[str, Json]], side: str) -> dict[str, DefinedType]:
    found = {cast("str", one["name"]): cast("Mapping[str, Json] | None", one[side]) for one in changes}
    return {name: DefinedType(name, schema) for name, schema in found.items() if schema is not None}


def _plans(changes: list[Mapping[str, Json]], side: str) -> dict[str, DeliveryPlan]:
    documents = [change[side] for change in changes]
    plans = [
        DeliveryPlan.from_json(cast("Mapping[str, Json]", document)) for document in documents if document is not None
    ]
    return {plan.name: plan for plan in plans}
