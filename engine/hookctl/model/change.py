"""Changes between the applied and the desired delivery plans, and the plan that holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hookctl.model.delivery import DeliveryStatus
from hookctl.model.delivery_plan import DeliveryPlan, canonical_json
from hookctl.model.event_type import DefinedType, TypeChange
from hookctl.model.source import Json, Pointer


class Action(StrEnum):
    """What an apply does to one webhook."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RENAME = "rename"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; ``before`` or ``after`` is None where the field is absent on that side."""

    pointer: Pointer
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one webhook: ``before`` is None for a new one, ``after`` for one that is removed."""

    name: str
    """The new one of a rename."""
    action: Action
    before: DeliveryPlan | None
    """Under its old name, for a rename."""
    after: DeliveryPlan | None
    fields: tuple[FieldChange, ...] = ()
    """The fields that differ, for a webhook that is there on both sides. ``hookctl.config.diff.field_changes`` also
    gives
    the fields of one that is new or removed."""

    @property
    def renamed_from(self) -> str | None:
        """The old name of a rename; None for every other change."""
        return self.before.name if self.action is Action.RENAME and self.before else None


@dataclass(frozen=True, slots=True)
class Rename:
    """One webhook's change of name, and the serial of the apply that made it."""

    serial: int
    old: str
    new: str
    is_taken: bool = False
    """True when another webhook has the old name now."""


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The delivery plans that run now."""

    serial: int = 0
    """Each apply increments it by one; 0 before the first apply."""
    plans: Mapping[str, DeliveryPlan] = field(default_factory=dict)
    renames: tuple[Rename, ...] = ()
    """Every rename so far, in the order of the applies."""
    is_edited: bool = False
    """True: something other than an apply has added, replaced or removed a delivery plan since the last apply."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """The applied webhooks whose rows are damaged, with the reason; ``plans`` does not contain them."""
    event_types: Mapping[str, DefinedType] = field(default_factory=dict)
    """The event types that the files in ``events.d`` defined, by name: events are checked against these."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The git revision that files are compared with, instead of the applied state."""

    ref: str
    """The revision as the user wrote it."""
    commit: str
    """The full id of its commit."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A delivery that has failed and that a plan may repair; ``apply --heal`` replays it."""

    webhook: str
    """The webhook's name in the plan: the new one of a rename."""
    id: str
    status: DeliveryStatus
    """``dead`` or ``retrying``."""
    version: int
    """How often it was claimed or replayed by then. With the status, it shows whether the delivery has changed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would change, and the serial of the applied state that it starts from."""

    serial: int
    changes: tuple[Change, ...]
    """Ordered by name, without unchanged webhooks."""
    unchanged: Mapping[str, DeliveryPlan]
    """The unchanged webhooks, by name."""
    digests: Mapping[str, str]
    """The digest of each unchanged delivery plan, by name. The plans need not be read for it."""
    versions: Mapping[str, str]
    """The versions of hookctl, and of each plugin that the new and changed webhooks use: a plan names what made it."""
    only: tuple[str, ...] = ()
    """The names that the plan is limited to, in order; all other webhooks stay unchanged. Empty: every webhook."""
    against: Revision | None = None
    """The git revision that the files are compared with, if any. Such a plan cannot be applied."""
    heal: tuple[Repair, ...] = ()
    """What ``apply --heal`` replays, and nothing else."""
    event_types: tuple[TypeChange, ...] = ()
    """The changes of the event types that files define, in order of name."""
    type_digests: Mapping[str, str] = field(default_factory=dict)
    """The digest of each such event type that stays as it is, by name."""
    environment: str = ""
    """The name of the environment that it is for; empty if there is none."""

    @property
    def digest(self) -> str:
        """SHA-256 of all other fields, in hex. A delivery plan's digest covers its whole document, name included."""
        rows: list[Json] = [
            [
                change.name,
                change.action.value,
                *(side.digest if side else None for side in (change.before, change.after)),
            ]
            for change in self.changes
        ]
        revision: Json = [self.against.ref, self.against.commit] if self.against else None
        document: dict[str, Json] = {
            "serial": self.serial,
            "changes": rows,
            "unchanged": dict(self.digests),
            "versions": dict(self.versions),
            "only": list(self.only),
            "against": revision,
        }
        if self.heal:
            document["heal"] = [[one.webhook, one.id, one.status.value, one.version] for one in self.heal]
        if self.event_types or self.type_digests:
            changed: list[Json] = [
                [one.name, *(side.digest if side else None for side in (one.before, one.after))]
                for one in self.event_types
            ]
            document["event_types"] = {"changes": changed, "unchanged": dict(self.type_digests)}
        if self.environment:
            document["environment"] = self.environment
        return hashlib.sha256(canonical_json(document)).hexdigest()

    @property
    def after(self) -> Iterator[DeliveryPlan]:
        """Every webhook as it runs once the plan is applied, in no particular order. Policies check these."""
        yield from (change.after for change in self.changes if change.after)
        yield from self.unchanged.values()

    @property
    def has_changes(self) -> bool:
        """True when an apply would change anything."""
        return bool(self.changes or self.event_types)

    @property
    def digests_before(self) -> Mapping[str, str]:
        """The digest of each delivery plan that the plan starts from, by name."""
        return {
            **self.digests,
            **{change.before.name: change.before.digest for change in self.changes if change.before},
        }

    @property
    def type_digests_before(self) -> Mapping[str, str]:
        """The digest of each event type that the plan starts from, by name."""
        return {
            **self.type_digests,
            **{change.name: change.before.digest for change in self.event_types if change.before},
        }

    @property
    def protected_removals(self) -> tuple[str, ...]:
        """The names of protected webhooks that the plan would remove. An apply refuses such a plan."""
        return tuple(
            change.name
            for change in self.changes
            if change.action is Action.DELETE and change.before and change.before.protected
        )


def by_name(name: str) -> tuple[str, str]:
    """The sort key of a name: case-insensitive, then case-sensitive."""
    return name.casefold(), name
